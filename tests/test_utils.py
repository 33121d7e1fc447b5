"""`reactor.utils`: a program's output, its exit code, or both."""

from __future__ import annotations

import errno
import gc
import warnings
from typing import Any

import pytest
from children import children
from net import Net, descriptors

from reactor.defer import CancelledError, Deferred
from reactor.error import ProcessDone, ProcessTerminated
from reactor.utils import (
    EndedBySignal,
    TooMuchOutput,
    UnexpectedErrorOutput,
    getProcessOutput,
    getProcessOutputAndValue,
    getProcessValue,
    runWithWarningsSuppressed,
    suppressWarnings,
)

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
SH = "/bin/sh"


def test_output(net: Net) -> None:
    assert net.result(getProcessOutput("echo", ["a", b"b"], reactor=net.reactor)) == b"a b\n"
    # However it ended.
    assert net.result(getProcessOutput(SH, ["-c", "echo x; exit 3"], reactor=net.reactor)) == b"x\n"
    assert net.result(getProcessOutput(SH, ["-c", "kill -9 $$"], reactor=net.reactor)) == b""


def test_surroundings(net: Net) -> None:
    assert net.result(getProcessOutput("/usr/bin/env", (), {"A": "b"}, "/usr", net.reactor)) == b"A=b\n"
    assert net.result(getProcessOutput("/bin/pwd", path="/usr", reactor=net.reactor)) == b"/usr\n"
    assert net.result(getProcessOutput("/usr/bin/env", reactor=net.reactor)) == b""


def test_outputAndErrors(net: Net) -> None:
    both = getProcessOutput(SH, ["-c", "echo a; echo b >&2"], reactor=net.reactor, errortoo=1)
    assert sorted(net.result(both).split()) == [b"a", b"b"]


def test_unexpectedErrors(net: Net) -> None:
    with pytest.raises(UnexpectedErrorOutput, match="b'oops") as raised:
        net.result(getProcessOutput(SH, ["-c", "echo oops >&2; exit 3"], reactor=net.reactor))
    assert isinstance(raised.value, IOError)
    with pytest.raises((ProcessTerminated, ProcessDone)) as how:
        net.result(raised.value.processEnded)
    assert how.value.exitCode == 3


def test_value(net: Net) -> None:
    assert net.result(getProcessValue("true", reactor=net.reactor)) == 0
    assert net.result(getProcessValue(SH, ["-c", "echo dropped; exit 4"], reactor=net.reactor)) == 4
    assert net.result(getProcessValue(SH, ["-c", "kill -9 $$"], reactor=net.reactor)) is None


def test_everything(net: Net) -> None:
    script = "cat; echo err >&2; exit 5"
    result = net.result(getProcessOutputAndValue(SH, ["-c", script], reactor=net.reactor, stdinBytes=b"in" * 100_000))
    assert result == (b"in" * 100_000, b"err\n", 5)
    assert net.result(getProcessOutputAndValue("true", reactor=net.reactor)) == (b"", b"", 0)


def test_everythingWithASignal(net: Net) -> None:
    with pytest.raises(EndedBySignal, match="signal 9") as raised:
        net.result(getProcessOutputAndValue(SH, ["-c", "echo a; echo b >&2; kill -9 $$"], reactor=net.reactor))
    out, err, number = raised.value
    assert (out, err, number) == (b"a\n", b"b\n", 9) == (raised.value.out, raised.value.err, raised.value.signal)
    assert raised.value[2] == 9 and len(raised.value) == 3


@pytest.mark.parametrize("get", [getProcessOutput, getProcessValue, getProcessOutputAndValue])
def test_whatCannotBeRun(net: Net, get: Any) -> None:
    before = descriptors()
    with pytest.raises(FileNotFoundError) as raised:
        net.result(get("/nonexistent", reactor=net.reactor))
    assert raised.value.errno == errno.ENOENT
    assert descriptors() == before
    with pytest.raises(TypeError, match="sequence"):
        get("echo", "abc", reactor=net.reactor)


@pytest.mark.parametrize("get", [getProcessOutput, getProcessValue, getProcessOutputAndValue])
def test_cancelled(net: Net, get: Any) -> None:
    family = children()
    deferred = get("sleep", ["60"], reactor=net.reactor)
    assert children() > family
    deferred.cancel()
    with pytest.raises(CancelledError):
        net.result(deferred)
    net.until(lambda: children() == family)


@pytest.mark.parametrize("get", [getProcessOutput, getProcessOutputAndValue])
def test_limit(net: Net, get: Any) -> None:
    family = children()
    assert net.result(get("echo", ["123"], reactor=net.reactor, limit=4)) in (b"123\n", (b"123\n", b"", 0))
    with pytest.raises(TooMuchOutput, match="limit=100000"):
        net.result(get("yes", reactor=net.reactor, limit=100_000))
    net.until(lambda: children() == family)


def test_warningsAreSuppressedForACall(net: Net) -> None:
    def warn(*words: str) -> str:
        for word in words:
            warnings.warn(word, stacklevel=1)
        return "done"

    quiet = (["ignore"], {"message": "old"})
    before = warnings.filters[:]
    with pytest.warns(UserWarning, match="new") as seen:
        assert runWithWarningsSuppressed([quiet], warn, "old one", "new one") == "done"
        assert suppressWarnings(warn, quiet)("old two", "new two") == "done"
    assert [str(each.message) for each in seen] == ["new one", "new two"]
    assert suppressWarnings(warn, quiet).__name__ == "warn"
    with pytest.raises(ZeroDivisionError):
        runWithWarningsSuppressed([quiet], lambda: 1 // 0)
    assert warnings.filters == before


def test_warningsAreSuppressedUntilADeferredFires(net: Net) -> None:
    waiting: Deferred[int] = Deferred()
    before = warnings.filters[:]
    result = runWithWarningsSuppressed([(["ignore"], {"message": "old"})], lambda: waiting)
    with warnings.catch_warnings(record=True) as seen:
        warnings.warn("old", stacklevel=1)
    assert seen == [] and result is waiting
    # Somebody else's filter, put in front meanwhile, stays.
    warnings.filterwarnings("error", message="theirs")
    waiting.callback(3)
    assert net.result(result) == 3
    assert warnings.filters[1:] == before and warnings.filters[0][0] == "error"
    warnings.filters.pop(0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("get", [getProcessOutput, getProcessValue, getProcessOutputAndValue])
def test_D10_whatCouldNotBeRunIsFreed(net: Net, get: Any) -> None:
    """Without the garbage collector: a program that is not there, arguments that are none."""
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(it, Deferred) for it in gc.get_objects())
        for _ in range(3):
            get("/nowhere", reactor=net.reactor).addErrback(lambda _: None)
            with pytest.raises(TypeError):
                get("/bin/true", "text", reactor=net.reactor)
            with pytest.raises(ValueError, match="NUL"):
                get("/bin/true", ["a\0b"], reactor=net.reactor)
        assert sum(isinstance(it, Deferred) for it in gc.get_objects()) == before
    finally:
        gc.enable()
