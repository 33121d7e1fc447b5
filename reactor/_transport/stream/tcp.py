"""What is TCP about a connection: addresses, options, and the transport with the methods for them."""

from __future__ import annotations

import errno
import os
import socket

from reactor._transport.stream.socketoptions import SocketOptions
from reactor._transport.stream.transport import StreamTransport
from reactor._transport.stream.wire import Wire
from reactor.address import IPv4Address, IPv6Address
from reactor.error import ServiceNameUnknownError, UnsupportedAddressFamily, UnsupportedSocketType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.server.port import Port
    from reactor._transport.stream.transport import Top
    from reactor.address import UNIXAddress

    Address = IPv4Address | IPv6Address | UNIXAddress

    from zope.interface import implementer

    from reactor.interfaces import ITLSTransport
else:
    from reactor._ground.declare import ITLSTransport, implementer

_TCP, _NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY


def address(sockaddr: Any) -> IPv4Address | IPv6Address:
    """The address object for what the socket module calls one."""
    if len(sockaddr) == 2:
        return IPv4Address("TCP", sockaddr[0], sockaddr[1])
    return IPv6Address("TCP", *zoned(sockaddr))


def zoned(sockaddr: Any) -> Any:
    """The socket address of IPv6 `sockaddr` with the interface in its host, where that means nothing without
    (fe80::1%eth0; RFC 4007, section 11), so that what a program is given is what it can give back.
    """
    host: str = sockaddr[0]
    if not sockaddr[3] or "%" in host:
        return sockaddr
    try:
        zone: object = socket.if_indextoname(sockaddr[3])
    except OSError:
        # The interface is gone; its number still says which one it was.
        zone = sockaddr[3]
    return f"{host}%{zone}", *sockaddr[1:]


def unzoned(local: Any) -> Any:
    """A local address to bind to, in whose place the socket module, which does not read zones there, takes the index
    that the interface has now.
    """
    found = literal(local[0], local[1]) if isinstance(local, tuple) and "%" in local[0] else None
    return local if found is None else found[1]


def prepare(sock: socket.socket) -> None:
    """Options that every TCP connection starts with: small writes are not held back (TCP_NODELAY)."""
    try:
        sock.setsockopt(_TCP, _NODELAY, 1)
    except OSError:
        # Reset already; reading will tell.
        pass


def checkPort(method: str, port: object, *, service: bool = False) -> int:
    """`port` as a number from 0 to 65535; a service's name too where `service` says so.

    ValueError, TypeError or ServiceNameUnknownError that names it otherwise.
    """
    if port.__class__ is int and 0 <= port <= 65535:
        return port
    if isinstance(port, str) and service:
        try:
            return socket.getservbyname(port, "tcp")
        except OSError:
            raise ServiceNameUnknownError(
                string=f"{method}(): port {port!r} is no TCP service that this machine knows"
            ) from None
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"{method}(): port must be an int from 0 to 65535, not {port!r}")
    if not 0 <= port <= 65535:
        raise ValueError(f"{method}(): port must be from 0 to 65535, not {port}")
    return port


def checkBindAddress(method: str, local: object) -> tuple[Any, ...] | None:
    """The local address to connect from, a host or a (host, port), as the socket module wants it; None stays None.

    ValueError or TypeError that names it otherwise.
    """
    if local is None:
        return None
    if isinstance(local, str):
        return local, 0
    if not isinstance(local, tuple) or len(local) not in (2, 4) or not isinstance(local[0], str):
        raise TypeError(f"{method}(): bindAddress must be (host, port), a host or None, not {local!r}")
    checkPort(f"{method}(): bindAddress", local[1])
    return local


def literal(host: str, port: int) -> tuple[int, Any] | None:
    """The address family and socket address when `host` is an IP address and not a name."""
    try:
        socket.inet_pton(socket.AF_INET, host)
        return socket.AF_INET, (host, port)
    except (OSError, ValueError):
        pass
    if ":" not in host:
        return None
    try:
        # getaddrinfo rather than inet_pton: it knows scopes (fe80::1%eth0). It does not block for a number.
        found = socket.getaddrinfo(host, port, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return socket.AF_INET6, found[0][4]
    except (OSError, ValueError):
        return None


def adopt(method: str, fileDescriptor: int, addressFamily: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """A non-blocking socket on a copy of somebody's descriptor.

    UnsupportedAddressFamily, UnsupportedSocketType, or OSError when it is no socket at all.
    """
    if addressFamily not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        raise UnsupportedAddressFamily(
            f"{method}(): addressFamily must be AF_INET, AF_INET6 or AF_UNIX, not {addressFamily!r}"
        )
    own = os.dup(fileDescriptor)
    try:
        sock = socket.socket(addressFamily, kind, 0, fileno=own)
    except BaseException:
        os.close(own)
        raise
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) != kind:
        sock.close()
        what = "streams" if kind == socket.SOCK_STREAM else "datagrams"
        raise UnsupportedSocketType(f"{method}(): descriptor {fileDescriptor} is a socket, but none for {what}")
    sock.setblocking(False)
    return sock


@implementer(ITLSTransport)
class TCPTransport(SocketOptions, StreamTransport):
    """A connection over TCP, IPv4 or IPv6."""

    __slots__ = ()

    kind = "TCP"

    def _address(self, sockaddr: Any) -> Address:
        return address(sockaddr)

    def getTcpNoDelay(self) -> bool:
        """Whether small writes are sent at once (the default here) and not held back until the last one is
        acknowledged.
        """
        return self._option(_TCP, _NODELAY, True)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Send small writes at once, or hold them back (Nagle's algorithm, RFC 896)."""
        self._setOption(_TCP, _NODELAY, bool(enabled))


class TCPListener:
    """What a port that listens on TCP is made of."""

    __slots__ = ("_adopted", "_reusePort", "backlog", "interface", "loop", "port")

    # Whose end of a connection it is that was accepted, and what its socket is told first.
    wire = Wire
    prepare = staticmethod(prepare)
    # The address object for what the socket module calls one.
    address: Callable[[Any], Any] = staticmethod(address)
    # Whether a port is taken whose last connections are not forgotten yet.
    reuseAddress = True

    def __init__(
        self,
        loop: Loop,
        port: int,
        interface: str,
        backlog: int,
        adopted: socket.socket | None = None,
        reusePort: bool = False,
    ) -> None:
        """Listen on `port` of `interface` with a queue of `backlog`, beside others that do so with `reusePort`; or on
        the socket `adopted`, which listens already.
        """
        self.loop = loop
        self.port = port
        self.interface = interface
        self.backlog = backlog
        self._adopted = adopted
        self._reusePort = reusePort

    def listen(self) -> socket.socket:
        """A non-blocking listening socket. OSError when the system refuses."""
        if self._adopted is not None:
            sock, self._adopted = self._adopted, None
            if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                sock.close()
                raise OSError(errno.EINVAL, "the adopted socket is not listening")
            return sock
        target = literal(self.interface, self.port) if self.interface else (socket.AF_INET, ("", self.port))
        family, sockaddr = target if target is not None else (socket.AF_INET, (self.interface, self.port))
        sock = self.loop.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if self.reuseAddress:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._reusePort:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                # "::" serves IPv4 as well, whatever the system's default.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(sockaddr)
            sock.listen(self.backlog)
        except BaseException:
            sock.close()
            raise
        return sock

    def admit(self, port: Port, sock: socket.socket, sockaddr: Any) -> None:
        """A client was accepted: the connection is made."""
        self.prepare(sock)
        wire = self.wire(self.loop, sock)
        wire.context.run(port.made, wire, wire, self.address(sockaddr))

    def transport(self, wire: Wire, top: Top, peer: Address, protocol: Any, factory: Any) -> TCPTransport:
        """The transport of a connection that was accepted."""
        return TCPTransport(wire, top, peer, protocol, None, factory)

    def closed(self) -> None:
        """The port closed its socket: TCP leaves nothing behind."""


def adoptConnection(listener: TCPListener, sock: socket.socket, factory: Any) -> TCPTransport | None:
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
    listener.prepare(sock)
    wire = listener.wire(listener.loop, sock)
    transport = listener.transport(wire, wire, peer, protocol, factory)
    wire.context.run(transport.begin)
    return transport


def checkedListener(
    loop: Loop, method: str, port: int, backlog: int, interface: str, reusePort: bool = False
) -> TCPListener:
    """Of what a program gave to `method`. ValueError, TypeError that names it when it cannot be used."""
    number = checkPort(method, port)
    if not isinstance(backlog, int) or isinstance(backlog, bool):
        raise TypeError(f"{method}(): backlog must be an int, not {backlog!r}")
    if backlog < 0:
        raise ValueError(f"{method}(): backlog must not be negative, not {backlog}")
    if not isinstance(interface, str):
        raise TypeError(f"{method}(): interface must be a str, not {interface!r}")
    if reusePort and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError(f"{method}(): reusePort: this system knows no SO_REUSEPORT")
    return TCPListener(loop, number, interface, backlog, None, reusePort)
