"""Datagrams: what a datagram protocol writes to."""

from __future__ import annotations

from zope.interface import Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.defer import Deferred
    from reactor.interfaces._stream import IAddress


class IUDPTransport(Interface):
    """A UDP socket."""

    def write(packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send `packet` to `addr`, ``(host literal, port)``; None when connected.

        `MessageLengthError` if it is longer than the network takes; `InvalidAddressError` if the host is a name.
        Whether it arrives nobody knows.
        """

    def connect(host: str, port: int) -> None:
        """Send to and receive from this peer alone, a literal and port. RuntimeError if connected,
        `InvalidAddressError` for a name.
        """

    def getHost() -> IAddress:
        """This end's address, with the real port number."""

    def stopListening() -> Deferred[None] | None:
        """Close the socket. A Deferred that fires with None when the protocol has been told, or None."""

    def setBroadcastAllowed(enabled: bool) -> None:
        """Allow sending to broadcast addresses, or not."""

    def getBroadcastAllowed() -> bool:
        """Whether sending to broadcast addresses is allowed."""


class IUNIXDatagramTransport(Interface):
    """A UNIX datagram socket."""

    def write(packet: bytes, addr: str | bytes) -> None:
        """Send `packet` to the socket at path `addr`."""

    def getHost() -> IAddress:
        """This end's address."""


class IUNIXDatagramConnectedTransport(Interface):
    """A UNIX datagram socket with one peer."""

    def write(packet: bytes) -> None:
        """Send `packet` to the peer."""

    def getHost() -> IAddress:
        """This end's address."""

    def getPeer() -> IAddress:
        """The peer's address."""


class IMulticastTransport(IUDPTransport):
    """A UDP socket that can be in groups (RFC 1112). Group and interface are address literals."""

    def getOutgoingInterface() -> str | int:
        """The interface that datagrams to groups leave through: its address (IPv4) or index (IPv6)."""

    def setOutgoingInterface(addr: str | int) -> Deferred[int]:
        """Choose that interface."""

    def getLoopbackMode() -> bool:
        """Whether this host receives what it sends to groups."""

    def setLoopbackMode(mode: bool) -> None:
        """Receive what this host sends to groups, or not."""

    def getTTL() -> int:
        """How many routers a datagram to a group may pass."""

    def setTTL(ttl: int) -> None:
        """Choose that number, 0 to 255."""

    def joinGroup(addr: str, interface: str = "") -> Deferred[None]:
        """Receive what is sent to group `addr`. The Deferred fails with `reactor.error.MulticastJoinError`."""

    def leaveGroup(addr: str, interface: str = "") -> Deferred[None]:
        """Undo `joinGroup`."""
