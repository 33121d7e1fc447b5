"""One function, called again and again.

Calls are due at whole multiples of the interval since the start, whatever each of them takes: what came too late is
left out rather than made up for, so that the rhythm stays. The next call is never scheduled before the one before has
ended, its Deferred included.

Every call is made in the context variables of `start`, not in those of the call before, nor in those of whoever
happened to fire the Deferred that was waited for.
"""

from __future__ import annotations

from contextvars import copy_context
from types import CoroutineType

from reactor._core.timers import checkDelay
from reactor._ground.current import currentReactor
from reactor.defer import Deferred
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any, Self


class LoopingCall:
    """Calls `f(*a, **kw)` at regular intervals."""

    #: Whether calls are to come: from `start` until `stop`, or until a call fails.
    running = False
    #: Seconds from one call to the next.
    interval: float | None = None
    #: When the rhythm began, in seconds on the clock: at `start`, or at the last `reset`.
    starttime: float | None = None
    #: The delayed call that waits; None while a call is going on, and when this does not run.
    call: Any = None
    # Invariant: not None while `running`. After a stop in the middle of a call it stays until that call has ended.
    _deferred: Deferred[Any] | None = None
    _clock: Any = None
    # The clock of this run, and the context variables of its start.
    _on: Any = None
    _context: Context
    # When the function of `withCount` was called last.
    _counted: float | None = None
    _now = False

    def __init__(self, f: Callable[..., object], *a: Any, **kw: Any) -> None:
        """Not running yet. TypeError when `f` cannot be called."""
        if not callable(f):
            raise TypeError(f"LoopingCall(): {f!r} is not callable")
        self.f = f
        self.a = a
        self.kw = kw

    @classmethod
    def withCount(cls, countCallable: Callable[[int], object]) -> Self:
        """A LoopingCall that calls `countCallable(n)`, where `n` is how many intervals have begun since the last call:
        1, or more when calls came too late and were left out. With an interval of 0 it is always 1.
        """
        if not callable(countCallable):
            raise TypeError(f"LoopingCall.withCount(): {countCallable!r} is not callable")
        looping = cls(lambda: looping._count(countCallable))
        return looping

    @property
    def clock(self) -> Any:
        """What has `seconds` and `callLater` (`IReactorTime`): a `Clock`, or the reactor of this thread unless set."""
        return self._clock if self._clock is not None else currentReactor()

    @clock.setter
    def clock(self, clock: Any) -> None:
        self._clock = self._on = clock

    @property
    def deferred(self) -> Deferred[Self] | None:
        """What `start` returned, until that fires."""
        return self._deferred

    def start(self, interval: float, now: bool = True) -> Deferred[Self]:
        """Begin.

        :param interval: seconds, 0 for as often as possible.
        :param now: whether the first call is made at once, or after one interval.
        :return: the Deferred of this object when it is stopped. It fails with what a call raises, or with what the
            Deferred (or coroutine) that a call returns fails with; there are no more calls then.
        :raises ValueError: for a negative interval. AssertionError: when this runs already.
        """
        if self.running:
            raise AssertionError(f"start(): {self!r} is running already")
        self.interval = checkDelay(interval, "LoopingCall.start", "interval")
        self._on = self.clock
        self._context = copy_context()
        self._now = now
        deferred = self._deferred = Deferred()
        self.running = True
        self.starttime = self._on.seconds()
        if now:
            self()
        else:
            self._schedule(self.starttime)
        return deferred

    def stop(self) -> None:
        """Make no more calls. The Deferred of `start` fires: now, or when the call that is going on has ended.

        AssertionError when this does not run.
        """
        if not self.running:
            raise AssertionError(f"stop(): {self!r} is not running")
        self.running = False
        if self.call is not None:
            self.call.cancel()
            self.call = None
            self._ended(self._deferred, self)

    def reset(self) -> None:
        """Leave the next call out and begin the rhythm anew: the next one comes an interval from now. Nothing while a
        call is going on.

        AssertionError when this does not run.
        """
        if not self.running:
            raise AssertionError(f"reset(): {self!r} is not running")
        if self.call is not None:
            self.call.cancel()
            self.starttime = self._on.seconds()
            self._schedule(self.starttime)

    def __call__(self) -> None:
        """Call the function, then schedule the next call."""
        self.call = None
        run = self._deferred
        try:
            result = self.f(*self.a, **self.kw)
        except BaseException:
            self._failed(Failure(), run)
            return
        if result is None:
            self._called(None, run)
        elif isinstance(result, Deferred):
            result.addCallback(self._called, run).addErrback(self._failed, run)
        elif isinstance(result, CoroutineType):
            Deferred.fromCoroutine(result).addCallback(self._called, run).addErrback(self._failed, run)
        elif isinstance(result, Failure):
            self._failed(result, run)
        else:
            self._called(None, run)

    def _called(self, _: object, run: Deferred[Any] | None) -> None:
        # `run` may be over: stopped in the middle of this call, and perhaps started anew.
        if self.running and run is self._deferred:
            self._schedule(self._on.seconds())
        else:
            self._ended(run, self)

    def _failed(self, failure: Failure, run: Deferred[Any] | None) -> None:
        if run is self._deferred:
            self.running = False
        self._ended(run, failure)

    def _ended(self, run: Deferred[Any] | None, result: object) -> None:
        if run is self._deferred:
            self._deferred = None
        if run is not None:
            run.callback(result)

    def _schedule(self, now: float) -> None:
        interval = self.interval
        if interval:
            wait = interval - (now - self.starttime) % interval  # type: ignore[operator]
            # What is left of the interval may be too little for the clock to see.
            if now + wait == now:
                wait = interval
        else:
            wait = 0.0
        self.call = self._context.run(self._on.callLater, wait, self)

    def _count(self, countCallable: Callable[[int], object]) -> object:
        now, last, begun = self._on.seconds(), self._counted, self.starttime
        interval = self.interval
        assert interval is not None and begun is not None
        if not interval:
            count = 1
        else:
            if last is None:
                last = begun - interval if self._now else begun
            count = int((now - begun) / interval) - int((last - begun) / interval)
            if count <= 0:
                return None
        self._counted = now
        return countCallable(count)

    def __repr__(self) -> str:
        name = getattr(self.f, "__qualname__", None) or repr(self.f)
        every = "" if self.interval is None else f" every {self.interval:g} s"
        return f"<LoopingCall of {name}{every}, {'running' if self.running else 'not running'}>"
