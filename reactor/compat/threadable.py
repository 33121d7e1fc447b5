"""Whether this is the reactor's thread."""

from __future__ import annotations

import threading
from _thread import get_ident
from functools import wraps

from reactor._ground.current import runningReactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["getThreadID", "init", "isInIOThread", "registerAsIOThread", "synchronize"]

# The thread that a program has said to be the reactor's, for when none runs in it yet.
_registered: int | None = None


def getThreadID() -> int:
    """The number of this thread."""
    return get_ident()


def isInIOThread() -> bool:
    """Whether a reactor runs in this thread, or `registerAsIOThread` was called in it last."""
    return runningReactor() is not None or _registered == get_ident()


def registerAsIOThread() -> None:
    """From now on this thread counts as the reactor's, whether one runs in it or not."""
    global _registered
    _registered = get_ident()


def init(with_threads: object = 1) -> None:
    """Nothing: there are always threads."""


def synchronize(*klasses: type) -> None:
    """Let the methods that each class names in its ``synchronized`` be called by one thread at a time, on one object.

    A method may call another of them.
    """
    for cls in klasses:
        for name in getattr(cls, "synchronized", ()):
            setattr(cls, name, _locked(getattr(cls, name)))


_making = threading.Lock()


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def locked(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _lockOf(self):
            return method(self, *args, **kwargs)

    return locked


def _lockOf(thing: Any) -> Any:
    with _making:
        if "_threadable_lock" not in vars(thing):
            thing._threadable_lock = threading.RLock()
        return thing._threadable_lock
