"""What waits in a datagram socket when it is connected to its one peer may be anybody's: the kernel keeps others out
only from then on. So until the queue was empty once, each datagram is looked at, and those of others are dropped.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def waiting(sock: socket.socket) -> bool:
    """Whether a datagram, or an error, is there to be received."""
    try:
        sock.recvfrom(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        # The next one will tell.
        pass
    return True


class Sifting:
    """A port's socket while it is so. What it does not define is the socket's."""

    __slots__ = ("_done", "_peer", "sock")

    def __init__(self, sock: socket.socket, done: Callable[[socket.socket], object]) -> None:
        """Around `sock`, which is connected; `done(sock)` is called when nothing is left that was there before."""
        self.sock = sock
        self._peer = _told(sock.getpeername())
        self._done = done

    def recvfrom(self, size: int) -> tuple[bytes, Any]:
        """The next datagram of the peer's; OSError as the socket has it."""
        while True:
            try:
                data, sender = self.sock.recvfrom(size)
            except BlockingIOError:
                self._done(self.sock)
                raise
            if _told(sender) == self._peer:
                return data, sender

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def _told(sockaddr: Any) -> tuple[Any, ...]:
    """What two addresses of one place have in common: of IPv6 not the flow."""
    return (*sockaddr[:2], *sockaddr[3:])
