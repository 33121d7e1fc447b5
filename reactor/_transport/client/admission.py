"""Which of the names that wait is asked next, and when. Pure: asks nobody, knows no clock.

A look-up cannot be interrupted: a name whose server does not answer keeps the thread that asks for as long as the
system likes, mostly 5 to 30 seconds. So a thread is a lane that may be blocked, and the point is that one is always
about to come free:

- So many names are asked at once. When all lanes are taken, another is opened only after `pace` seconds for each that
  there is: the more names hang, the slower do they get further lanes. With the numbers below it takes half a minute to
  reach the most, and by then the first ones come free again, as evenly as they were taken.
- A lane that comes free takes the next name at once, so that names that are answered never wait for the pace.
- The newest and the oldest name take turns. By age alone a good name would wait behind every hanging one that was asked
  for before it; and the newest alone would let the others wait for ever.
- A name that nobody waits for any more leaves, and is not asked.
"""

from __future__ import annotations

from collections import OrderedDict

from reactor.defer.generic import Generic, T

# Lanes that are opened without a wait; lanes at most; seconds before another, for each lane that there is.
AT_ONCE = 8
MOST = 64
PACE = 0.015


class Admission(Generic[T]):
    """The row of what waits, and the lanes. Times are seconds of any clock that does not go back."""

    __slots__ = ("_asked", "_atOnce", "_lanes", "_most", "_newest", "_opened", "_pace", "waiting")

    def __init__(self, atOnce: int = AT_ONCE, most: int = MOST, pace: float = PACE) -> None:
        self._atOnce = atOnce
        self._most = most
        self._pace = pace
        self.waiting: OrderedDict[T, None] = OrderedDict()
        # Invariant: 0 <= asked <= lanes <= most. Lanes that are free when nothing waits are closed.
        self._lanes = self._asked = 0
        # When the last lane was opened.
        self._opened = 0.0
        # Whether the newest is next, not the oldest.
        self._newest = False

    def next(self, now: float) -> T | None:
        """What is to be asked now, which takes a lane until `ended`; None: nothing now."""
        if not self.waiting:
            self._lanes = self._asked
            return None
        if self._asked == self._lanes:
            if self._lanes >= self._most or (self._lanes >= self._atOnce and now < self._due()):
                return None
            self._lanes += 1
            self._opened = now
        self._asked += 1
        chosen, _ = self.waiting.popitem(last=self._newest)
        self._newest = not self._newest
        return chosen

    def ended(self) -> None:
        """One of those that were asked was answered: its lane is free."""
        self._asked -= 1

    def delay(self, now: float) -> float | None:
        """Seconds until `next` has something, if nothing happens before; None: never, then."""
        if not self.waiting or self._lanes >= self._most:
            return None
        return max(0.0, self._due() - now)

    def _due(self) -> float:
        return self._opened + self._pace * self._lanes
