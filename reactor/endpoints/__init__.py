"""Endpoints: how to connect or listen, as an object that a program can be given.

A client endpoint has `connect(factory)`, a server endpoint `listen(factory)`; both return a Deferred.
`clientFromString` and `serverFromString` make them of text, so that whoever runs a program decides.
"""

from __future__ import annotations

from reactor.endpoints._adopted import AdoptedStreamServerEndpoint
from reactor.endpoints._connecting import connectProtocol
from reactor.endpoints._fromstring import clientFromString, serverFromString
from reactor.endpoints._process import ProcessEndpoint, StandardErrorBehavior
from reactor.endpoints._ssl import SSL4ClientEndpoint, SSL4ServerEndpoint, wrapClientTLS
from reactor.endpoints._stdio import StandardIOEndpoint
from reactor.endpoints._strings import quoteStringArgument
from reactor.endpoints._tcp import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)
from reactor.endpoints._unix import UNIXClientEndpoint, UNIXServerEndpoint
from reactor.endpoints._wrapserver import wrapServerTLS

__all__ = [
    "clientFromString",
    "serverFromString",
    "quoteStringArgument",
    "connectProtocol",
    "wrapClientTLS",
    "wrapServerTLS",
    "HostnameEndpoint",
    "TCP4ClientEndpoint",
    "TCP6ClientEndpoint",
    "SSL4ClientEndpoint",
    "UNIXClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ServerEndpoint",
    "SSL4ServerEndpoint",
    "UNIXServerEndpoint",
    "AdoptedStreamServerEndpoint",
    "ProcessEndpoint",
    "StandardErrorBehavior",
    "StandardIOEndpoint",
]
