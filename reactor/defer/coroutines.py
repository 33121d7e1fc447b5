"""Functions that wait in their middle: generators under `inlineCallbacks`, and what ``async def`` makes."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from functools import wraps
from types import CoroutineType, GeneratorType

from reactor.defer.deferred import Deferred
from reactor.defer.driver import Return, drive
from reactor.defer.errors import NotACoroutineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, NoReturn, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def inlineCallbacks(f: Callable[P, Generator[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """Decorate a generator function: calling it runs the generator and returns the Deferred of what that returns.

    ``result = yield deferred`` waits for the result of a Deferred (or coroutine), or raises its error; what else is
    yielded comes straight back. The generator keeps one context of variables of its own, copied at the call.
    Cancelling the Deferred cancels the one that the generator waits for: it sees that one's error, mostly a
    `CancelledError`, and may catch it.

    :raises TypeError: when it is called, if `f` makes no generator.
    """

    @wraps(f)
    def unwindGenerator(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        try:
            generator: Any = f(*args, **kwargs)
        except Return:
            generator = "a call of returnValue() and no yield"
        if not isinstance(generator, GeneratorType):
            raise TypeError(f"inlineCallbacks requires {f!r} to produce a generator; instead got {generator!r}")
        deferred: Deferred[T] = Deferred()
        drive(generator, deferred, copy_context())
        return deferred

    return unwindGenerator


def returnValue(val: object) -> NoReturn:
    """End the generator of an `inlineCallbacks` function with this result. Old; write ``return val``."""
    raise Return(val)


def ensureDeferred(
    coro: Coroutine[Deferred[Any], Any, T] | Generator[Deferred[Any], Any, T] | Deferred[T],
) -> Deferred[T]:
    """The Deferred of a coroutine's result, whose first step is run now; a Deferred is returned as it is. See
    `Deferred.fromCoroutine`.

    :raises NotACoroutineError: `coro` is neither.
    """
    if type(coro) is not CoroutineType:
        if isinstance(coro, Deferred):
            return coro
        if not isinstance(coro, (GeneratorType, Coroutine)):
            raise NotACoroutineError(f"{coro!r} is not a coroutine or a Deferred")
    deferred: Deferred[T] = Deferred()
    drive(coro, deferred, copy_context())
    return deferred
