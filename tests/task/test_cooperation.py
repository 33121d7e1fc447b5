"""`Cooperator` where it is ours alone, or what a clock cannot show; the rest is compared with Twisted's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from patience import PATIENCE

from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.task import (
    Clock,
    Cooperator,
    NotPaused,
    SchedulerError,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    coiterate,
    cooperate,
)


def oneStepATurn(clock: Clock, started: bool = True) -> Cooperator:
    return Cooperator(lambda: lambda: True, lambda f: clock.callLater(1, f), started)


def steps(trace: list[Any], name: str, count: int) -> Iterator[None]:
    for number in range(count):
        trace.append((name, number))
        yield


def test_theyTakeTurns() -> None:
    clock = Clock()
    trace: list[Any] = []
    cooperator = oneStepATurn(clock)
    for name in "ab":
        cooperator.coiterate(steps(trace, name, 2)).addCallback(lambda _, name=name: trace.append(name))
    clock.pump([1] * 6)
    assert trace[:4] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert sorted(trace[4:]) == ["a", "b"]
    assert clock.getDelayedCalls() == []


def test_aTurnIsShort() -> None:
    """A hundredth of a second, whatever there is to do: then the reactor has its turn."""
    clock = Clock()
    cooperator = Cooperator(scheduler=lambda f: clock.callLater(1, f))

    def endless() -> Iterator[None]:
        while True:
            yield

    for _ in range(3):
        cooperator.cooperate(endless())
    began, used = time.monotonic(), time.process_time()
    clock.advance(1)
    assert time.monotonic() - began > 0.009
    assert time.process_time() - used < 1
    cooperator_tasks = len(clock.getDelayedCalls())
    assert cooperator_tasks == 1


def test_whyATaskIsFinished() -> None:
    clock = Clock()
    cooperator = oneStepATurn(clock)
    done = cooperator.cooperate(iter([]))
    failed = cooperator.cooperate(iter(int, 0))
    failed._iterator = map(int, ["no number"])
    stopped = cooperator.cooperate(iter([]))
    stopped.stop()
    clock.pump([1] * 4)
    kinds: list[tuple[Any, type[SchedulerError]]] = [(done, TaskDone), (failed, TaskFailed), (stopped, TaskStopped)]
    for task, kind in kinds:
        assert issubclass(kind, TaskFinished)
        for call in (task.pause, task.stop):
            with pytest.raises(kind):
                call()
        with pytest.raises(NotPaused):
            task.resume()
        assert kind.__name__ in repr(task)
    results: list[Any] = []
    for task, _ in kinds:
        task.whenDone().addBoth(results.append)
    assert results[0] is done._iterator
    assert [result.type for result in results[1:]] == [ValueError, TaskStopped]


def test_stoppingFinishesAll() -> None:
    clock = Clock()
    cooperator = oneStepATurn(clock)
    results: list[Failure] = []
    for _ in range(5):
        cooperator.coiterate(iter([1])).addErrback(results.append)
    cooperator.stop()
    cooperator.coiterate(iter([1])).addErrback(results.append)
    assert [result.type for result in results] == [SchedulerStopped] * 6
    assert clock.getDelayedCalls() == [] and not cooperator.running
    cooperator.start()
    trace: list[Any] = []
    cooperator.cooperate(steps(trace, "again", 1))
    clock.advance(1)
    assert trace == [("again", 0)]


def test_stoppedWhileItWaitsForWhatFails() -> None:
    """It stays stopped; the late failure is nobody's business."""
    clock = Clock()
    waits: Deferred[None] = Deferred()
    task = oneStepATurn(clock).cooperate(iter([waits]))
    clock.advance(1)
    task.stop()
    waits.errback(ValueError("late"))
    results: list[Any] = []
    task.whenDone().addErrback(results.append)
    assert results[0].type is TaskStopped


def test_aDeferredOfTheCaller() -> None:
    clock = Clock()
    mine: Deferred[Any] = Deferred()
    assert oneStepATurn(clock).coiterate(iter([]), mine) is mine
    clock.advance(1)
    assert mine.called


@pytest.mark.parametrize("what", [[1, 2], None, 5])
def test_noIterator(what: Any) -> None:
    with pytest.raises(TypeError, match="no iterator"):
        Cooperator(started=False).cooperate(what)


async def test_onAReactor(reactor: Reactor) -> None:
    """A step that yields a Deferred waits for it, while the others go on."""
    trace: list[Any] = []

    def waiting() -> Iterator[Any]:
        waits: Deferred[None] = Deferred()
        reactor.callLater(0.005, waits.callback, None)
        yield waits
        trace.append("waited")

    for done in [cooperate(waiting()).whenDone(), coiterate(steps(trace, "a", 3))]:
        await done
    assert trace == [("a", 0), ("a", 1), ("a", 2), "waited"]


def test_twoThreadsTakeNoPartInEachOthersTurns() -> None:
    where: dict[str, set[int]] = {"a": set(), "b": set()}
    meeting = threading.Barrier(2)

    def note(name: str) -> Iterator[None]:
        for _ in range(50):
            where[name].add(threading.get_ident())
            yield

    def work(name: str) -> None:
        reactor = Reactor()

        def start() -> None:
            meeting.wait(PATIENCE)
            coiterate(note(name)).addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(start)
        reactor.run(installSignalHandlers=False)
        meeting.wait(PATIENCE)  # a thread that has ended may leave its identity to the next
        reactor.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in where]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(where["a"]) == len(where["b"]) == 1
    assert where["a"] != where["b"]
