"""UDP to groups of hosts (RFC 1112 for IPv4, RFC 3493 section 5.2 for IPv6): joining, leaving, and how far it goes."""

from __future__ import annotations

import errno
import os
import socket
import struct

from reactor._transport.datagram.udp import UDPPort
from reactor._transport.stream.tcp import literal
from reactor.defer import Deferred, fail, succeed
from reactor.error import MulticastJoinError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.interfaces import IMulticastTransport
else:
    from reactor._ground.declare import IMulticastTransport, implementer

_ANY = "0.0.0.0"
_IP, _IPV6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6


@implementer(IMulticastTransport)
class MulticastPort(UDPPort):
    """What `reactor.listenMulticast` returns.

    An interface is given by its address (IPv4), or by its name or index; "" is the one that the system chooses.
    """

    __slots__ = ()

    def joinGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Receive what is sent to the group `addr` and comes through `interface`. The Deferred fails with
        MulticastJoinError when the system refuses.
        """
        return self._change(addr, interface, socket.IP_ADD_MEMBERSHIP, socket.IPV6_JOIN_GROUP)

    def leaveGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Undo `joinGroup` with the same arguments. The Deferred fails with MulticastJoinError when there is nothing to
        undo.
        """
        return self._change(addr, interface, socket.IP_DROP_MEMBERSHIP, socket.IPV6_LEAVE_GROUP)

    def _change(self, addr: str, interface: str, option4: int, option6: int) -> Deferred[None]:
        sock = self._there()
        try:
            found = literal(addr, 0)
            if found is None or found[0] != self._family:
                raise OSError(errno.EINVAL, f"{os.strerror(errno.EINVAL)}: the group must be an address of this family")
            family, sockaddr = found
            if family == socket.AF_INET:
                sock.setsockopt(_IP, option4, socket.inet_aton(addr) + _interface4(interface))
            else:
                index = _index(interface) or sockaddr[3]
                sock.setsockopt(_IPV6, option6, socket.inet_pton(family, sockaddr[0]) + struct.pack("@i", index))
        except OSError as e:
            return fail(MulticastJoinError(addr, interface or _ANY, e.errno, e.strerror))
        return succeed(None)

    def setOutgoingInterface(self, addr: str | int) -> Deferred[int]:
        """Send to groups through this interface: its address (IPv4), name or index. The Deferred fires with 1, or fails
        with the system's OSError.
        """
        sock, interface = self._there(), str(addr)
        try:
            if self._family == socket.AF_INET:
                sock.setsockopt(_IP, socket.IP_MULTICAST_IF, socket.inet_aton(_ANY) + _interface4(interface))
            else:
                sock.setsockopt(_IPV6, socket.IPV6_MULTICAST_IF, _index(interface))
        except OSError as e:
            return fail(e)
        return succeed(1)

    def getOutgoingInterface(self) -> str | int:
        """The interface that datagrams to groups leave through: its address (IPv4) or its index (IPv6); "0.0.0.0" or 0
        when the system chooses.
        """
        sock = self._there()
        if self._family == socket.AF_INET:
            return socket.inet_ntoa(sock.getsockopt(_IP, socket.IP_MULTICAST_IF, 4))
        return sock.getsockopt(_IPV6, socket.IPV6_MULTICAST_IF)

    def getLoopbackMode(self) -> bool:
        """Whether this host receives what it sends to groups."""
        level, option = self._either((_IP, socket.IP_MULTICAST_LOOP), (_IPV6, socket.IPV6_MULTICAST_LOOP))
        return bool(self._there().getsockopt(level, option))

    def setLoopbackMode(self, mode: bool) -> None:
        """Receive what this host sends to groups (the default), or not."""
        level, option = self._either((_IP, socket.IP_MULTICAST_LOOP), (_IPV6, socket.IPV6_MULTICAST_LOOP))
        self._there().setsockopt(level, option, bool(mode))

    def getTTL(self) -> int:
        """How many routers a datagram to a group may pass, less one; 1 at first: it does not leave the network."""
        level, option = self._either((_IP, socket.IP_MULTICAST_TTL), (_IPV6, socket.IPV6_MULTICAST_HOPS))
        return self._there().getsockopt(level, option)

    def setTTL(self, ttl: int) -> None:
        """Choose that number, 0 (nobody but this host) to 255. ValueError, TypeError for another one."""
        if not isinstance(ttl, int) or isinstance(ttl, bool):
            raise TypeError(f"setTTL(): ttl must be an int from 0 to 255, not {ttl!r}")
        if not 0 <= ttl <= 255:
            raise ValueError(f"setTTL(): ttl must be from 0 to 255, not {ttl}")
        level, option = self._either((_IP, socket.IP_MULTICAST_TTL), (_IPV6, socket.IPV6_MULTICAST_HOPS))
        self._there().setsockopt(level, option, ttl)

    def _either(self, four: tuple[int, int], six: tuple[int, int]) -> tuple[int, int]:
        return four if self._family == socket.AF_INET else six


def _interface4(interface: str) -> bytes:
    """The interface as the system wants it behind an IPv4 group: an address, an address and an index (ip(7))."""
    try:
        # Not inet_aton, which takes an index for an address.
        return socket.inet_pton(socket.AF_INET, interface or _ANY) + struct.pack("@i", 0)
    except OSError:
        return socket.inet_aton(_ANY) + struct.pack("@i", _index(interface))


def _index(interface: str) -> int:
    """The index of an interface given by its name or index, or by an address with a scope. OSError for none."""
    if not interface:
        return 0
    name = interface.partition("%")[2] or interface
    return int(name) if name.isdecimal() else socket.if_nametoindex(name)
