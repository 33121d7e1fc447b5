"""Flood control: lines wait for their turn, so that the server does not throw us out. Times come as arguments."""

from __future__ import annotations

from collections import deque

__all__ = ["FloodQueue", "FloodQueueFull"]


_NO_TIME = 1e-6


class FloodQueueFull(Exception):
    """More lines wait already than may. The one that was to be sent is not in the queue."""


class FloodQueue:
    """Lines that are sent one every `lineRate` seconds, after a `burst` that needs no waiting.

    A token bucket: it holds `burst` lines at most, and gets one every `lineRate` seconds. What is urgent (PONG) is due
    at once, before all that waits, and takes from the bucket too.

    :param lineRate: seconds; None or 0 for no limit.
    :param burst: lines.
    :param maximum: how many lines may wait.
    :raises ValueError: when one of these is negative, or there is no burst.
    """

    def __init__(self, lineRate: float | None, burst: int = 1, maximum: int = 10_000) -> None:
        if lineRate is not None and not lineRate >= 0:
            raise ValueError(f"lineRate must be None or at least 0 seconds, not {lineRate!r}")
        if burst < 1:
            raise ValueError(f"burst must be at least 1 line, not {burst!r}")
        if maximum < 1:
            raise ValueError(f"maximum must be at least 1 line, not {maximum!r}")
        self.lineRate = lineRate or 0.0
        self.burst = burst
        self.maximum = maximum
        self._urgent: deque[bytes] = deque()
        self._lines: deque[bytes] = deque()
        # When the bucket is, or was, full: each line that is sent makes it lineRate later.
        self._fullAt = float("-inf")

    def __len__(self) -> int:
        """How many lines wait."""
        return len(self._lines) + len(self._urgent)

    def push(self, line: bytes, urgent: bool = False) -> None:
        """Have `line` wait.

        :raises FloodQueueFull: when as many wait as may.
        """
        if len(self) >= self.maximum:
            raise FloodQueueFull(f"{self.maximum} lines wait to be sent")
        (self._urgent if urgent else self._lines).append(line)

    def due(self, now: float) -> list[bytes]:
        """The lines to send now, in this order; they wait no more."""
        lines = list(self._urgent)
        self._urgent.clear()
        if lines:
            self._fullAt = max(self._fullAt, now) + len(lines) * self.lineRate
        while self._lines and not self._wait(now):
            lines.append(self._lines.popleft())
            self._fullAt = max(self._fullAt, now) + self.lineRate
        return lines

    def wait(self, now: float) -> float | None:
        """In how many seconds something is due; None when nothing waits."""
        if self._urgent:
            return 0.0
        return self._wait(now) if self._lines else None

    def _wait(self, now: float) -> float:
        """How long until the bucket has a line in it."""
        seconds = self._fullAt - now - (self.burst - 1) * self.lineRate
        # Whoever waits as long as this says must not find that a rounding error is still to be waited for.
        return seconds if seconds > _NO_TIME else 0.0

    def clear(self) -> list[bytes]:
        """All lines that wait, which wait no more: those that the connection took with it."""
        lines = [*self._urgent, *self._lines]
        self._urgent.clear()
        self._lines.clear()
        return lines
