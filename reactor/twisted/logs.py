"""What our engine has to say, said to Twisted's log; and what that log calls the source of a message.

Twisted's reactors enter a context around every event, so that a message can name the connection that it is about. Here
nothing is done for an event. When somebody logs, the calls that led there are looked at: one of them is the loop's,
and it knows whom it tells.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python import context
from twisted.python.failure import Failure
from twisted.python.log import ILogContext

from reactor._core.loop import Loop

if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_log = Logger("reactor.twisted")

# Where the loop tells somebody, and by which name it knows whom; None where it is nobody.
_TELLING: dict[CodeType, str | None] = {
    Loop._dispatch.__code__: "watch",
    Loop.flush.__code__: "wire",
    Loop.runCalls.__code__: None,
    Loop.runTimers.__code__: None,
}


def report(text: str, problem: BaseException, *args: object) -> None:
    """User code raised `problem`: log it under `text % args`."""
    _log.failure("{why}", Failure(problem, type(problem), problem.__traceback__), why=text % args)


def escaped(problem: BaseException) -> None:
    """User code raised KeyboardInterrupt or SystemExit, or the selector refuses to wait: as in any reactor of
    Twisted's, it is logged, and the loop goes on.
    """
    report("Unexpected error in main loop", problem)


def system() -> str:
    """Whom the loop is telling something now, by the name that logs have for it; "-" when nobody."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code in _TELLING:
            name = _TELLING[frame.f_code]
            if name is None:
                break
            return _prefixOf(frame.f_locals[name])
        frame = frame.f_back  # type: ignore[assignment]
    return "-"


def _prefixOf(watch: Any) -> str:
    told = watch.public()
    try:
        return str(told.logPrefix()) if hasattr(told, "logPrefix") else "-"
    except Exception:
        # The program's own. The message must not be lost with it.
        return f"{type(told).__name__} (its logPrefix raises)"


class _Sources(dict):  # type: ignore[type-arg]
    """What is at the bottom of a thread's stack of log contexts: the defaults, with the source as it is now."""

    def __getitem__(self, key: Any) -> Any:
        found = context.defaultContextDict[key]
        return {**found, "system": system()} if key is ILogContext else found

    def get(self, key: Any, default: Any = None) -> Any:
        """The same, `default` when it is not there."""
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> dict[Any, Any]:
        """All of it as it is now, for contexts that are put on top."""
        return {key: self[key] for key in context.defaultContextDict}


def nameSources() -> None:
    """Have messages that are logged in this thread name whom its loop is telling something."""
    contexts: list[Any] = context.theContextTracker.currentContext().contexts
    if contexts[0] is context.defaultContextDict:
        contexts[0] = _Sources()
