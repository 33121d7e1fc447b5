"""D2: as long as memory allows. Each of these would be a RecursionError, or take minutes, if it were not a loop."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from reactor.defer import (
    CancelledError,
    Deferred,
    DeferredLock,
    DeferredSemaphore,
    ensureDeferred,
    inlineCallbacks,
    succeed,
)

LONG = 100_000


def row(length: int) -> tuple[Deferred[Any], Deferred[Any]]:
    """The first and the last of so many Deferreds of which each waits for the next."""
    last = first = Deferred[Any]()
    for _ in range(length):
        awaited, first = first, Deferred()
        first.addCallback(lambda _, awaited=awaited: awaited)
        first.callback(None)
    return first, last


def test_D2_manyCallbacks() -> None:
    d: Deferred[int] = Deferred()
    for _ in range(2 * LONG):
        d.addCallback(lambda x: x + 1)
    d.callback(0)
    assert d.result == 2 * LONG


def test_D2_manyCallbacksAddedByEachOther() -> None:
    d: Deferred[int] = Deferred()

    def again(x: int) -> int:
        if x < LONG:
            d.addCallback(again)
        return x + 1

    d.addCallback(again)
    d.callback(0)
    assert d.result == LONG + 1


@pytest.mark.parametrize("end", ["callback", "errback", "cancel"])
def test_D2_longRowOfWaitingDeferreds(end: str) -> None:
    first, last = row(LONG)
    seen: list[Any] = []
    first.addBoth(seen.append)
    if end == "callback":
        last.callback("x")
        assert seen == ["x"]
    elif end == "errback":
        last.errback(ValueError())
        assert seen[0].type is ValueError
    else:
        first.cancel()
        assert seen[0].type is CancelledError


def test_D2_longRowFiredFromTheFront() -> None:
    all_ = [Deferred[Any]() for _ in range(LONG)]
    for d, following in pairwise(all_):
        d.addCallback(lambda _, following=following: following)
    for d in all_[:-1]:
        d.callback(None)
    all_[-1].callback("x")
    assert all_[0].result == "x"


def test_D2_recursionThatReturnsDeferreds() -> None:
    waiting: list[Deferred[None]] = []

    def step(number: int) -> Deferred[Any]:
        if number == LONG:
            return succeed("end")
        d: Deferred[None] = Deferred()
        waiting.append(d)
        return d.addCallback(lambda _: step(number + 1))

    d = step(0)
    while waiting:
        waiting.pop().callback(None)
    assert d.result == "end"


def test_D2_longRowOfChainDeferred() -> None:
    first = last = Deferred[Any]()
    for _ in range(LONG):
        following: Deferred[Any] = Deferred()
        last.chainDeferred(following)
        last = following
    first.callback("x")
    assert last.result == "x"


def test_D2_manyYieldsAndAwaitsOfResultsThatAreThere() -> None:
    @inlineCallbacks
    def generator() -> Any:
        total = 0
        for _ in range(LONG):
            total += yield succeed(1)
        return total

    async def coroutine() -> int:
        total = 0
        for _ in range(LONG):
            total += await succeed(1)
        return total

    assert generator().result == LONG
    assert ensureDeferred(coroutine()).result == LONG


@pytest.mark.parametrize("good", [True, False])
def test_D2_longRowOfCoroutines(good: bool) -> None:
    async def wait(d: Deferred[Any]) -> Any:
        return await d

    last = first = Deferred[Any]()
    for _ in range(LONG if good else LONG // 10):
        first = ensureDeferred(wait(first))
    seen: list[Any] = []
    first.addBoth(seen.append)
    if good:
        last.callback("x")
        assert seen == ["x"]
    else:
        last.errback(ValueError())
        assert seen[0].type is ValueError


@pytest.mark.parametrize("make", [DeferredLock, lambda: DeferredSemaphore(2)])
def test_D2_manyThatWaitForALockAndAreDoneAtOnce(make: Callable[[], Any]) -> None:
    lock = make()
    order: list[int] = []
    lock.acquire()
    lock.acquire()
    results = [lock.run(order.append, number) for number in range(LONG)]
    lock.release()
    if isinstance(lock, DeferredLock):
        # It was given to the second acquire().
        lock.release()
    assert order == list(range(LONG))
    assert all(d.called for d in results)


def test_D2_fiveTimesAsLongTakesNoMoreThanTwentyTimesAsLong() -> None:
    """A quadratic loop would take 25 times as long; ours about 5, and a machine has its moods."""
    from time import process_time

    def cost(length: int) -> float:
        began = process_time()
        d: Deferred[None] = Deferred()
        for _ in range(length):
            d.addCallback(lambda _: None)
        d.callback(None)
        first, last = row(length)
        last.callback(None)
        return process_time() - began

    cost(1000)
    assert min(cost(LONG // 2) for _ in range(2)) < 20 * min(cost(LONG // 10) for _ in range(3))
