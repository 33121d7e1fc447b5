"""The two ways in which the package says something to `logging`."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from script import outputs, script

from reactor._ground.log import message, reportException
from reactor.failure import Failure


def raised(text: str) -> BaseException:
    try:
        raise KeyError(text)
    except KeyError as e:
        return e


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_message(level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    message(level, "%s of %d", "one", 2, logger="reactor.part")
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("reactor.part", level.upper(), "one of 2")


def test_messageOfAPercentSign(caplog: pytest.LogCaptureFixture) -> None:
    message("warning", "100%")
    assert caplog.messages == ["100%"]
    assert caplog.records[0].name == "reactor"


def test_reportAnException(caplog: pytest.LogCaptureFixture) -> None:
    problem = raised("of the program")
    reportException("what happened, 100%", problem)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("reactor", logging.ERROR)
    assert record.getMessage() == "what happened, 100%"
    assert record.exc_info == (KeyError, problem, problem.__traceback__)
    assert "in raised\n" in caplog.text


def test_reportAnExceptionThatWasNeverRaised(caplog: pytest.LogCaptureFixture) -> None:
    reportException("text", KeyError("never raised"))
    assert "KeyError: 'never raised'" in caplog.text


def test_reportAFailure(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("of the program")
    except KeyError:
        failure = Failure()
    reportException("text", failure, logger="reactor.defer")
    (record,) = caplog.records
    assert record.name == "reactor.defer"
    assert "KeyError: 'of the program'" in caplog.text
    assert "test_reportAFailure" in caplog.text


def test_reportAFailureWithoutATraceback(caplog: pytest.LogCaptureFixture) -> None:
    reportException("text", Failure(KeyError("of the program")))
    (record,) = caplog.records
    assert record.getMessage().startswith("text")
    assert "of the program" in caplog.text


def test_aLineIsNotForgedByWhatIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    """A message is one record, whatever is in it; the traceback is behind it."""
    reportException("text", KeyError("a\nb"))
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


def test_loggingIsNotLoadedForWhatNobodyCanSee() -> None:
    printed = script(
        """
        import sys
        from reactor._ground.log import message, reportException
        message("debug", "text")
        message("info", "text")
        print("logging" in sys.modules)
        import logging
        class Handler(logging.Handler):
            def emit(self, record):
                print(record.getMessage())
        logging.getLogger("reactor").addHandler(Handler())
        logging.getLogger("reactor").setLevel("INFO")
        message("debug", "not wanted")
        message("info", "wanted")
        """
    )
    assert printed == ["False", "wanted"]


def test_withNoDescriptorLeftToLoadItWith() -> None:
    """The loop must not end by that."""
    printed, said = outputs(
        """
        import os, resource, sys
        from reactor._ground.log import reportException
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        reportException("what happened", KeyError("of the program"))
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        print("logging" in sys.modules)
        """
    )
    assert printed == "False\n"
    assert said == "what happened: KeyError('of the program') (and no logging, for want of a file descriptor)\n"


def test_withoutAHandlerItIsPrinted() -> None:
    _, said = outputs(
        """
        from reactor._ground.log import message, reportException
        message("info", "not printed")
        message("warning", "printed")
        reportException("printed too", KeyError(1))
        """
    )
    lines: list[Any] = said.splitlines()
    assert lines == ["printed", "printed too", "KeyError: 1"]
