"""A socket for datagrams: what is written is sent at once, what comes is given to the protocol.

What the kernel has no room for is dropped, as the network would drop it. A protocol that raises is reported, and hears
of the next datagram. What kind of socket it is, and what its addresses look like, is for `udp` and `unixdatagram` to
say.

One turn receives a bounded number of datagrams and of bytes, so that a flood on one socket starves nobody. The number
follows the crowd: it is one while they come singly, since to ask again and hear that there is none costs as much as
receiving one.
"""

from __future__ import annotations

import errno

from reactor._core.contexts import inside
from reactor._core.poller import READ
from reactor._ground.naming import nameOf
from reactor._transport.server.pausing import Pausable
from reactor._transport.stream.transport import asBytes
from reactor.error import CannotListenError, MessageLengthError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.stream.transport import Bytes
    from reactor.interfaces import IListeningPort, ISystemHandle
else:
    from reactor._ground.declare import IListeningPort, ISystemHandle, implementer

# Datagrams that one turn receives at most.
MOST = 64
# Full now; nobody waits for a datagram.
_DROPPED = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})
# The one peer is gone, or was. UNIX sockets say the second once they have said the first.
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ENOTCONN, errno.ECONNRESET})
# Interrupted; or what was sent is too long for the way to the peer, and the kernel cuts the next ones.
_NOTHING = frozenset({errno.EINTR, errno.EMSGSIZE})
# The socket is no use any more; no other error says so.
_DEAD = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})


def checkSize(method: str, size: object) -> int:
    """`size` as a number of bytes that a datagram may have. ValueError or TypeError that names it otherwise."""
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"{method}(): maxPacketSize must be an int, a number of bytes, not {size!r}")
    if size <= 0:
        raise ValueError(f"{method}(): maxPacketSize must be positive, not {size}")
    return size


@implementer(IListeningPort, ISystemHandle)
class DatagramSocket(Pausable):
    """What all kinds have in common."""

    __slots__ = (
        "_batch",
        "_host",
        "maxPacketSize",
        "maxThroughput",
        "protocol",
    )

    # Errors of receiving that say so.
    refusals = _REFUSED

    def __init__(self, loop: Loop, protocol: Any, maxPacketSize: int) -> None:
        """Not there yet."""
        super().__init__(loop)
        self._batch = 1
        self.maxPacketSize = maxPacketSize
        # Bytes that one turn receives at most; at least one datagram.
        self.maxThroughput = 256 * 1024
        self.protocol = protocol
        self._host: Any = None

    # What each kind says for itself.

    def _made(self) -> socket.socket:
        """A new socket, bound and non-blocking. OSError when the system refuses."""
        raise NotImplementedError

    def _place(self) -> tuple[Any, Any]:
        """Interface and port, for CannotListenError."""
        raise NotImplementedError

    def _address(self, sockaddr: Any) -> Any:
        """The address object for what the socket module calls one."""
        raise NotImplementedError

    def _cannotListen(self, problem: OSError) -> Exception:
        """What `startListening` raises when the system refuses with `problem`."""
        return CannotListenError(*self._place(), problem)

    def _tooLong(self, data: bytes) -> Exception:
        """What writing `data` raises, which is too long for one datagram."""
        return MessageLengthError(f"{len(data)} bytes in one datagram")

    # Beginning and end.

    def _open(self) -> socket.socket:
        if self._sock is not None:
            raise self._cannotListen(OSError(errno.EINVAL, "this port listens already"))
        try:
            return self._made()
        except OSError as e:
            raise self._cannotListen(e) from e

    def _begin(self, sock: socket.socket) -> None:
        self._sock = sock
        try:
            self.fd = sock.fileno()
            self._host = self._address(sock.getsockname())
            self._loop.poller.add(self, READ)
            inside(self.context, self.protocol.makeConnection, self)
        except BaseException:
            self._loop.poller.forget(self)
            self._close()
            raise
        self._sayOpen()

    def _sayOpen(self) -> None:
        if getattr(self.protocol, "noisy", True):
            self._say("info", "%r is open", self)

    def _sayClosed(self) -> None:
        if getattr(self.protocol, "noisy", True):
            super()._sayClosed()

    def startListening(self) -> None:
        """Open the socket (again). CannotListenError when the system refuses."""
        self._begin(self._open())

    def _served(self) -> Any:
        return self.protocol

    # In.

    def readable(self) -> None:
        """Receive those that are there, some of them."""
        loop, size = self._loop, self.maxPacketSize
        received = left = self._batch
        room = self.maxThroughput
        while left:
            if self._sock is None or not self.interest & READ:
                return
            try:
                data, sender = self._sock.recvfrom(size)
            except OSError as e:
                if not self._receivedAll(e):
                    return
                received -= left
                self._batch = received or 1
                return
            try:
                self._deliver(data, sender)
            except BaseException as e:
                loop.raised("%s.datagramReceived raised, at %r", e, nameOf(type(self.protocol)), self)
            if loop.dirty:
                loop.flush()
            left -= 1
            room -= len(data)
            if room <= 0:
                return
        if received < MOST:
            self._batch = min(received * 2, MOST)

    def _deliver(self, data: bytes, sender: Any) -> None:
        self.protocol.datagramReceived(data, sender)

    def _receivedAll(self, problem: OSError) -> bool:
        """Whether `problem` is that there is no more. Others are told; some end this port."""
        if problem.errno in _DROPPED:
            return True
        if problem.errno in _DEAD:
            self._say("error", "%r cannot receive any more and is closed: %s", self, problem)
            self.stopListening()
            return False
        if problem.errno in self.refusals:
            self._refused()
        elif self._failed() and problem.errno not in _NOTHING:
            # The network's or the system's trouble for now: an interface is down, say.
            self._say("warning", "%r cannot receive for now: %s", self, problem)
        return False

    def _refused(self) -> None:
        if self._sock is not None:
            try:
                self.protocol.connectionRefused()
            except BaseException as e:
                self._loop.raised("%s.connectionRefused raised, at %r", e, nameOf(type(self.protocol)), self)

    # Out.

    def _send(self, packet: Bytes, sockaddr: Any) -> None:
        """Send to `sockaddr`; to the one peer where that is None."""
        data = packet if packet.__class__ is bytes else asBytes("transport.write", packet)
        sock = self._sock
        if sock is None:
            return
        try:
            if sockaddr is None:
                sock.send(data)
            else:
                sock.sendto(data, sockaddr)
        except OSError as e:
            self._notSent(data, sockaddr, e)

    def _notSent(self, data: bytes, sockaddr: Any, problem: OSError) -> None:
        if problem.errno == errno.EMSGSIZE:
            raise self._tooLong(data) from None
        if sockaddr is None and problem.errno in _REFUSED:
            self._loop.soonIn(self.context, self._refused)
        elif problem.errno not in _DROPPED:
            raise problem

    # Who and where.

    def logPrefix(self) -> str:
        """The protocol's name, for logs."""
        return type(self.protocol).__name__

    def getHost(self) -> Any:
        """This end's address."""
        raise NotImplementedError

    def __repr__(self) -> str:
        state = "on" if self._sock is not None else "not open on"
        return f"<{type(self).__name__} of {type(self.protocol).__name__} {state} {self.getHost()}>"
