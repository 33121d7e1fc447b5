"""Send everybody back what they sent.

    python echoserver.py [port]

Listens on this machine only, on a port that the system chooses unless one is given, prints which, and serves until
Ctrl-C.
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol, connectionDone


class Echo(Protocol):
    """Sends back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Announced(Echo):
    """An Echo that prints who comes and goes."""

    def connectionMade(self) -> None:
        print("connected:", self.transport.getPeer(), flush=True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        print("gone:", self.transport.getPeer(), reason.getErrorMessage(), flush=True)


def main(port: int) -> None:
    listening = reactor.listenTCP(port, Factory.forProtocol(Announced), interface="127.0.0.1")
    print("listening on port", listening.getHost().port, flush=True)
    reactor.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
