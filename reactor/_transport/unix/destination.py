"""Where a UNIX client connects to: a path, perhaps only while its lock is held. The kernel answers at once, so there is
nothing to wait for but the next turn.
"""

from __future__ import annotations

import errno
import os
import socket

from reactor._ground.linklock import holder
from reactor._transport.stream.wire import Wire
from reactor._transport.unix.path import explained
from reactor._transport.unix.stream import UNIXTransport
from reactor.address import UNIXAddress
from reactor.error import BadFileError, ConnectBindError, getConnectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.client.connector import Connector
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import StreamTransport, Top


class UNIXDestination:
    """The path of a socket that somebody listens on."""

    __slots__ = ("checkPID", "host", "loop", "path", "port")

    # Whose end of a connection it is that was made.
    wire = Wire

    def __init__(self, loop: Loop, path: bytes, checkPID: bool) -> None:
        """With `checkPID`, connect only if a living process holds the lock of `path`."""
        self.loop = loop
        self.path = path
        self.checkPID = checkPID
        self.host = os.fsdecode(path)
        self.port = None

    def address(self) -> Any:
        """What was asked for."""
        return UNIXAddress(self.path)

    def dial(self, connector: Connector) -> Underway:
        """Begin; tell the connector how it ended."""
        return Underway(self.loop, self, connector)

    def opened(self, connector: Connector) -> socket.socket:
        """A socket to connect with. OSError when there is none."""
        return self.loop.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, connector: Connector) -> StreamTransport:
        """The transport of a connection that was made."""
        return UNIXTransport(wire, top, peer, protocol, connector, connector.factory)


class Underway:
    """A connection that is made in the next turn, or fails."""

    __slots__ = ("_connector", "_destination")

    phase = "connect"
    attempts = ()

    def __init__(self, loop: Loop, destination: UNIXDestination, connector: Connector) -> None:
        self._destination = destination
        # None when nobody is to be told any more.
        self._connector: Connector | None = connector
        loop.soonIn(connector.context, self._connect)

    def cancel(self) -> None:
        """Give up, and tell nobody. Called when it is over as well."""
        self._connector = None

    def _connect(self) -> None:
        connector, destination = self._connector, self._destination
        if connector is None:
            return
        facts: dict[str, Any] = {"host": destination.host, "elapsed": connector.elapsed}
        if destination.checkPID and holder(destination.path + b".lock") is None:
            connector.failed(BadFileError(string="no living process holds its lock", **facts))
            return
        try:
            sock = destination.opened(connector)
        except OSError as e:
            connector.failed(ConnectBindError(e.errno, e.strerror or "", **facts))
            return
        sock.setblocking(False)
        problem = _connected(sock, destination.path)
        if problem is None:
            wire = destination.wire(destination.loop, sock)
            wire.context = connector.context
            connector.connected(wire, wire, destination.address())
        else:
            sock.close()
            connector.failed(getConnectError(problem, **facts))


def _connected(sock: socket.socket, path: bytes) -> tuple[int, str] | None:
    """Connect; what is in the way, if anything."""
    try:
        code = sock.connect_ex(path)
    except OSError as e:
        told = explained(e, path)
        return told.errno or 0, told.strerror or ""
    if code == errno.EAGAIN:
        # Not "in progress" as with TCP: to wait would be to spin, since the kernel does not tell when there is room.
        return code, "too many clients wait to be accepted there"
    return (code, os.strerror(code)) if code else None
