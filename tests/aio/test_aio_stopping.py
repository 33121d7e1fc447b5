"""What is said of coroutines that the end of a run has cancelled: nothing, when nobody asked what became of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest

import reactor.aio as aio
from reactor.base import Reactor
from reactor.defer import Deferred, ensureDeferred
from reactor.failure import Failure

Begin = Callable[[Coroutine[Any, Any, Any]], Deferred[Any]]
Ends = Callable[[Callable[[], object], pytest.LogCaptureFixture], list[str]]


async def waiting() -> None:
    """Wait until the end."""
    await asyncio.Event().wait()


async def failing() -> None:
    """Wait until the end, and take it badly."""
    try:
        await waiting()
    except asyncio.CancelledError:
        raise KeyError("for the test") from None


def inATask(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """As `start` has it."""
    return aio.start(coroutine)


def ofATask(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """The Deferred of a task that the program made."""
    return Deferred.fromFuture(aio.install().create_task(coroutine))


def withACallback(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """Somebody listens, but not to errors."""
    return aio.start(coroutine).addCallback(print)


def awaited(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """A coroutine that a Deferred drives waits for the task."""

    async def outer(task: Awaitable[Any]) -> None:
        await task

    return ensureDeferred(outer(aio.install().create_task(coroutine)))


def gathered(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """The Deferred of a future, which is no task itself."""
    return Deferred.fromFuture(asyncio.gather(coroutine))


BEGINNINGS = [inATask, ofATask, withACallback, awaited]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The names of the exceptions that were logged."""
    gc.collect()
    found = []
    for record in caplog.records:
        if record.levelname == "ERROR":
            # An exception with its traceback, or as the last line of what was said.
            line = record.getMessage().splitlines()[-1].partition(":")[0].rpartition(".")[2]
            found.append(type(record.exc_info[1]).__name__ if record.exc_info else line)
    return found


def reactorStops(begin: Callable[[], object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """`begin` in a reactor's program, which is stopped; the errors that were logged."""
    reactor = Reactor()
    loop = aio.install(reactor)
    reactor.callWhenRunning(begin)
    reactor.callLater(0.01, reactor.stop)
    reactor.run(installSignalHandlers=False)
    found = errors(caplog)
    loop.close()
    reactor.close()
    return found


def mainEnds(begin: Callable[[], object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """`begin` in an asyncio program, whose main task ends; the errors that were logged."""

    async def main() -> None:
        begin()
        await asyncio.sleep(0.01)

    aio.run(main())
    return errors(caplog)


@pytest.fixture(params=[reactorStops, mainEnds])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """How a run ends."""
    yield request.param


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_nobodyHearsOfACancellationByTheEnd(ends: Ends, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    assert ends(lambda: begin(waiting()), caplog) == []


def nested(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """The Deferred of one that hears of its tasks by another."""
    return Deferred.fromFuture(asyncio.gather(asyncio.gather(asyncio.gather(coroutine))))


def shielded(coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """The Deferred of a future that is not cancelled with the task, but hears of it."""
    return Deferred.fromFuture(asyncio.shield(coroutine))


@pytest.mark.parametrize("begin", [gathered, nested, shielded])
def test_nobodyHearsOfTheCancellationOfMany(ends: Ends, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    assert ends(lambda: begin(waiting()), caplog) == []


def test_ofOneBetweenTwoRunsTheProgramHears(caplog: pytest.LogCaptureFixture) -> None:
    """A run that goes on with other work is no end."""
    loop = aio.EventLoop()
    over: list[Deferred[Any]] = []

    async def begin() -> tuple[asyncio.Future[Any], asyncio.Task[None]]:
        future = loop.create_future()
        over.append(Deferred.fromFuture(future))
        return future, loop.create_task(waiting())

    async def cancels(future: asyncio.Future[Any]) -> None:
        future.cancel()

    future, task = loop.run_until_complete(begin())
    task.cancel()
    loop.run_until_complete(cancels(future))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    over.clear()
    assert errors(caplog) == ["CancelledError"]


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_anErrorAtTheEndIsReported(ends: Ends, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    found = ends(lambda: begin(failing()), caplog)
    # By the Deferred, and once more by who ends a task that `start` knows nothing of.
    assert set(found) == {"KeyError"}
    if ends is reactorStops and begin in (inATask, withACallback):
        assert found == ["KeyError"]


def test_whatSomebodyHandlesIsNotReported(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Failure] = []
    assert reactorStops(lambda: aio.start(failing()).addErrback(heard.append), caplog) == []
    assert [each.type for each in heard] == [KeyError]


def test_whoListensHearsOfTheCancellation(ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Failure] = []
    assert ends(lambda: aio.start(waiting()).addErrback(heard.append), caplog) == []
    assert [each.type for each in heard] == [asyncio.CancelledError]


def test_aCancellationByTheProgramIsReported(ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
    # As that of every Deferred.
    assert ends(lambda: aio.start(waiting()).cancel(), caplog) == ["CancelledError"]
