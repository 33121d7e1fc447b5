"""`task.Clock`, which a program moves by hand, and `deferLater` on it and on a reactor."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.base import Reactor
from reactor.defer import CancelledError, Deferred
from reactor.task import Clock, deferLater


def test_itStandsStill() -> None:
    clock = Clock()
    done: list[int] = []
    assert (clock.seconds(), clock.rightNow) == (0.0, 0.0)
    clock.callLater(0, done.append, 1)
    assert done == []
    assert clock.seconds() == 0.0


def test_advance() -> None:
    clock = Clock()
    trace: list[Any] = []
    clock.callLater(1.5, lambda *args, **kw: trace.append((clock.seconds(), args, kw)), 1, a=2)
    clock.advance(1)
    assert trace == []
    clock.advance(0.5)
    assert trace == [(1.5, (1,), {"a": 2})]
    clock.advance(10)
    assert len(trace) == 1
    assert clock.seconds() == 11.5


def test_advanceFarAtOnce() -> None:
    """All that is due is called in the order of time; the clock shows the end of the way all the while."""
    clock = Clock()
    trace: list[Any] = []
    for delay in (3, 1, 2, 20):
        clock.callLater(delay, lambda delay=delay: trace.append((delay, clock.seconds())))
    clock.advance(10)
    assert trace == [(1, 10), (2, 10), (3, 10)]


def test_whatIsScheduledMeanwhile() -> None:
    clock = Clock()
    trace: list[str] = []

    def first() -> None:
        trace.append("first")
        clock.callLater(0, trace.append, "now")
        clock.callLater(0.1, trace.append, "later")
        last.delay(-15)

    clock.callLater(1, first)
    clock.callLater(9, trace.append, "third")
    last = clock.callLater(20, trace.append, "brought forward")
    clock.advance(10)
    assert trace == ["first", "brought forward", "third", "now"]
    clock.advance(0.1)
    assert trace[4:] == ["later"]


def test_whatIsStillToCome() -> None:
    clock = Clock()
    late, early = clock.callLater(2, list), clock.callLater(1, list)
    seen: list[Any] = []
    clock.callLater(0.5, lambda: seen.append(clock.getDelayedCalls()))
    assert clock.getDelayedCalls()[1:] == [early, late]
    clock.advance(5)
    assert seen == [[early, late]]
    assert clock.getDelayedCalls() == []


def test_advanceInsideACall() -> None:
    clock = Clock()
    trace: list[str] = []

    def nested() -> None:
        trace.append("begin")
        clock.advance(5)
        trace.append("end")

    clock.callLater(1, nested)
    clock.callLater(2, trace.append, "inside")
    clock.callLater(6, trace.append, "reached inside")
    clock.advance(1)
    assert trace == ["begin", "inside", "reached inside", "end"]
    assert clock.seconds() == 6


def test_pump() -> None:
    clock = Clock()
    seen: list[float] = []

    def tick() -> None:
        seen.append(clock.seconds())
        clock.callLater(1, tick)

    clock.callLater(1, tick)
    clock.pump([0.5, 0.5, 2, 0, 1])
    assert seen == [1, 3, 4]


def test_deferLater() -> None:
    clock = Clock()
    results: list[Any] = []
    deferLater(clock, 2, lambda *args, **kw: (args, kw), 1, a=2).addCallback(results.append)
    clock.advance(1)
    assert results == []
    clock.advance(1)
    assert results == [((1,), {"a": 2})]


def test_deferLaterOfNothing() -> None:
    clock = Clock()
    results: list[Any] = []
    deferLater(clock, 1).addCallback(results.append)
    clock.advance(1)
    assert results == [None]


def test_deferLaterOfWhatRaises() -> None:
    clock = Clock()
    results: list[Any] = []
    deferLater(clock, 1, divmod, 1, 0).addErrback(lambda failure: results.append(failure.type))
    clock.advance(1)
    assert results == [ZeroDivisionError]


def test_deferLaterOfADeferred() -> None:
    clock = Clock()
    results: list[Any] = []
    inner: Deferred[str] = Deferred()
    deferLater(clock, 1, lambda: inner).addCallback(results.append)
    clock.advance(1)
    assert results == []
    inner.callback("of the inner one")
    assert results == ["of the inner one"]


def test_deferLaterCancelled() -> None:
    clock = Clock()
    results: list[Any] = []
    deferred = deferLater(clock, 1, results.append, "called")
    deferred.addErrback(lambda failure: results.append(failure.type))
    deferred.cancel()
    assert results == [CancelledError]
    assert clock.getDelayedCalls() == []
    clock.advance(2)
    assert results == [CancelledError]


def test_deferLaterCancelledTooLate() -> None:
    clock = Clock()
    deferred = deferLater(clock, 1, lambda: "result")
    clock.advance(1)
    deferred.cancel()
    results: list[Any] = []
    deferred.addCallback(results.append)
    assert results == ["result"]


async def test_deferLaterInAReactor(reactor: Reactor) -> None:
    assert await deferLater(reactor, 0.001, lambda: "result") == "result"
    with pytest.raises(KeyError):
        await deferLater(reactor, 0, {}.__getitem__, 1)
