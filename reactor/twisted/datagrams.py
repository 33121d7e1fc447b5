"""UDP in Twisted's words: our sockets for datagrams, as `listenUDP`, `listenMulticast` and `adoptDatagramPort` of a
Twisted reactor return them.

Datagrams come and go as they do for our own API; what differs is said where a port begins and ends, and where something
is refused. A port that is stopped is closed in the next turn, as Twisted's, so that what its program does with it until
then is still done.
"""

from __future__ import annotations

import errno
import os
import socket
import warnings
from typing import TYPE_CHECKING

from twisted.internet import interfaces
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    CannotListenError,
    InvalidAddressError,
    MessageLengthError,
    UnsupportedAddressFamily,
)
from twisted.internet.udp import MulticastMixin  # type: ignore[attr-defined]
from twisted.python import log
from zope.interface import implementer

from reactor._transport.datagram.socket import DatagramSocket
from reactor._transport.datagram.udp import BROADCAST, UDPPort
from reactor._transport.stream.tcp import zoned
from reactor.twisted.words import prefixOf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from socket import socket as Socket
    from typing import Any

    from reactor.failure import Failure
    from reactor.twisted.frame import TwistedReactor

# What Twisted has no other name for in `write`, and raises as it is.
_FULL = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})


@implementer(interfaces.IListeningPort, interfaces.ISystemHandle, interfaces.ILoggingContext)
class DatagramPort(DatagramSocket):
    """What every kind says in the same way: how it begins, how it ends, and what it has refused."""

    __slots__ = ()

    #: The reactor that it is one of.
    reactor: Any = None
    addressFamily = socket.AF_INET
    socketType = socket.SOCK_DGRAM
    #: What its entries in the log begin with.
    logstr = "-"

    def _cannotListen(self, problem: OSError) -> Exception:
        return CannotListenError(*self._place(), problem)

    def _tooLong(self, data: bytes) -> Exception:
        return MessageLengthError("message too long")

    # Beginning.

    def startListening(self) -> None:
        """Open the socket (again), and say so in the log. CannotListenError when the system refuses."""
        sock = self._open()
        self._announce(sock)
        self._begin(sock)

    def _announce(self, sock: Socket) -> None:
        """Log that it begins."""
        raise NotImplementedError

    def _sayOpen(self) -> None:
        """Said before that."""

    def _say(self, level: str, text: str, *args: object) -> None:
        log.msg(text % args, isError=level == "error")

    # End.

    def stopListening(self) -> Deferred[None] | None:
        """Receive nothing more, and close in the next turn. The Deferred fires with None when that is done; there is
        none when this port is closed.
        """
        self._loop.poller.checkProcess()
        if self._sock is None:
            return None
        self._loop.poller.forget(self)
        waiting: Deferred[None] = Deferred()
        if self._stopping is None:
            self._stopping = [waiting]
            self.reactor.callLater(0, self.connectionLost)
        else:
            self._stopping.append(waiting)
        return waiting

    def loseConnection(self) -> None:
        """The same, by a name that is discouraged."""
        warnings.warn("Please use stopListening() to disconnect port", DeprecationWarning, stacklevel=2)
        self.stopListening()

    def connectionLost(self, reason: object = None) -> None:
        """Close, and tell the protocol, then whoever waits for that."""
        if self._sock is None:
            return
        self._loop.poller.forget(self)
        self._close()
        self._told(self._stopping if self._stopping is not None else [])

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self.connectionLost()

    # Who and where.

    @property
    def socket(self) -> Socket:
        """The socket. AttributeError when there is none."""
        sock = super().getHandle()
        if sock is None:
            raise AttributeError(f"{self!r} has no socket: it is not open")
        return sock

    def getHandle(self) -> Socket:
        """The socket. AttributeError when there is none."""
        return self.socket

    def logPrefix(self) -> str:
        """What its entries in the log begin with."""
        return self.logstr


@implementer(interfaces.IUDPTransport)
class Port(DatagramPort, UDPPort):
    """What `listenUDP` of a Twisted reactor returns."""

    invalidAddress = InvalidAddressError
    #: The port that is listened at; None while it is not open.
    _realPortNumber: int | None = None

    def __init__(
        self,
        reactor: TwistedReactor,
        port: int,
        protocol: Any,
        interface: str,
        maxPacketSize: int,
        reuse: bool = False,
        adopted: Socket | None = None,
    ) -> None:
        """Not there yet."""
        family = socket.AF_INET if adopted is None else adopted.family
        if interface and adopted is None:
            if isIPv6Address(interface):
                family = socket.AF_INET6
            elif not isIPAddress(interface):
                raise InvalidAddressError(interface, "not an IPv4 or IPv6 address.")
        super().__init__(reactor._loop, family, interface, port, protocol, maxPacketSize, reuse, adopted)
        self.reactor = reactor
        self.addressFamily = socket.AddressFamily(family)
        self.logstr = f"{prefixOf(protocol)} (UDP)"

    def _announce(self, sock: Socket) -> None:
        self._realPortNumber = sock.getsockname()[1]
        log.msg(f"{prefixOf(self.protocol)} starting on {self._realPortNumber}")

    def _sayClosed(self) -> None:
        log.msg(f"(UDP Port {self._realPortNumber} Closed)")
        self._realPortNumber = None

    # Out.

    def write(  # type: ignore[override]
        self, datagram: bytes, addr: tuple[str, int] | None = None
    ) -> int | None:
        """Send `datagram` to `addr`, (host, port); to the peer, after `connect`. How many bytes it has, when it was
        sent.

        InvalidAddressError for a name or an address of the other family; MessageLengthError when the datagram is longer
        than the network takes; OSError when there is no way there, or no room. What is written to a closed port is
        dropped.
        """
        sock = self._sock
        if sock is None:
            return None
        if self._peer is not None:
            assert addr in (None, self._peer), f"{addr!r} is not {self._peer!r}, which this port is connected to"
            try:
                return sock.send(datagram)
            except OSError as e:
                self._notSent(datagram, None, e)
                return None
        try:
            instead = self._hosts[addr[0]]  # type: ignore[index]
        except (KeyError, TypeError):
            instead = self._checked(addr)
        sockaddr: Any = addr if instead is None else (instead[0], addr[1], 0, instead[1])  # type: ignore[index]
        try:
            return sock.sendto(datagram, sockaddr)
        except OSError as e:
            self._notSent(datagram, sockaddr, e)
            return None

    def writeSequence(  # type: ignore[override]
        self, seq: Iterable[bytes], addr: tuple[str, int] | None = None
    ) -> None:
        """Send the pieces of `seq`, joined, in one datagram to `addr`; as `write` does."""
        self.write(b"".join(seq), addr)

    def _checked(self, addr: Any) -> tuple[str, int] | None:
        assert addr is not None, "an address is needed: this port is not connected"
        host, port = os.fsdecode(addr[0]), addr[1]
        if host != BROADCAST or self._family != socket.AF_INET:
            self._literal("write", host, port)
        return super()._checked((host, port)) if host == addr[0] else None

    def _notSent(self, data: bytes, sockaddr: Any, problem: OSError) -> None:
        if problem.errno in _FULL:
            raise problem
        if sockaddr is None or problem.errno != errno.ECONNREFUSED:
            super()._notSent(data, sockaddr, problem)

    # Who and where.

    @property
    def port(self) -> int | None:
        """The port that was asked for; None of a socket that was adopted."""
        return self._port

    @property
    def interface(self) -> str:
        """The local address that was asked for."""
        return self._interface

    @property
    def _connectedAddr(self) -> tuple[str, int] | None:
        return self._peer

    def _address(self, sockaddr: Any) -> Any:
        if self._family == socket.AF_INET:
            return IPv4Address("UDP", *sockaddr)
        return IPv6Address("UDP", *zoned(sockaddr)[:2])

    def getHost(self) -> Any:
        """This end's address, with the real port number."""
        return self._host

    def __repr__(self) -> str:
        place = "not connected" if self._realPortNumber is None else f"on {self._realPortNumber}"
        return f"<{type(self.protocol)} {place}>"


@implementer(interfaces.IMulticastTransport)
class MulticastPort(MulticastMixin, Port):  # type: ignore[override]
    """What `listenMulticast` of a Twisted reactor returns. Groups are joined and left in Twisted's own way."""


@implementer(interfaces.IReactorUDP, interfaces.IReactorMulticast)
class ReactorDatagrams:
    """A part of `TwistedReactor`."""

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Port:
        """Receive datagrams, and send them, over UDP.

        :raises CannotListenError: when the system refuses. InvalidAddressError: for an interface that is no address.
        """
        made = Port(self, port, protocol, interface, maxPacketSize)  # type: ignore[arg-type]
        made.startListening()
        return made

    def listenMulticast(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> MulticastPort:
        """As `listenUDP`, with a transport that can join groups; several may listen at one port with `listenMultiple`.

        :raises CannotListenError: when the system refuses. InvalidAddressError: for an interface that is no address.
        """
        made = MulticastPort(
            self,  # type: ignore[arg-type]
            *(port, protocol, interface, maxPacketSize, listenMultiple),
        )
        made.startListening()
        return made

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Port:
        """Receive datagrams on a UDP socket that is bound already. The descriptor is duplicated.

        :raises UnsupportedAddressFamily: for a family that is neither AF_INET nor AF_INET6.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            raise UnsupportedAddressFamily(addressFamily)
        sock = socket.fromfd(fileDescriptor, addressFamily, socket.SOCK_DGRAM)
        sock.setblocking(False)
        interface = sock.getsockname()[0]
        made = Port(self, None, protocol, interface, maxPacketSize, adopted=sock)  # type: ignore[arg-type]
        made.startListening()
        return made
