"""The domain name system, as a program that asks sees it: a stub resolver on the reactor's sockets (RFC 1035, 5452,
6891, 7766).

``await dns.lookup("example.org", "MX")`` gives records; ``reactor.installNameResolver(dns.Resolver())`` makes the
reactor look up the names of hosts in this way, without threads. Messages are made and read by `dnspython` (extra
``dns``).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from protocols.dns import records as records
from protocols.dns._resolvconf import Config
from protocols.dns._resolver import Resolver
from protocols.dns.error import LookupFailed, NoData, NoSuchName, ServerFailure, TimedOut
from protocols.dns.records import (
    AAAA,
    CAA,
    CNAME,
    HTTPS,
    MX,
    NS,
    PTR,
    SOA,
    SRV,
    SVCB,
    TXT,
    A,
    Other,
    Record,
)
from reactor._ground.current import currentReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.defer import Deferred

__all__ = [
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "Config",
    "HTTPS",
    "LookupFailed",
    "MX",
    "NS",
    "NoData",
    "NoSuchName",
    "Other",
    "PTR",
    "Record",
    "Resolver",
    "SOA",
    "SRV",
    "SVCB",
    "ServerFailure",
    "TXT",
    "TimedOut",
    "lookup",
    "reverse",
]

# The resolver of each reactor whose own is another one.
_resolvers: WeakKeyDictionary[Any, Resolver] = WeakKeyDictionary()


def lookup(name: str | bytes, type: str | int = "A", *, search: bool = False) -> Deferred[list[Record]]:
    """`Resolver.lookup` of this thread's reactor: by the resolver that is installed there, if that is one of these."""
    return _resolver().lookup(name, type, search=search)


def reverse(address: str) -> Deferred[list[str]]:
    """`Resolver.reverse`, in the same way."""
    return _resolver().reverse(address)


def _resolver() -> Resolver:
    reactor = currentReactor()
    installed = reactor.nameResolver
    if isinstance(installed, Resolver):
        return installed
    if reactor not in _resolvers:
        _resolvers[reactor] = Resolver(reactor)
    return _resolvers[reactor]
