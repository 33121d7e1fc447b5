"""UNIX datagram sockets in Twisted's words, as `listenUNIXDatagram` and `connectUNIXDatagram` of a Twisted reactor
return them: ours, with a file that stays where it is when they end, since programs for Twisted remove it themselves.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from twisted.internet import interfaces
from twisted.internet.address import UNIXAddress
from twisted.internet.protocol import ConnectedDatagramProtocol
from twisted.python import log
from twisted.python.failure import Failure
from twisted.python.reflect import qual
from zope.interface import implementer

from reactor._transport.unix.datagram import ConnectedUNIXDatagramPort, UNIXDatagramPort
from reactor.twisted.datagrams import DatagramPort

if TYPE_CHECKING:
    from socket import socket as Socket
    from typing import Any

    from reactor.twisted.frame import TwistedReactor

    Path = str | bytes


class _Named(DatagramPort):
    """What both kinds say in the same way."""

    __slots__ = ()

    addressFamily = socket.AF_UNIX
    #: The path that was asked for; nothing for a socket without a name.
    port: Any = None
    mode: int

    def _called(self, reactor: TwistedReactor, port: Path | None, mode: int) -> None:
        self.reactor = reactor
        self.port = port
        self.mode = mode
        self.logstr = f"{qual(type(self.protocol))} (UDP)"

    def _announce(self, sock: Socket | None = None) -> None:
        log.msg(f"{type(self.protocol)} starting on {self.port!r}")

    def _sayClosed(self) -> None:
        log.msg(f"(Port {self.port!r} Closed)")

    def _open(self) -> Socket:
        # Before it is tried, as Twisted's.
        self._announce()
        return super()._open()

    def startListening(self) -> None:
        """Open the socket (again), and say so in the log. CannotListenError when the system refuses."""
        self._begin(self._open())

    def _undone(self) -> None:
        """The file stays."""

    def _place(self) -> tuple[None, Any]:
        return None, self.port

    def _address(self, sockaddr: Any) -> Any:
        return UNIXAddress(sockaddr)

    def getHost(self) -> Any:
        """This end's address."""
        return self._host

    def __repr__(self) -> str:
        place = "(not listening)" if self._sock is None else f"on {self.port!r}"
        return f"<{qual(type(self.protocol))} {place}>"


@implementer(interfaces.IUNIXDatagramTransport)
class Port(_Named, UNIXDatagramPort):
    """What `listenUNIXDatagram` of a Twisted reactor returns."""

    def __init__(self, reactor: TwistedReactor, address: Path, protocol: Any, maxPacketSize: int, mode: int) -> None:
        """Not there yet."""
        super().__init__(reactor._loop, os.fsencode(address) if address else None, protocol, maxPacketSize, mode)
        self._called(reactor, address, mode)

    def write(self, datagram: bytes, address: Path) -> int | None:  # type: ignore[override]
        """Send `datagram` to the socket at path `address`. How many bytes it has, when it was sent: what the receiver
        has no room for is dropped, and so is what is written to a closed port.

        MessageLengthError when it is longer than the system takes; OSError when nobody is there.
        """
        sock = self._sock
        if sock is None:
            return None
        try:
            return sock.sendto(datagram, address)
        except OSError as e:
            self._notSent(datagram, address, e)
            return None


@implementer(interfaces.IUNIXDatagramConnectedTransport)
class ConnectedPort(_Named, ConnectedUNIXDatagramPort):
    """What `connectUNIXDatagram` of a Twisted reactor returns."""

    def __init__(
        self,
        reactor: TwistedReactor,
        address: Path,
        protocol: Any,
        maxPacketSize: int,
        mode: int,
        bindAddress: Path | None,
    ) -> None:
        """Not connected yet."""
        assert isinstance(protocol, ConnectedDatagramProtocol), f"{protocol!r} is no ConnectedDatagramProtocol"
        own = os.fsencode(bindAddress) if bindAddress else None
        super().__init__(reactor._loop, os.fsencode(address), own, protocol, maxPacketSize, mode)
        #: The peer's path.
        self.remoteaddr = address
        self._called(reactor, bindAddress, mode)

    def startListening(self) -> None:
        """Open the socket and connect it; what the system refuses, the protocol's `connectionFailed` is told."""
        try:
            sock = self._open()
            try:
                sock.connect(self.remoteaddr)
            except BaseException:
                sock.close()
                self._sayClosed()
                raise
            self._begin(sock)
        except BaseException:
            self.protocol.connectionFailed(Failure())

    def write(self, datagram: bytes) -> int | None:  # type: ignore[override]
        """Send `datagram` to the peer. How many bytes it has, when it was sent: what the peer has no room for is
        dropped. When it is gone, the protocol's `connectionRefused` is called in the next turn.

        MessageLengthError when it is longer than the system takes.
        """
        sock = self._sock
        if sock is None:
            return None
        try:
            return sock.send(datagram)
        except OSError as e:
            self._notSent(datagram, None, e)
            return None

    def getPeer(self) -> Any:
        """The peer's address."""
        return UNIXAddress(self.remoteaddr)


class ReactorUNIXDatagrams:
    """A part of `TwistedReactor`."""

    def listenUNIXDatagram(self, address: Path, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o666) -> Port:
        """Receive datagrams, and send them, at the path `address`, whose file gets the permissions `mode`.

        :raises CannotListenError: when the system refuses.
        """
        made = Port(self, address, protocol, maxPacketSize, mode)  # type: ignore[arg-type]
        made.startListening()
        return made

    def connectUNIXDatagram(
        self,
        address: Path,
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
        bindAddress: Path | None = None,
    ) -> ConnectedPort:
        """Exchange datagrams with the socket at the path `address`; `bindAddress` is this end's path, if it has one."""
        made = ConnectedPort(
            self,  # type: ignore[arg-type]
            *(address, protocol, maxPacketSize, mode, bindAddress),
        )
        made.startListening()
        return made
