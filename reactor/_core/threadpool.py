"""Threads that take jobs from a queue: made when a job finds none idle, up to a limit, and gone when they are told to
end or more are idle than are worth keeping.

They are daemon threads, unlike those of `concurrent.futures`: a name server that does not answer must not keep a
finished program from exiting.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue


class Workers:
    """Up to `limit` threads."""

    __slots__ = ("_idle", "_jobs", "_keep", "_made", "_name", "_threads", "limit")

    def __init__(self, limit: int, name: str, keep: int | None = None) -> None:
        """`name` is what each thread's name begins with. Of idle threads `keep` stay (None: all)."""
        self.limit = limit
        self._keep = limit if keep is None else keep
        self._name = name
        self._jobs: SimpleQueue[Callable[[], object] | None] | None = None
        self._threads = 0
        # How many were made since the first or since `end`: what they are named by.
        self._made = 0
        # Threads that wait for a job, less the jobs that wait for a thread.
        self._idle = 0

    def do(self, job: Callable[[], object]) -> object:
        """Have `job()` called in a thread. It must not raise. From one thread only.

        Returns the receipt that `done` takes. RuntimeError when the system has no thread to give.
        """
        if self._jobs is None:
            from queue import SimpleQueue

            self._jobs = SimpleQueue()
        if self._idle <= 0 and self._threads < self.limit:
            self._start(self._jobs)
        self._idle -= 1
        self._jobs.put(job)
        return self._jobs

    def _start(self, jobs: SimpleQueue[Callable[[], object] | None]) -> None:
        from threading import Thread

        thread = Thread(target=_work, args=(jobs,), name=f"{self._name}-{self._made + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system has none to give; the job then waits for one that there is.
            if not self._threads:
                raise
        else:
            self._threads += 1
            self._made += 1
            self._idle += 1

    def done(self, receipt: object) -> None:
        """The job that `do` gave this receipt for is finished. To be called in the thread that calls `do`, once for
        each.
        """
        # The thread of a job from before `end` takes no more.
        if self._jobs is None or receipt is not self._jobs:
            return
        self._idle += 1
        if self._idle > self._keep:
            self._idle -= 1
            self._threads -= 1
            self._jobs.put(None)

    def end(self) -> None:
        """Let every thread end when it has nothing left to do. Later jobs start new ones."""
        if self._jobs is not None:
            for _ in range(self._threads):
                self._jobs.put(None)
        self._jobs = None
        self._threads = self._made = self._idle = 0


def _work(jobs: SimpleQueue[Callable[[], object] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        # Not kept alive while this thread waits for the next.
        del job
