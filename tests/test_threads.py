"""Work in other threads, and calls from them into the reactor: `reactor.threads`, and what the reactor has for it."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from net import Net
from patience import PATIENCE

import reactor
from reactor import threads
from reactor.base import Reactor
from reactor.defer import Deferred, fail
from reactor.error import ReactorNotRunning
from reactor.failure import Failure
from reactor.task import deferLater
from reactor.threadpool import ThreadPool

default = pytest.mark.parametrize("net", ["default"], indirect=True)
everySelector = pytest.mark.parametrize("own", ["default", "SelectSelector", "PollSelector"], indirect=True)
variable: ContextVar[str] = ContextVar("variable", default="default")
DEADLINE = PATIENCE


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Iterator[Reactor]:
    """A reactor that this thread runs itself. No thread of it is left behind."""
    name = getattr(request, "param", "default")
    made = Reactor(None if name == "default" else getattr(selectors, name)())
    before = set(threading.enumerate())
    yield made
    made.close()
    assert set(threading.enumerate()) <= before


def runWith(own: Reactor, start: Callable[[], Deferred[Any]]) -> Any:
    """Run until the Deferred that `start()` returns has fired; what it fired with."""
    results: list[Any] = []

    def begin() -> None:
        start().addBoth(results.append).addBoth(lambda _: own.stop())

    own.callWhenRunning(begin)
    own.run(installSignalHandlers=False)
    return results[0]


def inThread(f: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=f)
    thread.start()
    return thread


# H1.


@default
def test_H1_manyCallsFromAThread(net: Net) -> None:
    count = 100_000
    seen: list[int] = []

    def calls() -> None:
        for number in range(count):
            net.reactor.callFromThread(seen.append, number)

    thread = inThread(calls)
    net.until(lambda: len(seen) == count)
    thread.join(DEADLINE)
    assert seen == list(range(count))
    # However many there were: the loop woke up once for all that came between two of its looks.
    assert net.turns < count / 2


def test_H1_theWakeupPipeNeverFills(own: Reactor) -> None:
    """100 000 calls while nobody looks at the pipe: nobody waits, nothing is lost, the order is kept."""
    count = 100_000
    seen: list[int] = []

    def calls() -> None:
        for number in range(count):
            own.callFromThread(seen.append, number)

    thread = inThread(calls)
    thread.join(DEADLINE)
    assert not thread.is_alive()
    own.callFromThread(own.callWhenRunning, own.stop)
    own.run(installSignalHandlers=False)
    assert seen == list(range(count))


def test_thePoolIsStartedWhenTheReactorRuns(own: Reactor) -> None:
    """As callWhenRunning finds it, whenever it was asked for; and where nobody runs the reactor but by turns."""
    seen: list[bool] = []

    def look() -> None:
        seen.append(own.getThreadPool().started)
        own.stop()

    own.callWhenRunning(look)
    own.getThreadPool()
    own.run(installSignalHandlers=False)
    own.callWhenRunning(look)
    own.run(installSignalHandlers=False)
    assert seen == [True, True]
    other = Reactor()
    pool = other.getThreadPool()
    other.iterate()
    assert pool.started
    other.close()


# H2.


def test_H2_whatRaisesInCallFromThread(net: Net) -> None:
    seen: list[int] = []
    net.expectErrors(1)
    net.reactor.callFromThread(divmod, 1, 0)
    net.reactor.callFromThread(seen.append, 1)
    net.until(lambda: seen)


@everySelector
def test_H2_whatRaisesInDeferToThread(own: Reactor) -> None:
    failure = runWith(own, lambda: threads.deferToThread(divmod, 1, 0))
    assert failure.type is ZeroDivisionError


@everySelector
def test_H2_whatRaisesInCallInThread(own: Reactor, caplog: pytest.LogCaptureFixture) -> None:
    def start() -> Deferred[Any]:
        own.suggestThreadPoolSize(1)
        own.callInThread(divmod, 1, 0)
        return threads.deferToThread(int, "5")

    assert runWith(own, start) == 5
    assert [record.name for record in caplog.records] == ["reactor"]
    assert "a call in a thread raised" in caplog.text and "ZeroDivisionError" in caplog.text


@everySelector
@pytest.mark.parametrize("how", ["raises", "fails", "coroutine"])
def test_H2_whatRaisesInBlockingCallFromThread(own: Reactor, how: str) -> None:
    async def coroutine() -> None:
        await deferLater(own, 0.001)
        raise KeyError("in the reactor")

    def raises() -> None:
        raise KeyError("in the reactor")

    call: Callable[[], Any] = {"raises": raises, "fails": lambda: fail(KeyError("in the reactor"))}.get(how, coroutine)

    def job() -> str:
        with pytest.raises(KeyError, match="in the reactor"):
            threads.blockingCallFromThread(own, call)
        return "raised"

    assert runWith(own, lambda: threads.deferToThread(job)) == "raised"


# H3.


@everySelector
def test_H3_runReturnsAfterTheJob(own: Reactor) -> None:
    """The reactor is stopped while a job runs: `run()` returns after the job, and its Deferred got the result."""
    gate, trace = threading.Event(), list[str]()

    def job() -> str:
        own.callFromThread(own.stop)
        assert gate.wait(DEADLINE)
        trace.append("job")
        return "result"

    own.callWhenRunning(lambda: threads.deferToThread(job).addBoth(trace.append))
    own.addSystemEventTrigger("after", "shutdown", gate.set)
    own.run(installSignalHandlers=False)
    assert trace == ["job", "result"]
    assert not own.running


@everySelector
def test_H3_jobsInTheQueueAreDoneToo(own: Reactor) -> None:
    gate, done = threading.Event(), list[Any]()

    def start() -> None:
        own.suggestThreadPoolSize(1)
        threads.deferToThread(gate.wait, DEADLINE).addBoth(done.append)
        for number in range(5):
            threads.deferToThread(int, number).addBoth(done.append)
        own.stop()

    own.callWhenRunning(start)
    own.addSystemEventTrigger("after", "shutdown", gate.set)
    own.run(installSignalHandlers=False)
    assert done == [True, 0, 1, 2, 3, 4]


@everySelector
def test_H3_aJobMayCallIntoAReactorThatStops(own: Reactor) -> None:
    gate = threading.Event()
    results: list[Any] = []

    def job() -> Any:
        assert gate.wait(DEADLINE)
        return threads.blockingCallFromThread(own, lambda: deferLater(own, 0.001, lambda: "from the reactor"))

    own.callWhenRunning(lambda: (threads.deferToThread(job).addBoth(results.append), own.stop()))
    own.addSystemEventTrigger("after", "shutdown", gate.set)
    own.run(installSignalHandlers=False)
    assert results == ["from the reactor"]


def test_H3_crashDoesNotWait(own: Reactor) -> None:
    """As after a second signal: a job that hangs holds nobody up."""
    gate = threading.Event()
    own.callWhenRunning(lambda: (own.callInThread(gate.wait, DEADLINE), own.stop()))
    own.addSystemEventTrigger("after", "shutdown", own.callLater, 0, own.crash)
    own.run(installSignalHandlers=False)
    assert not gate.is_set()
    gate.set()
    for thread in own._pool.threads[:]:  # type: ignore[union-attr]
        thread.join(DEADLINE)


@everySelector
def test_H3_noThreadIsLeftWhenRunReturns(own: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the last one takes its time between its last word and its end."""
    # A resolver that another test left hanging has one that nobody waits for.
    before = set(threading.enumerate())
    own.callWhenRunning(lambda: (threads.deferToThread(int), own.stop()))
    finish = ThreadPool._work

    def work(pool: ThreadPool, jobs: Any) -> None:
        finish(pool, jobs)
        time.sleep(0.05)

    monkeypatch.setattr(ThreadPool, "_work", work)
    own.run(installSignalHandlers=False)
    assert not set(threading.enumerate()) - before


def test_H3_thePoolIsStoppedBySomebodyElseToo(own: Reactor) -> None:
    """While the reactor waits for it, and even started again: `run()` returns all the same."""
    gate = threading.Event()
    pool = own.getThreadPool()
    own.callWhenRunning(lambda: (own.callInThread(gate.wait, DEADLINE), own.stop()))

    def others() -> None:
        pool.end()
        pool.start()
        pool.callInThread(int)
        gate.set()

    own.addSystemEventTrigger("after", "shutdown", own.callLater, 0, others)
    own.run(installSignalHandlers=False)
    pool.stop()


def test_H3_aResultToldInTheThreadMayCallIntoAReactorThatStops(own: Reactor) -> None:
    """The job is done and its thread tells the result: neither waits for the other for ever."""
    gate, results = threading.Event(), list[Any]()

    def told(succeeded: bool, result: Any) -> None:
        own.callFromThread(own.stop)
        assert gate.wait(DEADLINE)
        results.append(threads.blockingCallFromThread(own, int, "5"))

    own.callWhenRunning(lambda: own.getThreadPool().callInThreadWithCallback(told, int))
    own.addSystemEventTrigger("after", "shutdown", gate.set)
    own.run(installSignalHandlers=False)
    assert results == [5]


# H4.


def test_F5_noThreadsInAForkedProcess(own: Reactor) -> None:
    """A fork has none of the threads: a job would never be done, so it is refused."""
    assert runWith(own, lambda: threads.deferToThread(int, "5")) == 5
    # As before the next run.
    own._run.over = False
    answers, writes = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            own.callInThread(int)
        except RuntimeError as e:
            os.write(writes, str(e).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with open(answers, "rb") as file:
        assert b"cannot be used in its fork" in file.read()
    assert os.waitpid(pid, 0) == (pid, 0)


@everySelector
def test_H4_deferToThreadAfterTheStop(own: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, whether there was a pool or not; and once more when it runs again, it works again."""
    monkeypatch.setattr(threads, "currentReactor", lambda: own)
    results: list[Any] = []
    for _ in range(2):
        assert runWith(own, lambda: threads.deferToThread(int, "5")) == 5
        threads.deferToThread(int, "5").addErrback(lambda failure: results.append(failure.type))
        assert results.pop() is ReactorNotRunning
    own.callWhenRunning(own.stop)
    own.run(installSignalHandlers=False)
    threads.deferToThread(int, "5").addErrback(lambda failure: results.append(failure.type))
    assert results == [ReactorNotRunning]
    for call in (own.getThreadPool, lambda: own.callInThread(int), lambda: threads.callMultipleInThread([])):
        with pytest.raises(ReactorNotRunning, match="has stopped"):
            call()


@everySelector
def test_H4_inTheShutdownsTriggers(own: Reactor) -> None:
    """Before it, there are still threads; during it, there are none."""
    trace: list[Any] = []
    own.callWhenRunning(own.stop)
    own.addSystemEventTrigger("before", "shutdown", lambda: threads.deferToThread(int, "5").addBoth(trace.append))
    own.addSystemEventTrigger(
        "during", "shutdown", lambda: threads.deferToThread(int).addErrback(lambda f: trace.append(f.type))
    )
    own.run(installSignalHandlers=False)
    assert trace == [5, ReactorNotRunning]


def test_H4_aPoolThatWasStopped(own: Reactor) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    pool.stop()
    failure = runWith(own, lambda: threads.deferToThreadPool(own, pool, int))
    assert failure.type is ReactorNotRunning


# Results.


@default
def test_deferToThread(net: Net) -> None:
    here = threading.get_ident()

    def start() -> Deferred[Any]:
        d = threads.deferToThread(lambda *args, **kw: (threading.get_ident() != here, args, kw), 1, f=2)
        return d.addCallback(lambda result: (*result, threading.get_ident() == here))

    asked: list[Deferred[Any]] = []
    net.reactor.callLater(0, lambda: asked.append(start()))
    net.until(lambda: asked)
    assert net.result(asked[0]) == (True, (1,), {"f": 2}, True)


def test_beforeTheReactorRuns(own: Reactor) -> None:
    results: list[Any] = []
    pool = own.getThreadPool()
    threads.deferToThreadPool(own, pool, int, "5").addCallback(results.append).addCallback(lambda _: own.stop())
    assert pool.threads == [] and pool.busy
    own.run(installSignalHandlers=False)
    assert results == [5]


def test_contextVariables(own: Reactor) -> None:
    """They go into the thread with the work, and come back with its result; into the reactor with a blocking call."""
    variable.set("of the caller")

    def job() -> list[str]:
        seen = [variable.get()]
        variable.set("of the job")
        seen.append(threads.blockingCallFromThread(own, variable.get))
        return seen

    seen = runWith(own, lambda: threads.deferToThread(job).addCallback(lambda seen: [*seen, variable.get()]))
    assert seen == ["of the caller", "of the job", "of the job"]
    assert variable.get() == "of the caller"


def test_aDeferredFromAThread(own: Reactor) -> None:
    failure = runWith(own, lambda: threads.deferToThread(Deferred))
    assert failure.type is TypeError and "Deferred" in str(failure.value)


def test_aFailureFromAThread(own: Reactor) -> None:
    assert runWith(own, lambda: threads.deferToThread(Failure, KeyError("made there"))).type is KeyError


def test_cancelling(own: Reactor) -> None:
    """The call goes on; what it returns is dropped."""
    gate = threading.Event()

    def start() -> Deferred[Any]:
        d = threads.deferToThread(gate.wait, DEADLINE)
        d.cancel()
        gate.set()
        return d

    assert runWith(own, start).type.__name__ == "CancelledError"


def test_callMultipleInThread(own: Reactor, caplog: pytest.LogCaptureFixture) -> None:
    trace: list[Any] = []

    def note(*args: Any, **kw: Any) -> None:
        trace.append((threading.get_ident(), args, kw))

    def start() -> Deferred[Any]:
        own.suggestThreadPoolSize(1)
        threads.callMultipleInThread([(note, (1,), {}), (note, [2], {"a": 3}), (divmod, (1, 0), {}), (note, (), {})])
        return threads.deferToThread(int)

    runWith(own, start)
    assert [call[1:] for call in trace] == [((1,), {}), ((2,), {"a": 3})]
    assert len({call[0] for call in trace}) == 1
    assert "ZeroDivisionError" in caplog.text


def test_noFunction(own: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "currentReactor", lambda: own)
    for call in (own.callInThread, threads.deferToThread):
        with pytest.raises(TypeError, match="not callable"):
            call(5)  # type: ignore[arg-type]
    # Whether the reactor still has threads for it makes no difference.
    own.callWhenRunning(own.stop)
    own.run()
    with pytest.raises(TypeError, match="not callable"):
        threads.deferToThread(5)  # type: ignore[arg-type]


def test_sizes(own: Reactor) -> None:
    assert (own.getThreadPool().min, own.getThreadPool().max) == (0, 10)
    own.suggestThreadPoolSize(34)
    assert own.getThreadPool().max == 34
    with pytest.raises(ValueError, match="negative"):
        own.suggestThreadPoolSize(-1)


# Blocking calls.


def test_blockingCallInTheReactorsOwnThread(own: Reactor) -> None:
    """Raises, where it would wait for itself for ever."""
    results: list[Any] = []

    def start() -> None:
        try:
            threads.blockingCallFromThread(own, int)
        except RuntimeError as e:
            results.append(str(e))
        own.stop()

    own.callWhenRunning(start)
    own.run(installSignalHandlers=False)
    assert "own thread" in results[0]


def test_blockingCallWhoseReactorStops(own: Reactor) -> None:
    """Its Deferred never fires: the thread is told instead of being left waiting. And so is who comes too late."""
    errors: list[Any] = []

    def never() -> Deferred[None]:
        own.callLater(0.001, own.stop)
        return Deferred()

    def wait() -> None:
        for _ in range(2):
            try:
                threads.blockingCallFromThread(own, never)
            except ReactorNotRunning as e:
                errors.append(e)
            ended.wait(DEADLINE)

    ended = threading.Event()
    waiting: list[threading.Thread] = []
    own.callWhenRunning(lambda: waiting.append(inThread(wait)))
    own.run(installSignalHandlers=False)
    ended.set()
    waiting[0].join(DEADLINE)
    assert len(errors) == 2


def test_blockingCallBehindTheLastTurn(own: Reactor) -> None:
    """It comes after the calls of the run's last turn have been made: nobody waits for the next run."""
    errors, waiting = list[Any](), list[threading.Thread]()
    queued = threading.Event()

    def call() -> None:
        try:
            threads.blockingCallFromThread(own, int)
        except ReactorNotRunning as e:
            errors.append(e)

    def last() -> None:
        # From here on the loop makes no more calls.
        before = own.callFromThread

        def noticed(*args: Any) -> None:
            before(*args)
            queued.set()

        own.callFromThread = noticed  # type: ignore[method-assign]
        waiting.append(inThread(call))
        assert queued.wait(DEADLINE)

    own.callWhenRunning(own.stop)
    own.addSystemEventTrigger("after", "shutdown", last)
    own.run(installSignalHandlers=False)
    waiting[0].join(DEADLINE)
    assert not waiting[0].is_alive() and len(errors) == 1
    assert not own._blocked
    # Neither is it made by the next one.
    own.callWhenRunning(own.stop)
    own.run(installSignalHandlers=False)


def test_blockingCallIntoAnotherReactor(own: Reactor) -> None:
    """Two reactors in two threads: one waits for the other."""
    other = Reactor()
    up = threading.Event()

    def work() -> None:
        other.callWhenRunning(up.set)
        other.run()

    thread = inThread(work)
    assert up.wait(DEADLINE)
    here = threading.get_ident()
    results: list[Any] = []

    def start() -> None:
        results.append(threads.blockingCallFromThread(other, threading.get_ident))
        results.append(threads.blockingCallFromThread(other, lambda: threads.deferToThread(int, "5")))
        own.stop()

    own.callWhenRunning(start)
    own.run(installSignalHandlers=False)
    other.callFromThread(other.stop)
    thread.join(DEADLINE)
    other.close()
    assert results == [thread.ident, 5] and thread.ident != here


def test_aReactorInAThreadHasThreadsToo() -> None:
    """Not the main thread: no signals, everything else; each thread's reactor is its own."""
    results: dict[str, Any] = {}
    together = threading.Barrier(2)  # a thread that has ended may leave its identity to the next

    def work(name: str) -> None:
        mine = Reactor()
        together.wait(DEADLINE)

        def start() -> Deferred[Any]:
            assert reactor.currentReactor() is mine
            return threads.deferToThread(threading.current_thread).addCallback(lambda thread: thread.name)

        results[name] = runWith(mine, start), threading.get_ident()
        together.wait(DEADLINE)
        mine.close()

    workers = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(DEADLINE)
    assert results["a"][0] == results["b"][0] == "reactor-1"
    assert results["a"][1] != results["b"][1]


def test_interruptedTwiceAProgramEndsWithAJobThatHangs() -> None:
    program = """
import os, signal, threading
from reactor import reactor
def first():
    reactor.callInThread(threading.Event().wait)
    reactor.addSystemEventTrigger("after", "shutdown", os.kill, os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
reactor.callWhenRunning(first)
reactor.run()
print("returned", flush=True)
os._exit(0)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "returned\n", "")
