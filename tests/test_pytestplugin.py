"""The plugin of pytest: each test here runs tests in a pytest of their own and looks at what became of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

import reactor as package

# An inner pytest forgets what it was the first to load.
import reactor.testing.trial

HEAD = """
import threading, subprocess, sys, pytest
from reactor import currentReactor, defer
from reactor.defer import Deferred, fail, succeed
from reactor.protocol import ClientFactory, Factory, Protocol
from reactor.task import deferLater
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("reactor.testing.leftovers.GRACE", 0.03)

    def run(source: str, ini: str = "", *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(HEAD + source)
        pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider\nfilterwarnings = error\n{ini}")
        return pytester.runpytest_inprocess(
            "-p", "reactor.pytestplugin", "-p", "no:xdist", "-p", "no:anyio", *arguments
        )

    return run


def said(result: pytest.RunResult, *texts: str) -> None:
    output = result.stdout.str()
    for text in texts:
        assert text in output


def test_whatTestsMayBe(run: Any) -> None:
    result = run(
        """
async def test_async(reactor):
    begun = reactor.seconds()
    await deferLater(reactor, 0.001)
    assert reactor.running and reactor.seconds() > begun

def test_deferred(reactor):
    return deferLater(reactor, 0.001)

@defer.inlineCallbacks
def test_generator(reactor):
    yield deferLater(reactor, 0.001)
    yield succeed(None)

def test_plain(reactor):
    reactor.callLater(0, reactor.stop)
    reactor.run()

async def test_already(reactor):
    assert await succeed(3) == 3

class TestMethods:
    @pytest.mark.parametrize("number", [1, 2])
    async def test_method(self, reactor, number, tmp_path):
        assert await succeed(number) == number and tmp_path.exists()

@pytest.mark.reactor
async def test_marked():
    await deferLater(currentReactor(), 0.001)

def test_another():
    pass
"""
    )
    result.assert_outcomes(passed=9)


def test_eachHasAReactorOfItsOwnWhichIsTheDefault(run: Any) -> None:
    default = vars(package).get("reactor")
    result = run(
        """
seen = []

@pytest.mark.parametrize("number", [1, 2])
def test_default(reactor, number):
    import reactor as package
    assert package.reactor is reactor is currentReactor()
    assert reactor not in seen
    seen.append(reactor)

async def test_running(reactor):
    assert currentReactor() is reactor
"""
    )
    result.assert_outcomes(passed=3)
    assert vars(package).get("reactor") is default


def test_failures(run: Any) -> None:
    result = run(
        """
async def test_async(reactor):
    await deferLater(reactor, 0.001)
    assert 1 == 2, "in the coroutine"

def test_deferred(reactor):
    return fail(ZeroDivisionError("in the Deferred"))

def test_plain(reactor):
    reactor.callLater(1, list)
    raise ValueError("before anything was asynchronous")

async def test_skipped(reactor):
    await deferLater(reactor, 0.001)
    pytest.skip("in the coroutine")

async def test_failed(reactor):
    pytest.fail("by hand")
"""
    )
    # What a failed test leaves behind is not told: it could not help it.
    result.assert_outcomes(failed=4, skipped=1)
    said(result, "in the coroutine", "ZeroDivisionError: in the Deferred", "before anything was", "by hand")
    assert "left behind" not in result.stdout.str()


def test_tooLong(run: Any) -> None:
    result = run(
        """
def test_never(reactor):
    reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    return Deferred()

@pytest.mark.reactor(timeout=0.02)
async def test_marked():
    try:
        await Deferred()
    finally:
        print("cleaned up")

async def test_stopped(reactor):
    reactor.callLater(0, reactor.stop)
    await Deferred()
""",
        "reactor_timeout = 0.01",
    )
    result.assert_outcomes(failed=3)
    said(
        result,
        "TimeoutError: no result within 0.01 s; there is still:",
        "- open: <Port",
        "TimeoutError: no result within 0.02 s",
        "cleaned up",
        "the reactor was stopped before the test had its result",
    )


LEFT = {
    "reactor.callLater(10, list)": "timer <DelayedCall list due in",
    "deferLater(reactor, 10)": "in test_it",
    "reactor.callLater(0.05, list)": "timer <DelayedCall list due in",
    "reactor.listenTCP(0, Factory(), interface='127.0.0.1')": "open: <Port",
    "threading.Thread(target=event.wait, name='waits', daemon=True).start()": "thread <Thread(waits",
    "kept.append(subprocess.Popen(['sleep', '60']))": "child process",
    "reactor.callInThread(event.wait)": "a job in the thread pool",
}


@pytest.mark.parametrize("statement", LEFT)
def test_whatIsLeftBehind(run: Any, statement: str) -> None:
    result = run(
        f"""
event, kept = threading.Event(), []

def test_it(reactor):
    {statement}

def test_next(reactor):
    event.set()
    for child in kept:
        child.kill()
        child.wait()
"""
    )
    result.assert_outcomes(passed=2, errors=1)
    said(result, "the test has left behind:", LEFT[statement], "ERROR at teardown of test_it")


def test_aConnectionThatIsLeftBehindIsNamedAtBothEnds(run: Any) -> None:
    result = run(
        """
async def test_it(reactor):
    from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), Protocol())
    await port.stopListening()
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    # The summary at the end says it once more where nothing is cut short, as under CI.
    report, _, _ = result.stdout.str().partition("short test summary")
    assert report.count("  - open: <TCP connection") == 2


def test_aConnectionThatIsAboutToEndIsNotLeftBehind(run: Any) -> None:
    result = run(
        """
@pytest.fixture
def port(reactor):
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    yield port
    port.stopListening()

async def test_it(reactor, port, monkeypatch):
    monkeypatch.setattr("reactor.testing.leftovers.GRACE", 5)
    from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    client = await connectProtocol(endpoint, Protocol())
    client.transport.write(bytes(1_000_000))
    client.transport.loseConnection()
"""
    )
    result.assert_outcomes(passed=1)


def test_unhandledErrors(run: Any) -> None:
    result = run(
        """
def test_deferred(reactor):
    fail(KeyError("nobody looks"))

def test_circle(reactor):
    deferred = Deferred()
    deferred.itself = deferred
    deferred.errback(KeyError("nobody looks at a circle"))

async def test_callback(reactor):
    def wrong():
        raise ZeroDivisionError("in a timer")
    reactor.callLater(0, wrong)
    await deferLater(reactor, 0.001)

async def test_forgiven(reactor, flushLoggedErrors):
    fail(KeyError("expected"))
    fail(ValueError("expected too"))
    assert [failure.type for failure in flushLoggedErrors(KeyError)] == [KeyError]
    assert [failure.getErrorMessage() for failure in flushLoggedErrors()] == ["expected too"]
    assert flushLoggedErrors() == []

def test_handled(reactor):
    fail(KeyError("handled")).addErrback(lambda failure: None)
"""
    )
    result.assert_outcomes(passed=5, errors=3)
    said(result, "errors that nobody handled", "nobody looks", "nobody looks at a circle", "in a timer")


def test_theAsyncTestsOfOthersAreTheirs(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
import pytest

def pytest_configure(config):
    config.addinivalue_line("markers", "anyio: somebody else runs it")

def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.get_closest_marker("anyio"):
        pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}).close()
        return True
"""
    )
    source = """
@pytest.mark.anyio
async def test_theirs():
    raise ValueError

async def test_nobodys():
    assert currentReactor().running
"""
    run(source).assert_outcomes(passed=1, failed=1)
    run(source, "reactor_mode = auto").assert_outcomes(passed=2)


def test_aFixtureOfThatNameOfSomebodyElse(run: Any) -> None:
    result = run(
        """
@pytest.fixture
def reactor():
    return "theirs"

def test_it(reactor):
    assert reactor == "theirs"
"""
    )
    result.assert_outcomes(passed=1)


def test_aTestMayStopCrashAndCloseItsReactor(run: Any) -> None:
    result = run(
        """
def test_closed(reactor):
    reactor.close()

def test_ranTwice(reactor):
    for _ in range(2):
        reactor.callLater(0, reactor.stop)
        reactor.run()

async def test_iterates(reactor):
    reactor.iterate(0)

async def test_thread(reactor):
    from reactor.threads import deferToThread
    assert await deferToThread(lambda: 3) == 3
"""
    )
    result.assert_outcomes(passed=4)


def test_aResultThatIsNoDeferred(run: Any) -> None:
    result = run("def test_it(reactor):\n    return 3\n")
    result.assert_outcomes(failed=1)
    said(result, "returned 3, and no Deferred")


@pytest.mark.parametrize(
    ("ini", "text"),
    [("reactor_mode = atuo", "reactor_mode must be one of"), ("reactor_timeout = soon", "reactor_timeout must be")],
)
def test_wrongSettings(run: Any, ini: str, text: str) -> None:
    result = run("", ini)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()


def test_importingItLoadsNoReactor() -> None:
    program = """
import pytest, sys
before = set(sys.modules)
import reactor.pytestplugin
print(*sorted(set(sys.modules) - before))
"""
    environment = {"PYTHONPATH": str(Path(package.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, env=environment
    )
    assert done.stdout.split() == ["reactor", "reactor._ground", "reactor._ground.current", "reactor.pytestplugin"]
