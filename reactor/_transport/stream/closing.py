"""Ways to leave a connected socket behind: so that the peer gets all that was sent, or learns that it does not."""

from __future__ import annotations

import errno
import os
import socket
import struct

from reactor._transport.stream.lifecycle import State
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor._transport.stream.wire import Wire

# What one receive asks for.
_PIECE = 16384
# How often it is asked: a peer that sends without end is not waited for.
_MOST = 16
# Closed by somebody else, and perhaps another one's by now.
_CLOSED = frozenset({errno.EBADF, errno.ENOTSOCK})
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


def discardUnread(sock: socket.socket) -> None:
    """Take what arrived and nobody will read: the kernel answers a close with unread bytes by a reset, which can cost
    the peer the tail of what we sent.
    """
    try:
        for _ in range(_MOST):
            if len(sock.recv(_PIECE)) < _PIECE:
                return
    except OSError:
        # Nothing there, as nearly always.
        pass


def endBothHalves(sock: socket.socket) -> bool:
    """Put an end behind what is there to be read, whatever made a send fail; whether there is one. Nobody hears any
    more of a descriptor that is closed.
    """
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError as e:
        # Gone already, as nearly always: then there is one.
        return e.errno not in _CLOSED
    return True


def resetOnClose(sock: socket.socket) -> None:
    """Let the close that follows be a reset."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    except OSError:
        # Gone already: then there is nobody to reset.
        pass


def endForAll(sock: socket.socket) -> None:
    """Let the close that follows be the end for the peer, whoever else has the socket open."""
    try:
        # Only TCP resets.
        resets = sock.family != socket.AF_UNIX and sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER)
    except OSError:
        # Closed behind our back.
        return
    if not resets:
        endBothHalves(sock)


def lastAttempt(wire: Wire) -> None:
    """The reactor stops: send what is queued, in as many pieces as the system takes at once. One that was aborted is
    reset.
    """
    sock = wire.socket
    if wire.state is State.ENDING:
        resetOnClose(sock)
        return
    wire.owner.farewell()
    piece, outbox = wire._piece, wire._outbox
    try:
        if piece is not None:
            sock.send(piece)
        elif outbox is not None:
            head = outbox.head()
            while sock.send(head) == len(head) and not outbox.sent(len(head)):
                head = outbox.head()
    except OSError:
        # It does not take them, or is gone: that was the attempt.
        pass
    discardUnread(sock)


def gone(sock: socket.socket) -> Failure:
    """Why a connection is over whose peer had ended its half before: by a reset (TCP), or since the other half is gone
    too (UNIX). Receiving says neither.
    """
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    text = os.strerror(code) if code else "the peer, which had ended its half, is gone"
    return Failure(ConnectionLost(text, osError=code or None))


def closeTimedOut(wire: Wire) -> None:
    """The time is over that `wire` had to send the rest."""
    wire._closing = None
    if wire.state is not State.CLOSING and not wire.owner.buffered:
        # All is sent, and who stands on this wire waits for the peer's farewell: that has a limit of its own.
        return
    text = f"not everything was sent within closeTimeout={wire.closeTimeout} s of loseConnection"
    wire.abort(Failure(ConnectionLost(text)))
