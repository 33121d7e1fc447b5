"""Keeping back what a wire has queued, as `transport.stopWriting` asks: until `startWriting`, the next write or the
close, each of which sends it, in order.

It is an outbox that has nothing to hand out for now. So the wire itself knows nothing of it, but that it is let go when
the connection is about to close.
"""

from __future__ import annotations

import errno
import os

from reactor._core.poller import WRITE
from reactor._transport.stream.outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._transport.stream.outbox import Piece
    from reactor._transport.stream.wire import Wire


class Withheld(Outbox):
    """In the place of a wire's outbox, around it."""

    __slots__ = ("_outbox", "_wire")

    def __init__(self, wire: Wire, outbox: Outbox) -> None:
        # Without Outbox.__init__: it has no pieces of its own.
        self._wire = wire
        self._outbox = outbox

    @property
    def size(self) -> int:
        """How many bytes are kept back."""
        return self._outbox.size

    @property
    def pieces(self) -> list[Piece]:  # type: ignore[override]
        """Somebody is about to write: nothing is kept back any more."""
        self.release()
        return self._outbox.pieces

    def takeBack(self) -> Piece:
        """The piece that was queued last, which is queued no more."""
        self.release()
        return self._outbox.takeBack()

    def head(self) -> Piece:
        """Nothing for now, as if the kernel had no room; which it may have, and is not to say so again."""
        wire = self._wire
        wire.loop.poller.drop(wire, WRITE)
        wire.interest |= WRITE
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def release(self) -> None:
        """Have it sent soon."""
        wire = self._wire
        if wire._outbox is self:
            wire._outbox = self._outbox
            wire.loop.poller.drop(wire, WRITE)
            wire._mark()


def withhold(wire: Wire) -> None:
    """Keep back what `wire` has queued."""
    piece, outbox = wire._piece, wire._outbox
    if piece is not None:
        wire._piece, outbox = None, Outbox(piece)
    if outbox is not None and not isinstance(outbox, Withheld):
        wire._outbox = Withheld(wire, outbox)


def release(wire: Wire) -> None:
    """Send what was kept back, if anything was."""
    if isinstance(wire._outbox, Withheld):
        wire._outbox.release()
