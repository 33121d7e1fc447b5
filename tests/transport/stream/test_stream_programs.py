"""Two ends that do anything at any time: whatever the program, the invariants hold.

Hypothesis writes the programs. What an end may expect is kept beside it in a few lines (`End`), and compared with what
the two ends really heard.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from net import Net, Traced
from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

# Larger than what two kernels' buffers hold.
LARGE = 4_000_000
STEPS = ["lose", "abort", "halfClose", "pause", "resume", "register", "unregister"]
SIZES = st.sampled_from([1, 100, 70_000, 70_000, LARGE])
STEP = st.one_of(
    # Who, what, and whether now or from inside the next dataReceived.
    st.tuples(st.integers(0, 1), SIZES | st.sampled_from(STEPS), st.booleans()),
    # So many turns of the loop.
    st.tuples(st.just(-1), st.integers(1, 4), st.just(False)),
)
Step = tuple[int, int | str, bool]


class End(Traced):
    """One end, and what it has a right to."""

    def __init__(self) -> None:
        super().__init__(data=lambda p, data: p.carryOut())
        # Steps for the next dataReceived.
        self.later: list[int | str] = []
        # What it wrote while it might.
        self.accepted = bytearray()
        self.asked: set[str] = set()
        self.producing = False
        self.paused = 0
        self.registered = 0
        self.stops = 0

    def carryOut(self) -> None:
        steps, self.later = self.later, []
        for step in steps:
            self.do(step)

    def do(self, step: int | str) -> None:
        """Take one step of the program, and remember what follows from it."""
        if isinstance(step, int):
            piece = bytes([len(self.accepted) % 251]) * step
            # A producer that was there when it was asked to close finishes what it began.
            if not self.lost and "abort" not in self.asked and (self.producing or not self.asked):
                self.accepted += piece
            self.write(piece)
        elif step == "register":
            if not self.producing:
                self.producing = not self.lost and not self.asked
                before = self.stops
                self.ask("registerProducer", self, True)
                # At once, if nothing more is sent.
                assert self.stops - before == (not self.producing)
                self.registered += 1
        elif step == "unregister":
            self.registered -= self.producing
            self.producing = False
            self.paused = 0
            self.ask("unregisterProducer")
        else:
            if step in ("lose", "abort", "halfClose") and not self.lost:
                self.asked.add(step)
            methods = {
                "lose": "loseConnection",
                "abort": "abortConnection",
                "halfClose": "loseWriteConnection",
                "pause": "pauseProducing",
                "resume": "resumeProducing",
            }
            self.ask(methods[step])

    # As a producer.

    def pauseProducing(self) -> None:
        assert self.producing
        assert not self.paused
        self.paused = 1

    def resumeProducing(self) -> None:
        assert self.paused
        self.paused = 0

    def stopProducing(self) -> None:
        # Before connectionLost.
        assert not self.lost or not self.producing
        self.stops += 1
        self.producing = False

    @property
    def end(self) -> str:
        """How it ended."""
        return type(self.reason.value).__name__


@implementer(IHalfCloseableProtocol)
class HalfCloseableEnd(End):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


def untilQuiet(net: Net, *ends: End) -> None:
    """Turn until nothing more happens."""
    quiet, before = 0, None
    while quiet < 2:
        net.reactor.iterate(0.0005)
        now = [(len(end.events), end.transport.buffered) for end in ends]
        quiet, before = (quiet + 1 if now == before else 0), now


def check(one: End, other: End) -> None:
    """What must hold for one end and the bytes that it wrote."""
    assert one.accepted.startswith(other.received), "not what was written"
    assert one.end in ("ConnectionDone", "ConnectionLost", "ConnectionAborted")
    assert (one.end == "ConnectionAborted") == ("abort" in one.asked)
    for event in ("RCL", "WCL"):
        assert one.events.count(event) <= 1
    # An end of the peer's that nobody spoiled comes behind all that the peer wrote.
    flushed = "lose" in one.asked or ("halfClose" in one.asked and isinstance(one, HalfCloseableEnd))
    if one.end == other.end == "ConnectionDone" and flushed and "lose" not in other.asked:
        assert other.received == one.accepted, "an end before all was there"
    assert not one.producing
    assert one.stops == one.registered, "a producer not stopped, or twice"


def run(net: Net, halfCloseable: tuple[bool, bool], program: list[Step]) -> None:
    first, second = (HalfCloseableEnd if yes else End for yes in halfCloseable)
    listening = net.listen(build=lambda address: second())
    client = net.connect(listening.port, build=lambda address: first())
    net.until(lambda: listening.built and client.built and "CM" in client.events)
    ends: list[Any] = [client.built[0], listening.built[0]]
    for who, what, later in program:
        if who < 0:
            assert isinstance(what, int)
            net.turn(what)
        elif later:
            ends[who].later.append(what)
        else:
            ends[who].do(what)
    untilQuiet(net, *ends)
    # I5, wherever the two are in their lives.
    net.assertIdle(0.001)
    for end in ends:
        end.later.clear()
        end.do("unregister")
        end.do("resume")
    untilQuiet(net, *ends)
    for end in ends:
        if not end.lost:
            end.do("abort")
    net.until(lambda: all(end.lost for end in ends))
    check(ends[0], ends[1])
    check(ends[1], ends[0])
    # Here rather than at the end of all programs: the books would grow.
    listening.listening.stopListening()
    net.turn(1)


@given(halfCloseable=st.tuples(st.booleans(), st.booleans()), program=st.lists(STEP, max_size=25))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Both ask for the end with much on its way in both directions.
@example((False, False), [(0, LARGE, False), (1, LARGE, False), (0, "lose", False), (1, "lose", False)])
# All that is queued goes out behind the peer's end, in both directions.
@example((True, True), [(0, LARGE, False), (1, LARGE, False), (0, "halfClose", False), (1, "halfClose", False)])
# A producer outlasts the wish to close.
@example((False, False), [(0, "register", False), (0, "lose", False), (0, LARGE, False), (0, "unregister", False)])
def test_anyProgram(net: Net, halfCloseable: tuple[bool, bool], program: list[Step]) -> None:
    run(net, halfCloseable, program)
