"""Runs a module of the interpreter's own ``test.test_asyncio`` with our loop in the place of asyncio's, and prints what
became of each test, a JSON object a line: ``python cpython_program.py MODULE [TEST ...]``; each TEST is not run.

Where a test makes a loop, by a class of asyncio's, by the policy or by a factory, it gets one of ours.
"""

from __future__ import annotations

import asyncio
import asyncio.unix_events
import sys
import unittest
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from comparing import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def substitute() -> None:
    """Put our loop in the place of asyncio's."""
    from reactor.aio import EventLoop

    class Ours(EventLoop):
        """With what the helpers of those tests look at."""

        def __init__(self, selector: object = None) -> None:
            super().__init__()

        @property
        def _default_executor(self) -> Any:
            return self._executor

    unix: Any = asyncio.unix_events
    for module in (asyncio, unix):
        for name in ("SelectorEventLoop", "EventLoop", "_UnixSelectorEventLoop"):
            if hasattr(module, name):
                setattr(module, name, Ours)
    for name in ("_UnixDefaultEventLoopPolicy", "_DefaultEventLoopPolicy"):
        if hasattr(unix, name):
            getattr(unix, name)._loop_factory = Ours


class Telling(unittest.TextTestResult):
    """Says what became of each test as it ends."""

    def _tell(self, test: unittest.TestCase, outcome: str, problem: str = "") -> None:
        name = test.id().partition("test.test_asyncio.")[2]
        sys.__stdout__.write(told(name, outcome, problem))  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]

    def addSuccess(self, test: unittest.TestCase) -> None:
        """It passed."""
        self._tell(test, "passed")

    def addError(self, test: Any, err: Any) -> None:
        """It raised."""
        self._tell(test, "failed", self._exc_info_to_string(err, test))

    addFailure = addError

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        """A part of it ended."""
        if err is not None:
            self._tell(test, "failed", self._exc_info_to_string(err, test))

    def addSkip(self, test: Any, reason: str) -> None:
        """It said that it is not for here."""
        self._tell(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        """It failed, as it says itself."""
        self._tell(test, "passed")


def wanted(suite: unittest.TestSuite, without: set[str]) -> unittest.TestSuite:
    """The tests of `suite`, less those to be left out, and less those that differ by asyncio's selector only."""
    chosen = unittest.TestSuite()
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            chosen.addTests(wanted(each, without))
            continue
        _, kind, name = each.id().rpartition(".test_asyncio.")[2].split(".", 2)
        if not kind.startswith(("SelectEventLoop", "PollEventLoop")) and not {name, kind} & without:
            chosen.addTest(each)
    return chosen


def main() -> None:
    """Run them."""
    warnings.simplefilter("ignore", DeprecationWarning)
    if sys.argv[1] != "--stock":
        substitute()
    arguments = [argument for argument in sys.argv[1:] if argument != "--stock"]
    module = __import__(f"test.test_asyncio.{arguments[0]}", fromlist=["x"])
    if hasattr(module, "setUpModule"):
        module.setUpModule()
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    stream = unittest.runner._WritelnDecorator(sys.stderr)  # type: ignore[attr-defined]
    wanted(suite, set(arguments[1:])).run(Telling(stream, True, 0))
    print(told("", "ended"), end="")


if __name__ == "__main__":
    main()
