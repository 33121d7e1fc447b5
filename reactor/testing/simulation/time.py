"""Virtual time: what is due is done in order, and between two things that are due no time is spent."""

from __future__ import annotations

from reactor._core.timers import TimerQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import DelayedCall


class VirtualTime:
    """A clock that stands still until somebody moves it, with the calls that wait for it."""

    def __init__(self) -> None:
        """Begins at 0."""
        self._now = 0.0
        self._queue = TimerQueue(self.seconds)

    def seconds(self) -> float:
        """The time in seconds."""
        return self._now

    def callLater(self, delay: float, f: Callable[..., object], /, *args: Any) -> DelayedCall:
        """Call `f(*args)` when `delay` seconds have passed."""
        return self._queue.callLater(delay, f, *args)

    @property
    def next(self) -> float | None:
        """When the next call may be due; None when there is none."""
        heap = self._queue.heap
        return heap[0][0] if heap else None

    def moveTo(self, when: float) -> None:
        """Let time pass until `when`, and make the calls that are due by then. Never goes back."""
        while (due := self.next) is not None and due <= when:
            self._now = max(self._now, due)
            for call in self._queue.due(self._now):
                call.runDue()
        self._now = max(self._now, when)

    def clear(self) -> None:
        """Forget every call."""
        for call in self._queue.calls():
            call.cancel()
