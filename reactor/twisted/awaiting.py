"""What waits for what across the two worlds: coroutines of either that wait for a Deferred of the other.

A Deferred of the other world is never waited for itself: one of the waiting one's own is made, which follows it. Its
cancellation is passed on, and what comes of that is what it tells: so it does not end before the other one has. Errors
cross as they are, but for `CancelledError`, which each world has a class of its own for.
"""

from __future__ import annotations

import sys
from inspect import CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from typing import TYPE_CHECKING

from twisted.internet import defer as theirs
from twisted.python.failure import Failure as TwistedFailure

from reactor.defer import CancelledError, Deferred, driver
from reactor.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType
    from typing import Any, TypeVar

    T = TypeVar("T")

# What the functions are that run in steps, and wait for each other, down to the one that waits for a Deferred.
_IN_STEPS = CO_COROUTINE | CO_GENERATOR | CO_ITERABLE_COROUTINE


def fromTwisted(deferred: theirs.Deferred[T]) -> Deferred[T]:
    """A Deferred of ours that gets the result of one of Twisted's, and cancels it when cancelled itself.

    A coroutine of ours need not call this: it waits for Deferreds of Twisted's as for others.
    """
    return _follow(deferred, Deferred)


def _follow(deferred: theirs.Deferred[T], made: type[Deferred[Any]]) -> Deferred[T]:
    last: Deferred[T]

    def cancel(cancelled: Deferred[T]) -> None:
        nonlocal last
        last = made(cancel)
        cancelled._supersededBy(last)
        deferred.cancel()

    def succeeded(result: T) -> T:
        last.callback(result)
        # Read by the `await` of Twisted's that may be on the way to whoever waits.
        return result

    def failed(failure: TwistedFailure) -> None:
        problem = failure.value
        if type(problem) is theirs.CancelledError:
            problem = CancelledError(*problem.args)
        last.errback(Failure(problem, None, failure.getTracebackObject()))

    first = last = made(cancel)
    deferred.addCallbacks(succeeded, failed)
    return first


class _Successor:
    """The result of a Deferred that waits for another one, which is made known to it by its first callback."""

    def __init__(self, deferred: theirs.Deferred[Any]) -> None:
        self.deferred = deferred


def toTwisted(deferred: Deferred[T]) -> theirs.Deferred[T]:
    """A Deferred of Twisted's that gets the result of one of ours, and cancels it when cancelled itself.

    A coroutine that Twisted drives need not call this: it may await Deferreds of ours. What is *yielded* in a generator
    of Twisted's ``inlineCallbacks``, or returned by a callback of Twisted's, has to be one of Twisted's.
    """

    last: theirs.Deferred[T]

    def new() -> theirs.Deferred[T]:
        made: theirs.Deferred[T] = theirs.Deferred(cancel)
        made.addCallback(_followed)
        return made

    def cancel(cancelled: theirs.Deferred[Any]) -> None:
        nonlocal last
        last = new()
        cancelled.callback(_Successor(last))
        deferred.cancel()

    def failed(failure: Failure) -> None:
        problem: BaseException = failure.value
        if type(problem) is CancelledError:
            problem = theirs.CancelledError(*problem.args)
        last.errback(TwistedFailure(problem, type(problem), failure.getTracebackObject()))

    first = last = new()
    # Whichever of them is the last by then.
    deferred.addCallbacks(lambda result: last.callback(result), failed)
    return first


def _followed(result: Any) -> Any:
    return result.deferred if isinstance(result, _Successor) else result


class _Side:
    """What drivers of coroutines ask when they meet Twisted's things."""

    def isDeferred(self, awaited: object) -> bool:
        """Whether `awaited` is a Deferred of Twisted's."""
        return isinstance(awaited, theirs.Deferred)

    def deferredFor(self, awaited: theirs.Deferred[Any], made: type[Deferred[Any]]) -> Deferred[Any]:
        """For a coroutine of ours to wait for it."""
        return _follow(awaited, made)

    def awaitFor(self, awaited: Deferred[Any]) -> Generator[Any, Any, Any]:
        """For a coroutine that Twisted drives to wait for one of ours."""
        return toTwisted(awaited).__await__()

    def isDriving(self) -> bool:
        """Whether it is Twisted that steps the coroutine in whose `await` this is asked."""
        # That of `__await__`, itself a generator, is two up.
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_flags & _IN_STEPS:
            frame = frame.f_back
        return frame is not None and str(frame.f_globals.get("__name__")).startswith("twisted.")


driver.twistedSide = _Side()
