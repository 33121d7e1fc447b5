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

# What the address of a socket is before it has one.
_UNNAMED: dict[int, Any] = {socket.AF_INET: ("0.0.0.0", 0), socket.AF_INET6: ("::", 0, 0, 0), socket.AF_UNIX: ""}
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

    # Whether what is on its way arrives even so.
    kept = False

    def drop(self) -> None:
        """What has not arrived never does."""
        if not self.kept:
            super().drop()

    def _deliver(self) -> None:
        # Nothing is kept for a socket that is broken.
        item, to = self._way.popleft(), self.to
        assert isinstance(to, SimulatedSocket)
        if item.__class__ is bytes and not to.broken:
            self._here.append(item)
        to.arrived(item)

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
        """A fresh one. ValueError when it is for neither TCP nor UNIX sockets."""
        if family not in _UNNAMED or not kind & socket.SOCK_STREAM:
            raise ValueError(f"a simulated network has stream sockets only, not of family {family} and type {kind}")
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
        self._host: Any = _UNNAMED[self.family]
        # Whether the kernel has given the connection up: whatever comes for it is answered by a reset.
        self.broken = False
        # Bytes that it took, and those that had arrived and nobody read when it was closed.
        self.sent = self.spilt = 0
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
            self._network.count(f"connect {errno.errorcode[number]}")
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
            self.broken = True
            super().fail(number)

    def arrived(self, item: Any) -> None:
        """Something came over the link."""
        if self.broken or self.closed:
            if item.__class__ is bytes and not self._outgoing.to.closed:
                # The sender had half a connection.
                self._network.count("half open")
                self._outgoing.put(RESET)
            return
        if item is RESET:
            self._network.count("RST")
        super().arrived(item)

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
        self._network.whim("accept", _ACCEPT_LATER)
        self._network.checkRoom("accept")
        if not self.queue:
            self._network.count("accept EAGAIN")
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        taken = self.queue.popleft()
        self._network.enter(taken)
        return taken, taken._peer

    def connect_ex(self, sockaddr: Any) -> int:
        """Begin to connect; the number of what came of it so far."""
        self._checkOpen()
        if self.stage is Stage.FRESH:
            if self.family == socket.AF_UNIX:
                return self._network.joins(self, sockaddr)
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
        try:
            return super().recv(size)
        except OSError as e:
            self._network.count(f"recv {errno.errorcode[e.errno or 0]}")
            raise

    def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes of `data`, in one segment or several; how many bytes that is."""
        if self.stage is not Stage.CONNECTED:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self._checkOpen()
        try:
            count = self._taken(len(data))
        except OSError as e:
            self._network.count(f"send {errno.errorcode[e.errno or 0]}")
            raise
        self.sent += count
        start = 0
        for end in self._network.segments(count):
            self._outgoing.put(bytes(data[start:end]))
            start = end
        return count

    def _taken(self, size: int) -> int:
        self._raiseError()
        if self._shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        self._network.whim("send", _SEND_LATER)
        room = self._outgoing.room
        if not room:
            self._network.count("no room")
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if room < size:
            self._network.count("little room")
        return self._network.part(min(size, room))

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
            self.spilt = self._incoming.unread
            # A reset follows what was sent, and may overtake it.
            way = self._outgoing
            assert isinstance(way, Way)
            way.kept = not way.to.closed and self._network.random.random() < 0.5
            super().close()
            way.kept = False
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
