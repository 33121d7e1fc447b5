"""Taking turns and handing over, between callbacks rather than threads: a lock, a semaphore and a queue.

Who waits goes on within the call that gives it what it waits for. A callback that gives in its turn, as who has a lock
for a moment only does, gives at once as well; but who gets it goes on when that callback has returned, not inside of
it: thousands that wait are a row and no recursion.
"""

from __future__ import annotations

from collections import deque

from reactor.defer.chain import Chain
from reactor.defer.deferred import Deferred
from reactor.defer.errors import AlreadyCalledError, QueueOverflow, QueueUnderflow
from reactor.defer.generic import Generic, T
from reactor.defer.shortcuts import maybeDeferred, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, ParamSpec, Self, TypeVar, overload

    P = ParamSpec("P")
    R = TypeVar("R")


class _Row(Generic[T]):
    """Deferreds that wait, the one that came first at the front, and those of which it is the turn."""

    __slots__ = ("due", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Deferred[T]] = deque()
        # Who was given what, and has not gone on; and where that goes back to. The first one is going on now.
        self.due: deque[tuple[Deferred[T], T, Callable[[T], object]]] = deque()

    def enter(self) -> Deferred[T]:
        """One more that waits. Cancelling it leaves the row."""
        waiter: Deferred[T] = Deferred(self._leave)
        self.waiting.append(waiter)
        return waiter

    def give(self, what: T, back: Callable[[T], object]) -> None:
        """Give `what` to the first that waits; `back` is called with it if that one is cancelled before it goes on.

        :raises AlreadyCalledError: somebody else has fired its Deferred.
        """
        due = self.due
        due.append((self.waiting.popleft(), what, back))
        if len(due) > 1:
            return
        problem = None
        while due:
            waiter, what, _ = due[0]
            try:
                waiter.callback(what)
            except AlreadyCalledError as e:
                problem = e
            due.popleft()
        if problem is not None:
            raise problem

    def _leave(self, waiter: Deferred[T]) -> None:
        for entry in self.due:
            if entry[0] is waiter:
                self.due.remove(entry)
                entry[2](entry[1])
                return
        self.waiting.remove(waiter)


class _Limited:
    """What a lock and a semaphore share: some may have it, the others wait in a row.

    :ivar waiting: the Deferreds of those that wait, the one that came first at the front.
    """

    def __init__(self) -> None:
        self._row: _Row[Self] = _Row()
        self.waiting: deque[Deferred[Self]] = self._row.waiting

    def _isFree(self) -> bool:
        raise NotImplementedError

    def _give(self) -> None:
        """Count one more that has it."""
        raise NotImplementedError

    def _takeBack(self) -> None:
        """Count one less; AssertionError when nobody has it."""
        raise NotImplementedError

    def acquire(self) -> Deferred[Self]:
        """A Deferred of this object, fired when the caller has it. Cancelling the Deferred leaves the row."""
        if self._isFree():
            self._give()
            return succeed(self)
        return self._row.enter()

    def release(self) -> None:
        """Give it back, for the first that waits: that has it now, and goes on within this call; if this is called by
        one that goes on within such a call, then when that has returned. Whoever acquired it must call this once.

        :raises AssertionError: nobody has it.
        """
        self._takeBack()
        if self.waiting:
            self._give()
            self._row.give(self, _Limited.release)  # type: ignore[arg-type]

    if TYPE_CHECKING:

        @overload
        def run(self, f: Callable[P, Deferred[R]], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[R]: ...
        @overload
        def run(
            self, f: Callable[P, Coroutine[Deferred[Any], Any, R]], /, *args: P.args, **kwargs: P.kwargs
        ) -> Deferred[R]: ...
        @overload
        def run(self, f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[R]: ...

    def run(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Acquire, call `f(*args, **kwargs)`, release when that is done, however it ends; the Deferred of its result.

        `f` may return a Deferred or be an ``async def``; it is done when that is.
        """
        turn = _Turn(self)

        def acquired(_: Self) -> Any:
            turn.begun = True
            return maybeDeferred(f, *args, **kwargs)

        return self.acquire().addCallback(acquired)._add((turn,))

    async def __aenter__(self) -> Self:
        return await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Turn:
    """Releases what `run` has acquired, in the place of a callback.

    It does not fire who waits but hands it to the loop that runs callbacks: thousands of calls that wait and end at
    once are no recursion.
    """

    __slots__ = ("begun", "limited")

    _takes = False

    def __init__(self, limited: _Limited) -> None:
        self.limited = limited
        self.begun = False

    def _receive(self, ended: Chain) -> Chain | None:
        """The call is done, and `ended` has its result, which stays there."""
        if not self.begun:
            # Cancelled while it waited.
            return None
        limited = self.limited
        limited._takeBack()
        if not limited.waiting:
            return None
        limited._give()
        waiter = limited.waiting.popleft()
        waiter._settle(limited)
        return None if waiter.paused else waiter


class DeferredLock(_Limited):
    """One at a time: `acquire`, do what must not happen twice at once, `release`; or `run`; or ``async with lock:``.

    :ivar locked: whether somebody has it.
    """

    locked = False

    def _isFree(self) -> bool:
        return not self.locked

    def _give(self) -> None:
        self.locked = True

    def _takeBack(self) -> None:
        if not self.locked:
            raise AssertionError("Tried to release an unlocked lock")
        self.locked = False


class DeferredSemaphore(_Limited):
    """So many at a time: a `DeferredLock` that can be had `tokens` times.

    :ivar limit: how many may have it.
    :ivar tokens: how many more may have it now.
    :raises ValueError: `tokens` is less than 1.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        if tokens < 1:
            raise ValueError(f"DeferredSemaphore requires tokens >= 1, not {tokens!r}")
        self.tokens = self.limit = tokens

    def _isFree(self) -> bool:
        return self.tokens > 0

    def _give(self) -> None:
        self.tokens -= 1

    def _takeBack(self) -> None:
        if self.tokens >= self.limit:
            raise AssertionError("Someone released me too many times: too many tokens!")
        self.tokens += 1


class DeferredQueue(Generic[T]):
    """Objects that wait to be taken, or takers that wait for an object; both in the order in which they came.

    :param size: how many objects may wait; None: any number.
    :param backlog: how many takers may wait; None: any number.
    :ivar pending: the objects that wait.
    :ivar waiting: the Deferreds of those that wait for one.
    """

    def __init__(self, size: int | None = None, backlog: int | None = None) -> None:
        self._row: _Row[T] = _Row()
        self.waiting: deque[Deferred[T]] = self._row.waiting
        self.pending: deque[T] = deque()
        self.size = size
        self.backlog = backlog

    def put(self, obj: T) -> None:
        """Give `obj` to the first that waits, which goes on within this call as with `DeferredLock.release`, or let it
        wait.

        :raises QueueOverflow: as many wait as may.
        :raises TypeError: `obj` is a Deferred, which no Deferred can have as its result.
        """
        if isinstance(obj, Deferred):
            raise TypeError(f"put() takes no Deferred: put what it fires with, not {obj!r}")
        if self.waiting:
            self._row.give(obj, self._putBack)
        elif self.size is None or len(self.pending) < self.size:
            self.pending.append(obj)
        else:
            raise QueueOverflow(f"{len(self.pending)} objects wait in the queue, which is its limit")

    def get(self) -> Deferred[T]:
        """A Deferred of the next object. Cancelling it leaves the row.

        :raises QueueUnderflow: as many wait for an object as may.
        """
        if self.pending:
            return succeed(self.pending.popleft())
        if self.backlog is None or len(self.waiting) < self.backlog:
            return self._row.enter()
        raise QueueUnderflow(f"{len(self.waiting)} wait for an object from the queue, which is its limit")

    def _putBack(self, obj: T) -> None:
        """Whoever was given it has no use for it any more. Nothing is refused for want of space."""
        if self.waiting:
            self._row.give(obj, self._putBack)
        else:
            self.pending.appendleft(obj)
