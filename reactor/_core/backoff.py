"""How long to wait before trying again, and the wait itself. Under `ReconnectingClientFactory` and `ClientService`.

The delay grows by a factor up to a maximum, and is spread at random so that a thousand clients which lost their server
at the same moment do not all come back at the same moment. Pure: time and randomness are arguments.
"""

from __future__ import annotations

from reactor._ground.log import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import DelayedCall


def grown(delay: float, factor: float, longest: float, times: int = 1) -> float:
    """`delay` after it grew by `factor` so many `times`, and `longest` if it were more (in seconds)."""
    try:
        return min(delay * float(factor) ** times, longest)
    except OverflowError:
        return longest


def spread(delay: float, part: float | None, longest: float, normal: Callable[[float, float], float]) -> float:
    """A delay about `delay`, from 0 to `longest` seconds.

    :param part: the standard deviation, as a part of `delay`; 0 or None: exactly `delay`.
    :param normal: as `random.normalvariate`.
    """
    if not part:
        return max(0.0, delay)
    wait = normal(delay, delay * part)
    if wait > longest:
        # Reflected, not cut off: half of all clients would otherwise wait for the same time, the longest.
        wait = longest - (wait - longest)
    return max(0.0, wait)


class Pause:
    """The time until the next attempt. There is one at most."""

    __slots__ = ("_call",)

    def __init__(self) -> None:
        self._call: DelayedCall | None = None

    def begin(self, clock: Any, delay: float, attempt: Callable[[], object]) -> None:
        """Call `attempt` in `delay` seconds of `clock`; an attempt that was to come before is off."""
        self.end()
        self._call = clock.callLater(delay, self._over, attempt)

    def end(self) -> None:
        """The attempt that was to come is off, if there was one."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _over(self, attempt: Callable[[], object]) -> None:
        self._call = None
        attempt()


def report(who: object, attempt: int, delay: float, reason: object) -> None:
    """Log, at level INFO, that `who` begins its `attempt`-th attempt in `delay` seconds, and why one is needed."""
    message("info", "%s: attempt %d in %.3g s, because: %s", who, attempt, delay, reason)


def reportEnd(who: object, attempts: int, reason: object) -> None:
    """Log, at level INFO, that `who` tries no more after so many `attempts`."""
    message("info", "%s: gives up after %d attempts, because: %s", who, attempts, reason)
