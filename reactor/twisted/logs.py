"""What our engine has to say, said to Twisted's log."""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger("reactor.twisted")


def report(text: str, problem: BaseException, *args: object) -> None:
    """User code raised `problem`: log it under `text % args`."""
    _log.failure("{why}", Failure(problem, type(problem), problem.__traceback__), why=text % args)


def escaped(problem: BaseException) -> None:
    """User code raised KeyboardInterrupt or SystemExit, or the selector refuses to wait: as in any reactor of
    Twisted's, it is logged, and the loop goes on.
    """
    report("Unexpected error in main loop", problem)
