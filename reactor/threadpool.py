"""Threads for work that would block: made when a job finds none idle, up to a limit, and ended by `stop`, which does
not come before every job that was accepted is done.

A queue and a lock rather than the standard library's `concurrent.futures`: a job through its executor was measured to
take 1.2 to 3 times as long (four threads, empty jobs), and `import concurrent.futures.thread` takes 15 ms.

Knows nothing of the reactor; may be used from any thread.
"""

from __future__ import annotations

import atexit
from _thread import allocate_lock
from contextvars import copy_context
from enum import Enum
from queue import SimpleQueue
from threading import Thread, current_thread

from reactor._ground.log import reportException
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    OnResult = Callable[[bool, Any], object]
    Job = tuple[Callable[..., object], OnResult | None, Callable[..., object], tuple[Any, ...], dict[str, Any]]


class PoolState(Enum):
    """Where a pool is: NEW -> STARTED -> ENDED, and from ENDED it may be started again."""

    # Jobs are accepted, and wait.
    NEW = "not started"
    STARTED = "started"
    # No more jobs are accepted; those that were are still being done, perhaps.
    ENDED = "stopped"


class ThreadPool:
    """From `min` to `max` threads that do jobs."""

    def __init__(self, minthreads: int = 5, maxthreads: int = 20, name: str | None = None) -> None:
        """Not started: jobs are accepted, and wait.

        :param name: what the threads' names begin with.
        :raises ValueError: for a negative number, or more at least than at most.
        """
        _checkSize("ThreadPool", minthreads, maxthreads)
        self.min = minthreads
        self.max = maxthreads
        self.name = name
        self._state = PoolState.NEW
        self._lock = allocate_lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        # Invariants, under the lock. `threads` are those that have not ended, `workers` counts those of them that have
        # not been told to. While it is started there are as many workers as jobs in `_unfinished`, or `max`.
        self.threads: list[Thread] = []
        self.workers = 0
        self._unfinished = 0
        self._made = 0
        # Who waits for which threads to end.
        self._draining: list[tuple[set[Thread], Callable[[], object]]] = []

    @property
    def started(self) -> bool:
        """Whether jobs are being done."""
        return self._state is PoolState.STARTED

    @property
    def joined(self) -> bool:
        """Whether it was stopped: no job is accepted."""
        return self._state is PoolState.ENDED

    @property
    def busy(self) -> bool:
        """Whether there are jobs that have not been done yet."""
        return self._unfinished > 0

    def start(self) -> None:
        """Begin to do jobs. Nothing when it has begun."""
        with self._lock:
            if self._state is PoolState.STARTED:
                return
            self._state = PoolState.STARTED
            atexit.register(self.stop)
            self._grow()

    def stop(self) -> None:
        """Accept no more jobs, and wait until those that were accepted are done and their threads have ended.

        A job may call this; its own thread is not waited for.
        """
        for thread in self.end():
            if thread is not current_thread():
                thread.join()

    def end(self, drained: Callable[[], object] | None = None) -> list[Thread]:
        """As `stop`, but wait for nothing. `drained()` is called when everything is done: by the last thread, or here
        when there is none. Who asked for that before is told as well.

        :return: the threads that have not ended.
        """
        with self._lock:
            if self._state is PoolState.NEW and self._unfinished:
                self._grow()
            self._state = PoolState.ENDED
            atexit.unregister(self.stop)
            for _ in range(self.workers):
                self._jobs.put(None)
            self.workers = 0
            # Should it be started again meanwhile: the threads of then are others, and do not hear what these are told.
            self._jobs = SimpleQueue()
            left = self.threads[:]
            if left and drained is not None:
                self._draining.append((set(left), drained))
        if not left and drained is not None:
            drained()
        return left

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """Have at least and at most as many threads; None: as before. Those that are too many end when they are idle.

        ValueError for a negative number, or more at least than at most.
        """
        with self._lock:
            least = self.min if minthreads is None else minthreads
            most = self.max if maxthreads is None else maxthreads
            _checkSize("adjustPoolsize", least, most)
            self.min, self.max = least, most
            while self.workers > most:
                self.workers -= 1
                self._jobs.put(None)
            if self._state is PoolState.STARTED:
                self._grow()

    def callInThread(self, func: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call `func(*args, **kw)` in one of the threads. What it returns is dropped, what it raises is logged.

        Raises as `callInThreadWithCallback`.
        """
        self._do("callInThread", None, func, args, kw)

    def callInThreadWithCallback(
        self, onResult: OnResult | None, func: Callable[..., object], /, *args: Any, **kw: Any
    ) -> None:
        """Call `func(*args, **kw)` in one of the threads, in the context variables of now, and then, in the same,
        `onResult(True, result)`; or `onResult(False, failure)` with a `Failure` of what it raised. What `onResult`
        raises is logged.

        :raises RuntimeError: when this was stopped, or the system has no thread to give. TypeError: for a `func` that
            cannot be called.
        """
        self._do("callInThreadWithCallback", onResult, func, args, kw)

    def _do(
        self,
        method: str,
        onResult: OnResult | None,
        func: Callable[..., object],
        args: tuple[Any, ...],
        kw: dict[str, Any],
    ) -> None:
        if not callable(func):
            raise TypeError(f"{method}(): {func!r} is not callable")
        job = (copy_context().run, onResult, func, args, kw)
        with self._lock:
            if self._state is PoolState.ENDED:
                raise RuntimeError(f"{method}(): {self!r} takes no more jobs")
            self._unfinished += 1
            if self._state is PoolState.STARTED and self.workers < self._unfinished:
                try:
                    self._grow()
                except BaseException:
                    self._unfinished -= 1
                    raise
            self._jobs.put(job)

    def _grow(self) -> None:
        wanted = max(self.min, min(self._unfinished, self.max))
        while self.workers < wanted:
            name = f"{self.name or 'reactor-pool'}-{self._made + 1}"
            thread = Thread(target=self._work, args=(self._jobs,), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # The system has none to give; jobs then wait for one that there is.
                if not self.workers:
                    raise
                return
            self._made += 1
            self.workers += 1
            self.threads.append(thread)

    def _work(self, jobs: SimpleQueue[Job | None]) -> None:
        while (job := jobs.get()) is not None:
            job[0](self._doJob, *job[1:])
            # Not kept alive while this thread waits for the next.
            del job
        this = current_thread()
        with self._lock:
            self.threads.remove(this)
            for left, _ in self._draining:
                left.discard(this)
            over = [drained for left, drained in self._draining if not left]
            self._draining = [entry for entry in self._draining if entry[0]]
        for drained in over:
            drained()

    def _doJob(
        self, onResult: OnResult | None, func: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> None:
        result: Any
        try:
            result, succeeded = func(*args, **kw), True
        except BaseException:
            result, succeeded = Failure(), False
        # Before the result is told: who is told may have the next job, for which this thread is free.
        with self._lock:
            self._unfinished -= 1
        try:
            if onResult is not None:
                onResult(succeeded, result)
            elif not succeeded:
                reportException("a call in a thread raised: %r", result, func)
        except BaseException as e:
            reportException("what was told the result of a call in a thread raised: %r", e, onResult)
        # This frame is part of the failure's traceback, which would keep both alive in a circle.
        result = None

    def __repr__(self) -> str:
        return (
            f"<ThreadPool {self.name or 'without a name'}, {self._state.value}:"
            f" {len(self.threads)} of at most {self.max} threads, {self._unfinished} jobs>"
        )


def _checkSize(method: str, least: int, most: int) -> None:
    if least < 0 or most < 0:
        raise ValueError(f"{method}(): numbers of threads must not be negative, not {least!r} and {most!r}")
    if least > most:
        raise ValueError(f"{method}(): at least {least!r} threads are more than at most {most!r}")
