"""Sockets of a simulated network: `reactor.testing.sockets` with what comes before a connection (bind, listen, connect,
accept), and with a kernel behind them that has whims: it takes a part of what is sent, has no memory for a moment, cuts
what is sent into segments that travel by themselves.

What is ready is told in the masks of poll(2), as Linux has them for TCP.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from enum import Enum

from reactor.testing.sockets import END, RESET, Link, MemorySocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.testing.simulation.network import Network

READ, WRITE, ERROR, HANG_UP = 1, 4, 8, 16

# What the kernel says that passes by itself.
_SEND_LATER = (errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM)
_ACCEPT_LATER = (errno.ECONNABORTED, errno.EPERM, errno.EINTR, errno.EPROTO, errno.ENOBUFS, errno.ENOMEM, errno.ENFILE)


class Stage(Enum):
    """What a socket is."""

    FRESH = "fresh"
    LISTENING = "listening"
    CONNECTING = "connecting"
    FAILED = "failed"
    CONNECTED = "connected"


class Way(Link):
    """One direction of a connection. What has arrived is one stream: a receive is short only when there is no more."""

    def take(self, size: int) -> bytes:
        """Up to `size` bytes of what has arrived."""
        here = self._here
        if len(here) > 1:
            whole = b"".join(here)
            here.clear()
            here.append(whole)
        return super().take(size)


class SimulatedSocket(MemorySocket):
    """What `socket.socket` makes in a simulated network."""

    # Invariant: CONNECTED has both links; no other stage has one. LISTENING has a queue.

    def __init__(self, network: Network, family: int, kind: int) -> None:
        """A fresh one. OSError (EMFILE) when there is no descriptor left. ValueError when it is not for TCP."""
        if family not in (socket.AF_INET, socket.AF_INET6) or not kind & socket.SOCK_STREAM:
            raise ValueError(f"a simulated network has sockets for TCP only, not of family {family} and type {kind}")
        # Without MemorySocket.__init__, which makes connected ones.
        self.family = socket.AddressFamily(family)
        self.stage = Stage.FRESH
        self.queue: deque[SimulatedSocket] = deque()
        self.backlog = 0
        self.closed = False
        self._network = self._selector = network  # type: ignore[assignment]
        self._options: dict[tuple[int, int], Any] = {}
        self._error: int | None = None
        self._ended = self._shut = False
        self._host: Any = ("0.0.0.0", 0) if family == socket.AF_INET else ("::", 0, 0, 0)
        self._peer: Any = None
        self._fd = -1

    # What the network does with it.

    def join(self, incoming: Link, outgoing: Link, peer: Any) -> None:
        """It is connected to `peer`."""
        self._incoming, self._outgoing, self._peer = incoming, outgoing, peer
        incoming.to = self
        self.stage = Stage.CONNECTED

    def refuse(self, number: int) -> None:
        """Its connecting failed, with an error of that number."""
        if not self.closed:
            self.stage = Stage.FAILED
            self._error = number

    def number(self, fd: int) -> None:
        """It has a descriptor from now on."""
        self._fd = fd

    def reset(self) -> None:
        """Close it so that its peer gets a reset."""
        if self._fd < 0:
            # Nobody has accepted it.
            self._network.enter(self, True)
        self._options[socket.SOL_SOCKET, socket.SO_LINGER] = b""
        self.close()

    @property
    def links(self) -> tuple[Link, Link]:
        """From its peer, and to it."""
        return self._incoming, self._outgoing

    def mask(self) -> int:
        """What poll(2) would say."""
        if self.stage is Stage.CONNECTED:
            # As selectors have it: 1 for reading, 2 for writing.
            events = self.ready()
            mask = (events & 1) | (events & 2) << 1
            if self._error is not None:
                mask |= ERROR
            return mask | HANG_UP if self._ended and self._shut else mask
        if self.stage is Stage.LISTENING:
            return READ if self.queue else 0
        if self.stage is Stage.CONNECTING:
            return 0
        if self.stage is Stage.FRESH:
            return WRITE | HANG_UP
        return READ | WRITE | HANG_UP | (ERROR if self._error is not None else 0)

    def fail(self, number: int) -> None:
        """The connection is broken, with an error of that number; what has arrived can still be read."""
        if self.stage is Stage.CONNECTED:
            super().fail(number)

    # Before the connection.

    def bind(self, sockaddr: Any) -> None:
        """Take a local address. OSError when somebody listens there, or the host is not of this network."""
        self._checkOpen()
        self._host = self._network.bound(self, sockaddr)

    def listen(self, backlog: int = 50) -> None:
        """Take connections, `backlog` and one waiting at most."""
        self._checkOpen()
        self._network.listens(self)
        self.backlog = backlog
        self.stage = Stage.LISTENING

    def accept(self) -> tuple[SimulatedSocket, Any]:
        """The next connection, and whose it is. BlockingIOError for none, OSError with what a kernel may say."""
        self._checkOpen()
        self._network.whim(_ACCEPT_LATER)
        self._network.checkRoom()
        if not self.queue:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        taken = self.queue.popleft()
        self._network.enter(taken)
        return taken, taken._peer

    def connect_ex(self, sockaddr: Any) -> int:
        """Begin to connect; the number of what came of it so far."""
        self._checkOpen()
        if self.stage is Stage.FRESH:
            return self._network.connects(self, sockaddr)
        return errno.EISCONN if self.stage is Stage.CONNECTED else errno.EALREADY

    def connecting(self, host: Any) -> None:
        """The network has begun to connect it, from `host`."""
        self.stage = Stage.CONNECTING
        self._host = host

    # As MemorySocket has it.

    def recv(self, size: int) -> bytes:
        """What has arrived."""
        if self.stage is not Stage.CONNECTED:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return super().recv(size)

    def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes of `data`, in one segment or several; how many bytes that is."""
        if self.stage is not Stage.CONNECTED:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self._checkOpen()
        self._raiseError()
        if self._shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        self._network.whim(_SEND_LATER)
        count = self._network.part(min(len(data), self._outgoing.room))
        if not count:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        start = 0
        for end in self._network.segments(count):
            self._outgoing.put(bytes(data[start:end]))
            start = end
        return count

    def shutdown(self, how: int) -> None:
        """End one direction or both."""
        if self.stage is not Stage.CONNECTED:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        super().shutdown(how)

    def getsockopt(self, level: int, option: int) -> Any:
        """What was set; SO_ERROR and SO_TYPE are the kernel's."""
        if level == socket.SOL_SOCKET:
            if option == socket.SO_ERROR:
                number, self._error = self._error, None
                return number or 0
            if option == socket.SO_TYPE:
                return socket.SOCK_STREAM
        return super().getsockopt(level, option)

    def getpeername(self) -> Any:
        """The other end's address. OSError without one."""
        if self.stage is not Stage.CONNECTED:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return super().getpeername()

    def close(self) -> None:
        """Close it; whoever waits to be accepted is reset."""
        if self.closed:
            return
        fd = self._fd
        if self.stage is Stage.CONNECTED:
            super().close()
        else:
            self.closed = True
            del self._network.sockets[fd]
            self._fd = -1
        self._network.left(self, fd)
        while self.queue:
            self.queue.popleft().reset()

    def __repr__(self) -> str:
        return f"<SimulatedSocket {self._fd} {self.stage.value} {self._host} to {self._peer}>"


__all__ = ["END", "RESET", "SimulatedSocket", "Stage", "Way"]
