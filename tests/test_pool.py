"""`ThreadPool`: how many threads there are, when they end, and that no job is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from patience import PATIENCE

from reactor.failure import Failure
from reactor.threadpool import ThreadPool

DEADLINE = PATIENCE


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds jobs back; opened when the test is over, and then no thread of it may be left."""
    opened = threading.Event()
    before = set(threading.enumerate())
    yield opened
    opened.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE)
    assert set(threading.enumerate()) <= before


def test_threadsAreMadeWhenNoneIsIdle(gate: threading.Event) -> None:
    pool = ThreadPool(0, 3, "test")
    pool.start()
    assert pool.threads == []
    results: SimpleQueue[Any] = SimpleQueue()
    for number in range(20):
        pool.callInThreadWithCallback(lambda *result: results.put(result), int, number)
        assert results.get(timeout=DEADLINE) == (True, number)
    assert [thread.name for thread in pool.threads] == ["test-1"]
    for _ in range(5):
        pool.callInThread(gate.wait, DEADLINE)
    assert (len(pool.threads), pool.workers, pool.busy) == (3, 3, True)
    gate.set()
    pool.stop()
    assert (len(pool.threads), pool.workers, pool.busy) == (0, 0, False)


def test_atLeastSoMany(gate: threading.Event) -> None:
    pool = ThreadPool(2, 3)
    pool.start()
    pool.start()
    assert len(pool.threads) == 2
    pool.adjustPoolsize(3, 5)
    assert len(pool.threads) == 3
    pool.adjustPoolsize(0, 1)
    assert pool.workers == 1
    meeting: SimpleQueue[None] = SimpleQueue()
    pool.callInThread(meeting.put, None)
    meeting.get(timeout=DEADLINE)
    pool.stop()


def test_aLargerPoolTakesWhatWaits(gate: threading.Event) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    meeting = threading.Barrier(2)
    for _ in range(2):
        pool.callInThread(meeting.wait, DEADLINE)
    pool.adjustPoolsize(maxthreads=2)
    pool.stop()
    assert not meeting.broken


def test_notStartedJobsWait(gate: threading.Event) -> None:
    done: list[int] = []
    pool = ThreadPool(0, 1)
    pool.callInThread(done.append, 1)
    assert pool.threads == [] and not pool.started
    pool.start()
    pool.stop()
    assert done == [1] and pool.joined
    with pytest.raises(RuntimeError, match="takes no more jobs"):
        pool.callInThread(done.append, 2)
    pool.start()
    pool.callInThread(done.append, 3)
    pool.stop()
    assert done == [1, 3]


def test_stoppedBeforeItWasStarted(gate: threading.Event) -> None:
    """What was accepted is done."""
    done: list[int] = []
    pool = ThreadPool(0, 2)
    for number in range(5):
        pool.callInThread(done.append, number)
    pool.stop()
    assert sorted(done) == list(range(5))


def test_stoppedByAJob(gate: threading.Event) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    pool.callInThread(pool.stop)
    for thread in pool.threads[:]:
        thread.join(DEADLINE)
    assert pool.joined and pool.threads == []


def test_theLastThreadSaysSo(gate: threading.Event) -> None:
    pool = ThreadPool(0, 2)
    pool.start()
    drained = threading.Event()
    for _ in range(2):
        pool.callInThread(gate.wait, DEADLINE)
    pool.end(drained.set)
    assert not drained.is_set()
    gate.set()
    assert drained.wait(DEADLINE)
    again: list[int] = []
    pool.end(lambda: again.append(1))
    assert again == [1]


def test_results(gate: threading.Event, caplog: pytest.LogCaptureFixture) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    results: list[Any] = []

    def raises(*_: object) -> None:
        raise KeyError("told")

    pool.callInThreadWithCallback(lambda *result: results.append(result), int, "ff", base=16)
    pool.callInThreadWithCallback(lambda *result: results.append(result), sys.exit, 3)
    pool.callInThreadWithCallback(raises, int)
    pool.callInThreadWithCallback(None, int, "x")
    pool.stop()
    assert results[0] == (True, 255)
    assert results[1][0] is False and isinstance(results[1][1], Failure) and results[1][1].type is SystemExit
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "what was told the result of a call in a thread raised",
        "a call in a thread raised",
    ]


def test_aSystemWithoutAThreadToGive(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    pool = ThreadPool(0, 2)
    pool.start()

    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="can't start"):
            pool.callInThread(done.append, 1)
        assert not pool.busy
    pool.callInThread(gate.wait, DEADLINE)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        pool.callInThread(done.append, 2)
    gate.set()
    pool.stop()
    assert done == [2]


def test_aJobIsNotKeptAlive(gate: threading.Event) -> None:
    class Job:
        def __call__(self) -> None:
            raise ValueError

    pool = ThreadPool(0, 1)
    pool.start()
    job, gone = Job(), threading.Event()
    weakref.finalize(job, gone.set)
    pool.callInThreadWithCallback(lambda *_: None, job)
    del job
    assert gone.wait(DEADLINE)
    pool.stop()


@pytest.mark.parametrize("sizes", [(-1, 2), (3, 2), (0, -1)])
def test_sizesThatAreNone(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="threads"):
        ThreadPool(*sizes)
    pool = ThreadPool(1, 1)
    with pytest.raises(ValueError, match="threads"):
        pool.adjustPoolsize(*sizes)
    assert (pool.min, pool.max) == (1, 1)
    assert "not started" in repr(pool)


def test_theInterpreterWaitsForJobs() -> None:
    """Neither lost nor, when they are done, in the way of the end."""
    program = (
        "import threading; from reactor.threadpool import ThreadPool; pool = ThreadPool(2, 3); pool.start();"
        "pool.callInThread(lambda: (threading.main_thread().join(), print('done')))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
