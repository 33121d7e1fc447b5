"""The reactor's methods for work in other threads, apart from it since most programs need none: the pool, and what it
stands on, is loaded when one of them is called.

The pool lives as long as a run. It does jobs from the first turn on; when the reactor stops, it accepts none from the
moment on when connections are closed, and the reactor goes on turning until those that it has are done: so a job may
still call into the reactor, and every Deferred gets its result.
"""

from __future__ import annotations

from _thread import allocate_lock

from reactor._core.running import RunState
from reactor.error import ReactorNotRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Thread
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.running import Run
    from reactor.threadpool import ThreadPool
    from reactor.threads import _BlockingCall

# How many threads the pool of a reactor has at most, unless `suggestThreadPoolSize` says otherwise.
THREADS = 10

_making = allocate_lock()


class InThreads:
    """A reactor's `callInThread`, `getThreadPool` and `suggestThreadPoolSize`."""

    _pool: ThreadPool | None = None
    # Calls of threads that wait for their results, and that have not been made yet.
    _blocked: set[_BlockingCall] | None = None

    if TYPE_CHECKING:
        # The reactor's own.
        _run: Run
        _loop: Loop

    def callInThread(self, f: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call `f(*args, **kw)` in a thread of the pool, in the context variables of now. What it raises is logged.

        :raises ReactorNotRunning: when the reactor has stopped. TypeError: for an `f` that cannot be called.
        """
        self.getThreadPool().callInThread(f, *args, **kw)

    def getThreadPool(self) -> ThreadPool:
        """The pool that `callInThread` uses, made on first use; at most 10 threads unless `suggestThreadPoolSize` says
        otherwise. Jobs that come before the reactor runs wait until it does.

        ReactorNotRunning when the reactor has stopped, until it runs again. RuntimeError in a process that was forked
        from the reactor's, which has none of its threads.
        """
        self._loop.poller.checkProcess()
        if self._run.over:
            raise ReactorNotRunning("getThreadPool(): this reactor has stopped")
        pool = self._pool
        if pool is None or pool.joined:
            from reactor.threadpool import ThreadPool

            with _making:
                pool = self._pool
                if pool is None or pool.joined:
                    pool = self._pool = ThreadPool(0, THREADS if pool is None else pool.max, "reactor")
                    self._begin(pool)
        return pool

    @property
    def threadpool(self) -> ThreadPool | None:
        """The pool, None when there is none yet. To have it made, call `getThreadPool`."""
        return self._pool

    def _begin(self, pool: ThreadPool) -> None:
        def start() -> None:
            if not pool.joined:
                pool.start()

        if self._run.running:
            start()
            return
        # Ahead of what `callWhenRunning` is given; and in the first turn, where there is no such event.
        self._run.triggers.add("during", "startup", start, (), {})
        self._loop.callFromThread(start, (), {})

    def suggestThreadPoolSize(self, size: int) -> None:
        """Let the pool have at most `size` threads. ValueError for a negative number; raises as `getThreadPool`."""
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    def _blocking(self) -> set[_BlockingCall]:
        with _making:
            if self._blocked is None:
                self._blocked = set()
            return self._blocked

    def _refuseBlocked(self) -> None:
        """Let nobody wait for a call that came behind the last turn of a run. From any thread."""
        # Calls from threads are made until the very end, for the jobs that are waited for.
        if self._blocked and self._run.over and self._run.state is RunState.STOPPED:
            for call in list(self._blocked):
                call.refuse()

    def _endThreads(self, done: Callable[[], object] | None) -> None:
        """Accept no more jobs; `done()` is called when there is none left, in the loop's thread. None: wait here."""
        pool = self._pool
        if done is None:
            if pool is not None:
                pool.stop()
        elif pool is None or not (pool.threads or pool.busy):
            if pool is not None:
                pool.end()
            done()
        else:
            ending: list[Thread] = []

            def over() -> None:
                # They have told their last results, and are about to end.
                for thread in ending:
                    thread.join()
                done()

            ending += pool.end(lambda: self._loop.callFromThread(over, (), {}))
