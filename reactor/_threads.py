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
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.running import Run
    from reactor.threadpool import ThreadPool

# How many threads the pool of a reactor has at most, unless `suggestThreadPoolSize` says otherwise.
THREADS = 10

_making = allocate_lock()


class InThreads:
    """A reactor's `callInThread`, `getThreadPool` and `suggestThreadPoolSize`."""

    _pool: ThreadPool | None = None

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

        ReactorNotRunning when the reactor has stopped, until it runs again.
        """
        if self._run.over:
            raise ReactorNotRunning("getThreadPool(): this reactor has stopped")
        pool = self._pool
        if pool is None or pool.joined:
            from reactor.threadpool import ThreadPool

            with _making:
                pool = self._pool
                if pool is None or pool.joined:
                    pool = self._pool = ThreadPool(0, THREADS if pool is None else pool.max, "reactor")
                    self._loop.callFromThread(pool.start, (), {})
        return pool

    def suggestThreadPoolSize(self, size: int) -> None:
        """Let the pool have at most `size` threads. ValueError for a negative number; raises as `getThreadPool`."""
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    def _hasReturned(self) -> bool:
        # Calls from threads are made until the very end, for the jobs that are waited for.
        return self._run.over and self._run.state is RunState.STOPPED

    def _endThreads(self, done: Callable[[], object] | None) -> None:
        """Accept no more jobs; `done()` is called when there is none left, in the loop's thread. None: wait here."""
        pool = self._pool
        if pool is not None and not pool.joined:
            if done is not None and pool.busy:
                pool.end(lambda: self._loop.callFromThread(done, (), {}))
                return
            pool.stop()
        if done is not None:
            done()
