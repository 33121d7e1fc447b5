"""What did not work is tried again, later each time: a clock's call that comes after waits that grow.

Knows seconds and a clock; what is tried, and whether that worked, others know.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Again"]


class Again:
    """Calls `attempt` after waits of which each is twice as long as the one before.

    :param clock: has ``callLater``.
    """

    def __init__(self, clock: Any, attempt: Callable[[], object]) -> None:
        self._clock = clock
        self._attempt = attempt
        self._wait = 0.0
        self._call: Any = None

    @property
    def waits(self) -> bool:
        """Whether an attempt is to come."""
        return self._call is not None

    def later(self, shortest: float, longest: float) -> None:
        """Try again: in `shortest` seconds the first time, in `longest` at most. Nothing if it `waits` already."""
        if self._call is None:
            self._wait = max(shortest, min(2 * self._wait, longest))
            self._call = self._clock.callLater(self._wait, self._now)

    def hurry(self) -> None:
        """Do not wait any longer, if it `waits`."""
        if self._call is not None:
            self._call.cancel()
            self._now()

    def stop(self) -> None:
        """The attempt that was to come is off, if there was one."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def reset(self) -> None:
        """The next wait is the shortest again."""
        self._wait = 0.0

    def _now(self) -> None:
        self._call = None
        self._attempt()
