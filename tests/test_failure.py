"""`Failure`: an exception that travels, what it tells, and what it lets go of."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import re
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from patience import PATIENCE

from reactor.failure import Failure, NoCurrentExceptionError


class Boom(Exception):
    """What goes wrong here."""


class Bang(Boom):
    """A special case of it."""


def inner(number: int) -> None:
    local = number + 1
    raise Bang("text", local)


def made(captureVars: bool = False) -> Failure:
    """A Failure with the frames `made` and `inner`."""
    try:
        inner(1)
    except Boom:
        return Failure(captureVars=captureVars)
    raise AssertionError


@pytest.fixture
def noCollector() -> Iterator[None]:
    """The test runs without the cyclic garbage collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ---- Making one ----


def test_ofTheCurrentException() -> None:
    failure = made()
    assert type(failure.value) is Bang
    assert failure.type is Bang
    assert failure.tb is failure.value.__traceback__
    assert failure.captureVars is False


def test_ofAnException() -> None:
    error = Bang()
    failure = Failure(error)
    assert (failure.value, failure.type, failure.tb) == (error, Bang, None)
    with pytest.raises(Bang) as caught:
        inner(1)
    assert Failure(caught.value).tb is caught.value.__traceback__


def test_ofAnExceptionWithTypeAndTraceback() -> None:
    tb = made().tb
    failure = Failure(Bang(), Boom, tb)
    assert (failure.type, failure.tb) == (Boom, tb)


def test_ofAFailure() -> None:
    first = made()
    second = Failure(first)
    assert (second.value, second.type, second.tb) == (first.value, Bang, first.tb)
    try:
        raise first
    except Failure:
        third = Failure()
    assert (third.value, third.type, third.tb) == (first.value, Bang, first.tb)
    first.cleanFailure()
    assert Failure(first).frames == first.frames


def test_D7_ofNothing() -> None:
    with pytest.raises(NoCurrentExceptionError):
        Failure()


@pytest.mark.parametrize("wrong", ["str", 3, Bang])
def test_D7_ofWhatIsNoException(wrong: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(repr(wrong))):
        Failure(wrong)


# ---- What kind it is ----


def test_check() -> None:
    failure = made()
    assert failure.check(KeyError, Boom, Bang) is Boom
    assert failure.check(KeyError) is None
    assert failure.check() is None
    assert failure.check("builtins.KeyError", "builtins.Exception") == "builtins.Exception"
    assert failure.check(f"{__name__}.Boom") == f"{__name__}.Boom"
    assert failure.check("Boom") is None
    assert failure.check((Boom,)) is None  # type: ignore[arg-type]
    assert failure.check(int) is None  # type: ignore[arg-type]


def test_parents() -> None:
    assert made().parents == [
        f"{__name__}.Bang",
        f"{__name__}.Boom",
        "builtins.Exception",
        "builtins.BaseException",
        "builtins.object",
    ]


def test_trap() -> None:
    failure = made()
    assert failure.trap(KeyError, Boom) is Boom
    with pytest.raises(Bang) as caught:
        failure.trap(KeyError)
    assert caught.value is failure.value
    with pytest.raises(Bang):
        failure.trap()


def test_raiseException() -> None:
    failure = made()
    with pytest.raises(Bang) as caught:
        failure.raiseException()
    assert caught.value is failure.value
    # Behind the frames that raised it again it tells those that raised it first.
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_raiseException", "raiseException", "made", "inner"]
    # Not longer with each time.
    with pytest.raises(Bang) as again:
        failure.raiseException()
    assert len(traceback.extract_tb(again.value.__traceback__)) == 4


def test_throwExceptionIntoGenerator() -> None:
    def generator() -> Iterator[Any]:
        try:
            yield 1
        except Boom as error:
            yield error
        raise AssertionError

    running: Any = generator()
    next(running)
    failure = made()
    assert failure.throwExceptionIntoGenerator(running) is failure.value

    def careless() -> Iterator[Any]:
        yield 1

    running = careless()
    next(running)
    with pytest.raises(Bang) as caught:
        failure.throwExceptionIntoGenerator(running)
    assert [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)][-3:] == [
        "careless",
        "made",
        "inner",
    ]


# ---- Where it happened ----


def test_frames() -> None:
    failure = made()
    (name, file, line, localVars, globalVars), last = failure.frames
    assert (name, file, localVars, globalVars) == ("made", __file__, (), ())
    assert line == made.__code__.co_firstlineno + 3
    assert last[0] == "inner"
    assert Failure(Bang()).frames == []
    assert failure.stack == []


def test_framesWithVariables() -> None:
    frames = made(captureVars=True).frames
    assert dict(frames[1][3]) == {"number": 1, "local": 2}
    assert dict(frames[1][4])["__name__"] == __name__


def test_tracebackObject() -> None:
    failure = made()
    assert failure.getTracebackObject() is failure.tb
    assert Failure(Bang()).getTracebackObject() is None
    real = traceback.format_tb(failure.tb)
    failure.cleanFailure()
    painted = failure.getTracebackObject()
    assert painted is not None and painted is not failure.tb
    # What draws lines under columns cannot, without columns.
    plain = [re.sub(r"\n +[~^]+\n", "\n", entry) for entry in real]
    assert traceback.format_tb(painted) == plain
    assert [(entry.name, entry.lineno) for entry in traceback.extract_tb(painted)] == [
        (frame[0], frame[2]) for frame in failure.frames
    ]
    assert "".join(traceback.format_exception(failure.type, failure.value, painted)) == failure.getTraceback()


def test_paintedFramesHaveTheVariables() -> None:
    failure = made(captureVars=True)
    failure.cleanFailure()
    last = failure.getTracebackObject().tb_next
    assert last.tb_frame.f_locals == {"number": "1", "local": "2"}
    assert last.tb_next is None
    assert last.tb_frame.f_code.co_name == "inner"
    assert list(last.tb_frame.f_code.co_positions()) == []


def test_cleanFailure() -> None:
    failure = made()
    frames = failure.frames
    failure.cleanFailure()
    assert failure.tb is failure.value.__traceback__ is None
    assert failure.frames == frames
    failure.cleanFailure()
    assert failure.frames == frames


def test_count() -> None:
    first, second = made(), made()
    number = first.count
    assert second.count == number + 1
    assert first.count == number


# ---- Texts ----


def test_message() -> None:
    assert made().getErrorMessage() == "('text', 2)"


def test_reprAndStr() -> None:
    failure = made()
    assert repr(failure) == f"<reactor.failure.Failure {__name__}.Bang: ('text', 2)>"
    lines = str(failure).splitlines()
    assert lines[0] == f"[Failure instance: Traceback: {Bang}: ('text', 2)"
    assert lines[1:] == [*(f"{__file__}:{frame[2]}:{frame[0]}" for frame in failure.frames), "]"]
    assert str(Failure(Bang("x"))) == f"[Failure instance: Traceback (failure with no frames): {Bang}: x\n]"


def test_briefTraceback() -> None:
    failure = made()
    assert str(failure) == f"[Failure instance: {failure.getBriefTraceback()}]"
    assert failure.getBriefTraceback() == failure.getTraceback(detail="brief")


def test_tracebackAsPythonPrintsIt() -> None:
    failure = made()
    assert failure.getTraceback() == "".join(traceback.format_exception(failure.value))
    assert failure.getTraceback(0, "default").endswith(f"{__name__}.Bang: ('text', 2)\n")


def test_tracebackTellsCausesAndNotes() -> None:
    try:
        try:
            inner(1)
        except Bang as error:
            error.add_note("and a note")
            raise KeyError("k") from error
    except KeyError:
        failure = Failure()
    whole = failure.getTraceback()
    assert "and a note\n" in whole
    assert "direct cause" in whole
    failure.cleanFailure()
    assert "direct cause" in failure.getTraceback()


@pytest.mark.parametrize("change", [Failure.cleanFailure, lambda failure: None], ids=["cleaned", "whole"])
def test_tracebackWithoutFrames(change: Callable[[Failure], None]) -> None:
    failure = Failure(Bang("x"))
    change(failure)
    assert failure.getTraceback().endswith(f"{__name__}.Bang: x\n")


def test_tracebackOfAnotherType() -> None:
    failure = Failure(Bang("x"), Boom)
    assert f"{Boom}: x" in failure.getBriefTraceback()
    assert "Boom: x" in failure.getTraceback(detail="verbose")


def test_elided() -> None:
    failure = made()
    with pytest.raises(Bang):
        failure.raiseException()
    again = Failure(failure.value)
    assert "in raiseException" in again.getTraceback()
    elided = again.getTraceback(elideFrameworkCode=1)
    assert "in raiseException" not in elided and "in inner" in elided


def test_verboseTraceback() -> None:
    failure = made()
    lines = failure.getTraceback(detail="verbose").splitlines()
    assert lines[0] == f"*--- Failure #{failure.count} ---"
    assert lines[1] == f"{__file__}:{failure.frames[0][2]}: made(...)"
    assert lines[3:] == [
        " [Capture of Locals and Globals disabled (use captureVars=True)]",
        f"{__name__}.Bang: ('text', 2)",
        f"*--- End of Failure #{failure.count} ---",
    ]


def test_verboseTracebackWithVariables() -> None:
    failure = made(captureVars=True)
    text = failure.getTraceback(detail="verbose")
    assert " [ Locals ]\n  number : 1\n  local : 2\n ( Globals )\n" in text
    assert "Capture of Locals" not in text
    assert "Locals" not in failure.getTraceback(detail="verbose-vars-not-captured")


def test_detailThatThereIsNot() -> None:
    with pytest.raises(ValueError, match="'loud'"):
        made().getTraceback(detail="loud")


def test_printing(capsys: pytest.CaptureFixture[str]) -> None:
    failure = made(captureVars=True)
    for method, detail in (
        (failure.printTraceback, "default"),
        (failure.printBriefTraceback, "brief"),
        (failure.printDetailedTraceback, "verbose"),
    ):
        file = io.StringIO()
        method(file)
        assert file.getvalue() == failure.getTraceback(detail=detail)
        method()
        assert capsys.readouterr().err == failure.getTraceback(detail=detail)


class Unprintable(Exception):
    """Its text and its representation are errors."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


def test_whatCannotBePrinted() -> None:
    failure = Failure(Unprintable())
    assert failure.getErrorMessage() == f"<{__name__}.Unprintable whose text raises ValueError>"
    assert failure.getErrorMessage() in str(failure)
    assert "Unprintable" in failure.getTraceback()

    def holds(_: object = Unprintable()) -> None:
        raise Boom

    with pytest.raises(Boom) as caught:
        holds()
    text = Failure(caught.value, captureVars=True).getTraceback(detail="verbose")
    assert f"<{__name__}.Unprintable whose representation raises ValueError>" in text


def test_whatTracebackCannotTell(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> Any:
        raise RuntimeError

    failure = made()
    monkeypatch.setattr(traceback.TracebackException, "format", broken)
    assert failure.getTraceback() == failure.getBriefTraceback()


# ---- Pickles and copies ----


@pytest.mark.parametrize(
    "again", [copy.copy, lambda failure: pickle.loads(pickle.dumps(failure))], ids=["copy", "pickle"]
)
@pytest.mark.parametrize("captureVars", [False, True])
def test_pickledOrCopied(again: Callable[[Failure], Failure], captureVars: bool) -> None:
    first = made(captureVars)
    first.note = "mine"  # type: ignore[attr-defined]
    second = again(first)
    assert type(second) is Failure
    assert (type(second.value), second.value.args, second.type) == (Bang, ("text", 2), Bang)
    assert (second.tb, first.pickled, second.pickled, second.note) == (None, 0, 1, "mine")  # type: ignore[attr-defined]
    assert [frame[:3] for frame in second.frames] == [frame[:3] for frame in first.frames]
    assert second.check(Boom) is Boom
    assert "in inner" in second.getTraceback()
    assert "(pickled)" in second.getTraceback(detail="verbose")
    if captureVars:
        assert dict(second.frames[1][3]) == {"number": "1", "local": "2"}
        assert "  local : 2\n" in second.getTraceback(detail="verbose")
    assert first.tb is not None
    assert second.count != first.count


def test_pickledTwice() -> None:
    twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(made()))))
    assert [frame[0] for frame in twice.frames] == ["made", "inner"]


def test_subclassesArePickledToo() -> None:
    assert type(copy.copy(Special(Bang()))) is Special


class Special(Failure):
    """A subclass."""


# ---- What it holds ----


class Thing:
    """Something whose end can be seen."""


def failing() -> tuple[Failure, weakref.ref[Thing]]:
    thing = Thing()
    try:
        raise Boom
    except Boom as error:
        failure = Failure(error)
    reference = weakref.ref(thing)
    try:
        return failure, reference
    finally:
        del failure


@pytest.mark.usefixtures("noCollector")
def test_D10_itsFramesAreFreedWithIt() -> None:
    failure, thing = failing()
    assert thing() is not None
    del failure
    assert thing() is None


@pytest.mark.usefixtures("noCollector")
def test_D10_itsFramesAreFreedWhenItIsCleaned() -> None:
    failure, thing = failing()
    failure.cleanFailure()
    assert thing() is None
    assert [frame[0] for frame in failure.frames] == ["failing"]


@pytest.mark.usefixtures("noCollector")
@pytest.mark.parametrize("how", ["trap", "raiseException", "throw"])
def test_D10_raisingItAgainMakesNoCircle(how: str) -> None:
    def again(failure: Failure) -> None:
        method = failure.throwExceptionIntoGenerator if how == "throw" else getattr(failure, how)
        argument = [(_ for _ in ())] if how == "throw" else []
        del failure
        try:
            method(*argument)
        finally:
            del method, argument

    failure, thing = failing()
    reference = weakref.ref(failure.value)
    try:
        again(failure)
    except Boom:
        pass
    del failure
    assert thing() is None
    assert reference() is None


@pytest.mark.usefixtures("noCollector")
def test_D10_raisingAFailureItselfMakesNoCircle() -> None:
    def again(failure: Failure) -> None:
        raise failure

    def caught(failure: Failure) -> Failure:
        try:
            again(failure)
        except Failure:
            return Failure()
        raise AssertionError

    failure, thing = failing()
    first = weakref.ref(failure)
    failure = caught(failure)
    assert first() is None
    del failure
    assert thing() is None


def test_importingItIsLight() -> None:
    import subprocess

    code = "import sys; before = set(sys.modules); import reactor.failure; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert {"traceback", "logging", "inspect", "typing", "dataclasses", "asyncio"} & set(done.stdout.split()) == set()


# What can be set, and classes that make trouble.


def test_framesParentsAndStackCanBeSetAndAPickleKeepsThem() -> None:
    """As perspective broker and others do it, that rebuild a Failure of another process."""
    failure = made()
    failure.frames = [("function", "file.py", 7, [], [])]
    failure.parents = ["other.process.Error", "builtins.Exception"]
    failure.stack = [("caller", "file.py", 3, [], [])]
    for each in (failure, Failure(failure), copy.copy(failure), pickle.loads(pickle.dumps(failure))):
        assert each.frames == [("function", "file.py", 7, [], [])]
        assert each.parents == ["other.process.Error", "builtins.Exception"]
        assert each.stack == [("caller", "file.py", 3, [], [])]
        assert each.check("other.process.Error") == "other.process.Error"
        assert each.check(type(failure.value)) is type(failure.value)
        for text in (each.getTraceback(), each.getBriefTraceback(), each.getTraceback(detail="verbose")):
            assert "file.py" in text and __file__ not in text
    failure.count = 1234
    assert failure.count == 1234
    # Frames as short as other libraries make them.
    failure.frames = [("function", "file.py", 7)]  # type: ignore[list-item]
    assert "file.py" in failure.getTraceback() and "file.py:7" in str(failure)


def test_withoutTraceback() -> None:
    try:
        raise KeyError("key")
    except KeyError as e:
        error = e
    failure = Failure._withoutTraceback(error)
    assert (failure.value, failure.type, failure.tb, failure.frames) == (error, KeyError, None, [])


class Unnameable(type):
    def __repr__(cls) -> str:
        raise ValueError("no text")

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__module__", "__qualname__", "__name__", "__mro__", "__bases__"):
            raise GeneratorExit(name)
        return type.__getattribute__(cls, name)


class OddText(str):
    def __format__(self, spec: str) -> str:
        raise ValueError("no format")

    __str__ = __repr__ = None  # type: ignore[assignment]


class Odd(Exception, metaclass=Unnameable):
    def __str__(self) -> str:
        return OddText("odd")


class NoModule(Exception):
    pass


NoModule.__module__ = 3  # type: ignore[assignment]


class Silent(Exception):
    def __str__(self) -> str:
        raise GeneratorExit

    __repr__ = __str__


@pytest.mark.parametrize("kind", [Odd, NoModule, Silent], ids=["metaclass", "module", "text"])
def test_textsNeverRaise(kind: Any) -> None:
    try:
        raise kind
    except BaseException as e:
        failures = [Failure(e), Failure._withoutTraceback(e)]
    failures += [copy.copy(failures[0])]
    for failure in failures:
        assert isinstance(str(failure), str) and isinstance(repr(failure), str)
        for detail in ("default", "brief", "verbose", "verbose-vars-not-captured"):
            assert failure.getTraceback(detail=detail).endswith("\n")
        assert isinstance(failure.getErrorMessage(), str)
        assert failure.check("some.name", KeyError) is None
        assert failure.parents[-1] == "builtins.object"


def test_aKeyboardInterruptGetsThroughTexts() -> None:
    class Interrupted(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        str(Failure(Interrupted()))
