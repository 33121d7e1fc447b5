"""How a port comes to its end gracefully: nobody new is accepted, those who are there may finish, and who has not by a
deadline is aborted.

A port keeps no list of its connections: each knows where it came from, and they are looked for among what the loop
watches when a drain begins. So a connection pays for it with nothing, and a drain with one look at each.
"""

from __future__ import annotations

from reactor._core.contexts import inside
from reactor._ground.declare import provides
from reactor._transport.stream.transport import StreamTransport
from reactor.defer import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor._transport.server.port import Port
    from reactor.failure import Failure

# Protocols told in one turn, so that thousands of them do not hold up what they have to finish.
_AT_ONCE = 100


def connectionsOf(port: Port, loop: Loop) -> list[StreamTransport]:
    """Those that `port` has accepted and that are not over."""
    found = []
    for watch in loop.poller.watches.values():
        above: Any = getattr(watch, "owner", None)
        # Layers of TLS have an owner in their turn.
        while above is not None and not isinstance(above, StreamTransport):
            above = getattr(above, "owner", None)
        if above is not None and above._connector is port:
            found.append(above)
    return found


class _Leaving:
    """Takes the port's place as what is told of the end of a connection."""

    __slots__ = ("_draining", "_transport")
    outgoing = False

    def __init__(self, draining: Draining, transport: StreamTransport) -> None:
        self._draining = draining
        self._transport = transport

    def lost(self, reason: Failure) -> None:
        """The connection is over."""
        self._draining.gone(self._transport)

    def nextSession(self) -> int:
        """The number of a connection of that port."""
        return self._draining.nextSession()


class Draining:
    """One drain of one port."""

    def __init__(self, port: Port, loop: Loop) -> None:
        """Begun by `begin`."""
        self._port = port
        self._loop = loop
        self._left: set[StreamTransport] = set()
        self._waiting: list[Deferred[int]] = []
        self._timer: DelayedCall | None = None
        self._aborted = 0
        # Invariant: the port is closed and its factory told, as soon as this is true.
        self._closed = False

    def begin(self, deadline: float | None) -> Deferred[int]:
        """Take over the port's connections. `deadline` (seconds, None: none) shortens the one that there is."""
        if deadline is not None:
            if self._timer is None or self._timer.getTime() > self._loop.timers.seconds() + deadline:
                self._stopTimer()
                self._timer = self._loop.timers.callLater(deadline, self._abort)
        waiting: Deferred[int] = Deferred()
        self._waiting.append(waiting)
        self._port.stopListening().addBoth(self._portClosed)
        new = connectionsOf(self._port, self._loop)
        for transport in new:
            transport._connector = _Leaving(self, transport)
        self._left.update(new)
        # Two turns from here what their peers had sent by now has been delivered.
        self._loop.soon(self._loop.soon, self._tell, iter(new))
        return waiting

    def gone(self, transport: StreamTransport) -> None:
        """A connection is over."""
        self._left.discard(transport)
        self._look()

    def nextSession(self) -> int:
        """The number of a connection that asks for one."""
        return self._port.nextSession()

    def _portClosed(self, result: Any) -> None:
        # What the factory's doStop raised has been for whoever stops a port; here it ends nothing.
        self._closed = True
        self._look()

    def _tell(self, transports: Iterator[StreamTransport]) -> None:
        for _ in range(_AT_ONCE):
            transport = next(transports, None)
            if transport is None:
                return
            if transport in self._left:
                inside(transport._wire.context, _tell, transport)
                if self._loop.dirty:
                    self._loop.flush()
        self._loop.soon(self._tell, transports)

    def _abort(self) -> None:
        self._timer = None
        self._aborted += len(self._left)
        for transport in list(self._left):
            transport.abortConnection()

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        if self._left or not self._closed:
            return
        self._stopTimer()
        self._port.drained(self)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(self._aborted)


def _tell(transport: StreamTransport) -> None:
    protocol = transport.protocol
    if not transport.disconnecting and provides(protocol, "IDrainable"):
        try:
            protocol.drain()
        except BaseException as e:
            transport._wire.endWith(e)
