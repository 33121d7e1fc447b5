"""Whatever a handler gives back, brought into one of two forms: the result itself, or a Deferred of it.

The first step of a coroutine is run at once and by hand: most handlers never wait, and one that does not costs neither
a Deferred nor a driver. Only one that waits is handed to `reactor.defer`, with what it waits for.
"""

from __future__ import annotations

from contextvars import copy_context
from types import CoroutineType

from reactor.defer import Deferred, ensureDeferred
from reactor.defer import driver as _driver
from reactor.defer.driver import Return, drive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

__all__ = ["outcomeOf", "then"]


class _Begun:
    """A coroutine whose first step was run: the driver is given once more what that one waits for."""

    __slots__ = ("_coroutine", "_first")

    def __init__(self, coroutine: Any, first: Any) -> None:
        self._coroutine = coroutine
        self._first: list[Any] = [first]

    def send(self, value: Any) -> Any:
        if self._first:
            return self._first.pop()
        return self._coroutine.send(value)

    def throw(self, problem: BaseException) -> Any:
        return self._coroutine.throw(problem)


def outcomeOf(coroutine: Any) -> Any:
    """What a coroutine, not begun, returned, if it never waits; else the Deferred of what it will. What it raised
    without waiting comes out.
    """
    if _driver.asyncioSide is not None or _driver.twistedSide is not None:
        # While it is stepped they are to be told that none of their tasks runs.
        deferred = ensureDeferred(coroutine)
        return _taken(deferred)
    context = copy_context()
    try:
        first = context.run(coroutine.send, None)
    except StopIteration as stop:
        return stop.value
    except Return as stop:
        return stop.value
    waiting: Deferred[Any] = Deferred()
    drive(_Begun(coroutine, first), waiting, context)
    return waiting


def _taken(deferred: Deferred[Any]) -> Any:
    """The result of a Deferred that has one and is not waited for; else itself."""
    if not deferred.called or deferred.paused or deferred._callbacks:
        return deferred
    found: list[Any] = []
    deferred.addCallback(found.append)
    return found[0] if found else deferred


def awaited(awaitable: Awaitable[Any]) -> Any:
    """The same as `outcomeOf` for anything that can be awaited."""
    if isinstance(awaitable, Deferred):
        return _taken(awaitable)
    if awaitable.__class__ is CoroutineType:
        return outcomeOf(awaitable)
    return outcomeOf(_wait(awaitable))


async def _wait(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def then(result: Any, f: Callable[[Any], Any]) -> Any:
    """`f(response)` of whatever a handler gave back: at once, or when it is there. For what stands around a handler."""
    if isinstance(result, Deferred):
        return result.addCallback(f)
    if hasattr(result, "__await__"):
        return _thenAwaited(result, f)
    return f(result)


async def _thenAwaited(result: Awaitable[Any], f: Callable[[Any], Any]) -> Any:
    found = f(await result)
    return await found if hasattr(found, "__await__") else found
