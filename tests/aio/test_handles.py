"""What `call_soon`, `call_later` and `call_at` return is what asyncio's own loop returns, although it is made another
way.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from bothloops import Trace, everyLoop, named, traceOf

import reactor.aio as aio

Factory = Callable[[], asyncio.AbstractEventLoop]
Make = Callable[..., Any]


def soon(callback: Callable[..., object], *args: object) -> Any:
    return asyncio.get_running_loop().call_soon(callback, *args)


def later(callback: Callable[..., object], *args: object) -> Any:
    return asyncio.get_running_loop().call_later(0.001, callback, *args)


def at(callback: Callable[..., object], *args: object) -> Any:
    loop = asyncio.get_running_loop()
    return loop.call_at(loop.time() + 0.001, callback, *args)


everyWay = pytest.mark.parametrize("make", [soon, later, at])


class Kept:
    """Something that a call is made with."""


@everyLoop
@everyWay
def test_isMadeWithWhatItWasGivenAndOnce(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        make(trace)
        make(trace, 1)
        make(trace, 1, 2)
        await asyncio.sleep(0.01)
        trace("end")

    assert sorted(traceOf(factory, program), key=len)[:1] == [()]
    assert traceOf(factory, program)[:3] == [(), (1,), (1, 2)]
    assert traceOf(factory, program)[3:] == [("end",)]


@everyLoop
@everyWay
def test_isCancelledOnceForAll(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        handle = make(trace, "made although it was cancelled")
        trace(isinstance(handle, asyncio.Handle), isinstance(handle, asyncio.TimerHandle), handle.cancelled())
        handle.cancel()
        handle.cancel()
        trace(handle.cancelled(), "cancelled" in repr(handle))
        await asyncio.sleep(0.01)

    isTimer = make is not soon
    assert traceOf(factory, program) == [(True, isTimer, False), (True, True)]


@everyLoop
@everyWay
def test_cancelledItKeepsNothing(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        kept = Kept()
        gone = weakref.ref(kept)
        handle = make(trace, kept)
        del kept
        trace(gone() is None)
        handle.cancel()
        trace(gone() is None)

    gc.collect()
    assert traceOf(factory, program) == [(False,), (True,)]


@everyLoop
@everyWay
def test_anErrorThatItsCallKeepsKeepsNothingOfIt(factory: Factory, make: Make) -> None:
    """An exception keeps the frames below the one that raised it, and what stands in them."""

    async def program(trace: Trace) -> None:
        errors: list[Exception] = []

        def call(kept: Kept) -> None:
            del kept
            try:
                raise ValueError
            except ValueError as e:
                errors.append(e)

        kept = Kept()
        gone = weakref.ref(kept)
        make(call, kept)
        del kept
        while not errors:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)
        trace(gone() is None)

    assert traceOf(factory, program) == [(True,)]


@everyLoop
@everyWay
def test_isCancelledByItsOwnCall(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        def call() -> None:
            handle.cancel()
            trace("called", handle.cancelled())

        handle = make(call)
        await asyncio.sleep(0.01)
        handle.cancel()

    assert traceOf(factory, program) == [("called", True)]


@everyLoop
@everyWay
@pytest.mark.parametrize("problem", [ValueError, IndexError, asyncio.CancelledError])
def test_whatItRaisesIsReportedAndTheNextIsMade(factory: Factory, make: Make, problem: type[BaseException]) -> None:
    async def program(trace: Trace) -> None:
        def fail(*_: object) -> None:
            raise problem

        make(fail)
        make(fail, 1)
        make(trace, "next")
        await asyncio.sleep(0.01)

    name = named(problem())
    assert traceOf(factory, program) == [("reported", name), ("reported", name), ("next",)]


@everyLoop
@everyWay
def test_inDebugModeItKnowsWhereItWasMadeAndWhatItWas(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        asyncio.get_running_loop().set_debug(True)
        handle = make(trace)
        trace(*(frame.name for frame in handle._source_traceback[-2:]))
        before = repr(handle)
        handle.cancel()
        trace("test_handles.py" in before, repr(handle).startswith(before.split(" ")[0] + " cancelled"))
        trace("test_handles.py" in repr(handle))

    assert traceOf(factory, program) == [("program", make.__name__), (True, True), (True,)]


@everyLoop
@everyWay
def test_debugModeIsSwitchedOnBehindIt(factory: Factory, make: Make) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        cancelled, called = make(trace, "made although it was cancelled"), make(trace, "called")
        loop.set_debug(True)
        cancelled.cancel()
        trace(cancelled.cancelled(), "cancelled" in repr(cancelled), called._source_traceback)
        await asyncio.sleep(0.01)
        loop.set_debug(False)

    assert traceOf(factory, program) == [(True, True, None), ("called",)]


@everyLoop
def test_timersAreInOrder(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        early, late, alike = (loop.call_at(now + delay, trace) for delay in (60, 120, 60))
        trace(early < late, early <= alike, late > early, late >= early, early == alike, early == late)
        trace(early.when() - now, hash(early) == hash(alike))
        for timer in (early, late, alike):
            timer.cancel()

    asked, facts = traceOf(factory, program)
    assert asked == (True, True, True, True, True, False)
    assert facts == (pytest.approx(60), True)


def test_timersThatAreCancelledAreForgotten() -> None:
    async def program(trace: Trace) -> None:
        loop: Any = asyncio.get_running_loop()
        for _ in range(10_000):
            loop.call_later(60, trace).cancel()
        await asyncio.sleep(0)
        timers = loop._timers
        stale = sum(entry[2]._entry != entry[1] for entry in timers.heap)
        trace(len(timers.heap) < 100, timers.stale == stale)

    assert traceOf(aio.EventLoop, program) == [(True, True)]


@pytest.mark.parametrize("method", ["call_later", "call_at"])
def test_noTimeIsRefused(method: str) -> None:
    async def program(trace: Trace) -> None:
        with pytest.raises(TypeError, match="None"):
            getattr(asyncio.get_running_loop(), method)(None, trace)

    assert traceOf(aio.EventLoop, program) == []
