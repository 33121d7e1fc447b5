"""What is to be called soon, later or at a time: asyncio's handles on the reactor's list of calls and heap of timers.

`call_soon` keeps a line of handles of its own, which one call of the reactor's loop works off: as many as are in it
when that call begins, so that what they ask for waits for the next turn, as asyncio has it. The handles are asyncio's
own classes, filled in here without their `__init__` (measured: 0.25 us of 0.9), except in debug mode.

A timer's handle is itself the entry in the reactor's heap: it has what `TimerQueue` wants to know of one.
"""

from __future__ import annotations

import asyncio
import inspect
import reprlib
import threading
from asyncio import Handle, TimerHandle
from asyncio.log import logger
from collections import deque
from contextvars import copy_context
from heapq import heappush
from time import monotonic

from reactor._core.timers import CALLED, CANCELLED, NOT_QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.running import Run
    from reactor._core.timers import TimerQueue
    from reactor.base import Reactor

# Any: their attributes are known to no type checker.
_newHandle: Any = Handle.__new__
# From 3.14 on a handle that other threads may cancel is a class of its own.
_ThreadHandle: type[Handle] = getattr(asyncio.events, "_ThreadSafeHandle", Handle)


class Timer(TimerHandle):
    """What `call_later` and `call_at` return."""

    __slots__ = ("_entry", "_queue")

    _entry: int
    _queue: TimerQueue

    def cancel(self) -> None:
        """Never make the call. Harmless when it was made or cancelled."""
        entry = self._entry
        super(TimerHandle, self).cancel()
        if entry >= NOT_QUEUED:
            self._entry = CANCELLED
            self._scheduled = False
            if entry:
                self._queue.dropped()

    def abandon(self) -> None:
        """Never make the call: this is a fork."""
        self._entry = CANCELLED
        super(TimerHandle, self).cancel()

    def runDue(self) -> None:
        """Make the call, for the reactor's loop: its time has come."""
        if self._entry != NOT_QUEUED:
            return
        self._entry = CALLED
        self._scheduled = False
        loop: Any = self._loop  # type: ignore[attr-defined]
        if loop._ready or len(self._queue.ready) > 1:
            # Behind what was asked for before it, a task's first step for instance, and before what others that are
            # due will ask for.
            loop._enqueue(self)
            return
        if loop._debug:
            loop._runHandle(self)
            return
        # What `Handle._run` does, without its call and that of `_runHandle`.
        try:
            self._context.run(self._callback, *self._args)  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt) as e:
            loop._loop.escape(e)
        except BaseException as e:
            loop._handleRaised(self, e)


# What `call_soon` makes; Any, so that the check for it narrows nothing.
_Plain: Any = Handle
_newTimer: Any = Timer.__new__


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
        handle = _newHandle(Handle)
        handle._context = copy_context() if context is None else context
        handle._loop = self
        handle._callback = callback
        handle._args = args
        handle._cancelled = False
        handle._repr = None
        handle._source_traceback = None
        self._ready.append(handle)
        if not self._armed:
            self._armed = True
            self._loop.calls.append(self._readyCall)
        return handle  # type: ignore[no-any-return]

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
        timer: Any = self.call_at(monotonic() + delay, callback, *args, context=context)
        if timer._source_traceback:
            del timer._source_traceback[-1]
        return timer  # type: ignore[no-any-return]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """Call `callback(*args)` when `time()` is `when`."""
        if self._careful:
            return self._callAtCarefully(when, callback, args, context)
        if when is None:
            raise TypeError("when cannot be None")
        timer = _newTimer(Timer)
        timer._context = copy_context() if context is None else context
        timer._loop = self
        timer._callback = callback
        timer._args = args
        timer._cancelled = False
        timer._repr = None
        timer._source_traceback = None
        timer._when = when
        timer._scheduled = True
        timer._queue = timers = self._timers
        timers.serial = timer._entry = serial = timers.serial + 1
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
        timer: Any = Timer(when, callback, args, self, context)
        if timer._source_traceback:
            del timer._source_traceback[-2:]
        timer._scheduled = True
        timer._queue = timers = self._timers
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
        try:
            for _ in range(len(ready)):
                handle = popped()
                if handle._cancelled:
                    continue
                if careful or handle.__class__ is not _Plain:
                    self._runHandle(handle)
                else:
                    try:
                        handle._context.run(handle._callback, *handle._args)
                    except (SystemExit, KeyboardInterrupt) as e:
                        loop.escape(e)
                        break
                    except BaseException as e:
                        self._handleRaised(handle, e)
                if dirty:
                    loop.flush()
        except IndexError:
            # One of them turned the loop itself, and made the rest.
            pass
        handle = None
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
