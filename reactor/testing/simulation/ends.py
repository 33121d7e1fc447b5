"""The two ends of a simulated connection. Each keeps books of what it was told and of what it has a right to, and fails
when it is told what it may not be.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol
from reactor.protocol import ClientFactory, Factory, Protocol
from reactor.testing.simulation.certificate import clientContext, serverContext
from reactor.testing.simulation.plans import CLIENT, SERVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reactor.failure import Failure
    from reactor.testing.simulation.sockets import SimulatedSocket

# Bytes in which a piece that is missing, doubled or misplaced shows, unless by a multiple of 251.
_CYCLE = bytes(range(251)) * 1300
METHODS = {
    "lose": "loseConnection",
    "abort": "abortConnection",
    "halfClose": "loseWriteConnection",
    "pause": "pauseProducing",
    "resume": "resumeProducing",
}
PULLS = 3


class Planned(Exception):
    """What a protocol raises by plan."""


class End(Protocol):
    """One end."""

    transport: Any

    def __init__(self, who: str, tell: Callable[[str], object], steps: list[tuple[Any, bool]]) -> None:
        """`tell` keeps the trace, `steps` are taken as soon as the end is ready for them."""
        self.who = who
        self.tell = tell
        self.steps = steps
        self.kind = "TCP"
        self.events: list[str] = []
        # Actions for the next dataReceived.
        self.later: list[Any] = []
        # What it wrote while it might, and what it received.
        self.accepted, self.received = bytearray(), bytearray()
        self.asked: set[str] = set()
        self.ready = False
        self.lost = 0
        self.reason: Any = None
        self.sock: SimulatedSocket
        # The producer that is registered and is to be stopped once, unless it is unregistered.
        self.producing: object = None
        self.pausedProducer = False
        self.registered = self.stops = self.refused = 0
        # Whether nothing is to be delivered.
        self.held = False
        self.raises = 0
        # The call of the transport that is being made.
        self.inside: str | None = None

    # What it is told.

    def heard(self, event: str) -> None:
        """Something was told."""
        assert not self.lost, f"I1: {event} after connectionLost: {self.events}"
        assert self.inside is None, f"I6: {event} inside {self.inside}: {self.events}"
        self.events.append(event)
        self.tell(f"{self.who} {event}")

    def connectionMade(self) -> None:
        self.heard("CM")
        self.sock = self.transport.getHandle()
        if self.kind != "startTLS":
            self.begin()
        elif self.who.startswith(CLIENT):
            self.transport.write(b"T")

    def begin(self) -> None:
        """From here on it does what it is told."""
        self.ready = True
        steps, self.steps = self.steps, []
        for what, later in steps:
            if later:
                self.later.append(what)
            else:
                self.do(what)

    def dataReceived(self, data: bytes) -> None:
        self.heard(f"DR({len(data)})")
        if not self.ready:
            self.startTLS(data)
            return
        assert not self.held, "E21: data while paused"
        self.received += data
        steps, self.later = self.later, []
        for what in steps:
            self.do(what)

    def startTLS(self, data: bytes) -> None:
        """The other end is ready for it, and waits for our word."""
        assert data == b"T", f"T18: {data!r} before TLS"
        if self.who.startswith(SERVER):
            self.transport.write(b"T")
            self.transport.startTLS(serverContext())
        else:
            self.transport.startTLS(clientContext())
        self.begin()

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason
        try:
            self.heard(f"CL({type(reason.value).__name__})")
            assert self.producing is None, "E32: a producer that was not stopped"
        finally:
            self.lost += 1

    # What it does.

    def do(self, what: Any) -> None:
        """One step of the plan, and what follows from it."""
        if isinstance(what, int):
            self.write(what)
        elif what == "register":
            self.register(self, True)
        elif what == "pull":
            self.register(_Puller(self), False)
        elif what == "unregister":
            self.registered -= self.producing is not None
            self.producing = None
            self.pausedProducer = False
            self.ask("unregisterProducer")
        elif what == "raise":
            if not self.lost:
                self.asked.add(what)
                self.raises += 1
                raise Planned
        else:
            if what in ("lose", "abort", "halfClose") and not self.lost:
                self.asked.add(what)
            elif what in ("pause", "resume"):
                self.held = what == "pause"
            self.ask(METHODS[what])

    def write(self, size: int) -> None:
        """Write so many bytes."""
        at = len(self.accepted) % 251
        piece = _CYCLE[at : at + size]
        # A producer that was there when it was asked to close finishes what it began.
        if not self.lost and "abort" not in self.asked and (self.producing is not None or not self.asked):
            self.accepted += piece
        self.ask("write", piece)

    def register(self, producer: Any, streaming: bool) -> None:
        """Register a producer, if there is none."""
        if self.producing is not None:
            return
        taken = not self.lost and not self.asked
        before = self.stops
        self.producing = producer if taken else None
        self.registered += 1
        # A pull producer is asked at once, and writes.
        inside, self.inside = self.inside, None if not streaming else "registerProducer"
        try:
            self.transport.registerProducer(producer, streaming)
        finally:
            self.inside = inside
        if not taken:
            self.refused += 1
            assert self.stops == before + 1, "E31: not stopped at once"

    def ask(self, method: str, *args: Any) -> None:
        """Call the transport, during which nothing may be told."""
        before, self.inside = self.inside, method
        try:
            getattr(self.transport, method)(*args)
        finally:
            self.inside = before

    # As a producer that writes when it likes.

    def pauseProducing(self) -> None:
        """It wrote much: it is to wait."""
        assert self.producing is self, "paused, and not registered"
        assert not self.pausedProducer, "paused twice"
        self.pausedProducer = True

    def resumeProducing(self) -> None:
        """It may go on."""
        assert self.pausedProducer, "resumed, and not paused"
        self.pausedProducer = False

    def stopProducing(self) -> None:
        """Nothing more is sent."""
        assert not self.lost or self.producing is None, "E32: stopped after connectionLost"
        self.stops += 1
        self.producing = None

    @property
    def end(self) -> str:
        """The class of the reason that it ended for."""
        return type(self.reason.value).__name__


class _Puller:
    """A producer that writes when it is asked, three times."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.left = PULLS

    def resumeProducing(self) -> None:
        assert self.end.producing is self, "asked, and not registered"
        self.left -= 1
        self.end.write(100)
        if not self.left:
            self.end.do("unregister")

    def stopProducing(self) -> None:
        self.end.stopProducing()


@implementer(IHalfCloseableProtocol)
class HalfCloseableEnd(End):
    """One that is told of halves."""

    def readConnectionLost(self) -> None:
        self.heard("RCL")
        assert self.events.count("RCL") == 1, "E25: twice"

    def writeConnectionLost(self) -> None:
        self.heard("WCL")
        assert self.events.count("WCL") == 1, "E26: twice"


class Server(Factory):
    """Builds an end for each connection that comes in, by `build(peer's address)`."""

    noisy = False

    def __init__(self, build: Callable[[Any], End]) -> None:
        self.build = build

    def buildProtocol(self, addr: Any) -> Any:
        return self.build(addr)


class Client(ClientFactory):
    """Connects, and again when that failed or is over, `again` times. Keeps the trace of its hooks."""

    noisy = False
    connector: Any

    def __init__(self, build: Callable[[], End], tell: Callable[[str], object], again: int) -> None:
        self.build = build
        self.tell = tell
        self.again = again
        self.events: list[str] = []

    def heard(self, event: str) -> None:
        """Something was told."""
        self.events.append(event)
        self.tell(event)

    def doStart(self) -> None:
        self.heard("doStart")
        super().doStart()

    def doStop(self) -> None:
        self.heard("doStop")
        super().doStop()

    def startedConnecting(self, connector: Any) -> None:
        self.heard("startedConnecting")

    def buildProtocol(self, addr: Any) -> Any:
        self.heard("buildProtocol")
        return self.build()

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.heard(f"CCF({type(reason.value).__name__})")
        self._again(connector)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.heard(f"CCL({type(reason.value).__name__})")
        self._again(connector)

    def _again(self, connector: Any) -> None:
        if self.again:
            self.again -= 1
            connector.connect()
