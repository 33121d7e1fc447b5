"""`LoopingCall` where it is ours alone, or what a clock cannot show; the rest is compared with Twisted's."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

import pytest
from patience import PATIENCE

from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.task import Clock, LoopingCall

variable: ContextVar[str] = ContextVar("variable", default="default")


def on(clock: Clock, looping: LoopingCall) -> LoopingCall:
    looping.clock = clock
    return looping


def test_theRhythmIsThatOfTheStart() -> None:
    clock = Clock()
    seen: list[float] = []
    looping = on(clock, LoopingCall(lambda: seen.append(clock.seconds())))
    done = looping.start(2)
    clock.pump([2, 3, 1, 0.5, 10])
    assert seen == [0, 2, 5, 6, 16.5]
    looping.stop()
    results: list[Any] = []
    done.addCallback(results.append)
    assert results == [looping] and not looping.running and looping.deferred is None
    assert clock.getDelayedCalls() == []


def test_withCount() -> None:
    clock = Clock()
    seen: list[int] = []
    on(clock, LoopingCall.withCount(seen.append)).start(1)
    clock.pump([1, 1, 4.5, 0.5])
    assert seen == [1, 1, 1, 4, 1]


def test_asOftenAsPossible() -> None:
    clock = Clock()
    seen: list[int] = []

    def called(count: int) -> None:
        seen.append(count)
        if len(seen) == 5:
            looping.stop()

    looping = on(clock, LoopingCall.withCount(called))
    looping.start(0)
    clock.advance(0)
    assert seen == [1] * 5


def test_aCoroutineIsWaitedFor() -> None:
    clock = Clock()
    waits: list[Deferred[None]] = []

    async def call() -> None:
        waits.append(Deferred())
        await waits[-1]

    looping = on(clock, LoopingCall(call))
    looping.start(1)
    clock.advance(5)
    assert len(waits) == 1 and looping.call is None
    waits[0].callback(None)
    clock.advance(1)
    assert len(waits) == 2


def test_stoppedAndStartedInTheMiddleOfACall() -> None:
    """Two runs: each has its Deferred, and the call of the first schedules nothing for the second."""
    clock = Clock()
    trace: list[Any] = []
    waits: Deferred[None] = Deferred()
    results: list[Any] = [waits, None, None]
    looping = on(clock, LoopingCall(lambda: (trace.append(clock.seconds()), results.pop(0))[1]))
    looping.start(1).addCallback(lambda _: trace.append("first"))
    looping.stop()
    assert trace == [0] and looping.deferred is not None
    second = looping.start(2, now=False).addCallback(lambda _: trace.append("second"))
    waits.callback(None)
    assert trace == [0, "first"] and looping.running and looping.deferred is second
    assert [call.getTime() for call in clock.getDelayedCalls()] == [2]
    clock.advance(2)
    looping.stop()
    assert trace == [0, "first", 2, "second"]


def test_failuresOfAnOldRunLeaveTheNewOneAlone() -> None:
    clock = Clock()
    waits: Deferred[None] = Deferred()
    results: list[Any] = [waits, None]
    looping = on(clock, LoopingCall(lambda: results.pop(0)))
    failures: list[Failure] = []
    looping.start(1).addErrback(failures.append)
    looping.stop()
    looping.start(1, now=False)
    waits.errback(ValueError("late"))
    assert [failure.type for failure in failures] == [ValueError] and looping.running
    looping.stop()


def test_everyCallHasTheContextOfTheStart() -> None:
    clock = Clock()
    seen: list[str] = []
    waits: list[Deferred[None]] = []

    def call() -> Deferred[None]:
        seen.append(variable.get())
        variable.set("of a call")
        waits.append(Deferred())
        return waits[-1]

    looping = on(clock, LoopingCall(call))

    def start() -> None:
        variable.set("of the start")
        looping.start(1, now=False)

    from contextvars import copy_context

    copy_context().run(start)
    clock.advance(1)
    token = variable.set("of who fires")
    waits[0].callback(None)
    looping.reset()
    clock.advance(1)
    variable.reset(token)
    assert seen == ["of the start"] * 2


@pytest.mark.parametrize("interval", [-1, float("nan")])
def test_intervalsThatAreNone(interval: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        LoopingCall(list).start(interval)


def test_wrongCalls() -> None:
    with pytest.raises(TypeError, match="interval"):
        LoopingCall(list).start("1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not callable"):
        LoopingCall(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not callable"):
        LoopingCall.withCount(None)  # type: ignore[arg-type]
    looping = on(Clock(), LoopingCall(list))
    for call in (looping.stop, looping.reset):
        with pytest.raises(AssertionError, match="not running"):
            call()
    looping.start(1)
    with pytest.raises(AssertionError, match="running already"):
        looping.start(1)
    assert "every 1 s, running" in repr(looping)


async def test_onAReactor(reactor: Reactor) -> None:
    seen: list[float] = []

    def call() -> None:
        seen.append(reactor.seconds())
        if len(seen) == 3:
            looping.stop()

    looping = LoopingCall(call)
    assert await looping.start(0.005) is looping
    assert seen[2] - seen[0] >= 0.0099


def test_theClockIsTheReactorOfItsThread() -> None:
    """Without a clock of its own: the one that runs where it is started, and another one the next time."""
    looping = LoopingCall(lambda: looping.stop())
    clocks: list[Any] = []

    def work() -> None:
        reactor = Reactor()

        def start() -> None:
            looping.start(0, now=False).addBoth(lambda _: reactor.stop())
            clocks.append(looping.clock is reactor)

        reactor.callWhenRunning(start)
        reactor.run()
        reactor.close()

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(PATIENCE)
    assert clocks == [True, True]
