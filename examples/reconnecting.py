"""Stay connected to a server that comes and goes, in the two ways that there are.

    python reconnecting.py [factory | service]

`factory` uses a ReconnectingClientFactory, `service` (the default) a ClientService. The server is in this same program:
it opens after the first attempts have failed, greets and hangs up. After three greetings the client has seen enough.
"""

from __future__ import annotations

import logging
import socket
import sys

from reactor import reactor
from reactor.defer import ensureDeferred
from reactor.endpoints import TCP4ClientEndpoint
from reactor.interfaces import IAddress
from reactor.protocol import Factory, Protocol, ReconnectingClientFactory
from reactor.service import ClientService, backoffPolicy
from reactor.task import deferLater


class Visit(Protocol):
    """Prints what the server says."""

    def dataReceived(self, data: bytes) -> None:
        print("received:", data.decode().rstrip(), flush=True)


class Visitor(ReconnectingClientFactory):
    """Everything happens in the hooks of the factory."""

    initialDelay = delay = 0.05
    maxDelay = 1
    visits = 0

    def buildProtocol(self, addr: IAddress | None) -> Visit:
        # Connected: the next delay is a short one again.
        self.resetDelay()
        self.visits += 1
        if self.visits == 3:
            self.stopTrying()
            reactor.callLater(0.1, reactor.stop)
        return Visit()


async def visit(port: int) -> None:
    """The program asks for the connected protocol whenever it needs one."""
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    policy = backoffPolicy(initialDelay=0.05, maxDelay=1, jitter=lambda: 0)
    service = ClientService(endpoint, Factory.forProtocol(Visit), policy)
    service.startService()
    try:
        await service.whenConnected(failAfterFailures=1)
    except Exception as e:
        print("not yet:", type(e).__name__, flush=True)
    seen: set[Visit] = set()
    while len(seen) < 3:
        seen.add(await service.whenConnected())
        await deferLater(reactor, 0.02)
    await service.stopService()
    print("stopped:", not service.running, flush=True)
    reactor.stop()


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
    reactor.callLater(0.15, reactor.listenTCP, number, Factory.forProtocol(Brusque), interface="127.0.0.1")
    return number


# Each retry, and why.
logging.basicConfig(level=logging.INFO, format="log: %(message)s", stream=sys.stdout)
if sys.argv[1:] == ["factory"]:
    reactor.connectTCP("127.0.0.1", openLate(), Visitor())
else:
    ensureDeferred(visit(openLate()))
reactor.run()
