"""The two ends of a simulated connection. Each keeps books of what it was told and of what it has a right to, and fails
when it is told what it may not be.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol
from reactor.protocol import ClientFactory, Factory, Protocol
from reactor.testing.simulation.certificate import NAME, clientContext, serverContext
from reactor.testing.simulation.plans import CLIENT, SERVER
from reactor.testing.simulation.producing import PRODUCERS, Idler
from reactor.testing.simulation.sockets import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reactor.failure import Failure
    from reactor.testing.simulation.sockets import SimulatedSocket

# Bytes in which a piece that is missing, doubled or misplaced shows, unless by a multiple of 251.
_CYCLE = bytes(range(251)) * 1300
# Bytes that are none of these: let us speak TLS, and: yes, from here on.
_ASK, _YES = 0xFF, 0xFE
# TLS in TLS in TLS shows nothing more.
_MOST_LAYERS = 2
METHODS = {
    "lose": "loseConnection",
    "abort": "abortConnection",
    "halfClose": "loseWriteConnection",
    "pause": "pauseProducing",
    "resume": "resumeProducing",
}
CLOSES = frozenset({"lose", "abort", "halfClose"})
# What need not wait until the other end is ready for TLS.
_AT_ONCE = frozenset({"abort", "resume", "unregister"})


# How many times one that echoes does.
ECHOES = 20


class Planned(Exception):
    """What a protocol raises by plan."""


class End(Protocol):
    """One end.

    :ivar events: what it was told.
    :ivar accepted: the bytes that it wrote while it might.
    :ivar received: the bytes that it received.
    :ivar asked: what it did to end the connection.
    :ivar done: what it did, how often.
    """

    transport: Any
    sock: SimulatedSocket

    def __init__(self, who: str, tell: Callable[[str], object], steps: list[tuple[Any, bool]]) -> None:
        """`tell` keeps the trace, `steps` are taken as soon as it is connected. One that is callable is called."""
        self.who = who
        self.tell = tell
        self.steps = steps
        self.events: list[str] = []
        # Actions for the next dataReceived.
        self.later: list[Any] = []
        self.accepted, self.received = bytearray(), bytearray()
        self.asked: set[str] = set()
        self.done: Counter[str] = Counter()
        # Whether much may be written, where a byte at a time fits on the way.
        self.roomy = True
        # What was accepted and what was said about TLS, in bytes.
        self.written = 0
        self.ready = False
        self.lost = 0
        self.reason: Any = None
        # The producer that is registered and is to be stopped once, unless it is unregistered.
        self.producing: Idler | None = None
        self.registered = self.stops = self.refused = 0
        # Whether nothing is to be delivered.
        self.held = False
        self.raises = 0
        # The call of the transport that is being made.
        self.inside: str | None = None
        # How often TLS was started, and whether the other end was asked and has not answered.
        self.layers = 0
        # How many times it still answers what it receives by a byte.
        self.echoes = 0
        self.waiting = False

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
        self.ready = True
        self.goOn()

    def goOn(self) -> None:
        """Do what it was not ready for."""
        self.waiting = False
        steps, self.steps = self.steps, []
        for what, later in steps:
            if later:
                self.later.append(what)
            else:
                self.do(what)

    def dataReceived(self, data: bytes) -> None:
        self.heard(f"DR({len(data)})")
        assert not self.held, "E21: data while paused"
        assert "abort" not in self.asked, f"E13: data after {self.asked}"
        if "lose" in self.asked:
            assert self.transport.TLS, f"E15: data after {self.asked}"
            # Heard until the peer agrees, and nothing follows from it.
            self.received += data.translate(None, bytes([_ASK, _YES]))
            return
        while data:
            at = min((place for place in (data.find(_ASK), data.find(_YES)) if place >= 0), default=-1)
            if at < 0:
                self.received += data
                break
            self.received += data[:at]
            started = self._answer() if data[at] == _ASK else self._answered()
            data = data[at + 1 :]
            assert not started or not data, f"T18: {len(data)} bytes in the clear behind what starts TLS"
        steps, self.later = self.later, []
        for what in steps:
            self.do(what)
        if self.echoes and not self.asked:
            self.echoes -= 1
            self.do(1)

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason
        try:
            self.heard(f"CL({type(reason.value).__name__})")
            assert self.producing is None, "E32: a producer that was not stopped"
        finally:
            self.lost += 1

    # TLS in the middle: whoever asks for it says nothing until the other has said yes, and is its client then.

    def _ask(self) -> None:
        if self.lost or self.asked or self.waiting or self.layers == _MOST_LAYERS or "RCL" in self.events:
            return
        if self.held:
            # The answer is wanted.
            self.do("resume")
        self.waiting = True
        self._say(_ASK)

    def _say(self, what: int) -> None:
        self.written += 1
        self.ask("write", bytes([what]))

    def _answer(self) -> bool:
        """The other end asked; whether this one has started TLS."""
        # When both ask at once, the one that connected has its way.
        if self.asked or (self.waiting and self.who.startswith(CLIENT)):
            return False
        self._say(_YES)
        self._start(serverContext(), self.who.startswith(SERVER))
        return True

    def _answered(self) -> bool:
        """The other end said yes."""
        self._start(clientContext(), self.who.startswith(CLIENT))
        return True

    def _start(self, context: Any, normal: bool) -> None:
        self.layers += 1
        self.done["startTLS in the middle" if self.received or self.accepted else "startTLS at once"] += 1
        if "pause" in self.later:
            # A pause from before holds behind the handshake too.
            self.later.remove("pause")
            self.do("pause")
        self.transport.startTLS(context, normal, NAME)
        self.goOn()

    # What it does.

    def do(self, what: Any) -> None:
        """One step of the plan, and what follows from it."""
        if self.waiting and what not in _AT_ONCE:
            self.steps.append((what, False))
            return
        if callable(what):
            what()
            return
        self.done[f"{'write' if isinstance(what, int) else what}{' when lost' if self.lost else ''}"] += 1
        if isinstance(what, int):
            self.write([what])
        elif what in ("burst", "sequence"):
            self.write([1, 3000, 1, 200, 70_000, 9] * 3 if self.roomy else [1, 2] * 10, what == "sequence")
        elif what in PRODUCERS:
            self.register(PRODUCERS[what](self))
        elif what == "unregister":
            self.registered -= self.producing is not None
            self.producing = None
            self.ask("unregisterProducer")
        elif what == "startTLS":
            self._ask()
        elif what == "echo":
            self.echoes = ECHOES
        elif what == "raise":
            if not self.lost:
                self.asked.add(what)
                self.raises += 1
                raise Planned
        else:
            if what in CLOSES and not self.lost:
                self.asked.add(what)
            elif what in ("pause", "resume") and not self.lost:
                self.held = what == "pause"
            self.ask(METHODS[what])

    def write(self, lengths: list[int], together: bool = False) -> None:
        """Write pieces that are so long, one by one or in one call."""
        pieces = []
        # A producer that was there when it was asked to close finishes what it began.
        taken = not self.lost and "abort" not in self.asked and (self.producing is not None or not self.asked)
        at = len(self.accepted)
        for length in lengths:
            pieces.append(_CYCLE[at % 251 : at % 251 + length])
            at += length
        if taken:
            whole = b"".join(pieces)
            self.accepted += whole
            self.written += len(whole)
        if together:
            self.ask("writeSequence", pieces)
        else:
            for piece in pieces:
                self.ask("write", piece)
        self._count()

    def _count(self) -> None:
        if self.lost or self.layers or self.asked & {"abort", "raise"} or self.sock.broken or self.sock.closed:
            return
        queued, sent = self.transport.buffered, self.sock.sent
        assert queued + sent == self.written, f"{queued} bytes are queued, {sent} sent, of {self.written}"

    def register(self, producer: Idler) -> None:
        """Register a producer, if there is none."""
        if self.producing is not None:
            return
        taken = not self.lost and not self.asked
        before = self.stops
        self.producing = producer if taken else None
        self.registered += 1
        # A pull producer is asked at once, and writes.
        inside, self.inside = self.inside, None if not producer.streaming else "registerProducer"
        try:
            self.transport.registerProducer(producer, producer.streaming)
        finally:
            self.inside = inside
        if taken:
            producer.begin()
        else:
            self.refused += 1
            assert self.stops == before + 1, "E31: not stopped at once"

    def ask(self, method: str, *args: Any) -> None:
        """Call the transport, during which nothing may be told."""
        before, self.inside = self.inside, method
        try:
            getattr(self.transport, method)(*args)
        finally:
            self.inside = before

    def check(self) -> None:
        """All has happened that is going to: AssertionError when this end was not told, or does not do, what it is to.

        I9: what has arrived was delivered, what fits was sent, who may write knows it, and who asked to close has
        closed.
        """
        if self.lost or not self.ready:
            return
        mask, transport = self.sock.mask(), self.transport
        listens = not self.held and not transport.disconnecting and "RCL" not in self.events
        assert not listens or not mask & READ, f"I9: {self.who} was not told what is there"
        buffered = transport.buffered
        assert not buffered or not mask & WRITE, f"I9: {self.who} does not send its {buffered} bytes"
        producer = self.producing
        over = "lose" in self.asked or {"RCL", "WCL"} <= {*self.events}
        assert not over or buffered or producer is not None, f"I9: {self.who} is not closed: {self.events}"
        if producer is not None and not buffered and not self.waiting:
            assert not producer.paused, f"I9: the producer of {self.who} may write and does not know"
            assert type(producer) is Idler, f"I9: {producer} of {self.who} is not asked"

    @property
    def end(self) -> str:
        """The class of the reason that it ended for."""
        return type(self.reason.value).__name__


@implementer(IHalfCloseableProtocol)
class HalfCloseableEnd(End):
    """One that is told of halves."""

    def readConnectionLost(self) -> None:
        self.heard("RCL")
        assert self.events.count("RCL") == 1, "E25: twice"
        if self.waiting:
            # Nobody is there to say yes any more.
            self.goOn()

    def writeConnectionLost(self) -> None:
        self.heard("WCL")
        assert self.events.count("WCL") == 1, "E26: twice"


class Server(Factory):
    """Builds an end for each connection that comes in, by `build(peer's address)`."""

    noisy = False

    def __init__(self, build: Callable[[Any], End | None]) -> None:
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
