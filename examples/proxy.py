"""Copy everything between each client and a server, in both directions, at the speed of the slower end.

    python proxy.py port serverhost serverport

Listens on a port of this machine (0: any free one) and connects each client to the server. Each transport is the other
one's producer, so a fast sender waits for a slow reader and never more than some hundred kilobytes are in memory.
"""

from __future__ import annotations

import sys
from typing import Any

from reactor import reactor
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol


class Side(Protocol):
    """One of the two connections. `other` is the other one, as soon as it is there."""

    other: Side | None = None

    def dataReceived(self, data: bytes) -> None:
        assert self.other is not None
        self.other.transport.write(data)

    def connectionLost(self, reason: Failure) -> None:
        if self.other is not None:
            self.other.transport.unregisterProducer()
            self.other.transport.loseConnection()
            self.other.other = None
            self.other = None


class Client(Side):
    """Reads nothing until the server is connected."""

    gone = False

    def connectionMade(self) -> None:
        self.transport.pauseProducing()
        server = TCP4ClientEndpoint(reactor, sys.argv[2], int(sys.argv[3]))
        connectProtocol(server, Side()).addCallbacks(self.join, self.noServer)

    def join(self, server: Side) -> None:
        if self.gone:
            server.transport.loseConnection()
            return
        self.other, server.other = server, self
        self.transport.registerProducer(server.transport, True)
        server.transport.registerProducer(self.transport, True)
        self.transport.resumeProducing()
        print("joined", flush=True)

    def noServer(self, reason: Failure) -> None:
        print("no server:", reason.getErrorMessage(), flush=True)
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        self.gone = True
        super().connectionLost(reason)
        print("client gone", flush=True)


if len(sys.argv) != 4:
    sys.exit(__doc__)
clients: Any = Factory.forProtocol(Client)
port = reactor.listenTCP(int(sys.argv[1]), clients, interface="127.0.0.1")
print("listening on port", port.getHost().port, flush=True)
reactor.run()
print("stopped")
