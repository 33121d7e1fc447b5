"""Whether the server is still there: a PING every so often, and an answer in time.

Knows seconds and a clock; how to ping, and what becomes of a dead connection, it is told.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Heartbeat"]


class Heartbeat:
    """Pings while it runs, and tells when nothing at all is heard after a ping.

    :param clock: has ``callLater`` and ``seconds``.
    :param ping: sends a ping.
    :param dead: called once, with the seconds for which nothing was heard; then it has stopped.
    """

    def __init__(self, clock: Any, ping: Callable[[], object], dead: Callable[[float], object]) -> None:
        self._clock = clock
        self._ping = ping
        self._dead = dead
        self._heard: float = clock.seconds()
        self._beat: Any = None
        self._deadline: Any = None

    def heard(self) -> None:
        """Something came from the server, whatever it was."""
        self._heard = self._clock.seconds()

    def start(self, interval: float, timeout: float | None) -> None:
        """Ping every `interval` seconds; `timeout` seconds after one, something must have been heard. None: never
        mind.
        """
        self.stop()
        self._beat = self._clock.callLater(interval, self._next, interval, timeout)

    def stop(self) -> None:
        """Ping no more."""
        for call in (self._beat, self._deadline):
            if call is not None:
                call.cancel()
        self._beat = self._deadline = None

    def _next(self, interval: float, timeout: float | None) -> None:
        self._beat = self._clock.callLater(interval, self._next, interval, timeout)
        if timeout is not None and self._deadline is None:
            self._deadline = self._clock.callLater(timeout, self._check, self._clock.seconds())
        self._ping()

    def _check(self, pinged: float) -> None:
        self._deadline = None
        if self._heard < pinged:
            self.stop()
            self._dead(self._clock.seconds() - self._heard)
