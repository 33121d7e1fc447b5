"""Between Twisted's words and ours: failures, addresses, and what triggers wait for.

Texts and classes are Twisted's own. What we know beyond them (which addresses were tried, what the system said) is
there as attributes, and our error is the cause, so that tracebacks and logs tell it.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from twisted.internet import defer as theirs
from twisted.internet import error as twistedErrors
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ILoggingContext
from twisted.python.failure import Failure as TwistedFailure

from reactor import error
from reactor._ground.facts import FACTS
from reactor._transport.stream.tcp import zoned
from reactor.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure

# Made once: nearly every connection ends with one of these.
DONE = TwistedFailure(twistedErrors.ConnectionDone())
LOST = TwistedFailure(twistedErrors.ConnectionLost())


def addressOf(sockaddr: Any) -> IPv4Address | IPv6Address:
    """Twisted's address for what the socket module calls one."""
    if len(sockaddr) == 2:
        return IPv4Address("TCP", sockaddr[0], sockaddr[1])
    return IPv6Address("TCP", *zoned(sockaddr))


def isStandard(contextFactory: Any) -> bool:
    """Whether it is a context of the standard library, or what `reactor.ssl` makes, and nothing of pyOpenSSL's."""
    return any(
        (cls.__module__, cls.__name__) == ("ssl", "SSLContext") or cls.__module__ == "reactor.ssl"
        for cls in type(contextFactory).__mro__
    )


def prefixOf(program: Any) -> str:
    """What logs call a protocol or a factory."""
    if ILoggingContext.providedBy(program):
        return str(program.logPrefix())
    return type(program).__name__


def reasonOf(reason: Failure | TwistedFailure) -> TwistedFailure:
    """Why a connection is over, for one of Twisted's; a Failure that is Twisted's already is returned."""
    if isinstance(reason, TwistedFailure):
        return reason
    value = reason.value
    if type(value) is error.ConnectionDone:
        return DONE
    kind = _counterpart(value)
    if kind is None:
        return TwistedFailure(value, type(value), reason.tb)
    if kind.__name__ != type(value).__name__:
        # Of a class that it has not: then the text says it.
        return TwistedFailure(_told(kind(str(value)), value))
    return TwistedFailure(_told(kind(), value))


def refusalOf(problem: BaseException) -> TwistedFailure:
    """Why there is no connection, for a factory of Twisted's."""
    cause = problem.__cause__
    if isinstance(problem, error.DNSLookupError) and isinstance(cause, Exception):
        # What Twisted's resolver said is what its programs know.
        return TwistedFailure(_told(cause, problem, True))
    kind = _counterpart(problem)
    if kind is None:
        return TwistedFailure(problem, type(problem), problem.__traceback__)
    if isinstance(problem, error.UserError):
        return TwistedFailure(_told(kind(), problem))
    tried = getattr(problem, "attempts", ())
    if tried and isinstance(tried[-1][1].__cause__, TypeError | ValueError | OverflowError):
        # No address at all.
        return TwistedFailure(_told(tried[-1][1].__cause__, problem))
    if type(problem) is error.ConnectError and cause is not None:
        # buildProtocol raised.
        return TwistedFailure(_told(kind(string=TwistedFailure(cause)), problem))
    text = problem.args[0] if problem.args else ""
    return TwistedFailure(_told(kind(getattr(problem, "osError", None), text), problem))


def _counterpart(problem: BaseException) -> type[Any] | None:
    """The class of Twisted's that says the same, or the most of it; None when there is none or it is one itself."""
    for cls in type(problem).__mro__:
        if cls.__module__ == error.__name__:
            kind: type[Any] | None = getattr(twistedErrors, cls.__name__, None)
            if kind is not None:
                return kind
    return None


def _told(problem: BaseException, ours: BaseException, within: bool = False) -> BaseException:
    """`problem` with what `ours` knows, and `ours` as its cause; unless `ours` is made of it."""
    for name in FACTS:
        fact = getattr(ours, name, None)
        if fact is not None:
            setattr(problem, name, fact)
    if not within:
        problem.__cause__ = ours
    return problem


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
