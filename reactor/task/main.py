"""A whole program: the reactor runs as long as one function needs, and the process ends with the status that it
earned.
"""

from __future__ import annotations

import sys
from types import CoroutineType

from reactor._ground.current import currentReactor
from reactor._ground.log import reportException
from reactor.defer import Deferred, NotACoroutineError
from reactor.error import ReactorNotRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    from reactor.failure import Failure


def react(main: Callable[..., Any], argv: Iterable[Any] = (), _reactor: Any = None) -> NoReturn:
    """Run the reactor until what `main(reactor, *argv)` returns is there, then exit.

    :param main: an ``async def``, or a function that returns a Deferred.
    :param argv: what `main` gets besides the reactor.
    :param _reactor: the reactor to run; None: the default one.
    :raises SystemExit: always: with 0 when `main` succeeded or the reactor was stopped before; with 1 when it failed
        (the error is logged); with the code of a SystemExit that `main` failed with.
    :raises NotACoroutineError: (a TypeError) when `main` returned neither a Deferred nor a coroutine. What it raises
        at once comes out.
    """
    reactor = currentReactor() if _reactor is None else _reactor
    finished = main(reactor, *argv)
    if isinstance(finished, CoroutineType):
        finished = Deferred.fromCoroutine(finished)
    if not isinstance(finished, Deferred):
        raise NotACoroutineError(
            f"react(): {main!r} must return a Deferred or be an async def; it returned {finished!r}"
        )
    code: Any = 0
    stopping = False

    def stopped() -> None:
        nonlocal stopping
        stopping = True

    def end(_: object) -> None:
        if not stopping:
            try:
                reactor.stop()
            except ReactorNotRunning:
                # Somebody else stopped it in the same turn.
                pass

    def failed(failure: Failure) -> None:
        nonlocal code
        if failure.check(SystemExit):
            code = failure.value.code  # type: ignore[attr-defined]
        else:
            code = 1
            reportException("main function encountered error", failure)

    reactor.addSystemEventTrigger("before", "shutdown", stopped)
    reactor.callWhenRunning(lambda: finished.addErrback(failed).addBoth(end))
    reactor.run()
    sys.exit(code)
