"""What a reactor offers over UNIX sockets. What it is made of is loaded when it is first used."""

from __future__ import annotations

from os import fsencode

from reactor._core.timers import checkDelay
from reactor._transport.client.connector import Connector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.server.port import Port
    from reactor._transport.unix.datagram import ConnectedUNIXDatagramPort, UNIXDatagramPort
    from reactor._transport.unix.path import Path
    from reactor._transport.unix.stream import UNIXTransport
    from reactor.interfaces import IReactorUNIX, IReactorUNIXDatagram
else:
    from reactor._ground.declare import IReactorUNIX, IReactorUNIXDatagram, implementer


@implementer(IReactorUNIX, IReactorUNIXDatagram)
class ReactorUNIX:
    """A part of `reactor.base.Reactor`."""

    if TYPE_CHECKING:
        _loop: Loop
        _pending: set[Connector]

        def _listen(self, listener: Any, factory: Any) -> Port: ...

    def connectUNIX(
        self, address: Path, factory: Any, timeout: float | None = 30, checkPID: bool | int = False
    ) -> Connector:
        """Connect to a UNIX socket. What becomes of it is told to `factory`, a `ClientFactory`, and never before this
        returns.

        :param address: the path; with a leading NUL a name of Linux's abstract namespace.
        :param timeout: seconds until the attempt fails with TimeoutError; None or 0: no limit.
        :param checkPID: connect only if a living process holds the lock of `address` (see `wantPID` of `listenUNIX`);
            otherwise it fails with BadFileError.
        :raises ValueError, TypeError: for a path that is none.
        """
        from reactor._transport.unix.destination import UNIXDestination
        from reactor._transport.unix.path import checkPath

        path = checkPath("connectUNIX", address)
        if timeout is not None:
            checkDelay(timeout, "connectUNIX", "timeout")
        destination = UNIXDestination(self._loop, path, bool(checkPID))
        connector = Connector(self._loop, self._pending, destination, factory, timeout)
        connector.connect()
        return connector

    def listenUNIX(
        self, address: Path, factory: Any, backlog: int = 50, mode: int = 0o600, wantPID: bool | int = False
    ) -> Port:
        """Listen on a UNIX socket; `factory.buildProtocol(address)` is called for each client. The file is removed when
        the port stops listening.

        :param address: the path; with a leading NUL a name of Linux's abstract namespace, which has no file.
        :param backlog: how many clients the system lets wait to be accepted.
        :param mode: who may connect, as the file's permissions; whatever the umask, it has exactly these.
        :param wantPID: hold the lock `address` + ".lock" while listening. If its last holder died, its socket is
            replaced; without the lock, a file that is there is never touched.
        :raises CannotListenError: when the system refuses, or another process holds the lock.
        :raises ValueError, TypeError: for a path, backlog or mode that is none.
        """
        from reactor._transport.unix.path import checkMode, checkPath, isAbstract
        from reactor._transport.unix.stream import UNIXListener

        path = checkPath("listenUNIX", address)
        if not isinstance(backlog, int) or isinstance(backlog, bool):
            raise TypeError(f"listenUNIX(): backlog must be an int, not {backlog!r}")
        if backlog < 0:
            raise ValueError(f"listenUNIX(): backlog must not be negative, not {backlog}")
        if wantPID and isAbstract(path):
            raise ValueError(f"listenUNIX(): wantPID needs a path; {path!r} has no file to put a lock beside")
        return self._listen(
            UNIXListener(self._loop, path, backlog, checkMode("listenUNIX", mode), bool(wantPID)), factory
        )

    def listenUNIXDatagram(
        self, address: Path | None, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o600
    ) -> UNIXDatagramPort:
        """Receive datagrams on a UNIX socket, and send them from it.

        :param address: the path, as for `listenUNIX`; None: no name, for sending only.
        :param protocol: a `DatagramProtocol`. It is told paths of senders as str (as bytes when abstract, None when
            they have no name).
        :param maxPacketSize: bytes at which a longer datagram is cut.
        :param mode: who may send to it, as the file's permissions.
        :raises CannotListenError: when the system refuses.
        """
        from reactor._transport.datagram.socket import checkSize
        from reactor._transport.unix.datagram import UNIXDatagramPort
        from reactor._transport.unix.path import checkMode, checkPath

        path = None if address is None else checkPath("listenUNIXDatagram", address)
        size, mode = checkSize("listenUNIXDatagram", maxPacketSize), checkMode("listenUNIXDatagram", mode)
        port = UNIXDatagramPort(self._loop, path, protocol, size, mode)
        port.startListening()
        return port

    def connectUNIXDatagram(
        self,
        address: Path,
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o600,
        bindAddress: Path | None = None,
    ) -> ConnectedUNIXDatagramPort:
        """Exchange datagrams with one peer.

        :param address: the peer's path.
        :param protocol: a `ConnectedDatagramProtocol`; when the system refuses, its `connectionFailed` is called, with
            a ConnectError or a CannotListenError, after this returned.
        :param maxPacketSize: bytes at which a longer datagram is cut.
        :param bindAddress: the path of this end, with the permissions `mode`; None: none, so that the peer cannot
            answer.
        """
        from reactor._transport.datagram.socket import checkSize
        from reactor._transport.unix.datagram import ConnectedUNIXDatagramPort
        from reactor._transport.unix.path import checkMode, checkPath

        peer = checkPath("connectUNIXDatagram", address)
        path = None if bindAddress is None else checkPath("connectUNIXDatagram", bindAddress, "bindAddress")
        size, mode = checkSize("connectUNIXDatagram", maxPacketSize), checkMode("connectUNIXDatagram", mode)
        port = ConnectedUNIXDatagramPort(self._loop, peer, path, protocol, size, mode)
        port.startListening()
        return port

    def _adoptUNIXPort(self, fileDescriptor: int, factory: Any) -> Port:
        from reactor._transport.unix.stream import UNIXListener, adopted

        sock = adopted("adoptStreamPort", fileDescriptor)
        return self._listen(UNIXListener(self._loop, fsencode(sock.getsockname()), 0, 0, False, sock), factory)

    def _adoptUNIXConnection(self, fileDescriptor: int, factory: Any) -> UNIXTransport | None:
        from reactor._transport.unix.stream import UNIXListener, adoptConnection, adopted

        sock = adopted("adoptStreamConnection", fileDescriptor)
        return adoptConnection(UNIXListener(self._loop, b"", 0, 0, False), sock, factory)
