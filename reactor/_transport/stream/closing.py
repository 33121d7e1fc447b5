"""Two ways to leave a connected socket behind: so that the peer gets all that was sent, or learns that it does not."""

from __future__ import annotations

import socket
import struct

# What one receive asks for.
_PIECE = 16384
# How often it is asked: a peer that sends without end is not waited for.
_MOST = 16
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


def resetOnClose(sock: socket.socket) -> None:
    """Let the close that follows be a reset."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    except OSError:
        # Gone already: then there is nobody to reset.
        pass
