"""One turn: what is done in which order, how long it waits, when bytes leave, and that no user code breaks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from net import Net, Traced

from reactor._core.loop import FEWEST_CALLS, LONGEST_CALLS, LONGEST_WAIT, MOST_CALLS, Loop

default = pytest.mark.parametrize("net", ["default"], indirect=True)


class Waits:
    """A loop whose waits are recorded and end at once."""

    def __init__(self) -> None:
        self.escaped: list[BaseException] = []
        self.loop = Loop(None, self.escaped.append)
        self.waits: list[float] = []
        poller: Any = self.loop.poller

        def poll(timeout: float) -> list[tuple[int, int]]:
            self.waits.append(timeout)
            return []

        poller.poll = poll

    def turn(self, longest: float = -1.0) -> float:
        self.loop.turn(longest)
        return self.waits[-1]


@pytest.fixture
def waits() -> Iterator[Waits]:
    made = Waits()
    yield made
    made.loop.close()


# How long it waits.


def test_withNothingToDoItWaitsForEver(waits: Waits) -> None:
    assert waits.turn() == -1.0
    assert waits.turn(0.0) == 0.0
    assert waits.turn(7.0) == 7.0


def test_itWaitsForTheNextTimer(waits: Waits) -> None:
    waits.loop.timers.callLater(5000, list)
    assert waits.turn() == LONGEST_WAIT
    waits.loop.timers.callLater(1000, list)
    assert 900 < waits.turn() <= 1000
    assert waits.turn(10.0) == 10.0
    assert 900 < waits.turn(LONGEST_WAIT) <= 1000
    assert waits.turn(0.0) == 0.0


@pytest.mark.parametrize("delay", [1e10, 1e300, float("inf")])
def test_M2_noWaitIsLongerThanTheKernelTakes(waits: Waits, delay: float) -> None:
    waits.loop.timers.callLater(delay, list)
    assert waits.turn() == LONGEST_WAIT


def test_withSomethingToDoItDoesNotWait(waits: Waits) -> None:
    waits.loop.timers.callLater(0, lambda: waits.loop.soon(list))
    assert waits.turn() == 0.0
    assert waits.turn() == -1.0
    waits.loop.timers.callLater(0, lambda: waits.loop.timers.callLater(0, list))
    assert waits.turn() == 0.0
    assert waits.turn() == -1.0


def test_aCancelledTimerWakesItOnceAtMost(waits: Waits) -> None:
    call = waits.loop.timers.callLater(-0.0, list)
    call.cancel()
    other = waits.loop.timers.callLater(1000, list)
    assert 900 < waits.turn() <= 1000
    other.cancel()
    # Its entry is still there, and dropped when it comes up.
    assert waits.turn() > 900
    waits.loop.timers.rebuild()
    assert waits.turn() == -1.0


# In which order.


def test_callsThenTimersThenEvents(net: Net) -> None:
    trace: list[str] = []
    client, server = net.pair(data=lambda protocol, data: trace.append("event"))
    server.write(b"x")
    net.reactor._loop.flush()
    net.reactor.callLater(0, trace.append, "timer")
    net.reactor.callFromThread(trace.append, "call")
    net.until(lambda: client.received)
    assert trace == ["call", "timer", "event"]


@default
def test_whatACallAsksForWaitsForTheNextTurn(net: Net) -> None:
    trace: list[str] = []

    def call(depth: int) -> None:
        trace.append(f"call {depth}")
        net.reactor.callFromThread(call, depth + 1)

    net.reactor.callFromThread(call, 0)
    for turn in range(5):
        trace.append(f"turn {turn}")
        net.reactor.iterate(0)
    assert trace == [each for n in range(5) for each in (f"turn {n}", f"call {n}")]
    net.reactor._loop.calls.clear()


@default
def test_H1_aFloodKeepsNobodyWaiting(net: Net) -> None:
    """Calls that are there, and calls that ask for more, by the thousand: connections and timers are served between
    them, and all are made in their order.
    """
    trace: list[Any] = []
    count = 5 * MOST_CALLS

    def endless(left: int) -> None:
        if left:
            net.reactor.callFromThread(endless, left - 1)

    client, server = net.pair(data=lambda protocol, data: trace.append("data"))
    for number in range(count):
        net.reactor.callFromThread(trace.append, number)
        net.reactor.callFromThread(endless, 10)
    net.reactor.callLater(0, trace.append, "timer")
    server.write(b"x")
    net.until(lambda: count - 1 in trace)
    assert [each for each in trace if isinstance(each, int)] == list(range(count))
    # At most as many as are made in the turns until the kernel has brought it.
    assert trace.index("timer") <= MOST_CALLS and trace.index("data") < count - MOST_CALLS


@default
def test_H1_slowCallsKeepNobodyWaiting(net: Net) -> None:
    now = [0.0]
    loop = net.reactor._loop
    loop.timers.seconds = lambda: now[0]
    made: list[int] = []

    def slow(number: int) -> None:
        now[0] += LONGEST_CALLS / FEWEST_CALLS / 2
        made.append(number)

    for number in range(5 * FEWEST_CALLS):
        net.reactor.callFromThread(slow, number)
    counts = []
    for _ in range(3):
        net.turn(1)
        counts.append(len(made))
    assert counts == [2 * FEWEST_CALLS, 4 * FEWEST_CALLS, 5 * FEWEST_CALLS]
    assert made == list(range(5 * FEWEST_CALLS))


@default
def test_aFewCallsAreMadeInOneTurn(net: Net) -> None:
    """However long they take: timers that they ask for come behind them."""
    now = [0.0]
    net.reactor._loop.timers.seconds = lambda: now[0]
    trace: list[str] = []

    def slow() -> None:
        now[0] += 2 * LONGEST_CALLS
        trace.append("call")
        net.reactor.callLater(0, trace.append, "timer")

    for _ in range(FEWEST_CALLS):
        net.reactor.callFromThread(slow)
    net.turn(2)
    assert trace == ["call"] * FEWEST_CALLS + ["timer"] * FEWEST_CALLS


@default
@pytest.mark.parametrize("later", [0, 3 * MOST_CALLS])
def test_H1_stopUnderAFlood(net: Net, later: int) -> None:
    """What was asked for before the stop is done before the shutdown; a flood that never ends does not hold it up."""
    trace: list[int] = []

    def endless() -> None:
        net.reactor.callFromThread(endless)

    for _ in range(2 * MOST_CALLS):
        net.reactor.callFromThread(endless)
    for number in range(later):
        net.reactor.callFromThread(trace.append, number)
    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.addSystemEventTrigger("before", "shutdown", trace.append, -1)
    net.reactor.run(installSignalHandlers=False)
    assert trace == [*range(later), -1]
    net.reactor._loop.calls.clear()


@default
def test_callsFromEverywhereInOrder(net: Net) -> None:
    trace: list[int] = []
    net.reactor.callFromThread(trace.append, 1)
    net.reactor._loop.soon(trace.append, 2)
    thread = threading.Thread(target=net.reactor.callFromThread, args=(trace.append, 3))
    thread.start()
    thread.join()
    net.reactor.callFromThread(trace.append, 4)
    net.turn(1)
    assert trace == [1, 2, 3, 4]


@default
def test_atTheEndOfTheTurn(net: Net) -> None:
    trace: list[str] = []
    loop = net.reactor._loop

    def first() -> None:
        loop.atEnd(lambda: trace.append("end"))
        net.reactor.callFromThread(trace.append, "next turn")
        trace.append("call")

    net.reactor.callFromThread(first)
    net.reactor.callFromThread(trace.append, "another call")
    net.reactor.callLater(0, trace.append, "timer")
    net.turn(1)
    assert trace == ["call", "another call", "timer", "end"]
    net.turn(1)
    assert trace[4:] == ["next turn"]
    assert loop.ending is None
    # Asked for by an event, it comes behind the calls and timers of the next turn.
    client, server = net.pair(data=lambda protocol, data: event())

    def event() -> None:
        loop.atEnd(lambda: trace.append("end"))
        net.reactor.callLater(0, trace.append, "timer")
        net.reactor.callFromThread(trace.append, "call")

    trace.clear()
    server.write(b"x")
    net.until(lambda: client.received)
    net.turn(1)
    assert trace == ["call", "timer", "end"]


# When bytes leave.


def test_bytesLeaveWhenTheCallbackReturns(net: Net) -> None:
    """Not when the turn ends: the peer has them while the next callback of the same turn runs."""
    client, peer = net.socketPair()
    peer.setblocking(False)
    seen: list[bytes] = []

    def look() -> None:
        try:
            seen.append(peer.recv(10))
        except BlockingIOError:
            seen.append(b"nothing")

    def write(data: bytes) -> None:
        client.write(data[:1])
        look()
        client.write(data[1:])

    net.reactor.callFromThread(write, b"ab")
    net.reactor.callFromThread(look)
    net.reactor.callLater(0, write, b"cd")
    net.reactor.callLater(0, look)
    net.reactor.iterate(0)
    assert seen == [b"nothing", b"ab", b"nothing", b"cd"]


# What user code does.


@default
def test_H2_aCallThatRaises(net: Net) -> None:
    net.expectErrors(2)
    done: list[int] = []

    def raises() -> None:
        raise KeyError("from a thread")

    for f, *args in ((done.append, 1), (raises,), (done.append, 2), (divmod, 1, 0), (done.append, 3)):
        net.reactor.callFromThread(f, *args)  # type: ignore[arg-type]
    net.reactor.iterate(0)
    assert done == [1, 2, 3]
    assert [r.exc_info[0] for r in net.logged() if r.exc_info] == [KeyError, ZeroDivisionError]
    assert "a call from a thread raised" in net.logged()[0].getMessage()


@default
def test_H2_notCallable(net: Net) -> None:
    with pytest.raises(TypeError, match=r"callFromThread\(\): None is not callable"):
        net.reactor.callFromThread(None)  # type: ignore[arg-type]


@default
def test_H2_argumentsAndContext(net: Net) -> None:
    name: ContextVar[str] = ContextVar("name", default="nobody")
    seen: list[Any] = []

    def call(*args: Any, **kw: Any) -> None:
        seen.append((args, kw, name.get(), threading.current_thread() is threading.main_thread()))
        name.set("changed")

    def inThread() -> None:
        name.set("caller")
        net.reactor.callFromThread(call, 1, self=2, f=3)

    thread = threading.Thread(target=lambda: copy_context().run(inThread))
    thread.start()
    net.until(lambda: seen)
    thread.join()
    assert seen == [((1,), {"self": 2, "f": 3}, "caller", True)]
    assert name.get() == "nobody"


@default
def test_aCallThatTurnsTheLoop(net: Net) -> None:
    """The calls behind it are made inside it, once."""
    trace: list[str] = []

    def nested() -> None:
        trace.append("begin")
        net.reactor.iterate(0)
        trace.append("end")

    net.reactor.callFromThread(nested)
    net.reactor.callFromThread(trace.append, "1")
    net.reactor.callFromThread(trace.append, "2")
    net.turn()
    assert trace == ["begin", "1", "2", "end"]


def test_aProtocolThatTurnsTheLoop(net: Net) -> None:
    def nested(protocol: Traced, data: bytes) -> None:
        if protocol.received == b"a":
            server.write(b"b")
            protocol.write(b"c")
            while server.received != b"c" or protocol.received != b"ab":
                net.reactor.iterate(1)
            inner.append(protocol.received)

    inner: list[bytes] = []
    client, server = net.pair(data=nested)
    server.write(b"a")
    net.until(lambda: inner)
    assert client.received == b"ab"


@default
def test_M2_aTurnWithALongWait(net: Net) -> None:
    for delay in (1e10, 1e300, float("inf")):
        # Ends the wait, and is nothing that the loop would not wait for.
        net.reactor._loop.waker.ring()
        net.reactor.iterate(delay)
    assert net.logged() == []


@default
@pytest.mark.parametrize("delay", [-1, float("nan"), None, "1"])
def test_aTurnThatCannotBe(net: Net, delay: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"iterate\(\): delay"):
        net.reactor.iterate(delay)


def test_aSelectorThatIsNoUse(waits: Waits) -> None:
    """Nothing that the loop could take out explains it: it ends the run rather than to try for ever."""
    poller: Any = waits.loop.poller
    problem = OSError(22, "broken")

    def poll(timeout: float) -> list[tuple[int, int]]:
        raise problem

    poller.poll = poll
    waits.loop.turn(0.0)
    assert waits.escaped == [problem]


@default
def test_aWatchThatRaises(net: Net) -> None:
    """None of ours does. Should one, the loop lives."""
    net.expectErrors()
    client, server = net.pair()
    wire = client.transport._wire  # type: ignore[attr-defined]
    wire.receiver, receiver = None, wire.receiver
    wire.owner, owner = None, wire.owner
    server.write(b"x")
    net.until(net.logged)
    assert net.logged()[0].getMessage() == "a turn of the loop raised"
    wire.receiver, wire.owner = receiver, owner
    server.write(b"y")
    net.until(lambda: client.received)


# Two that are ready in one turn.


def test_F1_theFirstAbortsTheSecond(net: Net) -> None:
    clients: list[Traced] = []

    def data(protocol: Traced, data: bytes) -> None:
        for other in clients:
            if other is not protocol:
                other.abort()

    ends = [net.pair(data=data) for _ in range(2)]
    clients += [client for client, _ in ends]
    for _, server in ends:
        server.write(b"x")
    # Both are there before the reactor looks at either.
    net.reactor._loop.flush()
    net.until(lambda: any(client.lost for client in clients))
    first, second = sorted(clients, key=lambda client: client.lost)
    assert first.events == ["doStart", "startedConnecting", "buildProtocol", "CM", "DR(1)"]
    assert second.events[3:] == ["CM", "CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"]
    net.turn()
    assert first.lost == 0
