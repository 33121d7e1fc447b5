"""Calls that wait for a time: a heap of `(when, serial, call)` and the handle that the caller keeps.

Pure: the time is asked of a function given at the start, so that the reactor and `task.Clock` use this same class.
Tuples in `heapq` compare in C, and the serial makes calls for the same moment run in the order in which they were
scheduled.

An entry is never searched for. When its serial is its call's `_entry` it is *live*, or *early* if the call is due later
than it (it was put off since, which costs nothing until the entry comes up and is pushed again, with the same serial);
anything else is stale and dropped when it comes up, or when there are three stale ones to a live one and the heap is
rebuilt: by a call of the queue's own, so that whoever cancels a million does not wait for that (0.24 s in place of
0.64).
"""

from __future__ import annotations

from contextvars import copy_context
from heapq import heapify, heappop, heappush

from reactor.error import AlreadyCalled, AlreadyCancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Context
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IDelayedCall
else:
    from reactor._ground.declare import IDelayedCall, implementer

# Below this many stale entries a rebuild is not worth its call.
_FEW = 64
# How many more of them there may be until that call is made; with more the heap is rebuilt at once.
_MANY = 100_000
# States of a DelayedCall kept in _entry: the serial of its entry in the heap, or one of these.
NOT_QUEUED = 0
CALLED = -1
CANCELLED = -2

_new = object.__new__


class _WithKeywords:
    """A function that is called with these keyword arguments too."""

    __slots__ = ("func", "kw")

    def __init__(self, func: Callable[..., object], kw: dict[str, Any]) -> None:
        self.func = func
        self.kw = kw

    def __call__(self, *args: Any) -> object:
        return self.func(*args, **self.kw)


@implementer(IDelayedCall)
class DelayedCall:
    """One call that waits for its time: what `callLater` returns."""

    __slots__ = ("__weakref__", "_context", "_entry", "_func", "_queue", "_when", "args")

    # Filled in by `TimerQueue.callLater`, without a call for it (measured: 0.09 us of 0.66).
    _queue: TimerQueue
    _when: float
    _entry: int
    _context: Context | None
    # With its keywords, if it has any: few have, and sixteen bytes of each are saved.
    _func: Callable[..., object] | None
    args: tuple[Any, ...]

    @property
    def time(self) -> float:
        """When the call is due, in seconds on the clock that it was scheduled on."""
        return self._when

    @property
    def func(self) -> Callable[..., object] | None:
        """What is called; None when it was called, or cancelled."""
        return self._func.func if isinstance(self._func, _WithKeywords) else self._func

    @property
    def kw(self) -> dict[str, Any]:
        """The keyword arguments that it is called with."""
        return self._func.kw if isinstance(self._func, _WithKeywords) else {}

    @property
    def called(self) -> bool:
        """Whether the call has been made (it has from the moment it begins)."""
        return self._entry == CALLED

    @property
    def cancelled(self) -> bool:
        """Whether the call was cancelled."""
        return self._entry == CANCELLED

    def getTime(self) -> float:
        """When the call is due, in seconds on the clock that it was scheduled on (`reactor.seconds()`)."""
        return self._when

    def active(self) -> bool:
        """Whether the call is still to come: neither made nor cancelled."""
        return self._entry >= NOT_QUEUED

    def cancel(self) -> None:
        """Never make the call.

        Raises AlreadyCancelled the second time and AlreadyCalled once the call began.
        """
        entry = self._entry
        if entry < 0:
            self._refuse()
        self._entry = CANCELLED
        self._func = self._context = None
        self.args = ()
        if entry:
            queue = self._queue
            queue.stale = stale = queue.stale + 1
            if stale > queue.most and stale * 4 > len(queue.heap) * 3:
                queue.crowded()

    def reset(self, secondsFromNow: float) -> None:
        """Make the call `secondsFromNow` seconds (not negative) from now instead.

        Raises as `cancel` does, and ValueError or TypeError for a number that is no delay.
        """
        entry = self._entry
        if entry < 0:
            self._refuse()
        queue = self._queue
        try:
            good = secondsFromNow >= 0
        except TypeError:
            good = False
        if not good:
            checkDelay(secondsFromNow, "reset", "secondsFromNow")
        when = queue.seconds() + secondsFromNow
        # Nearly every reset is one of these: a time-out that begins anew.
        if entry and when >= self._when:
            self._when = when
        else:
            queue.move(self, when)

    def delay(self, secondsLater: float) -> None:
        """Make the call `secondsLater` seconds later than planned; earlier when negative (but not before this returns).

        Raises as `cancel` does, and ValueError or TypeError for what is no number.
        """
        if self._entry < 0:
            self._refuse()
        try:
            when = self._when + secondsLater
        except TypeError:
            raise TypeError(f"delay(): secondsLater must be a number of seconds, not {secondsLater!r}") from None
        if when != when:
            raise ValueError("delay(): secondsLater must be a number of seconds, not nan")
        self._queue.move(self, when)

    def __lt__(self, other: object) -> bool:
        """Whether it is due earlier."""
        return self._when < other._when if isinstance(other, DelayedCall) else NotImplemented

    def __le__(self, other: object) -> bool:
        """Whether it is due earlier, or at the same time."""
        return self._when <= other._when if isinstance(other, DelayedCall) else NotImplemented

    def abandon(self) -> None:
        """Never make the call; nobody is told."""
        if self._entry >= NOT_QUEUED:
            self._entry = CANCELLED
            self._func = self._context = None
            self.args = ()

    def runDue(self) -> None:
        """Make the call, which `TimerQueue.due` gave out, unless it was cancelled or put off since.

        What it raises comes out.
        """
        if self._entry != NOT_QUEUED:
            return
        func, args, context = self._func, self.args, self._context
        self._entry = CALLED
        self._func = self._context = None
        self.args = ()
        assert func is not None and context is not None
        if args:
            context.run(func, *args)
        else:
            context.run(func)

    def _refuse(self) -> None:
        if self._entry == CANCELLED:
            raise AlreadyCancelled("this delayed call was cancelled before")
        raise AlreadyCalled("this delayed call was made already")

    def __repr__(self) -> str:
        state = (
            "called"
            if self.called
            else "cancelled"
            if self.cancelled
            else f"due in {self._when - self._queue.seconds():.6g} s"
        )
        func = self.func
        name = getattr(func, "__qualname__", None) or repr(func)
        return f"<DelayedCall {name if func is not None else 'of nothing any more'} {state}>"


def checkDelay(delay: float, method: str, name: str) -> float:
    """`delay` if it is a number of seconds that is not negative, else a ValueError or TypeError that says so."""
    try:
        if delay >= 0:
            return delay
    except TypeError:
        raise TypeError(f"{method}(): {name} must be a number of seconds, not {delay!r}") from None
    raise ValueError(f"{method}(): {name} must not be negative or nan, not {delay!r}")


class TimerQueue:
    """Every call of one clock that is still to come."""

    __slots__ = ("_rebuilding", "heap", "most", "ready", "seconds", "serial", "stale")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.heap: list[tuple[float, int, DelayedCall]] = []
        self.serial = 0
        # What `due` gave out and may not have been run yet: whoever runs several at a time says so here.
        self.ready: list[DelayedCall] = []
        # Invariant: `stale` entries of the heap are stale; it is to be rebuilt when they are more than three quarters,
        # and more than `most`.
        self.stale = 0
        self.most = _FEW
        # The call that is going to do that.
        self._rebuilding: DelayedCall | None = None

    def callLater(self, delay: float, f: Callable[..., object], /, *args: Any, **kw: Any) -> DelayedCall:
        """Call `f(*args, **kw)` when `delay` seconds have passed, in the context variables of now."""
        try:
            good = delay >= 0
        except TypeError:
            good = False
        if not good:
            checkDelay(delay, "callLater", "delay")
        if not callable(f):
            raise TypeError(f"callLater(): {f!r} is not callable")
        call = _new(DelayedCall)
        self.serial = call._entry = serial = self.serial + 1
        call._when = when = self.seconds() + delay
        call._queue = self
        call._context = copy_context()
        call._func = _WithKeywords(f, kw) if kw else f
        call.args = args
        heappush(self.heap, (when, serial, call))
        return call

    def move(self, call: DelayedCall, when: float) -> None:
        """Let `call` be due at `when` instead. Later is free until its entry comes up; earlier is a new entry."""
        entry = call._entry
        earlier = when < call._when
        call._when = when
        if earlier or entry == NOT_QUEUED:
            self.serial = serial = self.serial + 1
            call._entry = serial
            heappush(self.heap, (when, serial, call))
            if entry:
                self.dropped()

    def dropped(self) -> None:
        """An entry has become stale."""
        self.stale = stale = self.stale + 1
        if stale > self.most and stale * 4 > len(self.heap) * 3:
            self.crowded()

    def crowded(self) -> None:
        """Most entries are stale: forget them soon, or at once if that was to be done and they are too many now."""
        if self._rebuilding is not None:
            self.rebuild()
            return
        self.most = max(_MANY, 4 * len(self.heap))
        self._rebuilding = self.callLater(0, self.rebuild)

    def rebuild(self) -> None:
        """Forget the stale entries. Done when they are most, so a cancel costs O(1) on average."""
        rebuilding, self._rebuilding = self._rebuilding, None
        if rebuilding is not None and rebuilding._entry >= NOT_QUEUED:
            rebuilding._entry = CANCELLED
        self.most = _FEW
        heap = self.heap
        live = [entry for entry in heap if entry[2]._entry == entry[1]]
        # In place: whoever looks at the heap between two turns keeps the same list.
        heap[:] = live
        heapify(heap)
        self.stale = 0

    def due(self, now: float) -> Iterator[DelayedCall]:
        """Take out the calls that are due at `now`, one after another and in order; run them with their `runDue`."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            when, serial, call = heappop(heap)
            if serial != call._entry:
                self.stale -= 1
            elif when < call._when:
                heappush(heap, (call._when, serial, call))
            else:
                call._entry = NOT_QUEUED
                yield call

    def abandon(self) -> None:
        """Make none of the calls, not even those that `due` gave out."""
        for call in [*self.ready, *[entry[2] for entry in self.heap]]:
            call.abandon()
        self.heap.clear()
        self.stale = 0
        self.most = _FEW
        self._rebuilding = None

    def calls(self) -> list[DelayedCall]:
        """Every call that is still to come. What else stands in the heap, asyncio's timers, is its owner's business."""
        own = self._rebuilding
        ready = dict.fromkeys(call for call in self.ready if call._entry == NOT_QUEUED)
        waiting = [call for _, serial, call in self.heap if call._entry == serial]
        return [call for call in [*ready, *waiting] if isinstance(call, DelayedCall) and call is not own]
