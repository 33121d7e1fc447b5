"""The server that is loaded, on our reactor: `python -m bench.soak.server LIFETIME HANDSHAKE_TIMEOUT`.

Echoes every byte on one port of 127.0.0.1, and waits for TLS handshakes on another; prints "ready PORT TLS_PORT". It
reads no faster than it is read from, and a peer that ends its half gets all of its bytes back before the end. Nobody
may be left to end it, so it ends by itself after LIFETIME seconds.
"""

from __future__ import annotations

import signal
import ssl
import sys

from zope.interface import implementer

from reactor import reactor
from reactor.interfaces import IHalfCloseableProtocol, IPushProducer
from reactor.protocol import Factory, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = "127.0.0.1"
BACKLOG = 4096


@implementer(IHalfCloseableProtocol, IPushProducer)
class Echo(Protocol):
    """Its own producer: what pauses its writing pauses its reading."""

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """The peer has said all: send back the rest, then close."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Never asked for."""

    def pauseProducing(self) -> None:
        """The peer does not read."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """The peer has read."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is over."""


class Shaking:
    """A context factory for handshakes that nobody finishes: there is no certificate to finish them with."""

    handshakeLimit: int | None = None

    def __init__(self, handshakeTimeout: float) -> None:
        self.handshakeTimeout = handshakeTimeout

    def getContext(self) -> ssl.SSLContext:
        """The server's context."""
        return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def main() -> None:
    """Be the server."""
    lifetime, handshakeTimeout = sys.argv[1:]
    signal.alarm(int(lifetime))
    factory: Any = Factory.forProtocol(Echo)
    factory.noisy = False
    plain = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
    secure = reactor.listenSSL(0, factory, Shaking(float(handshakeTimeout)), backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(lambda: print(f"ready {plain.getHost().port} {secure.getHost().port}", flush=True))
    reactor.run()


if __name__ == "__main__":
    main()
