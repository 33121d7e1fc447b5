"""`DeferredLock`, `DeferredSemaphore`, `DeferredQueue`."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from reactor.defer import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    QueueOverflow,
    QueueUnderflow,
    ensureDeferred,
)


class Boom(Exception):
    """What goes wrong here."""


def told(d: Deferred[Any]) -> Any:
    """The error type of a Deferred that failed; it counts as handled."""
    kind = d.result.type
    d.addErrback(lambda _: None)
    return kind


either = pytest.mark.parametrize("make", [DeferredLock, lambda: DeferredSemaphore(1)], ids=["lock", "semaphore"])


@either
def test_takingTurns(make: Any) -> None:
    lock = make()
    order: list[int] = []
    for number in range(3):
        lock.acquire().addCallback(lambda given, number=number: order.append((number, given is lock)))
    assert (order, len(lock.waiting)) == ([(0, True)], 2)
    lock.release()
    lock.release()
    assert order == [(0, True), (1, True), (2, True)]
    lock.release()
    with pytest.raises(AssertionError):
        lock.release()
    assert lock.acquire().called


@either
def test_cancelledWaiterLeavesTheRow(make: Any) -> None:
    lock = make()
    lock.acquire()
    first, second = lock.acquire(), lock.acquire()
    first.cancel()
    assert told(first) is CancelledError
    lock.release()
    assert second.called
    assert not lock.waiting


def test_locked() -> None:
    lock = DeferredLock()
    assert lock.locked is False
    lock.acquire()
    assert lock.locked is True
    lock.release()
    assert lock.locked is False


def test_semaphoreCounts() -> None:
    semaphore = DeferredSemaphore(2)
    assert (semaphore.tokens, semaphore.limit) == (2, 2)
    first, second, third = (semaphore.acquire() for _ in range(3))
    assert (first.called, second.called, third.called, semaphore.tokens) == (True, True, False, 0)
    semaphore.release()
    assert (third.called, semaphore.tokens) == (True, 0)
    semaphore.release()
    assert semaphore.tokens == 1
    with pytest.raises(ValueError, match="tokens >= 1"):
        DeferredSemaphore(0)


@either
def test_run(make: Any) -> None:
    lock = make()
    order: list[Any] = []
    jobs: list[Deferred[str]] = [Deferred(), Deferred()]

    def job(number: int, name: str) -> Deferred[str]:
        order.append((number, name))
        return jobs[number]

    results = [lock.run(job, number, name="x") for number in range(2)]
    assert order == [(0, "x")]
    jobs[0].callback("first")
    assert (order, results[0].result, results[1].called) == ([(0, "x"), (1, "x")], "first", True)
    jobs[1].errback(Boom())
    assert told(results[1]) is Boom
    assert lock.acquire().called


@either
def test_runOfAFunctionThatReturnsOrRaisesAtOnce(make: Any) -> None:
    lock = make()

    def raises() -> None:
        raise Boom

    async def coroutine() -> str:
        return "coroutine"

    assert lock.run(lambda: "value").result == "value"
    assert told(lock.run(raises)) is Boom
    assert lock.run(coroutine).result == "coroutine"
    assert told(lock.run(3)) is TypeError
    assert lock.acquire().called


@either
def test_runInTheOrderOfTwisted(make: Any) -> None:
    """The next job begins as soon as one has ended, before anybody hears of that one's result."""
    lock = make()
    order: list[Any] = []
    lock.acquire()
    for number in range(3):
        lock.run(order.append, number).addCallback(lambda _, number=number: order.append(("result", number)))
    lock.release()
    assert order == [0, 1, 2, ("result", 2), ("result", 1), ("result", 0)]


@either
def test_runCancelledBeforeItBegan(make: Any) -> None:
    lock = make()
    lock.acquire()
    ran: list[int] = []
    d = lock.run(ran.append, 1)
    d.cancel()
    assert told(d) is CancelledError
    lock.release()
    assert ran == []
    # It was released once only.
    with pytest.raises(AssertionError):
        lock.release()


@either
def test_runCancelledWhenItHasBegun(make: Any) -> None:
    lock = make()
    d = lock.run(Deferred)
    d.cancel()
    assert told(d) is CancelledError
    assert lock.acquire().called


@either
def test_runForAPausedDeferred(make: Any) -> None:
    lock = make()
    lock.acquire()
    ran: list[int] = []
    waiting = lock.run(ran.append, 1)
    waiting.pause()
    lock.run(ran.append, 2)
    lock.release()
    # Its turn has come, and it makes no use of it yet.
    assert ran == []
    waiting.unpause()
    assert ran == [1, 2]


@either
def test_pausedWaiterOfTwoThatRun(make: Any) -> None:
    lock = make()
    job: Deferred[None] = Deferred()
    lock.run(lambda: job)
    paused = lock.acquire()
    paused.pause()
    job.callback(None)
    assert paused.called and paused.result is lock


@either
def test_asyncWith(make: Any) -> None:
    lock = make()
    leave: Deferred[None] = Deferred()
    order: list[str] = []

    async def one(name: str) -> None:
        async with lock as given:
            assert given is lock
            order.append(name)
            await leave

    async def failing() -> None:
        async with lock:
            raise Boom

    first, second = ensureDeferred(one("a")), ensureDeferred(failing())
    assert order == ["a"]
    leave.callback(None)
    assert first.called and told(second) is Boom
    assert lock.acquire().called


# ---- The queue ----


def test_queueOfObjects() -> None:
    queue: DeferredQueue[str] = DeferredQueue()
    queue.put("a")
    queue.put("b")
    assert list(queue.pending) == ["a", "b"]
    assert (queue.get().result, queue.get().result) == ("a", "b")


def test_queueOfTakers() -> None:
    queue: DeferredQueue[str] = DeferredQueue()
    first, second = queue.get(), queue.get()
    assert list(queue.waiting) == [first, second]
    queue.put("a")
    assert (first.result, second.called) == ("a", False)
    queue.put("b")
    assert second.result == "b"


def test_queueLimits() -> None:
    queue: DeferredQueue[str] = DeferredQueue(size=1, backlog=1)
    queue.put("a")
    with pytest.raises(QueueOverflow):
        queue.put("b")
    assert queue.get().result == "a"
    taker = queue.get()
    with pytest.raises(QueueUnderflow):
        queue.get()
    queue.put("c")
    assert taker.result == "c"


def test_queueThatHoldsNothing() -> None:
    queue: DeferredQueue[str] = DeferredQueue(0, 0)
    with pytest.raises(QueueUnderflow):
        queue.get()
    with pytest.raises(QueueOverflow):
        queue.put("a")


def test_cancelledTakerLeavesTheRow() -> None:
    queue: DeferredQueue[str] = DeferredQueue()
    first, second = queue.get(), queue.get()
    first.cancel()
    assert told(first) is CancelledError
    queue.put("a")
    assert second.result == "a"


def test_queueOfAType() -> None:
    assert DeferredQueue[int].__origin__ is DeferredQueue  # type: ignore[attr-defined]


# Many that wait, and have it for a moment only.


def deepest(make: Any, enter: Any, count: int) -> Any:
    """How deep the stack is at most while `count` go on that wait for what `make` makes; and whether all did."""
    lock, done, depths, gate = make(), [], set(), Deferred()

    async def first() -> None:
        async with lock:
            await gate

    ensureDeferred(first())
    for number in range(count):
        enter(lock, lambda number=number: (done.append(number), depths.add(len(inspect.stack(0)))))
    gate.callback(None)
    assert done == list(range(count))
    assert not lock.waiting and lock.acquire().called
    return max(depths)


def enterWith(lock: Any, then: Any) -> None:
    async def enter() -> None:
        async with lock:
            then()

    ensureDeferred(enter())


def enterByCallbacks(lock: Any, then: Any) -> None:
    def entered(_: Any) -> None:
        then()
        lock.release()

    lock.acquire().addCallback(entered)


def enterByRun(lock: Any, then: Any) -> None:
    lock.run(then)


def enterByAll(lock: Any, then: Any) -> None:
    for each in (enterWith, enterByCallbacks, enterByRun):
        each(lock, then if each is enterByRun else lambda: None)


@either
@pytest.mark.parametrize("enter", [enterWith, enterByCallbacks, enterByRun, enterByAll])
def test_D2_manyThatWaitAreNoRecursion(make: Any, enter: Any) -> None:
    assert deepest(make, enter, 60) == deepest(make, enter, 6)


@pytest.mark.parametrize("enter", [enterWith, enterByCallbacks])
def test_D2_fiveThousandThatWait(enter: Any) -> None:
    lock, done = DeferredSemaphore(3), []
    for _ in range(3):
        lock.acquire()
    for _ in range(5000):
        enter(lock, lambda: done.append(1))
    lock.release()
    assert (len(done), lock.tokens, len(lock.waiting)) == (5000, 1, 0)


def test_D2_aQueueThatIsPutToByThoseWhoTakeFromIt() -> None:
    """As a pool does it: who has used what it took puts it back."""
    queue: DeferredQueue[str] = DeferredQueue()
    done: list[str] = []

    def took(obj: str) -> None:
        done.append(obj)
        queue.put(obj)

    for _ in range(5000):
        queue.get().addCallback(took)
    queue.put("connection")
    assert (len(done), list(queue.pending), len(queue.waiting)) == (5000, ["connection"], 0)


@either
def test_whoeverIsNextHasItAtOnceAndGoesOnAfterwards(make: Any) -> None:
    lock = make()
    order: list[Any] = []
    lock.acquire()

    def first(_: Any) -> None:
        lock.release()
        order.append(("first", len(lock.waiting), lock.acquire().called))

    lock.acquire().addCallback(first)
    lock.acquire().addCallback(lambda _: order.append("second"))
    lock.release()
    assert order == [("first", 0, False), "second"]
    lock.release()
    assert not lock.waiting


@either
def test_cancelledBetweenHavingItAndGoingOn(make: Any) -> None:
    lock = make()
    order: list[Any] = []
    lock.acquire()

    def first(_: Any) -> None:
        lock.release()
        second.cancel()
        second.cancel()

    lock.acquire().addCallback(first)
    second = lock.acquire()
    second.addErrback(lambda failure: order.append(failure.type))
    lock.acquire().addCallback(lambda _: order.append("third"))
    lock.release()
    assert order == [CancelledError, "third"]
    lock.release()
    assert lock.acquire().called
    with pytest.raises(AssertionError):
        (lock.release(), lock.release())


def test_whatACancelledTakerWasGivenIsNotLost() -> None:
    queue: DeferredQueue[int] = DeferredQueue(1)
    got: list[Any] = []

    def first(obj: int) -> None:
        queue.put(2)
        queue.put(3)
        for each in others:
            each.cancel()

    queue.get().addCallback(first)
    others = [queue.get(), queue.get()]
    for each in others:
        each.addErrback(lambda failure: got.append(failure.type))
    queue.put(1)
    assert got == [CancelledError] * 2
    assert sorted(queue.pending) == [2, 3]


@either
def test_aWaiterThatSomebodyElseFiresEndsNothing(make: Any) -> None:
    lock = make()
    order: list[Any] = []
    lock.acquire()

    def first(_: Any) -> None:
        lock.release()
        lock.release()
        order.append("first")

    lock.acquire().addCallback(first)
    fired, last = lock.acquire(), lock.acquire()
    fired.callback(lock)
    last.addCallback(lambda _: order.append("last"))
    with pytest.raises(AlreadyCalledError):
        lock.release()
    assert order == ["first", "last"]


def test_aDeferredIsNothingToPut() -> None:
    queue: DeferredQueue[Any] = DeferredQueue()
    taker = queue.get()
    with pytest.raises(TypeError, match="no Deferred"):
        queue.put(Deferred())
    queue.put(1)
    assert taker.result == 1
