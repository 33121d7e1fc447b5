"""When lines are sent: a `FloodQueue` and the clock that it needs."""

from __future__ import annotations

from protocols.irc.flood import FloodQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["SendQueue"]


class SendQueue:
    """Sends lines when a `FloodQueue` says that they are due.

    :param send: called with the line and its end.
    :param clock: has ``callLater`` and ``seconds``.
    """

    def __init__(self, send: Callable[[bytes], object], clock: Any) -> None:
        self._send = send
        self._clock = clock
        self._queue = FloodQueue(None)
        self._call: Any = None
        self._stopped = False

    def put(self, line: bytes, rate: float, burst: int, maximum: int, urgent: bool) -> None:
        """Send `line` when it is its turn, or never after `stop`. `rate` and so on are `FloodQueue`'s, which raises
        FloodQueueFull.
        """
        if self._stopped:
            return
        queue = self._queue
        # What is urgent is due at once and waits for nothing: there is always room for it.
        queue.lineRate, queue.burst, queue.maximum = rate, burst, maximum + urgent
        queue.push(line, urgent)
        self._run()

    def _run(self) -> None:
        now = self._clock.seconds()
        for line in self._queue.due(now):
            self._send(line)
        wait = self._queue.wait(now)
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if wait is not None:
            self._call = self._clock.callLater(wait, self._later)

    def _later(self) -> None:
        self._call = None
        self._run()

    def stop(self) -> list[bytes]:
        """Send no more, also of what is still put in. The lines that waited."""
        self._stopped = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        return self._queue.clear()
