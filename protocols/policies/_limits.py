"""How many connections there may be: in all, and from one peer.

A connection counts from the moment its protocol is built. Whatever is built but never connected (a TLS handshake in
between failed) stops counting when it is freed, so that nobody can use up a limit by failing.
"""

from __future__ import annotations

import math
import resource
import weakref
from typing import Any

from protocols.policies._wrapping import ProtocolWrapper, WrappingFactory
from reactor._ground.peers import IPV6_PREFIX, peerOf
from reactor.protocol import ServerFactory

#: Descriptors that are left to the rest of the program: files, the resolver, what servers connect to in turn.
DESCRIPTORS_KEPT = 64


def connectionsAllowed(limit: float | None) -> float:
    """`limit` (None: as many as can be), but never more than the process may have descriptors, less those kept."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = math.inf if soft == resource.RLIM_INFINITY else max(soft - DESCRIPTORS_KEPT, 1)
    return most if limit is None else min(limit, most)


class Census:
    """How many living protocols there are of each key."""

    def __init__(self) -> None:
        self.counts: dict[Any, int] = {}
        # By identity: protocols need not be hashable. The reference's callback is what notices one that was freed.
        self._entries: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def enter(self, protocol: Any, key: Any = None) -> None:
        """`protocol` counts for `key` from now on, until `leave` or its end as an object."""
        number = id(protocol)
        self._entries[number] = (weakref.ref(protocol, lambda _: self._leave(number)), key)
        self.counts[key] = self.counts.get(key, 0) + 1

    def leave(self, protocol: Any) -> None:
        """`protocol` counts no more. Does nothing when it does not."""
        self._leave(id(protocol))

    def _leave(self, number: int) -> None:
        entry = self._entries.pop(number, None)
        if entry is None:
            return
        key = entry[1]
        self.counts[key] -= 1
        if not self.counts[key]:
            del self.counts[key]

    def count(self, key: Any = None) -> int:
        """How many count for `key`."""
        return self.counts.get(key, 0)


class LimitTotalConnectionsFactory(ServerFactory):
    """A factory, to be subclassed, that has so many connections at a time and no more."""

    #: How many; None: as many as the process may have descriptors, less 64, which is the most in any case.
    connectionLimit: int | None = None
    #: Called without arguments for each connection past `connectionLimit`, to tell the peer; None: it is closed.
    overflowProtocol: Any = None

    _census: Census | None = None

    @property
    def connectionCount(self) -> int:
        """How many connections there are, those of `overflowProtocol` among them."""
        return 0 if self._census is None else self._census.count()

    def buildProtocol(self, addr: Any) -> Any:
        """A `ProtocolWrapper` around a `protocol` or an `overflowProtocol`; None to refuse the connection."""
        most = connectionsAllowed(None)
        count = self.connectionCount
        if count >= most:
            return None
        if self.connectionLimit is None or count < self.connectionLimit:
            wrapped: Any = super().buildProtocol(addr)
        elif self.overflowProtocol is None:
            return None
        else:
            wrapped = self.overflowProtocol()
            wrapped.factory = self
        protocol = ProtocolWrapper(self, wrapped)
        if self._census is None:
            self._census = Census()
        self._census.enter(protocol)
        return protocol

    def registerProtocol(self, p: Any) -> None:
        """The connection of `p` is made. Called by `p`."""

    def unregisterProtocol(self, p: Any) -> None:
        """The connection of `p` is lost. Called by `p`."""
        if self._census is not None:
            self._census.leave(p)


class LimitConnectionsByPeer(WrappingFactory):
    """Lets each peer have so many connections at a time and closes what it opens beyond that."""

    #: How many.
    maxConnectionsPerPeer: int = 5
    #: How many leading bits of an IPv6 address tell peers apart: a host mostly has all addresses of a /64 to itself
    #: (RFC 4291, section 2.5.1).
    ipv6Prefix: int = IPV6_PREFIX

    def __init__(self, wrappedFactory: Any) -> None:
        """Around the protocols of `wrappedFactory`."""
        super().__init__(wrappedFactory)
        self._census = Census()

    @property
    def peerConnections(self) -> dict[Any, int]:
        """Peer, as `peerOf` has it, -> how many connections it has."""
        return self._census.counts

    def peerOf(self, addr: Any) -> Any:
        """What tells peers apart: equal for addresses that are the same peer's; None for one without limit.

        An IPv4 address, also one mapped into IPv6, is a peer; so are all IPv6 addresses with the same first
        `ipv6Prefix` bits (each link-local one by itself). UNIX sockets have no limit: their peers have no address.
        """
        return peerOf(addr, self.ipv6Prefix)

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds; None when the peer has its connections already."""
        peer = self.peerOf(addr)
        if peer is not None and self._census.count(peer) >= self.maxConnectionsPerPeer:
            return None
        protocol = super().buildProtocol(addr)
        if protocol is not None and peer is not None:
            self._census.enter(protocol, peer)
        return protocol

    def unregisterProtocol(self, p: Any) -> None:
        """The connection of `p` is lost. Called by `p`."""
        super().unregisterProtocol(p)
        self._census.leave(p)
