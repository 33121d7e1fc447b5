"""A close that waits for the peer: who answers in the middle of an upload and closes leaves unread bytes behind, for
which the kernel resets the connection, and a reset can throw away the answer, part of which the peer has not read yet.

So what the peer still sends is read and discarded from `loseConnection` on (a peer that cannot send does not read
either), and when all of ours is sent our half is ended (RFC 9112, section 9.6, has servers do so) and the peer's end
awaited: for `timeout` seconds, and `limit` bytes, at most. Only then is the connection over.
"""

from __future__ import annotations

import socket

from reactor._core.poller import READ
from reactor._core.timers import checkDelay
from reactor._transport.stream.lifecycle import READING
from reactor.error import ConnectionDone, ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._transport.stream.lifecycle import State
    from reactor._transport.stream.wire import Wire

# Bytes of the peer's that are discarded at most.
LIMIT = 16 * 1024 * 1024


class Lingering:
    """The end of one wire, if it is closed while the peer may be sending."""

    __slots__ = ("_count", "_ended", "_heard", "_wire", "limit", "timeout")

    def __init__(self, timeout: float) -> None:
        """`timeout` is in seconds. ValueError, TypeError for what is none."""
        self.timeout = checkDelay(timeout, "transport.lingerTimeout", "seconds")
        self.limit = LIMIT
        # The wire while it is at work; what of the peer's it has discarded; whether the peer's end came, and whether
        # ours is sent.
        self._wire: Wire | None = None
        self._count = 0
        self._heard = False
        self._ended = False

    def begin(self, wire: Wire, before: State) -> bool:
        """`wire`, whose state was `before`, is to close; whether that takes the peer's end."""
        if before in READING and self._wire is None:
            self._wire = wire
            wire.receiver = self
            wire.loop.poller.want(wire, READ)
        return self._wire is not None and not self._heard

    def dataReceived(self, data: bytes) -> None:
        """The peer is still sending."""
        self._count += len(data)
        wire = self._wire
        if wire is not None and self._count > self.limit:
            text = f"the peer sent more than lingerLimit={self.limit} bytes behind loseConnection"
            wire.abort(Failure(ConnectionLost(text)))

    def endReceived(self) -> bool:
        """The peer has ended its half; whether this close waits for that."""
        wire = self._wire
        if wire is None:
            return False
        self._heard = True
        wire.loop.poller.drop(wire, READ)
        if self._ended:
            wire._end(Failure(ConnectionDone()))
        return True

    def waits(self) -> bool:
        """All is sent; whether the peer's end is awaited from now on."""
        wire = self._wire
        if wire is None or self._heard:
            return False
        if not self._ended:
            try:
                wire.socket.shutdown(socket.SHUT_WR)
            except OSError:
                # Gone: then there is nobody to wait for.
                return False
            self._ended = True
            # All was sent in time: another limit holds now.
            if wire._closing is not None:
                wire._closing.cancel()
            wire._closing = wire.loop.timers.callLater(self.timeout, self._timedOut)
        return True

    def _timedOut(self) -> None:
        wire = self._wire
        if wire is not None:
            wire._closing = None
            text = f"all was sent, but the peer did not end its half within lingerTimeout={self.timeout} s"
            wire.abort(Failure(ConnectionLost(text)))

    def over(self) -> None:
        """The wire is closed: let go of it, so that both are freed with their last reference."""
        self._wire = None
