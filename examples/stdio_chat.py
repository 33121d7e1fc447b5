"""Chat from a terminal: what is typed goes to a chat server, what comes from there is printed.

python stdio_chat.py [HOST [PORT]]
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.endpoints import HostnameEndpoint, connectProtocol
from reactor.failure import Failure
from reactor.protocol import Protocol
from reactor.stdio import StandardIO

# Control characters become question marks.
PRINTABLE = bytes(b if b >= 32 or b in b"\r\n\t" else ord("?") for b in range(256))


class Server(Protocol):
    """The connection to the server."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def dataReceived(self, data: bytes) -> None:
        # What others write could have meanings for a terminal.
        self.terminal.transport.write(data.translate(PRINTABLE))

    def connectionLost(self, reason: Failure) -> None:
        self.terminal.transport.loseConnection()


class Terminal(Protocol):
    """Standard input and output."""

    def __init__(self) -> None:
        self.server = Server(self)

    def dataReceived(self, data: bytes) -> None:
        self.server.transport.write(data)

    def connectionLost(self, reason: Failure) -> None:
        self.server.transport.loseConnection()
        # What was typed last is sent before the reactor stops.
        reactor.callLater(0, reactor.stop)


def connected(server: Server) -> None:
    StandardIO(server.terminal)


def failed(failure: Failure) -> None:
    print(failure.getErrorMessage(), file=sys.stderr)
    reactor.stop()


def main(host: str = "127.0.0.1", port: str = "8000") -> None:
    endpoint = HostnameEndpoint(reactor, host, int(port))
    connectProtocol(endpoint, Terminal().server).addCallbacks(connected, failed)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
