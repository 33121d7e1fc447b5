"""What is to be called soon, later or at a time: asyncio's handles on the reactor's list of calls and heap of timers.

`call_soon` keeps a line of handles of its own, which one call of the reactor's loop works off: as many as are in it
when that call begins, so that what they ask for waits for the next turn, as asyncio has it. What a handle is, and that
of a timer, is told in `handles`.
"""

from __future__ import annotations

import asyncio
import inspect
import reprlib
import threading
from asyncio import Handle
from asyncio.log import logger
from collections import deque
from heapq import heappush
from time import monotonic

from reactor.aio.handles import Soon, Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.running import Run
    from reactor.base import Reactor

# From 3.14 on a handle that other threads may cancel is a class of its own.
_LOCKED: type[Handle] | None = getattr(asyncio.events, "_ThreadSafeHandle", None)
_ThreadHandle: type[Handle] = _LOCKED or Handle


class Scheduling(asyncio.AbstractEventLoop):
    """The part of `EventLoop` that makes calls."""

    _reactor: Reactor
    _run: Run
    _loop: Loop

    def __init__(self) -> None:
        self._timers = self._loop.timers
        self._ready: deque[Any] = deque()
        # Invariant: True while `_runReady` is among the calls of the reactor's loop, or runs.
        self._armed = False
        self._readyCall: Any = (None, self._runReady, (), {})
        self._armCall: Any = (None, self._runUnarmed, (), {})
        # Whether handles are made the long way: in debug mode, and when nothing may be called any more.
        self._careful = False
        self._closed = False
        self._debug = False
        self._thread: int | None = None
        #: Seconds; in debug mode a callback that takes longer is logged.
        self.slow_callback_duration = 0.1

    def time(self) -> float:
        """The time in seconds on the monotonic clock that timers go by."""
        return monotonic()

    def get_debug(self) -> bool:
        """Whether debug mode is on."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Switch debug mode on or off: wrong threads are noticed, handles keep where they come from, slow callbacks
        are logged.
        """
        self._debug = bool(enabled)
        self._careful = self._debug or self._closed
        if self.is_running():
            self.call_soon_threadsafe(self._setOriginTracking, self._debug)

    def _setOriginTracking(self, enabled: bool) -> None:
        raise NotImplementedError

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        """Call `callback(*args)` in the next turn of the loop, in `context` or a copy of the current one.

        RuntimeError when the loop is closed; in debug mode also in another thread than the loop's.
        """
        if self._careful:
            return self._callSoonCarefully("call_soon", callback, args, context)
        handle = Soon(callback, args, self, context)
        self._ready.append(handle)
        if not self._armed:
            self._armed = True
            self._loop.calls.append(self._readyCall)
        return handle

    def _callSoonCarefully(
        self, method: str, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> Handle:
        self._checkClosed()
        if self._debug:
            self._checkThread()
            checkCallback(callback, method)
        handle: Any = Handle(callback, args, self, context)
        if handle._source_traceback:
            del handle._source_traceback[-2:]
        self._enqueue(handle)
        return handle  # type: ignore[no-any-return]

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """The same from any thread, and from signal handlers."""
        self._checkClosed()
        if self._debug:
            checkCallback(callback, "call_soon_threadsafe")
        handle: Any = _ThreadHandle(callback, args, self, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        self._ready.append(handle)
        self._armFromOutside()
        return handle  # type: ignore[no-any-return]

    def _armFromOutside(self) -> None:
        """Something was put into the line by another thread or a signal handler: have it worked off."""
        # `_armed` is the loop's thread's, which looks at it.
        self._loop.calls.append(self._armCall)
        self._loop.waker.ring()

    def _runUnarmed(self) -> None:
        # Armed, what is in the line has its turn already; to run it here would be a turn more for those who came last.
        if not self._armed:
            self._runReady()

    def _enqueue(self, handle: Handle) -> None:
        self._ready.append(handle)
        if not self._armed:
            self._armed = True
            self._loop.calls.append(self._readyCall)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """Call `callback(*args)` in `delay` seconds; soon, when that is negative."""
        if delay is None:
            raise TypeError("delay must not be None")
        when = monotonic() + delay
        if self._careful:
            return self._callAtCarefully(when, callback, args, context)
        timers = self._timers
        timers.serial = serial = timers.serial + 1
        timer: Any = Timer(when, callback, args, self, context, serial)
        heappush(timers.heap, (when, serial, timer))
        return timer  # type: ignore[no-any-return]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """Call `callback(*args)` when `time()` is `when`."""
        if self._careful:
            return self._callAtCarefully(when, callback, args, context)
        if when is None:
            raise TypeError("when cannot be None")
        timers = self._timers
        timers.serial = serial = timers.serial + 1
        timer: Any = Timer(when, callback, args, self, context, serial)
        heappush(timers.heap, (when, serial, timer))
        return timer  # type: ignore[no-any-return]

    def _callAtCarefully(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> TimerHandle:
        if when is None:
            raise TypeError("when cannot be None")
        self._checkClosed()
        if self._debug:
            self._checkThread()
            checkCallback(callback, "call_at")
        timer: Any = Timer.carefully(when, callback, args, self, context)
        if timer._source_traceback:
            del timer._source_traceback[-3:]
        timer._scheduled = True
        timers = self._timers
        timers.serial = timer._entry = serial = timers.serial + 1
        heappush(timers.heap, (when, serial, timer))
        return timer  # type: ignore[no-any-return]

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """For handles that asyncio makes itself: nothing is kept of them here."""

    # Making the calls.

    def _runReady(self) -> None:
        """Make the calls that are in line now."""
        self._armed = True
        ready = self._ready
        loop = self._loop
        dirty = loop.dirty
        careful = self._debug
        popped: Callable[[], Any] = ready.popleft
        args: Any
        # Counted down: where there is one call a turn, a range costs a twentieth of the turn.
        left = len(ready)
        while left:
            left -= 1
            try:
                handle = popped()
            except IndexError:
                # One of them turned the loop itself, and made the rest.
                break
            if handle._cancelled:
                continue
            if careful or handle.__class__ is _LOCKED:
                self._runHandle(handle)
            else:
                # What `Handle._run` does, without its call, and without a list of no arguments.
                args = handle._args
                try:
                    if args:
                        handle._context.run(handle._callback, *args)
                    else:
                        handle._context.run(handle._callback)
                except (SystemExit, KeyboardInterrupt) as e:
                    loop.escape(e)
                    break
                except BaseException as e:
                    self._handleRaised(handle, e)
            if dirty:
                loop.flush()
        # An exception that a call has kept, a task's, keeps this frame.
        handle = args = None
        if ready:
            loop.calls.append(self._readyCall)
        else:
            self._armed = False

    def _runHandle(self, handle: Handle) -> None:
        """Make one call."""
        began = monotonic() if self._debug else None
        try:
            handle._run()
        except (SystemExit, KeyboardInterrupt) as e:
            self._loop.escape(e)
        if began is not None:
            took = monotonic() - began
            if took >= self.slow_callback_duration:
                logger.warning("Executing %s took %.3f seconds", described(handle), took)
        # An exception that the call has kept, a task's, keeps this frame.
        del handle

    def timed(self, f: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """For debug mode: `f`, a protocol's, logged when it is slow."""

        def dataReceived(data: bytes) -> None:
            began = monotonic()
            try:
                f(data)
            finally:
                took = monotonic() - began
                if self._debug and took >= self.slow_callback_duration:
                    logger.warning("Executing %s took %.3f seconds", nameOf(f, (data,)), took)

        return dataReceived

    def _handleRaised(self, handle: Any, problem: BaseException) -> None:
        context: dict[str, Any] = {
            "message": f"Exception in callback {nameOf(handle._callback, handle._args)}",
            "exception": problem,
            "handle": handle,
        }
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    # What may be refused.

    def _checkClosed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def _checkThread(self) -> None:
        if self._thread is not None and self._thread != threading.get_ident():
            raise RuntimeError("Non-thread-safe operation invoked on an event loop other than the current one")


def checkCallback(callback: object, method: str) -> None:
    """TypeError when `callback` is a coroutine or cannot be called."""
    if asyncio.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
        raise TypeError(f"coroutines cannot be used with {method}()")
    if not callable(callback):
        raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")


def nameOf(callback: Any, args: tuple[Any, ...]) -> str:
    """How `callback(*args)` is called in a log."""
    name = getattr(callback, "__qualname__", None) or reprlib.repr(callback)
    return f"{name}({', '.join(map(reprlib.repr, args))})"


def described(handle: Any) -> str:
    """What a slow handle is called in the log: the task whose step it was, where it was one."""
    owner = getattr(handle._callback, "__self__", None)
    return repr(owner if isinstance(owner, asyncio.Task) else handle)
