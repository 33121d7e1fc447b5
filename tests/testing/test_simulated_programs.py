"""Random programs in a simulated network: a thousand of them hold what must hold and meet everything that may happen,
what fails comes back and gets smaller, and bugs that are planted are noticed.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from patience import PATIENCE

from reactor._core.poller import WRITE, Poller
from reactor._core.timers import TimerQueue
from reactor._transport.client.attempt import Attempt
from reactor._transport.stream.outbox import Outbox
from reactor._transport.stream.producers import Source
from reactor._transport.stream.transport import StreamTransport
from reactor._transport.stream.wire import Wire
from reactor._transport.tls.layer import Layer
from reactor.error import ConnectionLost
from reactor.testing.simulation import __main__ as command
from reactor.testing.simulation import plans, simulate
from reactor.testing.simulation.plans import CLIENT, CLOCK, NETWORK, SERVER, Plan, Step
from reactor.testing.simulation.running import simulatePlan
from reactor.testing.simulation.shrinking import shrunk
from reactor.testing.simulation.sockets import SimulatedSocket

# What breaks, and how often at least in a thousand seeds.
FAULTS = {
    "one byte": 300,
    "partial": 300,
    "no room": 300,
    "little room": 300,
    "segments": 300,
    "send EAGAIN": 300,
    "send whim EAGAIN": 100,
    "send whim EINTR": 100,
    "send whim ENOBUFS": 100,
    "recv EAGAIN": 100,
    "accept whim ECONNABORTED": 30,
    "accept whim ENFILE": 30,
    "woken in vain": 300,
    "RST": 100,
    "recv ECONNRESET": 100,
    "send ECONNRESET": 20,
    "cut": 20,
    "vanish": 20,
    "half open": 100,
    "hold": 10,
    "release": 10,
    "connect ECONNREFUSED": 20,
    "connect unanswered": 20,
    "connect ETIMEDOUT": 1,
    "connect ENETUNREACH": 10,
    "connect EHOSTUNREACH": 10,
    "connect EACCES": 10,
    "connect EINTR": 20,
    "socket EMFILE": 50,
    "accept EMFILE": 50,
}
# What the ends do, and how often at least.
ACTIONS = {
    "write": 1000,
    "burst": 50,
    "sequence": 50,
    "lose": 300,
    "abort": 100,
    "halfClose": 100,
    "pause": 100,
    "resume": 100,
    "startTLS in the middle": 50,
    "startTLS at once": 50,
    "register": 50,
    "push": 50,
    "pull": 50,
    "unregister": 100,
    "raise": 50,
    "restart": 20,
    "echo": 50,
    "write when lost": 50,
    "register when lost": 10,
}


def test_aThousandSeedsMeetEverything() -> None:
    happened: Counter[str] = Counter()
    for seed in range(1000):
        happened += simulate(seed).happened
    least = {**FAULTS, **ACTIONS}
    assert {what: number for what, number in least.items() if happened[what] < number} == {}


def test_aSeedBringsTheSameAgain() -> None:
    assert [simulate(seed).trace for seed in range(40)] == [simulate(seed).trace for seed in range(40)]
    assert simulate(1).trace != simulate(2).trace


def test_aPlanIsMadeAgainByWhatItSays() -> None:
    for seed in range(20):
        plan = plans.draw(random.Random(seed))
        again = eval(repr(plan), {"Plan": Plan, "Step": Step})
        assert repr(again) == repr(plan)
        assert simulatePlan(again, seed).trace == simulate(seed).trace


# Programs of hypothesis.


def steps(connections: int, faulty: bool) -> st.SearchStrategy[tuple[Step, ...]]:
    """What happens."""
    after, which = st.sampled_from(sorted(set(plans.PAUSES))), st.integers(0, connections - 1)
    doing = st.one_of(
        st.sampled_from((1, 100, 5000, 70_000)), st.sampled_from((*sorted(set(plans.ACTIONS)), *plans.RARE))
    )
    kinds = [
        st.builds(Step, after, which, st.sampled_from((CLIENT, SERVER)), doing, st.booleans()),
        st.builds(Step, after, st.just(0), st.just(CLOCK), st.sampled_from(sorted(set(plans.TIMERS)))),
    ]
    if faulty:
        kinds.append(st.builds(Step, after, which, st.just(NETWORK), st.sampled_from(sorted(set(plans.FAULTS)))))
    return st.lists(st.one_of(kinds), max_size=25).map(tuple)


@st.composite
def programs(draw: Any) -> Plan:
    """Whole plans."""
    faulty, connections = draw(st.booleans()), draw(st.integers(1, 3))
    network = st.fixed_dictionaries(
        {},
        optional={
            "delay": st.sampled_from(((0.0001, 0.0002), (0.0001, 0.05), (0.2, 0.2))),
            "capacity": st.sampled_from((1000, 20_000)),
            "partial": st.sampled_from((0.1, 0.5)),
            "whims": st.sampled_from((0.05, 0.3)),
            "segments": st.sampled_from((2, 5)),
        },
    )
    return Plan(
        kind=draw(st.sampled_from(("TCP", "TLS", "UNIX"))),
        faulty=faulty,
        network=draw(network),
        hosts=draw(st.sampled_from((plans.HOSTS[:1], plans.HOSTS))),
        faults=draw(st.dictionaries(st.sampled_from(plans.HOSTS), st.sampled_from(plans.ERRORS))) if faulty else {},
        timeout=draw(st.sampled_from((30, None, 5, 0.001))),
        again=draw(st.integers(0, 3)),
        halfCloseable=draw(st.tuples(st.booleans(), st.booleans())),
        connections=connections,
        spare=draw(st.none() | st.integers(0, 3)) if faulty else None,
        refused=draw(st.integers(0, 1)),
        taken=faulty and draw(st.booleans()),
        ending=draw(st.sampled_from(plans.ENDINGS)),
        steps=draw(steps(connections, faulty)),
    )


@given(plan=programs(), seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_anyProgram(plan: Plan, seed: int) -> None:
    simulatePlan(plan, seed)


# Bugs that are planted.


def losesTheTail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wire that believes that all of it was sent."""
    send = SimulatedSocket.send
    monkeypatch.setattr(SimulatedSocket, "send", lambda self, data: send(self, data) and len(data))


def forgetsToWatchForRoom(monkeypatch: pytest.MonkeyPatch) -> None:
    want = Poller.want
    monkeypatch.setattr(Poller, "want", lambda self, watch, interest: want(self, watch, interest & ~WRITE))


def tellsTheEndTwice(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = StreamTransport.lost

    def twice(self: Any, reason: Any) -> None:
        protocol = self.protocol
        lost(self, reason)
        if protocol is not None:
            protocol.connectionLost(reason)

    monkeypatch.setattr(StreamTransport, "lost", twice)


def tellsNothingOfAReset(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Wire._end

    def silent(self: Any, reason: Any) -> None:
        if isinstance(reason.value, ConnectionLost) and reason.value.osError:
            self.loop.poller.forget(self)
        else:
            end(self, reason)

    monkeypatch.setattr(Wire, "_end", silent)


def deliversWhilePaused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wire, "pause", lambda self: None)


def resumesNoProducer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "drained", lambda self: None)


def losesWhatIsWrittenBeforeTheHandshake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layer, "_writeEarly", lambda self, data: None)


def saysNoFarewell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layer, "_sayEnd", lambda self: None)


def putsNothingOff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimerQueue, "move", lambda self, call, when: None)


def leaksWhatDidNotConnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempt, "cancel", lambda self: self._loop.poller.forget(self))


def takesTheFirstPieceForTheLast(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Outbox.sent
    monkeypatch.setattr(Outbox, "sent", lambda self, count: sent(self, count) or True)


BUGS = (
    losesTheTail,
    forgetsToWatchForRoom,
    tellsTheEndTwice,
    tellsNothingOfAReset,
    deliversWhilePaused,
    resumesNoProducer,
    losesWhatIsWrittenBeforeTheHandshake,
    saysNoFarewell,
    putsNothingOff,
    leaksWhatDidNotConnect,
    takesTheFirstPieceForTheLast,
)


@pytest.mark.parametrize("plant", BUGS)
def test_aPlantedBugIsNoticed(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"(?s)^seed \d+: .*\nPlan\("):
        for seed in range(1000):
            simulate(seed)


def fails(plan: Plan) -> bool:
    try:
        simulatePlan(plan)
    except AssertionError:
        return True
    return False


def test_aProgramThatFailsGetsSmaller(monkeypatch: pytest.MonkeyPatch) -> None:
    losesTheTail(monkeypatch)
    phases = (Phase.generate, Phase.shrink)
    options = settings(max_examples=500, database=None, derandomize=True, phases=phases)
    smallest = find(programs(), fails, settings=options)
    # To write once is enough.
    assert len(smallest.steps) <= 2
    assert fails(eval(repr(smallest), {"Plan": Plan, "Step": Step}))


def test_aSeedThatFailsGetsSmaller(monkeypatch: pytest.MonkeyPatch) -> None:
    resumesNoProducer(monkeypatch)
    seed = next(seed for seed in range(300) if fails(plans.draw(random.Random(seed))))
    plan = shrunk(plans.draw(random.Random(seed)), 0)
    assert len(plan.steps) == 1
    assert fails(plan)


# The command.


def test_theCommand() -> None:
    line = [
        sys.executable,
        "-m",
        "reactor.testing.simulation",
        "--seeds",
        "60",
        "--start",
        "7",
        "--jobs",
        "2",
        "--count",
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n60 seeds from 7 in " in done.stdout
    assert done.stdout.endswith("s, 0 failed: []\n")
    assert " one byte\n" in done.stdout


def test_theCommandTellsHowToRunItAgain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tellsTheEndTwice(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["simulation", "--seeds", "1", "--start", "3"])
    assert command.main() == 1
    said = capsys.readouterr().out
    assert said.startswith("seed 3: ")
    assert "again: python -m reactor.testing.simulation --seeds 1 --start 3\n" in said
    assert said.endswith(" s, 1 failed: [3]\n")
    program = said[said.index("from reactor") : said.index("1 seeds from 3")]
    with pytest.raises(AssertionError, match=r"^seed 3: "):
        exec(program, {})
