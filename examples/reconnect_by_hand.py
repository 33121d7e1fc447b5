"""Stay connected to a server that keeps hanging up: wait longer after each failure, connect at once after a success.

    python reconnect_by_hand.py [host port]

Visits the server three times. Without a host and a port the server is in this same program: it greets and hangs up, and
it opens only after the first attempt has failed.
"""

from __future__ import annotations

import socket
import sys

from reactor import reactor
from reactor.failure import Failure
from reactor.interfaces import IConnector
from reactor.protocol import ClientFactory, Factory, Protocol


class Visit(Protocol):
    """Prints what the server says."""

    def dataReceived(self, data: bytes) -> None:
        print("received:", data.decode().rstrip(), flush=True)


class Visitor(ClientFactory):
    """Connects again whenever a connection ended or failed, until it has seen enough."""

    protocol = Visit
    visits = 3
    firstDelay = 0.1
    longestDelay = 10.0

    def __init__(self) -> None:
        self.delay = self.firstDelay

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        print("lost:", reason.getErrorMessage(), flush=True)
        self.delay = self.firstDelay
        self.visits -= 1
        if self.visits:
            connector.connect()
        else:
            reactor.stop()

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        print("failed:", reason.getErrorMessage(), flush=True)
        print(f"next attempt in {self.delay:g} s", flush=True)
        reactor.callLater(self.delay, connector.connect)
        self.delay = min(self.delay * 2, self.longestDelay)


class Brusque(Protocol):
    """Greets and hangs up."""

    def connectionMade(self) -> None:
        self.transport.write(b"Good day, and good-bye!\n")
        self.transport.loseConnection()


def openLate() -> int:
    """A port where nobody listens yet, but soon will."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    reactor.callLater(0.05, reactor.listenTCP, number, Factory.forProtocol(Brusque), interface="127.0.0.1")
    return number


host, port = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else ("127.0.0.1", openLate())
reactor.connectTCP(host, port, Visitor())
reactor.run()
