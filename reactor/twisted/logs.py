"""What our engine has to say, said to Twisted's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.log import ILogContext

if TYPE_CHECKING:
    from typing import Any

_log = Logger("reactor.twisted")


def report(text: str, problem: BaseException, *args: object) -> None:
    """User code raised `problem`: log it under `text % args`."""
    _log.failure("{why}", Failure(problem, type(problem), problem.__traceback__), why=text % args)


def escaped(problem: BaseException) -> None:
    """User code raised KeyboardInterrupt or SystemExit, or the selector refuses to wait: as in any reactor of
    Twisted's, it is logged, and the loop goes on.
    """
    report("Unexpected error in main loop", problem)


def under(prefix: str) -> dict[Any, Any]:
    """The context of Twisted's in which what is logged begins with `prefix`.

    Whoever is told often makes it once and puts it on the stack of contexts for the time, which costs a fifth of what
    `log.callWithLogger` does.
    """
    return {ILogContext: {"isError": 0, "system": prefix}}
