"""From `logging` to Twisted's log. The other direction is Twisted's own: its ``STDLibLogObserver``.

Both may be there at once. What came from Twisted is not said to it again; and what was said to Twisted here does not
come back: the logger that Twisted's observer writes to is told to drop it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from twisted.logger import LogLevel, globalLogPublisher
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The key of an event that holds the entry which it was made of.
_KEY = "log_record"
# What an entry has that Twisted was told of: it comes by twice when a logger and the root have handlers of this kind.
_TOLD = "_toldTwisted"


class LogHandler(logging.Handler):
    """Says what is logged by `logging` to Twisted's log: ``logging.getLogger().addHandler(LogHandler())``.

    The name of the logger becomes the event's ``log_namespace``, its level one of Twisted's, an exception its
    ``log_failure``; the entry itself is its ``log_record``.
    """

    def __init__(
        self, level: int | str = logging.NOTSET, publisher: Callable[[dict[str, Any]], object] = globalLogPublisher
    ) -> None:
        """The handler, to be added to a logger.

        :param level: of which level on, as for any handler.
        :param publisher: what is called with each event; if not given, all that observe Twisted's log.
        """
        super().__init__(level)
        self._publisher = publisher
        self._here = threading.local()
        # Where STDLibLogObserver writes to when it is not given another name.
        logging.getLogger("twisted").addFilter(_notFromHere)

    def emit(self, record: logging.LogRecord) -> None:
        """Publish one entry, unless Twisted knows it."""
        if _eventOf(record) is not None:
            # Now that we know which name it was given. The same filter is not added twice.
            logging.getLogger(record.name).addFilter(_notFromHere)
            return
        # What an observer logs of what it is told here would have no end.
        if _TOLD in record.__dict__ or getattr(self._here, "publishing", False):
            return
        record.__dict__[_TOLD] = self._here.publishing = True
        try:
            self._publisher(_event(record))
        except Exception:
            self.handleError(record)
        finally:
            self._here.publishing = False


def _event(record: logging.LogRecord) -> dict[str, Any]:
    event: dict[str, Any] = {
        "log_time": record.created,
        "log_level": _levelOf(record.levelno),
        "log_namespace": record.name,
        "log_source": None,
        "log_format": "{log_text}",
        "log_text": record.getMessage(),
        _KEY: record,
    }
    if record.exc_info and record.exc_info[1] is not None:
        kind, problem, trace = record.exc_info
        event["log_failure"] = Failure(problem, kind, trace)
    return event


def _levelOf(number: int) -> object:
    if number >= logging.CRITICAL:
        return LogLevel.critical
    if number >= logging.ERROR:
        return LogLevel.error
    if number >= logging.WARNING:
        return LogLevel.warn
    return LogLevel.info if number >= logging.INFO else LogLevel.debug


def _eventOf(record: logging.LogRecord) -> dict[str, Any] | None:
    """The event of Twisted's of which its observer made `record`, with a text that is put together when it is read."""
    event = getattr(record.msg, "event", None)
    return event if isinstance(event, dict) and type(record.msg).__module__.startswith("twisted.") else None


def _notFromHere(record: logging.LogRecord) -> bool:
    """A filter: not what an entry of `logging` was made an event of."""
    event = _eventOf(record)
    return event is None or _KEY not in event
