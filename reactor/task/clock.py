"""Calls in time: a clock for tests that a program moves by hand.

`Clock` schedules with the very class that the reactor uses, so that what a test sees is what production does.
"""

from __future__ import annotations

from reactor._core.timers import DelayedCall, TimerQueue
from reactor.defer import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IReactorTime
else:
    from reactor._ground.declare import IReactorTime, implementer


@implementer(IReactorTime)
class Clock:
    """A clock that stands still until it is told how much time passes. It begins at 0 seconds."""

    def __init__(self) -> None:
        self.rightNow = 0.0
        self._timers = TimerQueue(self.seconds)

    def seconds(self) -> float:
        """The time in seconds on this clock."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., object], /, *args: Any, **kw: Any) -> DelayedCall:
        """Call `callable(*args, **kw)` when this clock was advanced by `delay` seconds.

        ValueError, TypeError as `reactor.callLater`.
        """
        return self._timers.callLater(delay, callable, *args, **kw)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Every call that is still to come, the next one first."""
        return sorted(self._timers.calls(), key=DelayedCall.getTime)

    @property
    def calls(self) -> list[DelayedCall]:
        """The same as `getDelayedCalls()`, a list of its own each time."""
        return self.getDelayedCalls()

    def advance(self, amount: float) -> None:
        """Let `amount` seconds pass and make every call that is due then, also those that are scheduled meanwhile and
        are due too.

        What a call raises comes out; the calls behind it stay due.
        """
        self.rightNow += amount
        for call in self._timers.due(self.rightNow):
            call.runDue()

    def pump(self, timings: Iterable[float]) -> None:
        """Advance by each of `timings` in turn."""
        for amount in timings:
            self.advance(amount)


def deferLater(
    clock: Any, delay: float, callable: Callable[..., Any] | None = None, *args: Any, **kw: Any
) -> Deferred[Any]:
    """A Deferred of what `callable(*args, **kw)` returns when it is called after `delay` seconds (None without one).

    Cancelling it cancels the call.
    """

    def made() -> None:
        deferred.callback(None)

    call: DelayedCall
    deferred: Deferred[Any] = Deferred(lambda _: call.cancel())
    if callable is not None:
        f = callable
        deferred.addCallback(lambda _: f(*args, **kw))
    call = clock.callLater(delay, made)
    return deferred
