"""What a PROXY header says, and the errors of those that say nothing sensible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactor.address import IPv4Address, IPv6Address

if TYPE_CHECKING:
    from collections.abc import Iterable


class InvalidProxyHeader(Exception):
    """The bytes are no PROXY header, or one that is not taken. Nothing else comes out of parsing any bytes."""


class InvalidNetworkProtocol(InvalidProxyHeader):
    """The header names a family or a transport that there is none of."""


class MissingAddressData(InvalidProxyHeader):
    """The header says that there are addresses, and has less of them than there must be."""


class ProxyInfo:
    """A PROXY header. To be treated as immutable.

    :ivar header: its bytes.
    :ivar source: who connected to the proxy, `IPv4Address`, `IPv6Address` or `UNIXAddress` of `reactor.address`; None
        when the header does not say: then the addresses are the connection's own.
    :ivar destination: which address of the proxy's that was, likewise.
    :ivar version: 1 or 2.
    :ivar local: whether the proxy speaks for itself (command LOCAL of version 2): a health check.
    :ivar tlvs: ``(type, value)`` of each additional piece of version 2 (int from 0 to 255, bytes), in order.
    """

    __slots__ = ("destination", "header", "local", "source", "tlvs", "version")

    def __init__(
        self,
        header: bytes,
        source: Any,
        destination: Any,
        version: int = 1,
        local: bool = False,
        tlvs: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        """As the attributes."""
        self.header = header
        self.source = source
        self.destination = destination
        self.version = version
        self.local = local
        self.tlvs = tuple(tlvs)

    def get(self, type: int) -> bytes | None:
        """The value of the first additional piece of that type, or None."""
        for each, value in self.tlvs:
            if each == type:
                return value
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProxyInfo):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash(self.header)

    def __repr__(self) -> str:
        what = "LOCAL" if self.local else f"{self.source} -> {self.destination}"
        return f"<ProxyInfo version {self.version}, {what}>"


def shown(data: bytes | bytearray) -> str:
    """The beginning of what a peer sent, for messages: on one line, whatever it is."""
    return repr(bytes(data[:40])) + ("..." if len(data) > 40 else "")


def ofOneFamily(source: Any, destination: Any) -> tuple[Any, Any]:
    """Both, but that of an address of IPv4 and one of IPv6 the former is in its mapped form, since a header has one
    family. What is no address of IP stays as it is.
    """
    if isinstance(source, IPv4Address) and isinstance(destination, IPv6Address):
        return _mapped(source), destination
    if isinstance(source, IPv6Address) and isinstance(destination, IPv4Address):
        return source, _mapped(destination)
    return source, destination


def _mapped(address: IPv4Address) -> IPv6Address:
    return IPv6Address(address.type, f"::ffff:{address.host}", address.port)
