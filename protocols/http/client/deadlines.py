"""One timer for everything of a client that has a deadline: requests, and connections that are idle.

Whoever is watched has `deadline`, in seconds of the clock, and `expired()`. The timer looks at all of them when the
earliest may be due, and not at each request: putting one's deadline off costs nothing, a sooner one a comparison. After
a look it looks again no sooner than `GRAIN` seconds later, so that a thousand deadlines close together are not a
thousand looks; so much too late may one be told.
"""

from __future__ import annotations

from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Watched(Protocol):
        deadline: float

        def expired(self) -> None: ...


GRAIN = 0.02


class Deadlines:
    """See the module. `next` is when the timer is due: whoever gets a sooner deadline calls `sooner`."""

    __slots__ = ("_clock", "_timer", "next", "watched")

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._timer: Any = None
        self.next = inf
        self.watched: set[Any] = set()

    def add(self, watched: Watched) -> None:
        """Watch; until `discard`."""
        self.watched.add(watched)
        if watched.deadline < self.next:
            self.sooner(watched.deadline)

    def discard(self, watched: Watched) -> None:
        """Watch no more."""
        self.watched.discard(watched)
        if not self.watched:
            self._stop()

    def sooner(self, deadline: float) -> None:
        """One of them has a deadline before `next`."""
        self.next = deadline
        delay = max(0.0, deadline - self._clock.seconds())
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._look)
        else:
            self._timer.reset(delay)

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        self.next = inf
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        self._timer = None
        self.next = inf
        now = self._clock.seconds()
        for watched in [each for each in self.watched if each.deadline <= now]:
            # One that is told may end others.
            if watched in self.watched and watched.deadline <= now:
                watched.expired()
        first = min([each.deadline for each in self.watched], default=inf)
        if first < self.next:
            self.sooner(max(first, now + GRAIN))
