"""The two ways in which anything here says something to the standard library's `logging`.

`logging` itself is imported with the first message: most programs never log, and its import takes longer than ours.

Neither ever raises. Whoever reports is between two steps of something that has to be brought to its end: a connection
that is being closed, a run that is being stopped. So what a program puts in between is not trusted: objects are named
by `naming`, which bounds them, and what a handler or a filter raises goes to standard error, with what it was given to
log. Nor are peers, whose bytes get into arguments and into the texts of exceptions: what could begin a line or steer a
terminal is escaped.
"""

from __future__ import annotations

import sys

from reactor._ground.current import interrupted
from reactor._ground.naming import LONGEST, cut, harmless, nameOf, said, shown, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure

#: How many characters of an exception's own text are logged, and of a traceback with a longer one.
LONGEST_TEXT = 8000
# How many exceptions that led to one another are looked at for their texts.
_MOST = 100


def message(level: str, text: str, *args: object, logger: str = "reactor", limit: int | None = LONGEST) -> None:
    """Log `text % args` at `level` ("debug", "info", "warning", "error") on the logger of that name. Never raises.

    :param limit: how many characters of each argument; None: all.
    """
    if level in ("debug", "info") and "logging" not in sys.modules:
        # Nobody can have asked for it.
        return
    _guarded(_log, (level, text, args, logger, limit), text, args)


def reportException(text: str, problem: BaseException | Failure, *args: object, logger: str = "reactor") -> None:
    """Log one ERROR entry: `text % args`, then the traceback of `problem` (an exception, or a Failure with what it
    kept). Never raises.
    """
    _guarded(_report, (text, problem, args, logger), text, args, problem)


def _log(level: str, text: str, args: tuple[object, ...], logger: str, limit: int | None) -> None:
    import logging

    log, number = logging.getLogger(logger), getattr(logging, level.upper())
    if log.isEnabledFor(number):
        log.log(number, text, *_named(text, args, limit))


def _report(text: str, problem: BaseException | Failure, args: tuple[object, ...], logger: str) -> None:
    import logging

    from reactor.failure import Failure

    log = logging.getLogger(logger)
    if not isinstance(problem, Failure):
        value, trace = problem, problem.__traceback__
    else:
        value, trace = problem.value, problem.getTracebackObject()
    printed = trace is not None or not isinstance(problem, Failure)
    if printed and isinstance(value, BaseException) and _printable(value):
        log.error(text, *_named(text, args), exc_info=(type(value), value, trace))
        return
    failure = problem if isinstance(problem, Failure) else Failure(problem)
    # With the Failure, for whoever wants to know which error it was and not only read it.
    log.error(text + "\n%s", *_named(text, args), _traceback(failure), extra={"failure": failure})


class _Text(str):
    """The name of an argument of a message, whether it is asked for by %r or by %s."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _named(text: str, args: tuple[object, ...], limit: int | None = LONGEST) -> list[object]:
    """`args`, those for %r and %s by the names that they have now: a handler may write its entries later."""
    kinds = [piece.lstrip("-+ #0123456789.")[:1] for piece in text.replace("%%", "").split("%")[1:]]
    named: list[object] = list(args)
    for number, kind in enumerate(kinds[: len(args)]):
        if kind in ("r", "s"):
            named[number] = _Text(visible((shown if kind == "r" else said)(args[number], limit)))
    return named


def _printable(problem: BaseException) -> bool:
    """Whether its traceback can be made, and has no text that is too long to be logged, or must be escaped."""
    waiting, seen = [problem], set[int]()
    try:
        while waiting and len(seen) < _MOST:
            error = waiting.pop()
            if id(error) in seen:
                continue
            seen.add(id(error))
            texts = [said(each, None) for each in (error, *getattr(error, "__notes__", ()))]
            # A class can make of its name what it likes.
            texts += [type(error).__module__, type(error).__qualname__]
            if any(len(each) > LONGEST_TEXT or harmless(each) != each for each in texts):
                return False
            waiting += [each for each in (error.__cause__, error.__context__) if each is not None]
            waiting += getattr(error, "exceptions", ()) if isinstance(error, BaseExceptionGroup) else ()
    except Exception:
        return False
    return not waiting


def _traceback(failure: Failure) -> str:
    try:
        text = failure.getTraceback()
    except Exception:
        text = f"{nameOf(failure.type)}: {said(failure.value)}\n"
    text = harmless(text)
    if len(text) <= 2 * LONGEST_TEXT:
        return text
    # Where it began, and how it ended.
    left = len(text) - 2 * LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]}\n... ({left} characters left out) ...\n{text[-LONGEST_TEXT:]}"


def _guarded(
    f: Callable[..., object],
    arguments: tuple[Any, ...],
    text: str,
    args: tuple[object, ...],
    problem: BaseException | Failure | None = None,
) -> None:
    """Call `f(*arguments)`, which logs `text % args` and `problem`; what escapes is told, with those, on standard
    error."""
    try:
        f(*arguments)
    except (KeyboardInterrupt, SystemExit) as e:
        interrupted(e)
    except BaseException as e:
        try:
            about = "" if problem is None else f": {shown(problem)}"
            line = f"{cut(text % tuple(_named(text, args)) if args else text, LONGEST)}{about}"
            sys.stderr.write(f"{line} (and logging that raised {shown(e)})\n")
        except Exception:
            # Nobody is left who could be told.
            pass
