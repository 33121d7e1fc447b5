"""Runs modules of Twisted's own tests with its trial, on our reactor or on its own for epoll, and writes what
becomes of each test to a file, an object of JSON a line: ``python trial_program.py REACTOR FILE MODULE ...``, where
REACTOR is one of `REACTORS`.

It reads which tests: ``{"only": [...]}`` or ``{"without": [...]}``. One that does not end, ends it all, and has only
begun in the file.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1]))

from comparing import BEGAN, told
from twisted.internet.test import reactormixins
from twisted.python.reflect import namedAny
from twisted.trial import util
from twisted.trial.reporter import Reporter
from twisted.trial.runner import DestructiveTestSuite, TestLoader, TrialRunner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Seconds until a test that waits has failed, in place of trial's two minutes.
WAITING = 60.0
#: Seconds until a test must have ended, whatever it does.
DEADLINE = float(os.environ.get("TRIAL_DEADLINE", 150.0))

#: The class of each, and what installs it.
REACTORS = {
    "epoll": ("twisted.internet.epollreactor.EPollReactor", "twisted.internet.epollreactor.install"),
    "ours": ("reactor.twisted.TwistedReactor", "reactor.twisted.install"),
    "asyncio": ("reactor.twisted.AsyncioTwistedReactor", "reactor.twisted.installAsyncio"),
}


def substitute(which: str) -> None:
    """Make that reactor the global one, and the one that tests make for themselves."""
    path, install = REACTORS[which]
    reactormixins.ReactorBuilder._reactors = [path]
    util.DEFAULT_TIMEOUT_DURATION = reactormixins.DEFAULT_TIMEOUT_DURATION = WAITING
    namedAny(install)()


def nameOf(test: Any) -> str:
    """What `test` is called on each reactor."""
    name = test.id()
    for path, _ in REACTORS.values():
        name = name.replace(f"_{path.rpartition('.')[2]}Tests", "")
    return str(name)


def testsIn(suite: Any) -> Iterator[Any]:
    """Each test of `suite`."""
    for each in suite:
        yield from testsIn(each) if isinstance(each, unittest.TestSuite) else (each,)


class Telling(Reporter):
    """Says what becomes of each test as it begins and ends."""

    #: Descriptors: of the file, and of the standard errors, whatever a test makes of number 2.
    file = last = -1

    def _tell(self, test: Any, outcome: str, problem: object = "") -> None:
        os.write(self.file, told(nameOf(test), outcome, str(problem)).encode())

    def startTest(self, test: Any) -> None:
        """It begins."""
        faulthandler.dump_traceback_later(DEADLINE, exit=True, file=self.last)
        self._tell(test, BEGAN)
        super().startTest(test)

    def addSuccess(self, test: Any) -> None:
        """It passed."""
        self._tell(test, "passed")

    def addError(self, test: Any, error: Any) -> None:
        """It raised."""
        self._tell(test, "failed", self._getFailure(error).getTraceback())

    addFailure = addError

    def addSkip(self, test: Any, reason: object) -> None:
        """It said that it is not for here."""
        self._tell(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, error: object, todo: object = None) -> None:
        """It failed, as it says itself."""
        self._tell(test, "passed")

    def addUnexpectedSuccess(self, test: Any, todo: object = None) -> None:
        """It passed, and says itself that it does not."""
        self._tell(test, "passed")


def main() -> None:
    """Run them."""
    which, file, *modules = sys.argv[1:]
    Telling.file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    Telling.last = os.dup(2)
    asked = json.load(sys.stdin)
    substitute(which)
    # Where tests find what they run as programs: not beside this one.
    del sys.path[0]
    tests = list(testsIn(TestLoader().loadByNames(modules, recurse=True)))
    if "only" in asked:
        tests = [test for test in tests if nameOf(test) in set(asked["only"])]
    tests = [test for test in tests if nameOf(test) not in set(asked.get("without", ()))]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        TrialRunner(Telling, stream=sys.stderr).run(DestructiveTestSuite(tests))
        os.chdir("/")
    faulthandler.cancel_dump_traceback_later()
    # Of what tests leave behind, nothing is waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
