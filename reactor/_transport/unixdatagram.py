"""UNIX datagram sockets: what is written is sent at once, what comes is given to the protocol.

As with UDP, what the kernel has no room for is dropped; unlike UDP, a receiver that is slow makes that happen here. A
protocol that raises is reported, and hears of the next datagram.
"""

from __future__ import annotations

import errno
import os
import socket

from reactor._core.poller import READ, Watch
from reactor._log import message
from reactor._transport.stream import asBytes
from reactor._transport.unixpath import BoundPath, address, checkPath, explained
from reactor.address import UNIXAddress
from reactor.defer import Deferred
from reactor.error import CannotListenError, MessageLengthError, getConnectError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.stream import Bytes
    from reactor._transport.unixpath import Path
    from reactor.interfaces import (
        IListeningPort,
        ISystemHandle,
        IUNIXDatagramConnectedTransport,
        IUNIXDatagramTransport,
    )
else:
    from reactor._declare import (
        IListeningPort,
        ISystemHandle,
        IUNIXDatagramConnectedTransport,
        IUNIXDatagramTransport,
        implementer,
    )

# Datagrams that one turn receives at most, so that a flood on one socket does not starve the others.
_MOST = 64
# Full now; nobody waits for a datagram.
_DROPPED = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})
# The one peer is gone. The kernel says the second once it has said the first.
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ENOTCONN, errno.ECONNRESET})


@implementer(IListeningPort, ISystemHandle)
class DatagramSocket(Watch):
    """What both kinds have in common."""

    __slots__ = (
        "__weakref__",
        "_bound",
        "_host",
        "_loop",
        "_maxPacketSize",
        "_mode",
        "_path",
        "_sock",
        "_stopping",
        "protocol",
    )

    def __init__(self, loop: Loop, path: bytes | None, protocol: Any, maxPacketSize: int, mode: int) -> None:
        """Not there yet. `path` None: without a name of its own, so that nobody can answer."""
        super().__init__(-1)
        self._loop = loop
        self._path = path
        self._maxPacketSize = maxPacketSize
        self._mode = mode
        self.protocol = protocol
        self._sock: socket.socket | None = None
        self._bound: BoundPath | None = None
        self._host: UNIXAddress | None = None
        # Whoever waits until the protocol is told that the socket was closed; None when that is not so.
        self._stopping: list[Deferred[None]] | None = None

    # Beginning and end.

    def _open(self) -> socket.socket:
        """A bound socket. CannotListenError when the system refuses."""
        if self._sock is not None:
            raise CannotListenError(None, self._name, OSError(errno.EINVAL, "this port listens already"))
        sock = None
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.setblocking(False)
            if self._path is not None:
                self._bound = BoundPath(sock, self._path, self._mode)
        except OSError as e:
            if sock is not None:
                sock.close()
            raise CannotListenError(None, self._name, e) from e
        return sock

    def _begin(self, sock: socket.socket) -> None:
        self._sock = sock
        try:
            self.fd = sock.fileno()
            self._host = address(sock.getsockname())
            self._loop.poller.add(self, READ)
            self.protocol.makeConnection(self)
        except BaseException:
            self._loop.poller.forget(self)
            self._close()
            raise
        message("info", "%r is open", self)

    def startListening(self) -> None:
        """Open the socket (again). CannotListenError when the system refuses."""
        self._begin(self._open())

    def stopListening(self) -> Deferred[None]:
        """Close the socket and remove its file. The Deferred fires with None in the next turn, when the protocol was
        told. What its `doStop` raises, it fails with.
        """
        self._loop.poller.forget(self)
        waiting: Deferred[None] = Deferred()
        if self._sock is not None:
            self._stopping = stopping = [waiting]
            self._close()
            self._loop.soon(self._told, stopping)
        elif self._stopping is not None:
            self._stopping.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    loseConnection = stopListening

    def _close(self) -> None:
        sock, self._sock = self._sock, None
        bound, self._bound = self._bound, None
        self.fd = -1
        if sock is not None:
            sock.close()
        if bound is not None:
            bound.remove()

    def _told(self, stopping: list[Deferred[None]]) -> None:
        message("info", "%r is closed", self)
        if self._stopping is stopping:
            self._stopping = None
        try:
            self.protocol.doStop()
        except BaseException as e:
            if stopping and isinstance(e, Exception):
                stopping.pop(0).errback(e)
            else:
                self._loop.raised(f"{type(self.protocol).__name__}.doStop raised, for {self!r}", e)
        for waiting in stopping:
            waiting.callback(None)

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self._loop.poller.forget(self)
        if self._sock is not None:
            self._close()
            self._told([])

    # In.

    def readable(self) -> None:
        """Receive those that are there, some of them."""
        loop = self._loop
        for _ in range(_MOST):
            if self._sock is None or not self.interest & READ:
                return
            try:
                data, sender = self._sock.recvfrom(self._maxPacketSize)
            except OSError as e:
                self._cannotReceive(e)
                return
            try:
                self._deliver(data, sender)
            except BaseException as e:
                loop.raised(f"{type(self.protocol).__name__}.datagramReceived raised, at {self!r}", e)
            if loop.dirty:
                loop.flush()

    def _deliver(self, data: bytes, sender: Any) -> None:
        self.protocol.datagramReceived(data, sender or None)

    def _cannotReceive(self, problem: OSError) -> None:
        if problem.errno in _REFUSED:
            self._refused()
        elif problem.errno not in _DROPPED and problem.errno != errno.EINTR:
            # Nothing that passes by itself.
            message("error", "%r cannot receive and is closed: %s", self, problem)
            self.stopListening()

    def _refused(self) -> None:
        if self._sock is not None:
            try:
                self.protocol.connectionRefused()
            except BaseException as e:
                self._loop.raised(f"{type(self.protocol).__name__}.connectionRefused raised, at {self!r}", e)

    def pauseProducing(self) -> None:
        """Leave datagrams in the kernel's queue until `resumeProducing`."""
        self._loop.poller.drop(self, READ)

    def resumeProducing(self) -> None:
        """Receive again."""
        if self._sock is not None:
            self._loop.poller.want(self, READ)

    # Out.

    def _send(self, packet: Bytes, path: bytes | None) -> None:
        data = packet if isinstance(packet, bytes) else asBytes("transport.write", packet)
        if self._sock is None:
            return
        try:
            if path is None:
                self._sock.send(data)
            else:
                self._sock.sendto(data, path)
        except OSError as e:
            if e.errno == errno.EMSGSIZE:
                raise MessageLengthError(f"{len(data)} bytes in one datagram") from None
            if path is None and e.errno in _REFUSED:
                self._loop.soon(self._refused)
            elif e.errno not in _DROPPED:
                raise explained(e, path or b"") from None

    # Who and where.

    @property
    def _name(self) -> str:
        return "" if self._path is None else os.fsdecode(self._path)

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._sock is not None

    def getHost(self) -> UNIXAddress:
        """This end's address; its name is None for a socket without one."""
        return self._host if self._host is not None else UNIXAddress(self._path)

    def getHandle(self) -> socket.socket | None:
        """The socket, None when it is closed."""
        return self._sock

    def fileno(self) -> int:
        """The socket's descriptor, -1 when it is closed."""
        return self.fd

    def logPrefix(self) -> str:
        """The protocol's name, for logs."""
        return type(self.protocol).__name__

    def __repr__(self) -> str:
        state = "on" if self._sock is not None else "not open on"
        return f"<{type(self).__name__} of {type(self.protocol).__name__} {state} {self.getHost()}>"


@implementer(IUNIXDatagramTransport)
class UNIXDatagramPort(DatagramSocket):
    """What `reactor.listenUNIXDatagram` returns: datagrams to and from anybody."""

    __slots__ = ()

    def write(self, packet: Bytes, addr: Path) -> None:
        """Send `packet` to the socket at path `addr`. What the receiver has no room for is dropped, as UDP would; so
        is what is written when this port is closed.

        MessageLengthError when it is longer than the system takes; OSError when nobody is there, or it is not allowed.
        TypeError, ValueError for what is no packet or no path.
        """
        self._send(packet, checkPath("transport.write", addr, "addr"))


@implementer(IUNIXDatagramConnectedTransport)
class ConnectedUNIXDatagramPort(DatagramSocket):
    """What `reactor.connectUNIXDatagram` returns: datagrams to and from one peer."""

    __slots__ = ("_peer",)

    def __init__(
        self, loop: Loop, peer: bytes, path: bytes | None, protocol: Any, maxPacketSize: int, mode: int
    ) -> None:
        """Not connected yet; `path` is this end's."""
        super().__init__(loop, path, protocol, maxPacketSize, mode)
        self._peer = peer

    def startListening(self) -> None:
        """Open the socket and connect it. What the system refuses, the protocol's `connectionFailed` is told in the
        next turn.
        """
        try:
            sock = self._open()
        except CannotListenError as e:
            self._fail(e)
            return
        try:
            sock.connect(self._peer)
        except OSError as e:
            sock.close()
            self._close()
            self._fail(getConnectError(explained(e, self._peer), host=os.fsdecode(self._peer)))
            return
        self._begin(sock)

    def _fail(self, problem: Exception) -> None:
        self._loop.soon(self.protocol.connectionFailed, Failure(problem))

    def _deliver(self, data: bytes, sender: Any) -> None:
        self.protocol.datagramReceived(data)

    def write(self, packet: Bytes) -> None:
        """Send `packet` to the peer. What it has no room for is dropped, as UDP would; when it is gone, the protocol's
        `connectionRefused` is called in the next turn.

        MessageLengthError when it is longer than the system takes. TypeError for what is no packet.
        """
        self._send(packet, None)

    def getPeer(self) -> UNIXAddress:
        """The peer's address."""
        return UNIXAddress(self._peer)
