"""SOCKS: connecting through a server that connects for others. Versions 4, 4a and 5 (RFC 1928, RFC 1929).

`SOCKS5ClientEndpoint` and `SOCKS4ClientEndpoint` connect through one; `SOCKSServerFactory` is one, which allows what
its policy allows and nothing else. `ServerHandshake` knows no connection. `SOCKSv4` and `SOCKSv4Factory` are here for
who knows them from Twisted.
"""

from __future__ import annotations

from protocols.socks._answering import Request, ServerHandshake, State
from protocols.socks._client import SOCKS4ClientEndpoint, SOCKS5ClientEndpoint, SOCKSClientParser
from protocols.socks._policy import (
    allOf,
    allowClients,
    allowHosts,
    allowNetworks,
    allowPorts,
    anyOf,
    publicOnly,
    refuseAll,
)
from protocols.socks._replies import SOCKSError, SOCKSProtocolError
from protocols.socks._server import SOCKSServerFactory, SOCKSServerProtocol
from protocols.socks._socks4 import SOCKSv4, SOCKSv4Factory, SOCKSv4Outgoing

__all__ = [
    "SOCKS5ClientEndpoint",
    "SOCKS4ClientEndpoint",
    "SOCKSClientParser",
    "SOCKSError",
    "SOCKSServerFactory",
    "SOCKSServerProtocol",
    "Request",
    "allowNetworks",
    "allowClients",
    "allowHosts",
    "allowPorts",
    "publicOnly",
    "allOf",
    "anyOf",
    "refuseAll",
    "ServerHandshake",
    "State",
    "SOCKSProtocolError",
    "SOCKSv4",
    "SOCKSv4Factory",
    "SOCKSv4Outgoing",
]
