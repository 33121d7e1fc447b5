"""Delayed calls in Twisted's words, in our heap.

They are due on the monotonic clock, whatever is done to the machine's; what they say of the time is on the clock of
`reactor.seconds()`, which for Twisted's programs is the time of day, and is worked out when it is asked for.
"""

from __future__ import annotations

from contextvars import copy_context
from heapq import heappush
from time import monotonic, time
from traceback import format_stack
from types import MethodType
from typing import TYPE_CHECKING

from twisted.internet import base as theirs
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from reactor._core import timers
from reactor._core.timers import CANCELLED, _WithKeywords, checkDelay
from reactor.twisted import logs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import TimerQueue

_new = object.__new__


@implementer(IDelayedCall)
class DelayedCall(timers.DelayedCall):
    """What `callLater` returns."""

    # With a place for attributes of the program's own.

    #: The clock of `getTime`.
    seconds = staticmethod(time)
    #: Where the call was made, a list of lines, when `twisted.internet.base.DelayedCall.debug` is set; else None.
    creator: list[str] | None = None

    @property
    def time(self) -> float:
        """When the call is due, in seconds since 1970."""
        return self._when - monotonic() + time()

    def getTime(self) -> float:
        """When the call is due, in seconds since 1970."""
        return self._when - monotonic() + time()

    def reset(self, secondsFromNow: float) -> None:
        """Make the call `secondsFromNow` seconds from now instead; a time that has passed means now."""
        entry = self._entry
        if entry < 0:
            self._refuse()
        try:
            when = monotonic() + secondsFromNow
        except TypeError:
            checkDelay(secondsFromNow, "reset", "secondsFromNow")
            raise
        # As in our own, which looks at the number first: negative ones are not refused here.
        if entry and when >= self._when:
            self._when = when
        elif when == when:
            self._queue.move(self, when)
        else:
            checkDelay(secondsFromNow, "reset", "secondsFromNow")

    def _refuse(self) -> None:
        if self._entry == CANCELLED:
            raise AlreadyCancelled
        raise AlreadyCalled


class _Traced(DelayedCall):
    """One that knows where it was made, and says so."""

    def __init__(self) -> None:
        self.creator = format_stack()[:-2]

    def runDue(self) -> None:
        try:
            super().runDue()
        except BaseException as e:
            logs.report("a delayed call raised that was made here:\n%s", e, "".join(self.creator or ()))

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}\n\ntraceback at creation: \n\n{'    '.join(self.creator or ())}>"


def scheduler(queue: TimerQueue) -> Callable[..., DelayedCall]:
    """The `callLater` of a reactor whose timers are `queue`."""
    seconds, heap = queue.seconds, queue.heap
    # What programs and trial set it on.
    debugged = theirs.DelayedCall

    def callLater(
        self: TimerQueue, delay: float, callable: Callable[..., Any], *args: object, **kw: object
    ) -> DelayedCall:
        """Call `callable(*args, **kw)` when `delay` seconds have passed. AssertionError for a negative delay."""
        assert delay >= 0, f"{delay} is not greater than or equal to 0 seconds"
        call = _Traced() if debugged.debug else _new(DelayedCall)
        self.serial = call._entry = serial = self.serial + 1
        call._when = when = seconds() + delay
        call._queue = self
        call._context = copy_context()
        call._func = _WithKeywords(callable, kw) if kw else callable
        call.args = args
        heappush(heap, (when, serial, call))
        return call

    # Bound: a program may keep it in a class of its own (`callLater = reactor.callLater`), whose objects a function
    # would take for its first argument.
    return MethodType(callLater, queue)
