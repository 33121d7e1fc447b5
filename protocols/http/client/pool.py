"""Which request gets which connection: the pool, a pure thing. It counts places, keeps what is idle and who waits; it
opens no socket and knows no clock.

A *place* is a connection, or the attempt to make one; no more than `limit` of them at a time, and `limitPerOrigin` to
one origin. Whoever asks gets an idle connection, the right to make one, or waits in line. The line is one for all
origins: who came first is served first, but for those whose origin has all its places. Where all places are taken and
a connection is idle, the one that has been so longest gives way.

Invariants: a place is counted from the answer `MAKE`, or `placeGiven`, to `lost`; an idle connection belongs to nobody;
nobody waits while there is a place for him, or an idle connection.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Protocol

    class Waiter(Protocol):
        """Who asks. Called from inside `release`, `remove`, `lost` and `withdraw`, never from inside `ask`."""

        origin: Any

        def connectionGiven(self, connection: Any) -> None:
            """An idle connection is his now."""

        def placeGiven(self) -> None:
            """He is to make a connection."""


MAKE: Final = "make"


class _Line:
    """Those who wait for one origin, each with his number."""

    __slots__ = ("listed", "waiters")

    def __init__(self) -> None:
        self.waiters: OrderedDict[Any, int] = OrderedDict()
        # The number under which the first of them stands in the heap of those whose origin has room; 0: not there.
        self.listed = 0

    def first(self) -> int:
        """The number of the first."""
        return next(iter(self.waiters.values()))


class Pool:
    """See the module."""

    def __init__(self, limit: int, limitPerOrigin: int, evict: Callable[[Any], object]) -> None:
        """`evict(connection)` is to close an idle connection whose place somebody else has got. ValueError for limits
        that are none.
        """
        for name, number in (("maxConnections", limit), ("maxPerHost", limitPerOrigin)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ValueError(f"{name} must be a number from 1 on, not {number!r}")
        self.limit = limit
        self.limitPerOrigin = limitPerOrigin
        self._evict = evict
        # How many places are taken, altogether and of which origin.
        self.places = 0
        self._taken: dict[Any, int] = {}
        # Origin -> its idle connections, the one used last at the end; and all of them with their origins, likewise.
        self._idle: dict[Any, list[Any]] = {}
        self._idleAll: dict[Any, Any] = {}
        self._lines: dict[Any, _Line] = {}
        # (number, origin) of the first waiter of each origin that has room.
        self._ready: list[tuple[int, Any]] = []
        self._serial = 0

    @property
    def idle(self) -> list[Any]:
        """All idle connections, the one used longest ago first."""
        return list(self._idleAll)

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return sum(len(line.waiters) for line in self._lines.values())

    def ask(self, waiter: Waiter) -> Any:
        """An idle connection for `waiter.origin`; or `MAKE`: make one, the place is yours; or None: you are in line."""
        origin = waiter.origin
        idle = self._idle.get(origin)
        if idle:
            connection = idle.pop()
            del self._idleAll[connection]
            return connection
        taken = self._taken.get(origin, 0)
        if taken < self.limitPerOrigin and (self.places < self.limit or self._idleAll):
            self._take(origin, taken)
            return MAKE
        self._serial += 1
        line = self._lines.get(origin)
        if line is None:
            line = self._lines[origin] = _Line()
        line.waiters[waiter] = self._serial
        if not line.listed:
            self._list(origin, line)
        return None

    def release(self, connection: Any, origin: Any) -> None:
        """`connection` is free again, and good for another request. It goes to whoever waits for it, or is idle."""
        if self._lines:
            line = self._lines.get(origin)
            first = self._first()
            if line is not None and (first is None or line.first() <= first[0]):
                self._pop(origin, line).connectionGiven(connection)
                return
        idle = self._idle.get(origin)
        if idle is None:
            self._idle[origin] = [connection]
        else:
            idle.append(connection)
        self._idleAll[connection] = origin
        if self._lines:
            self._serve()

    def remove(self, connection: Any) -> bool:
        """An idle connection is over; whether it was one. Its place is free."""
        origin = self._idleAll.get(connection)
        if origin is None:
            return False
        del self._idleAll[connection]
        self._idle[origin].remove(connection)
        self.lost(origin)
        return True

    def lost(self, origin: Any) -> None:
        """A place is free: its connection is over, or was not made."""
        self._leave(origin)
        if self._lines:
            self._serve()

    def withdraw(self, waiter: Waiter) -> bool:
        """`waiter` does not want to wait any more; whether he did."""
        origin = waiter.origin
        line = self._lines.get(origin)
        if line is None or line.waiters.pop(waiter, None) is None:
            return False
        self._list(origin, line)
        return True

    # ---- Inside ----

    def _take(self, origin: Any, taken: int) -> None:
        self._taken[origin] = taken + 1
        self.places += 1
        if self.places > self.limit:
            connection, other = next(iter(self._idleAll.items()))
            del self._idleAll[connection]
            self._idle[other].remove(connection)
            self._leave(other)
            self._evict(connection)

    def _leave(self, origin: Any) -> None:
        taken = self._taken[origin] - 1
        self.places -= 1
        if taken:
            self._taken[origin] = taken
        else:
            del self._taken[origin]
            self._idle.pop(origin, None)
        line = self._lines.get(origin)
        if line is not None:
            self._list(origin, line)

    def _list(self, origin: Any, line: _Line) -> None:
        """See to it that the first of `line` stands in the heap if his origin has room."""
        if not line.waiters:
            del self._lines[origin]
            return
        number = line.first()
        if line.listed != number and self._taken.get(origin, 0) < self.limitPerOrigin:
            line.listed = number
            heappush(self._ready, (number, origin))

    def _first(self) -> tuple[int, Any] | None:
        """The first in line whose origin has room; drops from the heap what does not hold any more."""
        ready = self._ready
        while ready:
            number, origin = ready[0]
            line = self._lines.get(origin)
            if line is not None and line.listed == number:
                if line.first() == number and self._taken.get(origin, 0) < self.limitPerOrigin:
                    return ready[0]
                line.listed = 0
            heappop(ready)
        return None

    def _pop(self, origin: Any, line: _Line) -> Any:
        waiter, _ = line.waiters.popitem(last=False)
        self._list(origin, line)
        return waiter

    def _serve(self) -> None:
        """Give places to those in line while there are any: free ones, then those of idle connections."""
        while (first := self._first()) is not None and (self.places < self.limit or self._idleAll):
            origin = first[1]
            waiter = self._pop(origin, self._lines[origin])
            self._take(origin, self._taken.get(origin, 0))
            waiter.placeGiven()
