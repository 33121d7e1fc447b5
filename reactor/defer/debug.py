"""What a Deferred remembers for the day when nobody has handled its error.

A Deferred gets a `DebugInfo` when its chain ends in a Failure, or at once in debug mode. It is an object of its own
so that the many Deferreds without an error have no ``__del__`` to pay for.
"""

from __future__ import annotations

import sys

from reactor._ground.log import reportException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure


# What an exception has of which nobody needs to hear.
_EXPECTED = "_reactorExpected"


def expect(problem: BaseException) -> None:
    """Nothing is logged when nobody handles `problem`: it is how things end that are still at work when all ends."""
    setattr(problem, _EXPECTED, True)


class DebugInfo:
    """Logs the error that it holds, once, when it is freed: nobody can handle it any more.

    :ivar failResult: the Failure that was not handled yet, or None.
    :ivar creator: in debug mode, the lines that tell where the Deferred was made.
    :ivar invoker: in debug mode, the lines that tell where it was fired.
    """

    __slots__ = ("creator", "failResult", "invoker")

    def __init__(self) -> None:
        self.failResult: Failure | None = None
        self.creator: list[str] | None = None
        self.invoker: list[str] | None = None

    def describe(self) -> str:
        """Where the Deferred was made and fired, as lines to add to a message; empty outside of debug mode."""
        text = ""
        if self.creator is not None:
            text += " C: Deferred was created:\n" + _indented(" C:", self.creator)
        if self.invoker is not None:
            text += " I: First Invoker was:\n" + _indented(" I:", self.invoker)
        return text

    def __del__(self) -> None:
        failure = self.failResult
        if failure is None or getattr(failure.value, _EXPECTED, False) is True:
            return
        details = self.describe()
        report("Unhandled error in Deferred" + (f":\n(debug: {details})" if details else ""), failure)


def report(text: str, failure: Failure) -> None:
    """Log `text` and the error with its traceback, by logger ``reactor.defer``."""
    if sys.meta_path is None:
        # The interpreter is being taken down, and nothing can be imported. A program that ends this way should be
        # told all the same.
        if sys.stderr is not None:
            sys.stderr.write(f"{text}\n{failure.getBriefTraceback()}")
        return
    reportException(text, failure, logger="reactor.defer")


def stackAbove() -> list[str]:
    """The stack of whoever called into this package, innermost last, as lines of text."""
    from traceback import format_stack

    home = __file__.rpartition("debug")[0]
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(home):
        frame = frame.f_back
    return format_stack(frame)


def _indented(mark: str, stack: list[str]) -> str:
    return "".join(f"{mark}{line}\n" for entry in stack for line in entry.splitlines())
