"""What is UNIX about a connection: the transport, which passes descriptors and knows who the peer is, and the listener,
which leaves neither a socket nor a lock behind.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections import namedtuple

from reactor._ground.declare import provides
from reactor._ground.linklock import Lock
from reactor._transport.stream.lifecycle import DRAINING, WRITING
from reactor._transport.stream.socketoptions import SocketOptions
from reactor._transport.stream.tcp import adopt
from reactor._transport.stream.transport import StreamTransport
from reactor._transport.stream.wire import Wire
from reactor._transport.unix.descriptors import Passing
from reactor._transport.unix.path import BoundPath, address, removeStaleSocket
from reactor.error import UnsupportedAddressFamily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.server.port import Port
    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.transport import Top
    from reactor.address import UNIXAddress
    from reactor.interfaces import ITLSTransport, IUNIXTransport
else:
    from reactor._ground.declare import ITLSTransport, IUNIXTransport, implementer

PeerCredentials = namedtuple("PeerCredentials", ("pid", "uid", "gid"))
PeerCredentials.__doc__ = "Who is at the other end: numbers of the process, its user and its group."


@implementer(IUNIXTransport, ITLSTransport)
class UNIXTransport(SocketOptions, StreamTransport):
    """A connection over a UNIX socket. It has the methods of one over TCP, too: many protocols set its options."""

    __slots__ = ("_credentials", "_loop", "_passing")

    kind = "UNIX"
    probes = False

    def __init__(self, wire: Wire, top: Top, peer: Address, protocol: Any, connector: Any, factory: Any) -> None:
        """As for every stream."""
        super().__init__(wire, top, peer, protocol, connector, factory)
        self._loop = wire.loop
        self._credentials: PeerCredentials | None = None
        # None until descriptors are in play.
        self._passing: Passing | None = None
        if protocol is not None:
            self._chooseReceiver(protocol)

    def _address(self, sockaddr: Any) -> Address:
        return address(sockaddr)

    def getHandle(self) -> socket.socket:
        """The socket itself."""
        return self._wire.socket if self._passing is None else self._passing.sock

    def getTcpNoDelay(self) -> bool:
        """False: there is nothing that is held back or not."""
        return False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """No effect."""

    def getPeerCredentials(self) -> PeerCredentials:
        """Who is at the other end, a tuple `(pid, uid, gid)`: of the process that connected or, seen by a client, that
        listens, as it was then. The kernel vouches for it (SO_PEERCRED, unix(7)).

        OSError where the system does not tell, or when the connection is over and nobody asked before.
        """
        if self._credentials is None:
            if not hasattr(socket, "SO_PEERCRED"):
                raise OSError(errno.ENOTSUP, "getPeerCredentials(): this system does not tell who the peer is")
            told = self.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
            self._credentials = PeerCredentials(*struct.unpack("iII", told))
        return self._credentials

    # Descriptors.

    def sendFileDescriptor(self, descriptor: int) -> None:
        """Send a copy of `descriptor`, an int, ahead of the byte that is written next. The original may be closed as
        soon as this returns.

        For each descriptor there has to be a byte of its own, written before the callback that is being made returns;
        otherwise the connection ends with FileDescriptorOverrun. What is sent after `loseConnection` is dropped, as
        with `write`. OSError for a descriptor that is not open, or when the process can have no more of them.
        RuntimeError under TLS: a descriptor goes beside bytes in the clear, and nothing would tell the peer which ones.
        """
        if not isinstance(descriptor, int) or isinstance(descriptor, bool):
            raise TypeError(f"transport.sendFileDescriptor(): descriptor must be an int, not {descriptor!r}")
        if self.TLS:
            raise RuntimeError("transport.sendFileDescriptor(): this connection speaks TLS; send it before startTLS()")
        wire = self._wire
        if wire.state in WRITING or (wire.source is not None and wire.state in DRAINING):
            self._passes().queue(descriptor)

    def startTLS(self, contextFactory: Any, normal: bool = True, hostname: str | None = None) -> None:
        """Speak TLS from here on, as on any other stream. There is no name to verify in a path: it is that of
        `contextFactory`, or `hostname`.

        Descriptors that were sent before are on their way with the cleartext. From here on none can be sent, and what
        the peer sends is closed.
        """
        passing = self._passing
        if passing is not None and not self.TLS:
            # Those without a byte would go with one of the handshake's.
            passing.check()
        super().startTLS(contextFactory, normal, hostname)
        if passing is not None:
            passing.receiver = None
            passing.goOn()

    def _serverName(self) -> str | None:
        return None

    def resumeProducing(self) -> None:
        """Deliver again."""
        super().resumeProducing()
        if self._passing is not None:
            self._passing.goOn()

    def loseConnection(self) -> None:
        """Send what is queued, then close."""
        self._noMoreBytes()
        super().loseConnection()
        if self._passing is not None:
            # Nobody gets what a peer sends while the close waits for its end.
            self._passing.receiver = None

    def loseWriteConnection(self) -> None:
        """Send what is queued, then tell the peer that no more comes; reading goes on. Later writes are dropped."""
        self._noMoreBytes()
        super().loseWriteConnection()

    def _noMoreBytes(self) -> None:
        if self._passing is not None and self._wire.source is None and self._wire.state in WRITING:
            self._passing.check()

    def _passes(self) -> Passing:
        if self._passing is None:
            self._passing = Passing(self._loop, self._wire)
        return self._passing

    @property
    def protocol(self) -> Any:
        """Who gets the bytes, and the descriptors if it provides `IFileDescriptorReceiver`; may be replaced while the
        connection stands. None when it is over.
        """
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self._top.receiver = protocol
        self._chooseReceiver(protocol)

    def _chooseReceiver(self, protocol: Any) -> None:
        if self._top is not self._wire:
            # Descriptors travel beside bytes in the clear only.
            return
        if self._takesDescriptors(protocol):
            passing = self._passes()
            passing.receiver = protocol
            self._wire.receiver = passing
        elif self._passing is not None:
            self._passing.receiver = None

    def _takesDescriptors(self, protocol: Any) -> bool:
        return provides(protocol, "IFileDescriptorReceiver")

    def _place(self) -> tuple[Any, Any]:
        # An address of this kind has a name instead of a host; a client knows it, a server knows its own.
        return getattr(self._peer, "name", None) or getattr(self.getHost(), "name", None), None


class UNIXListener:
    """What a port that listens on a UNIX socket is made of."""

    __slots__ = ("_adopted", "_bound", "_lock", "_path", "backlog", "interface", "loop", "mode", "port")

    # Whose end of a connection it is that was accepted.
    wire = Wire

    def __init__(
        self,
        loop: Loop,
        path: bytes,
        backlog: int,
        mode: int,
        wantPID: bool,
        adopted: socket.socket | None = None,
    ) -> None:
        """Listen at `path`, with a file that has the permissions `mode`, and a lock beside it if `wantPID`; or on the
        socket `adopted`, which does already, and whose file is somebody else's.
        """
        self.loop = loop
        # A path has none.
        self.interface: Any = None
        self.port = os.fsdecode(path)
        self._path = path
        self.backlog = backlog
        self.mode = mode
        self._lock = Lock(path + b".lock") if wantPID else None
        self._bound: BoundPath | None = None
        self._adopted: socket.socket | None = adopted

    def listen(self) -> socket.socket:
        """A non-blocking listening socket. OSError when the system refuses, or somebody else holds the lock."""
        if self._adopted is not None:
            adopted, self._adopted = self._adopted, None
            if not adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                adopted.close()
                raise OSError(errno.EINVAL, "the adopted socket is not listening")
            return adopted
        if self._lock is not None:
            self._lock.take()
            if self._lock.broken:
                removeStaleSocket(self._path)
        sock = None
        try:
            sock = self.loop.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            self._bound = BoundPath(sock, self._path, self.mode)
            sock.listen(self.backlog)
        except BaseException:
            if sock is not None:
                sock.close()
            self.closed()
            raise
        return sock

    def address(self, sockaddr: Any) -> UNIXAddress:
        """The address object for what the socket module calls one."""
        return address(sockaddr)

    def admit(self, port: Port, sock: socket.socket, sockaddr: Any) -> None:
        """A client was accepted: the connection is made."""
        wire = self.wire(self.loop, sock)
        wire.context.run(port.made, wire, wire, self.address(sockaddr))

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, factory: Any) -> UNIXTransport:
        """The transport of a connection that was accepted."""
        return UNIXTransport(wire, top, peer, protocol, None, factory)

    def closed(self) -> None:
        """The port closed its socket: remove its file, then its lock."""
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.remove()
        if self._lock is not None:
            self._lock.release()


def adoptConnection(listener: UNIXListener, sock: socket.socket, factory: Any) -> UNIXTransport | None:
    """Take over the connected socket `sock` as one that `listener` had accepted, with a protocol that `factory` builds;
    None when it built none.

    Raises what buildProtocol raises, and OSError when it is not connected. The socket is closed then.
    """
    try:
        peer = listener.address(sock.getpeername())
        protocol = factory.buildProtocol(peer)
    except BaseException:
        sock.close()
        raise
    if protocol is None:
        sock.close()
        return None
    wire = listener.wire(listener.loop, sock)
    transport = listener.transport(wire, wire, peer, protocol, factory)
    wire.context.run(transport.begin)
    return transport


def adopted(method: str, fileDescriptor: int) -> socket.socket:
    """A non-blocking socket on a copy of somebody's descriptor; raises as `adopt`."""
    sock = adopt(method, fileDescriptor, socket.AF_UNIX)
    if isinstance(sock.getsockname(), tuple):
        sock.close()
        raise UnsupportedAddressFamily(
            f"{method}(): addressFamily is AF_UNIX, descriptor {fileDescriptor} is none of it"
        )
    return sock
