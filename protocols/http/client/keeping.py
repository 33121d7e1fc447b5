"""What the connections of one client share: the pool, the deadlines, the clock and the limits; and the life of each
connection as far as the pool is concerned.
"""

from __future__ import annotations

from protocols.http.client.deadlines import Deadlines
from protocols.http.client.pool import Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.http.client.connection import Connection
    from protocols.http.client.sharing import Sharing
    from protocols.http.limits import Limits


class Keeper:
    """See the module. The attributes are those of `Client` of these names."""

    def __init__(
        self,
        clock: Any,
        maxConnections: int,
        maxPerHost: int,
        idleTimeout: float,
        maxUses: int | None,
        continueTimeout: float,
        limits: Limits,
    ) -> None:
        self.clock = clock
        self.pool = Pool(maxConnections, maxPerHost, self._evict)
        self.deadlines = Deadlines(clock)
        self.idleTimeout = idleTimeout
        self.maxUses = maxUses
        self.continueTimeout = continueTimeout
        self.limits = limits
        #: Seconds for a server to agree to a close.
        self.closeTimeout = 5.0
        #: All connections that are open.
        self.open: set[Connection] = set()
        self.closed = False
        #: Who shares connections of HTTP/2, if the client speaks that.
        self.sharing: Sharing | None = None
        # Called when the last one is gone.
        self._emptied: list[Callable[[], object]] = []

    def made(self, connection: Connection) -> None:
        """`connection` came about; its place was counted before."""
        if connection.isOpen:
            self.open.add(connection)
            self.deadlines.watched.add(connection)

    def free(self, connection: Connection) -> None:
        """A request is through, and `connection` could be used again."""
        if self.closed or connection.used == self.maxUses:
            connection.drop()
            return
        deadline = connection.deadline = self.clock.seconds() + self.idleTimeout
        deadlines = self.deadlines
        if deadline < deadlines.next:
            deadlines.sooner(deadline)
        self.pool.release(connection, connection.origin)

    def close(self, connection: Connection) -> None:
        """Close an idle connection; its place is free."""
        if self.pool.remove(connection):
            connection.placed = False
        connection.drop()

    def _evict(self, connection: Connection) -> None:
        connection.placed = False
        connection.drop()

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""
        self.open.discard(connection)
        if connection.placed:
            connection.placed = False
            if not self.pool.remove(connection):
                self.pool.lost(connection.origin)
        if not self.open:
            emptied, self._emptied = self._emptied, []
            for each in emptied:
                each()

    def whenEmpty(self, call: Callable[[], object]) -> None:
        """Call `call()` when no connection is open."""
        if self.open:
            self._emptied.append(call)
        else:
            call()
