"""Between Twisted's words and ours: failures, and what triggers wait for."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from twisted.internet import defer as theirs
from twisted.internet import error as twistedErrors
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure as TwistedFailure

from reactor import error
from reactor.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure

# Made once: nearly every connection ends with one of these.
DONE = TwistedFailure(CONNECTION_DONE)
LOST = TwistedFailure(CONNECTION_LOST)


def reasonOf(reason: Failure) -> TwistedFailure:
    """The Failure of Twisted's for one of ours, with ours as its cause where that says more."""
    value = reason.value
    kind = type(value)
    if kind is error.ConnectionDone:
        return DONE
    twisted = getattr(twistedErrors, kind.__name__, None)
    if twisted is None or isinstance(value, twisted):
        return TwistedFailure(value)
    problem = twisted(str(value)) if value.args else twisted()
    problem.__cause__ = value
    return TwistedFailure(problem)


def asTwisted(f: Callable[..., object]) -> Callable[..., object]:
    """`f`, whose Deferred of ours, if it returns one, becomes one of Twisted's."""

    @wraps(f)
    def called(*args: Any, **kw: Any) -> object:
        result = f(*args, **kw)
        if isinstance(result, Deferred):
            done: theirs.Deferred[object] = theirs.Deferred()

            def over(outcome: Any) -> Any:
                # What it failed with is its own affair: whoever waits here waits for its end.
                done.callback(None)
                return outcome

            result.addBoth(over)
            return done
        return result

    return called
