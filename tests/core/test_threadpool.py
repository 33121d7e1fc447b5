"""Threads that take jobs from a queue: never more than the limit, used again when idle, gone when told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue

import pytest
from patience import PATIENCE

from reactor._core.threadpool import Workers

DEADLINE = PATIENCE


class Jobs:
    """Gives jobs to workers, as a loop would: `done` is called in the thread that calls `do`."""

    def __init__(self, limit: int, keep: int | None = None) -> None:
        self.workers = Workers(limit, "test-workers", keep)
        self.finished: SimpleQueue[tuple[int, str]] = SimpleQueue()
        self.receipts: dict[int, object] = {}
        self.number = 0

    def do(self, wait: Callable[[], object] = lambda: None) -> None:
        number = self.number = self.number + 1

        def job() -> None:
            wait()
            self.finished.put((number, threading.current_thread().name))

        self.receipts[number] = self.workers.do(job)

    def reap(self, count: int = 1) -> list[str]:
        """Wait until `count` more are finished; the names of the threads that did them."""
        names = []
        for _ in range(count):
            number, name = self.finished.get(timeout=DEADLINE)
            self.workers.done(self.receipts.pop(number))
            names.append(name)
        return names


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("test-workers")]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds jobs back; opened when the test is over, and then no thread of it may be left."""
    opened = threading.Event()
    yield opened
    opened.set()
    for thread in alive():
        thread.join(DEADLINE)
    assert not alive()


def test_noThreadWithoutAJob(gate: threading.Event) -> None:
    jobs = Jobs(3)
    assert not alive()
    jobs.workers.end()


def test_anIdleThreadIsUsedAgain(gate: threading.Event) -> None:
    jobs = Jobs(3)
    names = set()
    for _ in range(5):
        jobs.do()
        names.update(jobs.reap())
    assert names == {"test-workers-1"}
    jobs.workers.end()


def test_upToTheLimitAtATimeAndTheRestInOrder(gate: threading.Event) -> None:
    jobs = Jobs(3)
    started: SimpleQueue[int] = SimpleQueue()

    def waitAtTheGate(number: int) -> None:
        started.put(number)
        gate.wait(DEADLINE)

    for number in range(7):
        jobs.do(partial(waitAtTheGate, number))
    assert sorted(started.get(timeout=DEADLINE) for _ in range(3)) == [0, 1, 2]
    assert len(alive()) == 3 and started.empty()
    gate.set()
    jobs.reap(7)
    assert sorted(started.get(timeout=DEADLINE) for _ in range(4)) == [3, 4, 5, 6]
    assert len(alive()) == 3
    jobs.workers.end()


def test_idleThreadsTakeJobsAfterTheLimitWasReached(gate: threading.Event) -> None:
    jobs = Jobs(2)
    for _ in range(5):
        jobs.do()
    jobs.reap(5)
    # Both are idle now, whatever was counted while jobs waited: two jobs that need each other end.
    meeting = threading.Barrier(2)
    jobs.do(lambda: meeting.wait(DEADLINE))
    jobs.do(lambda: meeting.wait(DEADLINE))
    jobs.reap(2)
    assert len(alive()) == 2
    jobs.workers.end()


def test_moreThanAreWorthKeepingEnd(gate: threading.Event) -> None:
    jobs = Jobs(5, keep=2)
    for _ in range(8):
        jobs.do(lambda: gate.wait(DEADLINE))
    assert len(alive()) == 5
    five = alive()
    gate.set()
    jobs.reap(8)
    deadline = time.monotonic() + DEADLINE
    while sum(thread.is_alive() for thread in five) > 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(alive()) == 2
    # And those are used; names of threads are not given twice.
    meeting = threading.Barrier(4)
    for _ in range(4):
        jobs.do(lambda: meeting.wait(DEADLINE))
    assert len(alive()) == 4 and len({thread.name for thread in [*five, *alive()]}) == 7
    jobs.reap(4)
    jobs.workers.end()


def test_endLetsThreadsFinishWhatTheyHave(gate: threading.Event) -> None:
    jobs = Jobs(1)
    jobs.do(lambda: gate.wait(DEADLINE))
    jobs.do()
    jobs.workers.end()
    gate.set()
    jobs.reap(2)


def test_jobsAfterTheEndStartNewThreads(gate: threading.Event) -> None:
    jobs = Jobs(1)
    jobs.do(lambda: gate.wait(DEADLINE))
    jobs.workers.end()
    jobs.do()
    number, _ = jobs.finished.get(timeout=DEADLINE)
    jobs.workers.done(jobs.receipts.pop(number))
    jobs.workers.end()


def test_aJobThatOutlivesTheEndIsNoIdleThreadOfTheNext(gate: threading.Event) -> None:
    jobs = Jobs(1)
    jobs.do(lambda: gate.wait(DEADLINE))
    jobs.workers.end()
    gate.set()
    jobs.reap()
    jobs.do()
    jobs.reap()
    jobs.workers.end()


def test_endTwiceAndWithoutAJob(gate: threading.Event) -> None:
    jobs = Jobs(1)
    jobs.workers.end()
    jobs.do()
    jobs.workers.end()
    jobs.workers.end()
    jobs.reap()


def test_aSystemWithoutAThreadToGive(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(3)

    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="can't start"):
            jobs.do()
    # The job that was refused is not done later.
    jobs.do(lambda: gate.wait(DEADLINE))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        # There is one thread, which does it when it comes to it.
        jobs.do()
    gate.set()
    assert jobs.reap(2) == ["test-workers-1"] * 2
    assert jobs.finished.empty()
    jobs.workers.end()


def test_aJobIsNotKeptAliveByTheThreadThatDidIt(gate: threading.Event) -> None:
    import weakref

    class Job:
        def __call__(self) -> None:
            pass

    job, jobs = Job(), Jobs(1)
    gone = threading.Event()
    weakref.finalize(job, gone.set)
    receipt = jobs.workers.do(job)
    del job
    assert gone.wait(DEADLINE)
    jobs.workers.done(receipt)
    jobs.workers.end()


def test_aHangingJobDoesNotKeepTheProcess() -> None:
    program = (
        "import threading; from reactor._core.threadpool import Workers;"
        "started = threading.Event();"
        "Workers(1, 'x').do(lambda: (started.set(), threading.Event().wait()));"
        "started.wait(); print('end')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "end\n", "")
