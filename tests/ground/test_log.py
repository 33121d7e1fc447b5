"""The two ways in which the package says something to `logging`."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
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
    assert said.startswith("what happened: KeyError('of the program') (and logging that raised ")
    assert said.count("\n") == 1


class Broken(logging.Handler):
    """Whose disk is full."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture(params=["handler", "filter", "factory"])
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    """Logging raises, by something that the program has put there."""

    def refuse(*args: Any, **kw: Any) -> Any:
        raise OSError(28, "No space left on device")

    logger = logging.getLogger("reactor.broken")
    handler, factory = Broken(), logging.getLogRecordFactory()
    if request.param == "handler":
        logger.addHandler(handler)
    elif request.param == "filter":
        logger.addFilter(refuse)
    else:
        logging.setLogRecordFactory(refuse)
    yield
    logging.setLogRecordFactory(factory)
    logger.removeHandler(handler)
    logger.removeFilter(refuse)


@pytest.mark.usefixtures("broken")
def test_whatLoggingRaises(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error, with what was to be logged, and no further."""
    message("warning", "%s of %d", "one", 2, logger="reactor.broken")
    reportException("text, 100%", raised("of the program"), logger="reactor.broken")
    reportException("text", Failure(KeyError("of the program")), logger="reactor.broken")
    why = "(and logging that raised OSError(28, 'No space left on device'))"
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == f"one of 2 {why}"
    assert second == f"text, 100%: KeyError('of the program') {why}"
    assert third.startswith("text: <reactor.failure.Failure builtins.KeyError")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("stream", [None, io.BufferedReader(io.BytesIO()), io.StringIO()])  # type: ignore[type-var]
def test_andThereIsNoStandardErrorEither(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(stream, io.StringIO):
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    reportException("text", raised("of the program"), logger="reactor.broken")


@pytest.mark.parametrize("how", ["repr", "str"])
def test_argumentsThatRaise(how: str, caplog: pytest.LogCaptureFixture) -> None:
    class Thing(Exception):
        def __repr__(self) -> str:
            raise KeyError("of the program")

        __str__ = __repr__

    text = "%r" if how == "repr" else "%s"
    message("warning", text, Thing())
    reportException(text, Thing(), Thing())
    reportException(text, Failure(Thing()), Thing())
    assert len(caplog.records) == 3
    for record in caplog.records:
        assert "<Thing whose " in record.getMessage()


def test_argumentsThatAreLong(caplog: pytest.LogCaptureFixture) -> None:
    message("warning", "%s, %r", "x" * 10**6, ["x"] * 10**6)
    message("warning", "%s", "x" * 10**6, limit=None)
    reportException("%r", raised("short"), b"x" * 10**6)
    assert [len(record.getMessage()) // 3000 for record in caplog.records] == [0, 333, 0]


def test_argumentsAreNamedAtOnce(caplog: pytest.LogCaptureFixture) -> None:
    """A handler may write its entries later. The template is kept, for who puts those of a kind together."""
    changing: list[object] = ["then"]
    message("warning", "%-10r|%s, 100%% of %d, %.3g", changing, changing, 5, 0.123456)
    changing[0] = "later"
    (record,) = caplog.records
    assert record.getMessage() == "['then']  |['then'], 100% of 5, 0.123"
    assert record.msg == "%-10r|%s, 100%% of %d, %.3g"


class Grouped(ExceptionGroup):
    """What is long in it is not its own text."""


def longOnes() -> Iterator[BaseException]:
    """Exceptions with a megabyte, each somewhere else."""
    long = raised("x" * 10**6)
    yield long
    cause, noted, context = raised("short"), raised("short"), raised("short")
    cause.__cause__ = long
    noted.add_note("x" * 10**6)
    context.__context__ = cause
    yield from (cause, noted, context)
    yield Grouped("short", [KeyError("short"), long])  # type: ignore[list-item]


@pytest.mark.parametrize("problem", [*longOnes()], ids=["own", "cause", "note", "context", "group"])
@pytest.mark.parametrize("failure", [False, True])
def test_anExceptionThatIsLong(problem: Any, failure: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The beginning of the traceback and its end are logged, and how much was between them."""
    reportException("%s raised", Failure(problem) if failure else problem, "it")
    (record,) = caplog.records
    assert record.getMessage().startswith("it raised\n")
    assert "characters left out) ..." in caplog.text
    assert len(caplog.text) < 20000
    assert record.failure.value is problem  # type: ignore[attr-defined]


def test_anExceptionWhoseChainHasNoEnd(caplog: pytest.LogCaptureFixture) -> None:
    first, second = raised("first"), raised("second")
    first.__cause__, second.__cause__ = second, first
    reportException("text", first)
    assert caplog.text.count("KeyError: 'first'") == 1


def test_anExceptionWithoutAName(caplog: pytest.LogCaptureFixture) -> None:
    """The standard library's own traceback cannot print it."""

    class Metaclass(type):
        def __getattribute__(cls, name: str) -> Any:
            if name == "__qualname__":
                raise KeyError("of the program")
            return super().__getattribute__(name)

    class Thing(Exception, metaclass=Metaclass):
        @property
        def __cause__(self) -> Any:
            raise KeyError("of the program")

    reportException("text", Thing("what it says"))
    assert "Thing" in caplog.text and "what it says" in caplog.text


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


HOSTILE = "evil\x1b[2J\x9b31m\x85\x0b\x0c\r\u2028FAKE\u202e\udcff"


def steers(text: str) -> list[str]:
    return [c for c in text if c != "\n" and not c.isprintable()]


class Saying:
    """Whose texts are a peer's."""

    def __repr__(self) -> str:
        return HOSTILE

    __str__ = __repr__


@pytest.mark.parametrize("argument", [HOSTILE, HOSTILE + "\n", HOSTILE.encode("latin-1", "replace"), Saying()])
@pytest.mark.parametrize("how", ["%s", "%r"])
def test_S_logs_argumentsAreEscaped(how: str, argument: Any, caplog: pytest.LogCaptureFixture) -> None:
    message("warning", "peer said " + how, argument)
    reportException("peer said " + how, KeyError(), argument)
    assert len(caplog.messages) == 2
    for text in caplog.messages:
        assert "evil\\x1b" in text and "FAKE" in text
        assert steers(text) == [] and "\n" not in text
        text.encode()


def nested(inner: BaseException) -> BaseException:
    outer = raised("outside")
    outer.__cause__ = inner
    outer.add_note("noted")
    return outer


@pytest.mark.parametrize("wrap", [lambda e: e, nested, Failure, lambda e: ExceptionGroup("several", [e])])
@pytest.mark.parametrize("text", [HOSTILE, HOSTILE + "\n" + HOSTILE])
def test_S_logs_textsOfExceptionsAreEscaped(text: str, wrap: Any, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("cannot parse " + text)
    except ValueError as e:
        problem = wrap(e)
    reportException("it failed", problem)
    assert "ValueError: cannot parse evil\\x1b[2J" in caplog.text
    assert steers(caplog.text) == []
    caplog.text.encode()


def test_severalLinesOfAnExceptionStay(caplog: pytest.LogCaptureFixture) -> None:
    problem = ValueError("line one\n\tline two, schön\xa0")
    reportException("it failed", problem)
    (record,) = caplog.records
    assert record.exc_info is not None and record.exc_info[1] is problem
    assert "line one\n\tline two, schön\xa0" in caplog.text
