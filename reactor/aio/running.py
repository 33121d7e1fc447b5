"""A loop's life: it is run, stopped, run again, and closed; and what asyncio sets up around each run.

There are two ways. A loop that *owns* its run is turned by `run_forever`, which has the reactor run until the loop is
stopped: nothing is closed then, so that it can be run again. A loop that is *carried* lives on a reactor that somebody
else runs by `reactor.run()`; see `carrying`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from asyncio import events
from weakref import WeakSet

from reactor._core.forks import tellInFork
from reactor._ground.current import runningReactor
from reactor.aio.scheduling import Scheduling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Generator
    from typing import Any, TypeVar

    T = TypeVar("T")

# What a loop says that cannot be run where it is.
_INSTEAD = "; in a program that a reactor runs, reactor.aio.start(coroutine) runs a coroutine as a task"


class Running(Scheduling):
    """The part of `EventLoop` that runs."""

    # Whether the reactor is this loop's own.
    _owned = False

    def __init__(self) -> None:
        super().__init__()
        self._stopping = False
        # What a callback raised that is to end the run: KeyboardInterrupt or SystemExit.
        self._problem: BaseException | None = None
        self._asyncgens: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()
        self._asyncgensOver = False
        # What was there before this run.
        self._hooksBefore: Any = None
        self._depthBefore: int | None = None
        self._wakeupBefore: int | None = None
        tellInFork(self)

    def forked(self) -> bool:
        """This is a fork: what was to be done, the parent does; or the child does, if the reactor goes on there."""
        if not self._loop.poller.inFork:
            return True
        self._ready.clear()
        self._armed = False
        self._thread = None
        return False

    # Running.

    def run_forever(self) -> None:
        """Run until `stop()`. RuntimeError when it is closed, running, or when another loop or reactor runs here."""
        self._checkClosed()
        self._checkRunning()
        if self._stopping:
            self._loop.soon(self._run.crash)
        escape, self._loop.escape = self._loop.escape, self._escaped
        try:
            self._run.run(self._reactor, False)
        finally:
            self._loop.escape = escape
            self._stopping = False
            problem, self._problem = self._problem, None
        if problem is not None:
            try:
                raise problem
            finally:
                del problem

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Run until `future` (a coroutine, future or other awaitable) is done; its result.

        RuntimeError as `run_forever`, and when the loop is stopped before.
        """
        self._checkClosed()
        self._checkRunning()
        given = asyncio.isfuture(future)
        task: asyncio.Future[T] = asyncio.ensure_future(future, loop=self)  # type: ignore[arg-type]
        if not given:
            # Reported by what is raised here.
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        task.add_done_callback(_stopFor)
        try:
            self.run_forever()
        except BaseException:
            if not given and task.done() and not task.cancelled():
                # It is what was raised; nobody will ask for it.
                task.exception()
            raise
        finally:
            task.remove_done_callback(_stopFor)
        if not task.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return task.result()

    def stop(self) -> None:
        """Have the run end with this turn of the loop; with the next one's first, when it does not run."""
        self._stopping = True
        if self.is_running():
            self._run.crash()

    def is_running(self) -> bool:
        """Whether it is being run."""
        return self._thread is not None

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Give everything back; what is open on it is closed. RuntimeError while it runs."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        if self._closed:
            return
        self._closed = self._careful = True
        self._ready.clear()
        self._closeParts()

    def _closeParts(self) -> None:
        raise NotImplementedError

    def __del__(self) -> None:
        if self._owned and not getattr(self, "_closed", True):
            warnings.warn(f"unclosed event loop {self!r}", ResourceWarning, stacklevel=1, source=self)
            if not self.is_running():
                self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} running={self.is_running()} closed={self.is_closed()} debug={self.get_debug()}>"

    def _checkRunning(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running" + _INSTEAD)
        if events._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        if runningReactor() is not None:
            raise RuntimeError("Cannot run an event loop inside a reactor that is running in this thread" + _INSTEAD)

    def _escaped(self, problem: BaseException) -> None:
        if self._problem is None:
            self._problem = problem
        self._run.crash()

    # Around each run: told by the reactor's.

    def entered(self) -> None:
        """The reactor begins to run in this thread."""
        self._thread = threading.get_ident()
        self._setOriginTracking(self._debug)
        self._hooksBefore = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgenBegan, finalizer=self._asyncgenDropped)
        events._set_running_loop(self)
        self._wakeOnSignals()

    def left(self) -> None:
        """The reactor's run is over."""
        if self._wakeupBefore is not None:
            import signal

            signal.set_wakeup_fd(self._wakeupBefore)
            self._wakeupBefore = None
        self._thread = None
        # Also when it was the reactor that ran.
        self._stopping = False
        events._set_running_loop(None)
        self._setOriginTracking(False)
        sys.set_asyncgen_hooks(*self._hooksBefore)

    def _wakeOnSignals(self) -> None:
        # A signal that another thread is given wakes the wait for events by this only; what then runs is the handler,
        # asyncio.Runner's for instance.
        if threading.current_thread() is not threading.main_thread():
            return
        import signal

        try:
            before = signal.set_wakeup_fd(self._loop.waker.writer, warn_on_full_buffer=False)
        except ValueError:
            # The main thread of an interpreter that is not the main one.
            return
        self._wakeupBefore = before

    def _setOriginTracking(self, enabled: bool) -> None:
        if enabled:
            if self._depthBefore is None:
                self._depthBefore = sys.get_coroutine_origin_tracking_depth()
                sys.set_coroutine_origin_tracking_depth(10)
        elif self._depthBefore is not None:
            depth, self._depthBefore = self._depthBefore, None
            sys.set_coroutine_origin_tracking_depth(depth)

    # Asynchronous generators.

    def _asyncgenBegan(self, agen: AsyncGenerator[Any, Any]) -> None:
        if self._asyncgensOver:
            warnings.warn(
                f"asynchronous generator {agen!r} was scheduled after loop.shutdown_asyncgens() call",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self._asyncgens.add(agen)

    def _asyncgenDropped(self, agen: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.discard(agen)
        if not self._closed:
            # Called by the garbage collector, in whatever thread that runs.
            self.call_soon_threadsafe(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close every asynchronous generator that is in its middle."""
        self._asyncgensOver = True
        closing = list(self._asyncgens)
        self._asyncgens.clear()
        results = await asyncio.gather(*[agen.aclose() for agen in closing], return_exceptions=True)
        for agen, result in zip(closing, results, strict=True):
            if isinstance(result, Exception):
                self.call_exception_handler(
                    {
                        "message": f"an error occurred during closing of asynchronous generator {agen!r}",
                        "exception": result,
                        "asyncgen": agen,
                    }
                )


def _stopFor(future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and isinstance(future.exception(), (SystemExit, KeyboardInterrupt)):
        # It ends the run by itself.
        return
    future.get_loop().stop()
