"""Connections of HTTP/2 that requests share: which origins have one, and who waits for one, or for room on it.

What an origin speaks is not known before there is a connection to it: one request finds out, by the ways of the pool,
and the others wait for it. Where it is HTTP/1.1, that is remembered, and all go to the pool. A shared connection has
one place there, and is idle there when nobody uses it.
"""

from __future__ import annotations

from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.client.exchange import Exchange
    from protocols.http.client.h2connection import SharedConnection
    from protocols.http.client.keeping import Keeper
    from protocols.http.h2.bounds import Bounds

# How many origins that speak HTTP/1.1 are remembered.
_REMEMBERED = 1024


class Sharing:
    """See the module."""

    def __init__(self, keeper: Keeper, bounds: Bounds) -> None:
        self._keeper = keeper
        self.bounds = bounds
        # Origin -> its connection, as long as requests may begin on it.
        self._connections: dict[Any, SharedConnection] = {}
        # Origins that somebody finds out about; those that speak HTTP/1.1.
        self._finding: set[Any] = set()
        self._older: set[Any] = set()
        self._lines: dict[Any, OrderedDict[Exchange, None]] = {}

    def take(self, exchange: Exchange) -> bool:
        """Serve `exchange`, or put it in line; False: it is to ask the pool, and may be the one to find out."""
        origin = exchange.origin
        if exchange.url.scheme != "https" or origin in self._older:
            return False
        connection = self._connections.get(origin)
        if connection is None and origin not in self._finding:
            self._finding.add(origin)
            exchange.finds = True
            return False
        if connection is not None and origin not in self._lines and connection.mayBegin > 0:
            self._give(connection, exchange)
        else:
            self._lines.setdefault(origin, OrderedDict())[exchange] = None
            exchange.waitInLine()
        return True

    def _give(self, connection: SharedConnection, exchange: Exchange) -> None:
        if connection.isIdle:
            # It leaves those that are idle; its place stays.
            exchange.connectionGiven(self._keeper.pool.ask(exchange))
        else:
            exchange.connectionGiven(connection)  # type: ignore[arg-type]

    def withdraw(self, exchange: Exchange) -> None:
        """`exchange` does not wait any more."""
        line = self._lines.get(exchange.origin)
        if line is not None:
            line.pop(exchange, None)
            if not line:
                del self._lines[exchange.origin]

    def _first(self, origin: Any) -> Exchange | None:
        line = self._lines.get(origin)
        if line is None:
            return None
        exchange, _ = line.popitem(last=False)
        if not line:
            del self._lines[origin]
        self._keeper.deadlines.discard(exchange)
        return exchange

    def found(self, origin: Any, connection: Any) -> None:
        """It is known what `origin` speaks."""
        self._finding.discard(origin)
        if connection.isShared:
            if connection.isOpen:
                self._connections[origin] = connection
                self.serve(connection)
            else:
                self.next(origin)
            return
        if len(self._older) >= _REMEMBERED:
            self._older.clear()
        self._older.add(origin)
        while (exchange := self._first(origin)) is not None:
            exchange.start()

    def serve(self, connection: SharedConnection) -> None:
        """There may be room on `connection`."""
        origin = connection.origin
        while self._connections.get(origin) is connection and connection.mayBegin > 0:
            exchange = self._first(origin)
            if exchange is None:
                return
            self._give(connection, exchange)

    def next(self, origin: Any) -> None:
        """Nobody finds out about `origin` any more: the next in line does."""
        self._finding.discard(origin)
        exchange = self._first(origin)
        if exchange is not None:
            exchange.start()

    def leaving(self, connection: SharedConnection) -> None:
        """No request begins on `connection` any more."""
        origin = connection.origin
        if self._connections.get(origin) is connection:
            del self._connections[origin]
            self.next(origin)
