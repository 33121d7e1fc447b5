"""`asFuture` and `fromFuture`, with asyncio's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from reactor.defer import CancelledError, Deferred, fail, succeed


class Boom(Exception):
    """What goes wrong here."""


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(asyncio.sleep(0))


def told(d: Deferred[Any]) -> Any:
    """The error type of a Deferred that failed; it counts as handled."""
    kind = d.result.type
    d.addErrback(lambda _: None)
    return kind


def test_asFuture(loop: asyncio.AbstractEventLoop) -> None:
    d: Deferred[int] = Deferred()
    future = d.asFuture(loop)
    loop.call_soon(d.callback, 3)
    assert loop.run_until_complete(future) == 3
    assert loop.run_until_complete(succeed(4).asFuture(loop)) == 4


def test_asFutureOfAnError(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(Boom):
        loop.run_until_complete(fail(Boom()).asFuture(loop))


def test_asFutureCancelled(loop: asyncio.AbstractEventLoop) -> None:
    cancelled: list[Any] = []
    d: Deferred[int] = Deferred(cancelled.append)
    future = d.asFuture(loop)
    future.cancel()
    turn(loop)
    assert (cancelled, future.cancelled(), d.result) == ([d], True, None)


def test_asFutureCancelledThoughAResultCame(loop: asyncio.AbstractEventLoop) -> None:
    d: Deferred[int] = Deferred()
    future = d.asFuture(loop)
    future.cancel()
    d.callback(3)
    turn(loop)
    assert (future.cancelled(), d.result) == (True, None)


def test_asFutureOfACancelledDeferred(loop: asyncio.AbstractEventLoop) -> None:
    d: Deferred[int] = Deferred()
    future = d.asFuture(loop)
    d.cancel()
    assert type(future.exception()) is CancelledError


def test_fromFuture(loop: asyncio.AbstractEventLoop) -> None:
    future: asyncio.Future[int] = loop.create_future()
    d = Deferred.fromFuture(future)
    future.set_result(3)
    turn(loop)
    assert d.result == 3


def test_fromFutureOfAnError(loop: asyncio.AbstractEventLoop) -> None:
    future: asyncio.Future[int] = loop.create_future()
    d = Deferred.fromFuture(future)
    future.set_exception(Boom())
    turn(loop)
    assert told(d) is Boom


def test_fromFutureThatIsCancelled(loop: asyncio.AbstractEventLoop) -> None:
    future: asyncio.Future[int] = loop.create_future()
    d = Deferred.fromFuture(future)
    future.cancel()
    turn(loop)
    assert told(d) is asyncio.CancelledError


def test_fromFutureCancelled(loop: asyncio.AbstractEventLoop) -> None:
    future: asyncio.Future[int] = loop.create_future()
    d = Deferred.fromFuture(future)
    d.cancel()
    assert future.cancelled()
    turn(loop)
    assert told(d) is asyncio.CancelledError


def test_fromFutureOfATaskThatRefusesToBeCancelled(loop: asyncio.AbstractEventLoop) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "first things first"
        raise AssertionError

    task = loop.create_task(stubborn())
    d = Deferred.fromFuture(task)
    turn(loop)
    d.cancel()
    d.cancel()
    loop.run_until_complete(task)
    turn(loop)
    assert d.result == "first things first"


def test_throughBoth(loop: asyncio.AbstractEventLoop) -> None:
    async def theirs(d: Deferred[int]) -> int:
        return await d.asFuture(loop) + 1

    d: Deferred[int] = Deferred()
    back = Deferred.fromFuture(loop.create_task(theirs(d)))
    loop.call_later(0, d.callback, 1)
    loop.run_until_complete(back.asFuture(loop))
    assert back.result is None
