"""One test on a reactor of its own, from before its first fixture to after its last.

Runs what the test returns, under a time limit, and says afterwards what is wrong: what was left behind, and which
errors nobody handled. Knows nothing of pytest.
"""

from __future__ import annotations

import gc
import logging
from typing import Any

import reactor as package
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.testing.leftovers import Before, freshReactor, leftovers, shutDown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class ErrorLog(logging.Handler):
    """The entries of level ERROR that the reactor makes: errors of Deferreds that nobody handled, and what callbacks
    raise.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)

    def take(self, *types: type[BaseException]) -> list[Failure]:
        """Take out those with an exception of `types` (all with one, if none is named)."""
        taken, kept = [], []
        for record in self.records:
            failure = getattr(record, "failure", None)
            if failure is None and record.exc_info and record.exc_info[1] is not None:
                failure = Failure(record.exc_info[1])
            if failure is not None and failure.check(*(types or (BaseException,))):
                taken.append(failure)
            else:
                kept.append(record)
        self.records[:] = kept
        return taken

    def texts(self) -> list[str]:
        """Each of them as a text, with its traceback."""
        formatter = logging.Formatter("%(message)s")
        return [formatter.format(record) for record in self.records]


class Trial:
    """A test's reactor, and what is to be said of it at the end.

    :ivar reactor: a new one, the default one of the process as long as this lasts.
    :ivar failed: whether the test has failed: then nobody wants to hear of what it left behind.
    """

    def __init__(self) -> None:
        self._before = Before()
        self.reactor = freshReactor()
        self.failed = False
        self.errors = ErrorLog()
        logging.getLogger("reactor").addHandler(self.errors)
        names = vars(package)
        self._default = names.get("reactor")
        names["reactor"] = self.reactor

    def run(self, begin: Callable[[], Deferred[Any]], seconds: float) -> Any:
        """The result of the Deferred that `begin()` returns, called when the reactor is running. Raises what it fails
        with; TimeoutError after `seconds`, RuntimeError when the reactor was stopped before.
        """
        reactor = self.reactor
        results: list[Any] = []
        waiting: list[Deferred[Any]] = []

        def done(result: Any) -> None:
            results.append(result)
            reactor.crash()

        def start() -> None:
            waiting.append(begin())
            waiting[0].addBoth(done)

        limit = reactor._loop.timers.callLater(seconds, reactor.crash)
        reactor.callWhenRunning(start)
        reactor.run(installSignalHandlers=False)
        if not results:
            self._giveUp(waiting, None if limit.called else limit, seconds)
        limit.cancel()
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def _giveUp(self, waiting: list[Deferred[Any]], limit: Any, seconds: float) -> None:
        open_ = leftovers(self.reactor, 0)
        for deferred in waiting:
            # Its own cleaning up may run; what becomes of it is of no interest any more.
            deferred.addErrback(lambda failure: None)
            deferred.cancel()
        if limit is not None:
            limit.cancel()
            raise RuntimeError("the reactor was stopped before the test had its result")
        raise TimeoutError(f"no result within {seconds:g} s" + _listed("; there is still", open_))

    def finish(self) -> str:
        """Close the reactor. What is wrong, "" for nothing."""
        left = leftovers(self.reactor)
        if not left:
            shutDown(self.reactor)
            # Errors of Deferreds are told when those are freed, which circles of objects are only now.
            gc.collect()
        problems = self.errors.texts()
        logging.getLogger("reactor").removeHandler(self.errors)
        if left:
            shutDown(self.reactor)
        names = vars(package)
        if self._default is None:
            del names["reactor"]
        else:
            names["reactor"] = self._default
        left += self._before.since()
        if self.failed:
            return ""
        said = [_listed("the test has left behind", left)] if left else []
        if problems:
            said.append(_listed("the reactor has logged errors that nobody handled", problems))
        return "\n".join(said)


def _listed(title: str, lines: list[str]) -> str:
    if not lines:
        return ""
    return f"{title}:\n" + "\n".join("  - " + line.replace("\n", "\n    ") for line in lines)
