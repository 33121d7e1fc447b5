"""Send lines to an echo server, print them when they have come back, and hang up after the last.

python echoclient.py host port [line ...]
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.failure import Failure
from reactor.interfaces import IAddress, IConnector
from reactor.protocol import ClientFactory, Protocol


class EchoClient(Protocol):
    """Sends its lines and waits until as many bytes have come back."""

    def __init__(self, lines: list[bytes]) -> None:
        self.message = b"".join(line + b"\n" for line in lines)
        self.answer = b""

    def connectionMade(self) -> None:
        self.transport.write(self.message)

    def dataReceived(self, data: bytes) -> None:
        self.answer += data
        if len(self.answer) >= len(self.message):
            for line in self.answer.splitlines():
                print("echo:", line.decode(), flush=True)
            self.transport.loseConnection()


class EchoClientFactory(ClientFactory):
    """Prints what becomes of the connection, and stops the reactor when it is over."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.failed = False

    def startedConnecting(self, connector: IConnector) -> None:
        print("connecting to", connector.getDestination(), flush=True)

    def buildProtocol(self, addr: IAddress | None) -> EchoClient:
        print("connected", flush=True)
        return EchoClient(self.lines)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.stop()

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        print("connection failed:", reason.getErrorMessage(), flush=True)
        self.failed = True
        reactor.stop()


if len(sys.argv) < 3:
    sys.exit(__doc__)
factory = EchoClientFactory([line.encode() for line in sys.argv[3:]] or [b"Hello, world!"])
reactor.connectTCP(sys.argv[1], int(sys.argv[2]), factory)
reactor.run()
sys.exit(factory.failed)
