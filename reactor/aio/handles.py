"""What `call_soon`, `call_later` and `call_at` return: asyncio's handles, which fill themselves in.

asyncio's own ask their loop for its debug mode each time that one is made, and call up to their base classes; these do
in one step what all of that comes to when it is off (measured: a third of a timer's cost). In debug mode, and when
nothing may be called any more, a loop makes them the long way.

A timer's handle is itself the entry in the reactor's heap: it has what `TimerQueue` wants to know of one.
"""

from __future__ import annotations

from asyncio import Handle, TimerHandle
from contextvars import copy_context

from reactor._core.timers import CALLED, CANCELLED, NOT_QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any


class Soon(Handle):
    """What `call_soon` returns."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: Context | None
    ) -> None:
        """As a handle's; `context` None: a copy of the current one."""
        self._context: Context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class Timer(TimerHandle):
    """What `call_later` and `call_at` return."""

    __slots__ = ("_entry",)

    _entry: int

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: Any,
        context: Context | None,
        entry: int,
    ) -> None:
        """As a timer handle's; `entry` is the serial that it has in the heap."""
        self._context: Context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True
        self._entry = entry

    @staticmethod
    def carefully(
        when: float, callback: Callable[..., object], args: tuple[Any, ...], loop: Any, context: Context | None
    ) -> Timer:
        """The same by asyncio's own steps, which keep where it was made. The loop says then which entry it has."""
        timer = Timer.__new__(Timer)
        TimerHandle.__init__(timer, when, callback, args, loop, context)
        return timer

    def cancel(self) -> None:
        """Never make the call. Harmless when it was made or cancelled."""
        if self._cancelled:
            return
        loop = self._loop
        self._cancelled = True
        if loop._debug:
            self._repr = repr(self)  # type: ignore[assignment]
        self._callback = self._args = None  # type: ignore[assignment]
        entry = self._entry
        if entry >= NOT_QUEUED:
            self._entry = CANCELLED
            self._scheduled = False
            if entry:
                # TimerQueue.dropped(), without its call.
                queue = loop._timers
                queue.stale = stale = queue.stale + 1
                if stale > queue.most and stale * 4 > len(queue.heap) * 3:
                    queue.crowded()

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
        loop: Any = self._loop
        if loop._ready or len(loop._timers.ready) > 1:
            # Behind what was asked for before it, a task's first step for instance, and before what others that are
            # due will ask for.
            loop._enqueue(self)
            return
        if loop._debug:
            loop._runHandle(self)
            return
        # What `Handle._run` does, without its call and that of `_runHandle`.
        args = self._args
        try:
            if args:
                self._context.run(self._callback, *args)
            else:
                self._context.run(self._callback)
        except (SystemExit, KeyboardInterrupt) as e:
            loop._loop.escape(e)
        except BaseException as e:
            loop._handleRaised(self, e)
        # An exception that the call has kept, a task's, keeps this frame.
        del self, args
