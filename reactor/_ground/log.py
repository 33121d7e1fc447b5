"""The two ways in which anything here says something to the standard library's `logging`.

`logging` itself is imported with the first message: most programs never log, and its import takes longer than ours.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure


def message(level: str, text: str, *args: object, logger: str = "reactor") -> None:
    """Log `text % args` at `level` ("debug", "info", "warning", "error") on the logger of that name."""
    if level in ("debug", "info") and "logging" not in sys.modules:
        # Nobody can have asked for it.
        return
    import logging

    logging.getLogger(logger).log(getattr(logging, level.upper()), text, *args)


def reportException(text: str, problem: BaseException | Failure, *, logger: str = "reactor") -> None:
    """Log one ERROR entry: `text`, then the traceback of `problem` (an exception, or a Failure with what it kept)."""
    try:
        import logging
    except (ImportError, OSError):
        # The process has no descriptor left to load it with. Must not end the loop.
        sys.stderr.write(f"{text}: {problem!r} (and no logging, for want of a file descriptor)\n")
        return
    from reactor.failure import Failure

    log = logging.getLogger(logger)
    if not isinstance(problem, Failure):
        log.error("%s", text, exc_info=(type(problem), problem, problem.__traceback__))
        return
    value, trace = problem.value, problem.getTracebackObject()
    if trace is not None and isinstance(value, BaseException):
        log.error("%s", text, exc_info=(type(value), value, trace))
    else:
        # With the Failure, for whoever wants to know which error it was and not only read it.
        log.error("%s\n%s", text, problem.getTraceback(), extra={"failure": problem})
