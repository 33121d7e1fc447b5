"""A port forwarder: each connection that comes in is joined with one that goes out.

Either transport is the producer of the other, so that a fast sender waits for a slow reader. An end of sending is
passed on as one, and what was sent before it arrives before it. Other limits are those of `protocols.policies`, put
around `ProxyFactory`.
"""

from __future__ import annotations

from typing import Any

from protocols._proxying.relay import Side, join
from reactor._ground.current import currentReactor
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Factory

__all__ = ["Proxy", "ProxyClient", "ProxyClientFactory", "ProxyFactory", "ProxyServer"]


class Proxy(Side):
    """One of two connections that are joined: writes what it receives to the other one, its `peer`."""

    noisy = True


class ProxyClient(Proxy):
    """The connection that goes out. Its `peer` is set before it is made."""

    def connectionMade(self) -> None:
        """Join the two, and let the one that came in be read from."""
        server = self.peer
        incoming = server.transport
        if getattr(incoming, "disconnecting", False) or not getattr(incoming, "connected", True):
            self.peer = None
            self.transport.loseConnection()
        else:
            join(self, server)
            incoming.resumeProducing()


class ProxyClientFactory(ClientFactory):
    """Makes the connection that goes out for a `ProxyServer`."""

    protocol = ProxyClient
    #: The `ProxyServer`.
    server: Any = None

    def setServer(self, server: Any) -> None:
        """Join what is connected with `server`."""
        self.server = server

    def buildProtocol(self, addr: Any) -> Any:
        """A `protocol` whose peer is the server."""
        protocol: Any = super().buildProtocol(addr)
        protocol.setPeer(self.server)
        return protocol

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """There is nobody to forward to: close what came in."""
        self.server.transport.loseConnection()


class ProxyServer(Proxy):
    """The connection that came in. Nothing is read from it before the other one stands."""

    #: Makes the factory for the connection that goes out.
    clientProtocolFactory: Any = ProxyClientFactory
    #: Connects; None: the one that runs, from `connectionMade` on.
    reactor: Any = None

    _connector: Any = None

    def connectionMade(self) -> None:
        """Connect to where the factory says."""
        self.transport.pauseProducing()
        client = self.clientProtocolFactory()
        client.setServer(self)
        if self.reactor is None:
            self.reactor = currentReactor()
        self._connector = self.reactor.connectTCP(self.factory.host, self.factory.port, client)

    def setPeer(self, peer: Any) -> None:
        """Join this connection with that of `peer`; None: with none. There is no attempt to be given up any more."""
        self._connector = None
        super().setPeer(peer)

    def connectionLost(self, reason: Failure) -> None:
        """Close the peer, or give up connecting to it."""
        connector, self._connector = self._connector, None
        if connector is not None:
            connector.disconnect()
        super().connectionLost(reason)


class ProxyFactory(Factory):
    """Forwards every connection to one port."""

    protocol = ProxyServer

    def __init__(self, host: str, port: int) -> None:
        """Forward to `port` of `host`."""
        self.host = host
        self.port = port
