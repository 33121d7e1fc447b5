"""`logging` and Twisted's log hear of each other's entries, each of them once, and nothing goes in a circle."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("twisted.internet")

from twisted.logger import Logger, LogLevel, STDLibLogObserver, formatEvent, globalLogPublisher
from twisted.python import log

from reactor.defer import fail
from reactor.twisted import LogHandler, TwistedReactor


class Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def texts(self) -> list[str]:
        return [record.getMessage() for record in self.records]


class Both:
    """What either log had, and a way to put a bridge in."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.root = logging.getLogger()
        self.handler = Keeping()
        self._undo: list[Any] = []
        self.level = self.root.level
        self.root.setLevel(logging.DEBUG)
        self.handle(self.root, self.handler)
        self.observe(self.events.append)

    def handle(self, logger: logging.Logger, handler: logging.Handler) -> None:
        logger.addHandler(handler)
        self._undo.append(lambda: logger.removeHandler(handler))

    def observe(self, observer: Any) -> None:
        globalLogPublisher.addObserver(observer)
        self._undo.append(lambda: globalLogPublisher.removeObserver(observer))

    def texts(self) -> list[str]:
        return [formatEvent(event) for event in self.events]

    def over(self) -> None:
        for undo in self._undo:
            undo()
        self.root.setLevel(self.level)


@pytest.fixture
def both() -> Iterator[Both]:
    made = Both()
    yield made
    made.over()


def test_anEntryBecomesAnEvent(both: Both) -> None:
    both.handle(both.root, LogHandler())
    logger = logging.getLogger("some.library")
    logger.warning("%d of %s", 1, "these {braces}")
    try:
        raise KeyError("x")
    except KeyError:
        logger.exception("went wrong")
    plain, failed = both.events
    assert (plain["log_level"], plain["log_namespace"]) == (LogLevel.warn, "some.library")
    assert formatEvent(plain) == "1 of these {braces}"
    assert plain["log_time"] == plain["log_record"].created
    assert failed["log_failure"].type is KeyError and "log_failure" not in plain
    assert "test_anEntryBecomesAnEvent" in failed["log_failure"].getTraceback()


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (5, "debug"),
        (10, "debug"),
        (20, "info"),
        (25, "info"),
        (30, "warn"),
        (40, "error"),
        (50, "critical"),
        (60, "critical"),
    ],
)
def test_levels(both: Both, number: int, level: str) -> None:
    both.root.setLevel(1)
    both.handle(both.root, LogHandler())
    logging.getLogger("some").log(number, "text")
    assert both.events[0]["log_level"].name == level


@pytest.mark.parametrize("name", ["twisted", "daphne.server"])
def test_bothBridgesAndNoCircle(both: Both, name: str) -> None:
    both.handle(both.root, LogHandler())
    both.observe(STDLibLogObserver(name))
    Logger("new").info("from twisted")
    log.msg("from its old log")
    logging.getLogger("some").warning("from logging")
    Logger("new").info("more from twisted")
    logging.getLogger("some").warning("more from logging")
    everything = ["from twisted", "from its old log", "from logging", "more from twisted", "more from logging"]
    assert both.texts() == everything
    assert both.handler.texts() == everything


def test_anObserverThatLogsAndABridge(both: Both) -> None:
    both.handle(both.root, LogHandler())
    both.observe(lambda event: logging.getLogger("observer").info("saw %s", formatEvent(event)))
    logging.getLogger("some").warning("from logging")
    assert both.texts() == ["from logging"]
    assert sorted(both.handler.texts()) == ["from logging", "saw from logging"]


def test_twoHandlersTellOnce(both: Both) -> None:
    both.handle(both.root, LogHandler())
    both.handle(logging.getLogger("reactor"), LogHandler())
    logging.getLogger("reactor").warning("once")
    assert both.texts() == ["once"]


@pytest.mark.parametrize("bridges", ["none", "to twisted", "to logging", "both"])
def test_whatOurReactorReportsIsInTwistedsLogOnce(both: Both, bridges: str) -> None:
    if bridges in ("to twisted", "both"):
        both.handle(both.root, LogHandler())
    if bridges in ("to logging", "both"):
        both.observe(STDLibLogObserver())
    frame = TwistedReactor()

    def wrong() -> None:
        raise ZeroDivisionError("by the test")

    frame.engine.callLater(0, wrong)
    frame.callLater(0.001, frame.crash)
    frame.run(installSignalHandlers=False)
    frame.disconnectAll()
    assert [event["log_failure"].type for event in both.events if "log_failure" in event] == [ZeroDivisionError]
    failed = [record for record in both.handler.records if record.exc_info]
    assert len(failed) == (bridges in ("to logging", "both"))


def test_errorsOfOurDeferredsToo(both: Both) -> None:
    both.handle(both.root, LogHandler())
    fail(ZeroDivisionError("by the test"))
    assert any("ZeroDivisionError" in text for text in both.texts())
    assert len(both.texts()) == len(both.handler.records)


def test_anObserverThatRaisesIsNotHeardOf(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    def publisher(event: Any) -> None:
        raise KeyError("the publisher's")

    both.handle(both.root, LogHandler(publisher=publisher))
    logging.getLogger("some").warning("from logging")
    assert "the publisher's" in capsys.readouterr().err
    assert both.handler.texts() == ["from logging"]
