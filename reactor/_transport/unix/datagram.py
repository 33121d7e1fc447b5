"""UNIX datagram sockets: a name in the file system, or one peer. Unlike with UDP, a receiver that is slow makes the
kernel refuse what is sent to it, which is dropped then.
"""

from __future__ import annotations

import os
import socket

from reactor._transport.datagram.socket import DatagramSocket
from reactor._transport.unix.path import BoundPath, address, checkPath, explained
from reactor.address import UNIXAddress
from reactor.error import CannotListenError, getConnectError
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.stream.transport import Bytes
    from reactor._transport.unix.path import Path
    from reactor.interfaces import IUNIXDatagramConnectedTransport, IUNIXDatagramTransport
else:
    from reactor._ground.declare import IUNIXDatagramConnectedTransport, IUNIXDatagramTransport, implementer


class _UNIXDatagramSocket(DatagramSocket):
    """What both kinds have in common."""

    __slots__ = ("_bound", "_mode", "_path")

    def __init__(self, loop: Loop, path: bytes | None, protocol: Any, maxPacketSize: int, mode: int) -> None:
        """Not there yet. `path` None: without a name of its own, so that nobody can answer."""
        super().__init__(loop, protocol, maxPacketSize)
        self._path = path
        self._mode = mode
        self._bound: BoundPath | None = None

    def _made(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if self._path is not None:
                self._bound = BoundPath(sock, self._path, self._mode)
        except OSError:
            sock.close()
            raise
        return sock

    def _undone(self) -> None:
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.remove()

    def _place(self) -> tuple[Any, Any]:
        return None, "" if self._path is None else os.fsdecode(self._path)

    def _address(self, sockaddr: Any) -> UNIXAddress:
        return address(sockaddr)

    def _notSent(self, data: bytes, sockaddr: Any, problem: OSError) -> None:
        super()._notSent(data, sockaddr, explained(problem, sockaddr or b""))

    def getHost(self) -> UNIXAddress:
        """This end's address; its name is None for a socket without one."""
        host: UNIXAddress = self._host
        return host if host is not None else UNIXAddress(self._path)


@implementer(IUNIXDatagramTransport)
class UNIXDatagramPort(_UNIXDatagramSocket):
    """What `reactor.listenUNIXDatagram` returns: datagrams to and from anybody."""

    __slots__ = ()

    def _deliver(self, data: bytes, sender: Any) -> None:
        self.protocol.datagramReceived(data, sender or None)

    def write(self, packet: Bytes, addr: Path) -> None:
        """Send `packet` to the socket at path `addr`. What the receiver has no room for is dropped, as UDP would; so
        is what is written when this port is closed.

        MessageLengthError when it is longer than the system takes; OSError when nobody is there, or it is not allowed.
        TypeError, ValueError for what is no packet or no path.
        """
        self._send(packet, checkPath("transport.write", addr, "addr"))


@implementer(IUNIXDatagramConnectedTransport)
class ConnectedUNIXDatagramPort(_UNIXDatagramSocket):
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
        self._loop.soonIn(self.context, self.protocol.connectionFailed, Failure(problem))

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
