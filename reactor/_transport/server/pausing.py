"""A port that does not hear for a while, for either of two reasons that know nothing of each other: its program paused
it, or it rests of its own accord, since what it asks the system for fails again and again and would be asked for ever.
"""

from __future__ import annotations

from reactor._core.poller import READ
from reactor._transport.server.stopping import Stoppable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall

# Seconds of a rest; and within which failures belong together.
REST = 0.1
# Failures on end before a rest.
MOST_FAILURES = 100


class Pausable(Stoppable):
    """A port that can be paused."""

    __slots__ = ("_failedAt", "_failures", "_paused", "_resting")

    def __init__(self, loop: Loop) -> None:
        """Not open yet."""
        super().__init__(loop)
        # Whether the program wants to hear nothing.
        self._paused = False
        # When the rest is over.
        self._resting: DelayedCall | None = None
        # How many system calls have failed on end, and when the last one did.
        self._failures = 0
        self._failedAt = 0.0

    def pauseProducing(self) -> None:
        """Leave what comes in the kernel's queue until `resumeProducing`."""
        self._paused = True
        self._loop.poller.drop(self, READ)

    def resumeProducing(self) -> None:
        """Hear again."""
        self._paused = False
        self._hear()

    stopReading = pauseProducing
    startReading = resumeProducing

    def _hear(self) -> None:
        if self._sock is not None and not self._paused and self._resting is None:
            self._loop.poller.want(self, READ)

    def _failed(self) -> bool:
        """One more system call failed; whether it is the first one after a time without."""
        now = self._loop.timers.seconds()
        if now - self._failedAt > REST:
            self._failures = 0
        self._failedAt = now
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._rest()
        return self._failures == 1

    def _rest(self) -> None:
        """Hear nothing for a moment."""
        self._loop.poller.drop(self, READ)
        if self._resting is None:
            self._resting = self._loop.timers.callLater(REST, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._failures = 0
        self._hear()

    def _close(self) -> None:
        resting, self._resting = self._resting, None
        if resting is not None:
            resting.cancel()
        self._paused = False
        super()._close()
