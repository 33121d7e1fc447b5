"""What a reactor offers over UDP. What it is made of is loaded when it is first used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor._core.loop import Loop
    from reactor._transport.datagram.multicast import MulticastPort
    from reactor._transport.datagram.udp import UDPPort
    from reactor.interfaces import IReactorMulticast, IReactorUDP
else:
    from reactor._ground.declare import IReactorMulticast, IReactorUDP, implementer


@implementer(IReactorUDP, IReactorMulticast)
class ReactorUDP:
    """A part of `reactor.base.Reactor`."""

    if TYPE_CHECKING:
        _loop: Loop

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> UDPPort:
        """Receive datagrams, and send them, over UDP.

        :param port: 0 to 65535; 0: one that is free, see `getHost()` of what is returned.
        :param protocol: a `DatagramProtocol`; its `transport` is what is returned.
        :param interface: the local address to receive at; "" is every IPv4 address of the machine, "::" every one,
            IPv4 and IPv6.
        :param maxPacketSize: bytes at which a longer datagram is cut.
        :raises CannotListenError: when the system refuses. InvalidAddressError: for an interface that is no address
            literal. ValueError, TypeError: for a port or size that is none.
        """
        from reactor._transport.datagram.socket import checkSize
        from reactor._transport.datagram.udp import UDPPort, checkInterface
        from reactor._transport.stream.tcp import checkPort

        number, family = checkPort("listenUDP", port), checkInterface("listenUDP", interface)
        made = UDPPort(self._loop, family, interface, number, protocol, checkSize("listenUDP", maxPacketSize))
        made.startListening()
        return made

    def listenMulticast(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> MulticastPort:
        """As `listenUDP`, with a transport that can join groups. IPv6 groups need an IPv6 `interface`, "::" for one.

        :param listenMultiple: let other sockets receive at the same port, and this one where others do.
        """
        from reactor._transport.datagram.multicast import MulticastPort
        from reactor._transport.datagram.socket import checkSize
        from reactor._transport.datagram.udp import checkInterface
        from reactor._transport.stream.tcp import checkPort

        number, family = checkPort("listenMulticast", port), checkInterface("listenMulticast", interface)
        size = checkSize("listenMulticast", maxPacketSize)
        made = MulticastPort(self._loop, family, interface, number, protocol, size, bool(listenMultiple))
        made.startListening()
        return made

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> UDPPort:
        """Receive datagrams on a UDP socket that is bound already, by another process perhaps. The descriptor is
        duplicated: closing the original stays the caller's business.

        :param addressFamily: `socket.AF_INET` or `socket.AF_INET6`.
        :raises UnsupportedAddressFamily: for another one. UnsupportedSocketType: for a socket that is not for
            datagrams.
        """
        import socket

        from reactor._transport.datagram.socket import checkSize
        from reactor._transport.datagram.udp import UDPPort
        from reactor._transport.stream.tcp import adopt
        from reactor.error import UnsupportedAddressFamily

        size = checkSize("adoptDatagramPort", maxPacketSize)
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            raise UnsupportedAddressFamily(
                f"adoptDatagramPort(): addressFamily must be AF_INET or AF_INET6, not {addressFamily!r}"
            )
        sock = adopt("adoptDatagramPort", fileDescriptor, addressFamily, socket.SOCK_DGRAM)
        try:
            interface, port = sock.getsockname()[:2]
        except BaseException:
            sock.close()
            raise
        made = UDPPort(self._loop, addressFamily, interface, port, protocol, size, adopted=sock)
        made.startListening()
        return made
