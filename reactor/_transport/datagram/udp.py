"""UDP over IPv4 and IPv6 (RFC 768): to and from anybody, or one peer after `connect`.

Addresses are literals throughout, since to look a name up would take time; what is no literal is refused when it is
used, and one that was good is remembered, so that it is looked at once.
"""

from __future__ import annotations

import errno
import socket

from reactor._transport.datagram.sifting import Sifting, waiting
from reactor._transport.datagram.socket import DatagramSocket
from reactor._transport.stream.tcp import checkPort, literal, zoned
from reactor._transport.stream.transport import asBytes
from reactor.address import IPv4Address, IPv6Address
from reactor.error import InvalidAddressError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.stream.transport import Bytes
    from reactor.interfaces import IUDPTransport
else:
    from reactor._ground.declare import IUDPTransport, implementer

# Hosts that are remembered at most.
_KNOWN = 4096
BROADCAST = "<broadcast>"
# What the kernel makes, on a connected socket, of the ICMP messages that the peer or somebody on the way to it answers
# with (measured: a packet filter's "administratively prohibited" is EHOSTUNREACH for IPv4 and EACCES for IPv6).
_UNREACHED = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN"),
        *("EACCES", "ENOPROTOOPT", "EPROTO", "ENONET"),
    )
    if hasattr(errno, name)
)
_VERSIONS = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


def checkInterface(method: str, interface: object) -> int:
    """The address family of the local address `interface`; of IPv4 for "". InvalidAddressError for a name."""
    if not isinstance(interface, str):
        raise TypeError(f"{method}(): interface must be a str, not {interface!r}")
    found = literal(interface, 0) if interface else (socket.AF_INET, None)
    if found is None:
        raise InvalidAddressError(interface, f"{method}(): interface must be an IPv4 or IPv6 address")
    return found[0]


@implementer(IUDPTransport)
class UDPPort(DatagramSocket):
    """What `reactor.listenUDP` returns, and what its protocol sees as `self.transport`."""

    __slots__ = ("_adopted", "_family", "_hosts", "_interface", "_peer", "_port", "_reuse")

    refusals = _UNREACHED
    # Raised for an address that this socket cannot send to, with the host and what is wrong with it.
    invalidAddress: type[Exception] = InvalidAddressError

    def __init__(
        self,
        loop: Loop,
        family: int,
        interface: str,
        port: int,
        protocol: Any,
        maxPacketSize: int,
        reuse: bool = False,
        adopted: socket.socket | None = None,
    ) -> None:
        """Not there yet. With `reuse` other sockets may be bound to the same port; `adopted` is one that is bound."""
        super().__init__(loop, protocol, maxPacketSize)
        self._family = family
        self._interface = interface
        self._port = port
        self._reuse = reuse
        self._adopted = adopted
        self._peer: tuple[str, int] | None = None
        # Good hosts -> what is to be sent to instead of the address itself: an address with the scope of this index.
        self._hosts: dict[str, tuple[str, int] | None] = {}

    def _made(self) -> socket.socket:
        self._peer = None
        if self._adopted is not None:
            sock, self._adopted = self._adopted, None
            return sock
        sock = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if self._reuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if hasattr(socket, "SO_REUSEPORT"):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if self._family == socket.AF_INET6:
                # "::" serves IPv4 as well, whatever the system's default, as with TCP.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            found = literal(self._interface, self._port) if self._interface else None
            sock.bind(found[1] if found is not None else (self._interface, self._port))
        except BaseException:
            sock.close()
            raise
        return sock

    def _place(self) -> tuple[Any, Any]:
        return self._interface, self._port

    def _address(self, sockaddr: Any) -> IPv4Address | IPv6Address:
        if self._family == socket.AF_INET:
            return IPv4Address("UDP", *sockaddr)
        return IPv6Address("UDP", *zoned(sockaddr))

    def getHost(self) -> IPv4Address | IPv6Address:
        """This end's address, with the real port number."""
        host: IPv4Address | IPv6Address | None = self._host
        if host is None:
            kind = IPv4Address if self._family == socket.AF_INET else IPv6Address
            host = kind("UDP", self._interface, self._port)
        return host

    # In.

    def _deliver(self, data: bytes, sender: Any) -> None:
        if len(sender) != 2:
            sender = zoned(sender)[:2]
        self.protocol.datagramReceived(data, sender)

    # Out.

    def write(self, packet: Bytes, addr: tuple[str, int] | None = None) -> None:
        """Send `packet` to `addr`, (host, port); to the peer, after `connect`.

        The host is an address literal (with a scope for a link-local one, "fe80::1%eth0"), or "<broadcast>" when that
        is allowed. What is written when this port is closed is dropped, and so is what the system has no room for.
        InvalidAddressError for a name or an address of the other family; MessageLengthError when the packet is longer
        than the network takes; OSError when there is no way there. TypeError, ValueError for what is no packet, no
        address or no port.
        """
        if self._peer is not None:
            if addr is not None and addr != self._peer:
                raise ValueError(f"transport.write(): connected to {self._peer}, addr cannot be {addr!r}")
            self._send(packet, None)
            return
        try:
            host, port = addr  # type: ignore[misc]
            instead = self._hosts[host]
            good = port.__class__ is int and 0 <= port <= 65535
        except (KeyError, TypeError, ValueError):
            instead, good = self._checked(addr), True
        if not good:
            self._checked(addr)
        self._send(packet, addr if instead is None else (instead[0], port, 0, instead[1]))

    def writeSequence(self, seq: Iterable[Bytes], addr: tuple[str, int] | None = None) -> None:
        """Send the pieces of `seq`, joined, in one datagram to `addr`; as `write` does."""
        if isinstance(seq, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"transport.writeSequence(): seq must be an iterable of bytes, not {type(seq).__name__}; "
                "for one piece use transport.write()"
            )
        self.write(b"".join([asBytes("transport.writeSequence", piece) for piece in seq]), addr)

    def _checked(self, addr: Any) -> tuple[str, int] | None:
        """What to remember of the host of `addr`, of which at least one half is new or wrong."""
        if addr is None:
            raise TypeError("transport.write(): addr is needed, (host, port), while this port is not connected")
        if not isinstance(addr, tuple) or len(addr) != 2 or not isinstance(addr[0], str):
            raise TypeError(f"transport.write(): addr must be a tuple (host, port), not {addr!r}")
        host, port = addr
        checkPort("transport.write", port)
        if host == BROADCAST and self._family == socket.AF_INET:
            sockaddr: Any = (host, port)
        else:
            sockaddr = self._literal("transport.write", host, port)
        if len(self._hosts) >= _KNOWN:
            self._hosts.clear()
        instead = self._hosts[host] = (sockaddr[0], sockaddr[3]) if len(sockaddr) == 4 and sockaddr[3] else None
        return instead

    def _literal(self, method: str, host: object, port: int) -> Any:
        """The socket address. InvalidAddressError when there is none that this socket can send to."""
        found = literal(host, port) if isinstance(host, str) else None
        if found is None:
            raise self.invalidAddress(host, f"{method}() takes IP addresses, not names")
        if found[0] != self._family:
            mine, theirs = _VERSIONS[socket.AddressFamily(self._family)], _VERSIONS[socket.AddressFamily(found[0])]
            raise self.invalidAddress(host, f"{method}(): this is an {mine} port and that an {theirs} address")
        return found[1]

    def connect(self, host: str, port: int) -> None:
        """Send to and receive from this peer alone, an address literal and a port, from now on.

        When it does not listen, the protocol's `connectionRefused` is called for each datagram that the peer's system
        says so of. RuntimeError when connected; InvalidAddressError for a name; OSError when there is no way there.
        """
        if self._peer is not None:
            raise RuntimeError(f"connect(): connected already, to {self._peer}; a port connects once")
        if self._sock is None:
            raise RuntimeError("connect(): this port is closed")
        checkPort("connect", port)
        self._sock.connect(self._literal("connect", host, port))
        self._peer = (host, port)
        if waiting(self._sock):
            self._sock = Sifting(self._sock, self._sifted)  # type: ignore[assignment]

    def getHandle(self) -> socket.socket | None:
        """The socket, None when it is closed."""
        return self._sock.sock if isinstance(self._sock, Sifting) else self._sock

    def _sifted(self, sock: socket.socket) -> None:
        if self._sock is not None:
            self._sock = sock

    def _notSent(self, data: bytes, sockaddr: Any, problem: OSError) -> None:
        if sockaddr is not None or problem.errno not in _UNREACHED or self._sock is None:
            again = self._lookedUpAgain(sockaddr)
            if again is None or self._sock is None:
                super()._notSent(data, sockaddr, problem)
                return
            try:
                self._sock.sendto(data, again)
            except OSError as e:
                super()._notSent(data, again, e)
            return
        # What was refused is one that was sent before; this one has not been sent yet.
        self._loop.soonIn(self.context, self._refused)
        try:
            self._sock.send(data)
        except OSError as e:
            super()._notSent(data, sockaddr, e)

    def _lookedUpAgain(self, sockaddr: Any) -> Any:
        """Where to send instead of `sockaddr`, whose interface had that index when its host was looked at; None when it
        still has, or is gone. An interface that comes back (a cable, a tunnel) has another one.
        """
        if sockaddr is None or len(sockaddr) != 4:
            return None
        before = sockaddr[0], sockaddr[3]
        for host in [host for host, instead in self._hosts.items() if instead == before]:
            del self._hosts[host]
            found = literal(host, sockaddr[1])
            if found is not None and found[1][3] != sockaddr[3]:
                return found[1]
        return None

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Allow sending to broadcast addresses, or not."""
        self._there().setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, bool(enabled))

    def getBroadcastAllowed(self) -> bool:
        """Whether sending to broadcast addresses is allowed."""
        return bool(self._there().getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))

    def _there(self) -> socket.socket:
        if self._sock is None:
            raise RuntimeError(f"{self!r} is closed")
        return self._sock
