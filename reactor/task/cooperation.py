"""Iterators that take turns, so that long work holds up nothing else.

Each step of an iterator is a bit of work. A `Cooperator` lets its tasks make a step each, round after round, until a
hundredth of a second is over; then the reactor has its turn. A task whose iterator yields a Deferred waits for it.
"""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from reactor._ground.current import currentReactor
from reactor.defer import Deferred
from reactor.failure import Failure
from reactor.task.errors import NotPaused, SchedulerError, SchedulerStopped, TaskDone, TaskFailed, TaskStopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any
    from weakref import WeakKeyDictionary

# How many seconds tasks may work until the reactor has its turn.
SLICE = 0.01


def _slice() -> Callable[[], bool]:
    end = monotonic() + SLICE
    return lambda: monotonic() >= end


def _soon(f: Callable[[], object]) -> Any:
    return currentReactor().callLater(0, f)


class CooperativeTask:
    """One iterator that takes its turns: what `cooperate` returns."""

    __slots__ = ("__weakref__", "_cooperator", "_finished", "_iterator", "_pauses", "_result", "_waiting")

    def __init__(self, iterator: Iterator[Any], cooperator: Cooperator) -> None:
        """Not for programs: `Cooperator.cooperate` makes them."""
        self._iterator = iterator
        self._cooperator = cooperator
        # Invariant: the cooperator has this in its list while it is 0 and the task is not finished.
        self._pauses = 0
        # Why it goes on no more, and what whenDone() gives then.
        self._finished: SchedulerError | None = None
        self._result: Any = None
        self._waiting: list[Deferred[Any]] = []
        cooperator._add(self)

    def whenDone(self) -> Deferred[Any]:
        """A new Deferred of the iterator, when that has come to its end.

        It fails with what the iterator raised, or what a Deferred that it yielded failed with; with `TaskStopped` after
        `stop`, and with `SchedulerStopped` when the cooperator is stopped.
        """
        deferred: Deferred[Any] = Deferred()
        if self._finished is None:
            self._waiting.append(deferred)
        else:
            deferred.callback(self._result)
        return deferred

    def pause(self) -> None:
        """Make no more steps until `resume` was called as often as this.

        TaskDone, TaskFailed, TaskStopped or SchedulerStopped when the task goes on no more anyway.
        """
        self._refuseWhenFinished()
        self._pause()

    def resume(self) -> None:
        """Take back one `pause`. NotPaused when there is none."""
        if self._pauses == 0:
            raise NotPaused(f"resume(): {self!r} is not paused")
        self._pauses -= 1
        if self._pauses == 0 and self._finished is None:
            self._cooperator._add(self)

    def stop(self) -> None:
        """Make no more steps at all. Raises as `pause`."""
        self._refuseWhenFinished()
        self._finish(TaskStopped(), Failure(TaskStopped()))

    def _pause(self) -> None:
        self._pauses += 1
        if self._pauses == 1:
            self._cooperator._remove(self)

    def _refuseWhenFinished(self) -> None:
        if self._finished is not None:
            raise self._finished

    def _finish(self, why: SchedulerError, result: Any) -> None:
        if self._finished is not None:
            # Stopped, and then the Deferred that it waited for failed as well.
            return
        self._finished = why
        self._result = result
        if self._pauses == 0:
            self._cooperator._remove(self)
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(result)

    def _failed(self, failure: Failure) -> None:
        self._finish(TaskFailed(), failure)

    def _step(self) -> None:
        try:
            result = next(self._iterator)
        except StopIteration:
            self._finish(TaskDone(), self._iterator)
        except BaseException:
            self._failed(Failure())
        else:
            if isinstance(result, Deferred):
                self._pause()
                result.addCallbacks(lambda _: self.resume(), self._failed)

    def __repr__(self) -> str:
        state = type(self._finished).__name__ if self._finished else "paused" if self._pauses else "at work"
        return f"<CooperativeTask of {self._iterator!r}: {state}>"


class Cooperator:
    """Lets tasks take turns."""

    def __init__(
        self,
        terminationPredicateFactory: Callable[[], Callable[[], bool]] = _slice,
        scheduler: Callable[[Callable[[], None]], Any] = _soon,
        started: bool = True,
    ) -> None:
        """Without tasks.

        :param terminationPredicateFactory: called when a turn begins; what it returns is called after each step, and
            the turn ends when that says so. The default ends it after `SLICE` seconds.
        :param scheduler: calls what it is given soon, and returns what has a `cancel()`. The default is `callLater` of
            the reactor that runs in this thread.
        :param started: False: no step is made before `start()`.
        """
        self._predicateFactory = terminationPredicateFactory
        self._scheduler = scheduler
        # Told to: None before the first start, False after a stop.
        self._started: bool | None = True if started else None
        self._tasks: list[CooperativeTask] = []
        # Lives longer than a turn, so that the next one begins with who would have come next.
        self._round: Iterator[CooperativeTask] = iter(())
        self._scheduled: Any = None

    @property
    def running(self) -> bool:
        """Whether tasks make steps: it was started, and not stopped since."""
        return self._started is True

    def cooperate(self, iterator: Iterator[Any]) -> CooperativeTask:
        """Let `iterator` take its turns. What it yields is ignored, but for a Deferred, which it then waits for.

        TypeError when it is no iterator.
        """
        if not hasattr(iterator, "__next__"):
            raise TypeError(f"cooperate(): {iterator!r} is no iterator; iter() makes one of what can be iterated")
        return CooperativeTask(iterator, self)

    def coiterate(self, iterator: Iterator[Any], doneDeferred: Deferred[Any] | None = None) -> Deferred[Any]:
        """As `cooperate`, but returns the Deferred of `whenDone`.

        :param doneDeferred: the Deferred to fire, and to return, in place of a new one.
        """
        done = self.cooperate(iterator).whenDone()
        if doneDeferred is None:
            return done
        done.chainDeferred(doneDeferred)
        return doneDeferred

    def start(self) -> None:
        """Let tasks make steps. Nothing when they do."""
        self._started = True
        self._schedule()

    def stop(self) -> None:
        """End: every task that is not paused, and every one that is added or resumed later, fails with
        `SchedulerStopped`, until `start()`.
        """
        self._started = False
        tasks, self._tasks = self._tasks, []
        stopped = tasks[:]
        # A round that goes on ends here.
        tasks.clear()
        for task in stopped:
            task._finish(SchedulerStopped(), Failure(SchedulerStopped()))
        self._cancel()

    def _add(self, task: CooperativeTask) -> None:
        if self._started is False:
            task._finish(SchedulerStopped(), Failure(SchedulerStopped()))
        else:
            self._tasks.append(task)
            self._schedule()

    def _remove(self, task: CooperativeTask) -> None:
        try:
            self._tasks.remove(task)
        except ValueError:
            # It never came in: the cooperator was stopped.
            return
        if not self._tasks:
            self._cancel()

    def _schedule(self) -> None:
        if self._started and self._scheduled is None and self._tasks:
            self._scheduled = self._scheduler(self._turn)

    def _cancel(self) -> None:
        scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None:
            scheduled.cancel()

    def _turn(self) -> None:
        self._scheduled = None
        self._steps(self._predicateFactory())
        self._schedule()

    def _steps(self, over: Callable[[], bool]) -> None:
        while self._tasks:
            for task in self._round:
                task._step()
                if over():
                    return
            self._round = iter(self._tasks)


# One for each reactor: those in other threads take no part in each other's turns.
_cooperators: WeakKeyDictionary[Any, Cooperator] | None = None
_making = allocate_lock()


def _ofThisThread() -> Cooperator:
    global _cooperators
    reactor = currentReactor()
    with _making:
        if _cooperators is None:
            from weakref import WeakKeyDictionary

            _cooperators = WeakKeyDictionary()
        cooperator = _cooperators.get(reactor)
        if cooperator is None:
            cooperator = _cooperators[reactor] = Cooperator()
        return cooperator


def cooperate(iterator: Iterator[Any]) -> CooperativeTask:
    """Let `iterator` take turns with all others that were given to this function, on the reactor of this thread.

    See `Cooperator.cooperate`.
    """
    return _ofThisThread().cooperate(iterator)


def coiterate(iterator: Iterator[Any]) -> Deferred[Any]:
    """As `cooperate`, but returns the Deferred of the iterator when that has come to its end."""
    return _ofThisThread().coiterate(iterator)
