"""Deferreds of what is there already, and of what a function returns or raises; callbacks that need no writing."""

from __future__ import annotations

from types import CoroutineType

from reactor.defer.chain import caught
from reactor.defer.debug import report, stackAbove
from reactor.defer.deferred import Deferred
from reactor.defer.errors import TimeoutError
from reactor.failure import Failure, Special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from typing import Any, ParamSpec, TypeVar, overload

    P = ParamSpec("P")
    T = TypeVar("T")

_new = object.__new__

#: How `DeferredList` marks a result that is not an error.
SUCCESS = True
#: How `DeferredList` marks an error.
FAILURE = False


def succeed(result: T) -> Deferred[T]:
    """A Deferred that was fired with `result` already.

    :raises TypeError: `result` is a Deferred.
    """
    if isinstance(result, Special):
        deferred: Deferred[T] = Deferred()
        deferred.callback(result)
        return deferred
    # Deferred.__init__ and callback() put together: the most frequent Deferred of all is worth a third less time.
    deferred = _new(Deferred)
    deferred.called = True
    deferred.paused = 0
    deferred._callbacks = deferred._canceller = None
    deferred.result = result
    if Deferred.debug:
        deferred._info().creator = stackAbove()
    return deferred


def fail(result: Failure | BaseException | None = None) -> Deferred[Any]:
    """A Deferred that was fired with an error already. None is the exception that is being handled now.

    :raises NoCurrentExceptionError: no error was given, and none is being handled.
    :raises TypeError: `result` is no exception.
    """
    deferred: Deferred[Any] = Deferred()
    deferred.errback(result)
    return deferred


def execute(callable: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """Call a function that returns no Deferred; the Deferred of what it returns or raises."""
    return succeed(_outcome(callable, args, kwargs))


if TYPE_CHECKING:

    @overload
    def maybeDeferred(f: Callable[P, Deferred[T]], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]: ...
    @overload
    def maybeDeferred(
        f: Callable[P, Coroutine[Deferred[Any], Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]: ...
    @overload
    def maybeDeferred(f: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]: ...


def maybeDeferred(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
    """Call a function of which nobody knows whether it returns a Deferred; always a Deferred.

    That is the function's own if it returns one, that of its coroutine if it is an ``async def``, or a new one of
    what it returns or raises.
    """
    outcome = _outcome(f, args, kwargs)
    if isinstance(outcome, Deferred):
        return outcome
    if isinstance(outcome, CoroutineType):
        return Deferred.fromCoroutine(outcome)
    return succeed(outcome)


def _calls() -> Generator[Any, tuple[Any, ...], None]:
    """Calls each function that is sent in; yields what it returns, or a Failure of what it raises.

    A generator that is kept and used again, for the reason that `reactor.defer.chain` tells.
    """
    box: list[Any] = [None]
    while True:
        function, args, kwargs = yield box.pop()
        try:
            box.append(function(*args, **kwargs))
        except BaseException as exception:
            box.append(caught(exception))
        function = args = kwargs = None


_resting: list[Callable[[tuple[Any, ...]], Any]] = []


def _outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        calls = _resting.pop()
    except IndexError:
        made = _calls()
        made.send(None)  # type: ignore[arg-type]
        calls = made.send
    outcome = calls((function, args, kwargs))
    _resting.append(calls)
    return outcome


def logError(err: Failure) -> Failure:
    """An errback that logs the error, by logger ``reactor.defer``, and returns it."""
    report("Error in Deferred", err)
    return err


def timeout(deferred: Deferred[Any]) -> None:
    """Fire `deferred` with a `TimeoutError`. Old; `Deferred.addTimeout` also stops what goes on."""
    deferred.errback(TimeoutError("Callback timed out"))
