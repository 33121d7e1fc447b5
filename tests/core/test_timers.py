"""Delayed calls, on the clock for tests and in a reactor: the handle's methods, the order, and what many cost."""

from __future__ import annotations

import gc
import math
import tracemalloc
import weakref
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from net import Net

from reactor._core.timers import DelayedCall, TimerQueue
from reactor.error import AlreadyCalled, AlreadyCancelled
from reactor.task import Clock

NAN = float("nan")
INF = float("inf")
default = pytest.mark.parametrize("net", ["default"], indirect=True)


# What is refused, and what is not.


@pytest.mark.parametrize("delay", [-1, -1e-9, -INF, NAN])
def test_M1_delayThatIsNegativeOrNoNumber(delay: float) -> None:
    clock = Clock()
    call = clock.callLater(1, list)
    for method, refused in (
        ("callLater", lambda: clock.callLater(delay, list)),
        ("reset", lambda: call.reset(delay)),
    ):
        with pytest.raises(ValueError, match=rf"{method}\(\).* not {delay}"):
            refused()
    assert clock.getDelayedCalls() == [call]
    assert call.getTime() == 1


@pytest.mark.parametrize("delay", [None, "1", b"1", [], object(), 1j])
def test_M1_delayOfAnotherType(delay: Any) -> None:
    clock = Clock()
    call = clock.callLater(1, list)
    for method, refused in (
        ("callLater", lambda: clock.callLater(delay, list)),
        ("reset", lambda: call.reset(delay)),
    ):
        with pytest.raises(TypeError, match=rf"{method}\(\)"):
            refused()
    assert clock.getDelayedCalls() == [call]


def test_M1_minusZeroIsZero() -> None:
    clock = Clock()
    done: list[int] = []
    clock.callLater(-0.0, done.append, 1)
    assert done == []
    clock.advance(0)
    assert done == [1]


def test_M1_notCallable() -> None:
    with pytest.raises(TypeError, match=r"callLater\(\): 'f' is not callable"):
        Clock().callLater(1, "f")  # type: ignore[arg-type]


def test_delayByWhatIsNoNumber() -> None:
    call = Clock().callLater(1, list)
    with pytest.raises(ValueError, match=r"delay\(\): secondsLater .* nan"):
        call.delay(NAN)
    with pytest.raises(TypeError, match=r"delay\(\): secondsLater .* None"):
        call.delay(None)  # type: ignore[arg-type]
    assert call.getTime() == 1


@pytest.mark.parametrize("net", ["default", "SelectSelector", "PollSelector"], indirect=True)
@pytest.mark.parametrize("delay", [INF, 1e10, 1e300])
def test_M2_verySlow(net: Net, delay: float) -> None:
    call = net.reactor.callLater(delay, list)
    done: list[int] = []
    net.reactor.callLater(0.01, done.append, 1)
    net.until(lambda: done)
    # Nothing else is left to wait for, and the longest wait that the kernel takes is shorter than the delay.
    net.reactor.callFromThread(done.append, 2)
    net.reactor.iterate(delay)
    net.reactor.callFromThread(done.append, 3)
    net.reactor.iterate(delay)
    assert done == [1, 2, 3]
    assert call.active()
    assert net.reactor.getDelayedCalls() == [call]
    call.cancel()
    assert net.logged() == []


# The handle.


def test_M3_cancelTwice() -> None:
    call = Clock().callLater(1, list)
    call.cancel()
    assert (call.active(), call.called, call.cancelled) == (False, False, True)
    for method, *args in (("cancel",), ("reset", 1), ("delay", 1)):
        with pytest.raises(AlreadyCancelled):
            getattr(call, str(method))(*args)


def test_M3_cancelAfterItRan() -> None:
    clock = Clock()
    call = clock.callLater(1, list)
    assert (call.active(), call.called, call.cancelled) == (True, False, False)
    clock.advance(1)
    assert (call.active(), call.called, call.cancelled) == (False, True, False)
    for method, *args in (("cancel",), ("reset", 1), ("delay", 1)):
        with pytest.raises(AlreadyCalled):
            getattr(call, str(method))(*args)


def test_M3_cancelInsideItself() -> None:
    clock = Clock()
    seen: list[Any] = []

    def inside() -> None:
        seen.append(call.active())
        for method, *args in (("cancel",), ("reset", 1), ("delay", 1)):
            with pytest.raises(AlreadyCalled):
                getattr(call, str(method))(*args)
        seen.append("refused")

    call = clock.callLater(1, inside)
    clock.advance(1)
    assert seen == [False, "refused"]


def test_handleKnowsWhatItCalls() -> None:
    def f(*args: int, **kw: int) -> None: ...

    call = Clock().callLater(2.5, f, 1, b=2)
    assert (call.func, call.args, call.kw, call.time) == (f, (1,), {"b": 2}, 2.5)
    assert "f due in 2.5 s" in repr(call)
    call.cancel()
    assert (call.func, call.args, call.kw) == (None, (), {})
    assert "cancelled" in repr(call)


def test_handleForgetsWhatItCalled() -> None:
    clock = Clock()
    call = clock.callLater(0, print, end="")
    clock.advance(0)
    assert (call.func, call.args, call.kw) == (None, (), {})
    assert "called" in repr(call)


def test_keywordsOfAnyName() -> None:
    clock = Clock()
    seen: list[Any] = []
    clock.callLater(1, lambda **kw: seen.append(kw), self=1, delay=2, f=3)
    clock.advance(1)
    assert seen == [{"self": 1, "delay": 2, "f": 3}]


# When.


def test_M8_resetAndDelay() -> None:
    clock = Clock()
    when: dict[str, float] = {}
    calls = {name: clock.callLater(10, lambda name=name: when.setdefault(name, clock.seconds())) for name in "abcdef"}
    clock.advance(2)
    calls["a"].reset(3)
    calls["b"].reset(30)
    calls["c"].delay(7)
    calls["d"].delay(-6)
    calls["e"].delay(7)
    calls["e"].delay(-8)
    due = {name: call.getTime() for name, call in calls.items()}
    assert due == {"a": 5, "b": 32, "c": 17, "d": 4, "e": 9, "f": 10}
    assert [call.getTime() for call in clock.getDelayedCalls()] == sorted(due.values())
    clock.pump([0.5] * 80)
    assert when == due


def test_M8_delayIntoThePast() -> None:
    clock = Clock()
    done: list[str] = []
    clock.advance(100)
    clock.callLater(0, done.append, "now")
    call = clock.callLater(5, done.append, "past")
    call.delay(-50)
    assert (call.getTime(), call.active(), done) == (55, True, [])
    clock.advance(0)
    assert done == ["past", "now"]


def test_M8_notBeforeTheirTimeInAReactor(net: Net) -> None:
    when: dict[str, float] = {}

    def called(name: str) -> None:
        when[name] = net.reactor.seconds()

    calls = {name: net.reactor.callLater(0.02, called, name) for name in "abc"}
    calls["b"].reset(0.04)
    calls["c"].delay(-0.015)
    due = {name: call.getTime() for name, call in calls.items()}
    assert due["c"] < due["a"] < due["b"]
    net.until(lambda: len(when) == 3)
    assert list(when) == ["c", "a", "b"]
    assert all(when[name] >= due[name] for name in due)


@default
def test_M9_theClockIsMonotonic(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    done: list[int] = []
    net.reactor.callLater(0.01, done.append, 1)
    before = net.reactor.seconds()
    monkeypatch.setattr(time, "time", lambda: -3.0)
    net.until(lambda: done)
    assert before < net.reactor.seconds() <= time.monotonic()


# In which order.


def test_tiesInTheOrderOfScheduling() -> None:
    clock = Clock()
    done: list[int] = []
    for n in range(500):
        clock.callLater(1 + n % 2, done.append, n)
    clock.advance(2)
    assert done == list(range(0, 500, 2)) + list(range(1, 500, 2))


def test_whatIsPutOffToTheMomentOfALaterOneKeepsItsPlace() -> None:
    clock = Clock()
    done: list[str] = []
    first = clock.callLater(1, done.append, "first")
    clock.callLater(2, done.append, "second")
    first.delay(1)
    clock.callLater(2, done.append, "third")
    clock.advance(2)
    # As with Twisted's Clock.
    assert done == ["first", "second", "third"]


def test_cancelledByACallOfTheSameMoment() -> None:
    clock = Clock()
    done: list[str] = []
    clock.callLater(1, lambda: second.cancel())
    second = clock.callLater(1, done.append, "second")
    third = clock.callLater(1, done.append, "third")
    clock.advance(1)
    assert done == ["third"]
    assert (second.cancelled, third.called) == (True, True)


@default
@pytest.mark.parametrize("change", ["cancel", "reset", "delay"])
def test_changedByACallOfTheSameTurn(net: Net, change: str) -> None:
    done: list[str] = []

    def first() -> None:
        done.append("first")
        assert second in net.reactor.getDelayedCalls()
        getattr(second, change)(*([] if change == "cancel" else [0.01]))
        assert (second in net.reactor.getDelayedCalls()) == (change != "cancel")
        assert third in net.reactor.getDelayedCalls()

    when = net.reactor.seconds()
    net.reactor.callLater(0, first)
    second = net.reactor.callLater(0, done.append, "second")
    third = net.reactor.callLater(0, done.append, "third")
    # All three are due when the turn begins.
    assert net.reactor.seconds() > when
    net.until(lambda: "third" in done)
    assert done[:2] == ["first", "third"]
    assert second.active() == (change != "cancel")
    if change != "cancel":
        net.until(lambda: "second" in done)
    net.turn()
    assert done == ["first", "third", *(["second"] if change != "cancel" else [])]
    assert net.reactor.getDelayedCalls() == []


@default
def test_allThatAreLeftCanBeCancelledFromInside(net: Net) -> None:
    done: list[str] = []

    def cancelAll() -> None:
        for call in net.reactor.getDelayedCalls():
            call.cancel()

    net.reactor.callLater(0, cancelAll)
    for delay in (0, 0, 0.001, 0.01):
        net.reactor.callLater(delay, done.append, "late")
    net.reactor.iterate(0)
    assert net.reactor.getDelayedCalls() == []
    net.turn()
    assert done == []


@default
def test_aCallThatTurnsTheReactor(net: Net) -> None:
    done: list[str] = []

    def nested() -> None:
        done.append("nested")
        inner = net.reactor.callLater(0, done.append, "inner")
        assert len(net.reactor.getDelayedCalls()) == 2
        net.reactor.callLater(0, lambda: done.append(f"{len(net.reactor.getDelayedCalls())} left"))
        while inner.active():
            net.reactor.iterate(0)

    net.reactor.callLater(0, nested)
    net.reactor.callLater(0, done.append, "behind")
    net.turn(5)
    # What was due together with it waits for it, and is listed all the while.
    assert done == ["nested", "inner", "1 left", "behind"]


@default
def test_whatWasCalledIsNotKept(net: Net) -> None:
    calls = [weakref.ref(net.reactor.callLater(0, list)) for _ in range(3)]
    net.turn(1)
    assert [call() for call in calls] == [None] * 3


def test_M6_aCallThatRaises(net: Net) -> None:
    done: list[int] = []
    net.expectErrors(2)
    net.reactor.callLater(0, done.append, 1)
    net.reactor.callLater(0, lambda: 1 / 0)
    net.reactor.callLater(0, done.append, 2)
    net.reactor.callLater(0, done.index, 3)
    net.reactor.callLater(0, done.append, 4)
    net.turn()
    assert done == [1, 2, 4]
    logged = net.logged()
    assert [record.exc_info[0] for record in logged if record.exc_info] == [ZeroDivisionError, ValueError]


def test_M6_onAClockItComesOutAndTheNextStaysDue() -> None:
    clock = Clock()
    done: list[int] = []
    clock.callLater(1, lambda: 1 / 0)
    clock.callLater(1, done.append, 1)
    clock.callLater(2, done.append, 2)
    with pytest.raises(ZeroDivisionError):
        clock.advance(5)
    assert done == []
    assert len(clock.getDelayedCalls()) == 2
    clock.advance(0)
    assert done == [1, 2]


@default
def test_M7_rearmedForEverStarvesNobody(net: Net) -> None:
    count = 0

    def again() -> None:
        nonlocal count
        count += 1
        if count < 50_000:
            net.reactor.callLater(0, again)

    client, server = net.pair(server={"data": lambda protocol, data: protocol.write(data)})
    net.reactor.callLater(0, again)
    rounds = 0
    while count < 50_000:
        if len(client.received) == rounds:
            # Each answer came while the timer was re-armed; the next question follows.
            rounds += 1
            client.write(b"x")
        net.reactor.iterate(0)
    assert len(server.received) > 1000


# The context.

name: ContextVar[str] = ContextVar("name", default="nobody")


def test_contextOfTheScheduler() -> None:
    clock = Clock()
    seen: list[str] = []

    def call() -> None:
        seen.append(name.get())
        name.set("changed inside")

    def schedule(who: str) -> DelayedCall:
        name.set(who)
        return clock.callLater(1, call)

    copy_context().run(schedule, "a")
    copy_context().run(schedule, "b").reset(2)
    clock.callLater(3, call)
    clock.advance(3)
    assert seen == ["a", "b", "nobody"]
    assert name.get() == "nobody"


@default
def test_contextInAReactor(net: Net) -> None:
    seen: list[str] = []

    def schedule() -> None:
        name.set("scheduler")
        net.reactor.callLater(0, chain)

    def chain() -> None:
        net.reactor.callLater(0, lambda: seen.append(name.get()))

    copy_context().run(schedule)
    net.until(lambda: seen)
    assert seen == ["scheduler"]


# Many.


class Counting(float):
    """A time that counts how often it is compared: with such, the heap has to ask."""

    compared = 0

    def __lt__(self, other: float) -> bool:
        Counting.compared += 1
        return float.__lt__(self, other)


def test_M10_workGrowsAsTheNumberTimesItsLogarithm() -> None:
    count = 1 << 14
    queue = TimerQueue(lambda: 0.0)

    def spent(work: Callable[[], object]) -> int:
        Counting.compared = 0
        work()
        return Counting.compared

    class Seconds(float):
        def __radd__(self, other: float) -> Counting:
            return Counting(float(self) + float(other))

    def schedule() -> list[DelayedCall]:
        # A permutation of the numbers below `count`, far from sorted.
        return [queue.callLater(Seconds(n * 7919 % count), list) for n in range(count)]

    calls: list[DelayedCall] = []
    assert count <= spent(lambda: calls.extend(schedule())) <= 3 * count
    assert len(queue.heap) == count
    # Cancelling compares nothing but the call that is going to rebuild the heap.
    assert spent(lambda: [call.cancel() for call in calls]) <= 64
    assert queue.calls() == []
    assert spent(lambda: [call.runDue() for call in queue.due(0.0)]) <= 64
    assert queue.heap == []
    schedule()
    taken: list[Any] = []
    assert spent(lambda: taken.extend(queue.due(float(count)))) <= 2 * count * 14
    assert len(taken) == count
    assert [call.getTime() for call in taken] == [float(n) for n in range(count)]


def test_M10_puttingOffIsFree() -> None:
    clock = Clock()
    calls = [clock.callLater(1, list) for _ in range(1000)]
    for n in range(1, 50):
        for call in calls:
            call.reset(1 + n)
    assert len(clock._timers.heap) == 1000
    clock.advance(49)
    assert all(call.active() for call in calls)
    clock.advance(1)
    assert not any(call.active() for call in calls)


def test_M10_bringingForwardKeepsTheHeapSmall() -> None:
    clock = Clock()
    calls = [clock.callLater(1000, list) for _ in range(1000)]
    for n in range(1, 50):
        for call in calls:
            call.reset(1000 - n)
        clock.advance(0)
        assert len(clock._timers.heap) <= 4 * 1000
    assert len(clock.getDelayedCalls()) == 1000


def test_M10_withinOneCallToo() -> None:
    """A loop that schedules and cancels for ever, without a turn in between: what is stale has a bound."""
    queue = TimerQueue(lambda: 0.0)
    kept = queue.callLater(1, list)
    most = 0
    for _ in range(250_000):
        queue.callLater(1, list).cancel()
        most = max(most, len(queue.heap))
    assert 64 < most <= 110_000
    assert queue.calls() == [kept]
    for call in queue.due(0.0):
        call.runDue()
    assert len(queue.heap) <= 64
    # And once more, as from the beginning.
    for _ in range(100):
        queue.callLater(1, list).cancel()
    assert len([call.runDue() for call in queue.due(0.0)]) == 1
    assert len(queue.heap) <= 64 and queue.calls() == [kept]


@default
def test_M10_memory(net: Net) -> None:
    count = 30_000
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        calls = [net.reactor.callLater(1000, list, n) for n in range(count)]
        each = (tracemalloc.get_traced_memory()[0] - before) / count
        for call in calls:
            call.cancel()
        del call, calls
        net.turn()
        left = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # The list here is 8 of them. What is left is what the interpreter keeps for tuples to come.
    assert each <= 400 + 8
    assert left <= 0.05 * each * count


# Against the plainest thing that could be right.


class Model:
    """A call as a naive clock knows it."""

    def __init__(self, when: float, order: int) -> None:
        self.when = when
        self.order = order
        self.state = "waiting"


times = st.one_of(st.integers(0, 20), st.sampled_from([0.0, 0.5, 1e-9, 1e6]))


class Timers(RuleBasedStateMachine):
    """`Clock` beside a list that is sorted by time and order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.now = 0.0
        self.order = 0
        self.calls: list[DelayedCall] = []
        self.models: list[Model] = []
        self.ran: list[int] = []
        self.expected: list[int] = []

    def next(self) -> int:
        self.order += 1
        return self.order

    def called(self, number: int, effect: tuple[str, int, float] | None) -> None:
        self.ran.append(number)
        if effect is not None:
            what, other, amount = effect
            try:
                self.real(what, other % len(self.calls), amount)
            except (AlreadyCalled, AlreadyCancelled):
                pass

    def real(self, what: str, number: int, amount: float) -> None:
        call = self.calls[number]
        if what == "cancel":
            call.cancel()
        elif what == "reset":
            call.reset(amount)
        elif what == "schedule":
            self.calls.append(self.clock.callLater(amount, self.called, len(self.calls), None))
        else:
            call.delay(amount if what == "delay" else -amount)

    def naive(self, what: str, number: int, amount: float, now: float) -> None:
        model = self.models[number]
        if what == "schedule":
            self.models.append(Model(now + amount, self.next()))
            self.effects.append(None)
        elif model.state == "waiting":
            if what == "cancel":
                model.state = "cancelled"
            else:
                base = now if what == "reset" else model.when
                when = base + (-amount if what == "hurry" else amount)
                if when < model.when:
                    # Later keeps its place among those of that moment, as with Twisted's Clock.
                    model.order = self.next()
                model.when = when

    effects: list[tuple[str, int, float] | None]

    @rule(
        delay=times,
        effect=st.one_of(
            st.none(),
            st.tuples(st.sampled_from(["cancel", "reset", "delay", "hurry", "schedule"]), st.integers(0, 50), times),
        ),
    )
    def schedule(self, delay: float, effect: tuple[str, int, float] | None) -> None:
        if not self.calls:
            self.effects = []
        self.effects.append(effect)
        self.models.append(Model(self.now + delay, self.next()))
        self.calls.append(self.clock.callLater(delay, self.called, len(self.calls), effect))

    @precondition(lambda self: self.calls)
    @rule(what=st.sampled_from(["cancel", "reset", "delay", "hurry"]), number=st.integers(0, 50), amount=times)
    def change(self, what: str, number: int, amount: float) -> None:
        number %= len(self.calls)
        expected = {"called": AlreadyCalled, "cancelled": AlreadyCancelled}.get(self.models[number].state)
        if expected is None:
            self.real(what, number, amount)
        else:
            with pytest.raises(expected):
                self.real(what, number, amount)
        self.naive(what, number, amount, self.now)

    @precondition(lambda self: self.calls)
    @rule(count=st.integers(65, 200))
    def manyThatAreCancelled(self, count: int) -> None:
        """Enough for the heap to be rebuilt."""
        for call in [self.clock.callLater(30, list) for _ in range(count)]:
            call.cancel()

    @rule(amount=times)
    def advance(self, amount: float) -> None:
        self.now += amount
        while True:
            due = [m for m in self.models if m.state == "waiting" and m.when <= self.now]
            if not due:
                break
            model = min(due, key=lambda m: (m.when, m.order))
            number = self.models.index(model)
            model.state = "called"
            self.expected.append(number)
            effect = self.effects[number]
            if effect is not None:
                what, other, howMuch = effect
                self.naive(what, other % len(self.models), howMuch, self.now)
        self.clock.advance(amount)

    @invariant()
    def same(self) -> None:
        assert self.ran == self.expected
        waiting = [n for n, m in enumerate(self.models) if m.state == "waiting"]
        assert [n for n, call in enumerate(self.calls) if call.active()] == waiting
        assert {id(call) for call in self.clock.getDelayedCalls()} == {id(self.calls[n]) for n in waiting}
        assert len(self.clock.getDelayedCalls()) == len(waiting)
        for number, (call, model) in enumerate(zip(self.calls, self.models, strict=True)):
            assert call.called == (model.state == "called"), number
            assert call.cancelled == (model.state == "cancelled"), number
            if model.state == "waiting":
                assert call.getTime() == model.when

    @invariant()
    def staleEntriesAreCounted(self) -> None:
        queue = self.clock._timers
        stale = sum(call._entry != serial for _, serial, call in queue.heap)
        assert queue.stale == stale
        assert stale <= 64 or stale * 4 <= len(queue.heap) * 3 or queue._rebuilding is not None


TestTimers = Timers.TestCase
TestTimers.settings = settings(max_examples=60, stateful_step_count=30)


def test_runOfWhatWasPutOffSinceDoesNothing() -> None:
    queue = TimerQueue(lambda: 0.0)
    done: list[int] = []
    call = queue.callLater(0, done.append, 1)
    (taken,) = queue.due(0.0)
    assert taken is call
    call.reset(5)
    call.runDue()
    assert (done, call.active()) == ([], True)
    assert math.isclose(call.getTime(), 5)


def test_callsCompareByTheirTime() -> None:
    """As programs sort them."""
    clock = Clock()
    late, early, same = clock.callLater(2, list), clock.callLater(1, list), clock.callLater(2, list)
    assert sorted([late, early, same]) == [early, late, same]
    assert early < late and early <= late and late > early and late >= same and late <= same
    assert not late < same and not late <= early
    early.delay(5)
    assert max(early, late) is early
    assert late != same and len({late, same}) == 2
    with pytest.raises(TypeError):
        assert late < 5
