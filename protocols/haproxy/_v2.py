"""Version 2 of the PROXY protocol, binary (section 2.2 of its specification). Pure."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import Struct
from typing import TYPE_CHECKING, Any

from protocols.haproxy._crc32c import crc32c
from protocols.haproxy._info import (
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    MissingAddressData,
    ProxyInfo,
    ofOneFamily,
    shown,
)
from reactor.address import IPv4Address, IPv6Address, UNIXAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: Bytes before the addresses: the signature, version and command, family and transport, the length of what follows.
FIXED = 16
#: Types of additional pieces (section 2.2).
ALPN, AUTHORITY, CRC32C, NOOP, UNIQUE_ID, SSL, NETNS = 1, 2, 3, 4, 5, 0x20, 0x30

_FIXED = Struct("!12sBBH")
_INET = Struct("!4s4sHH")
_INET6 = Struct("!16s16sHH")
_UNIX = Struct("!108s108s")
_TRANSPORTS = {0: None, 1: "TCP", 2: "UDP"}


def lengthV2(start: bytes) -> int:
    """How many bytes the whole header has of which `start` are the first 16.

    :raises InvalidProxyHeader: when they begin no header of version 2, or one with an unknown command.
    """
    signature, command, _, length = _FIXED.unpack(start)
    if signature != SIGNATURE or command >> 4 != 2 or command & 15 > 1:
        raise InvalidProxyHeader(f"no PROXY header of version 2: {shown(start)}")
    return int(FIXED + length)


def parseV2(header: bytes) -> ProxyInfo:
    """What `header` says, all of it.

    :raises InvalidProxyHeader: when it is not what the specification has, or its checksum is wrong.
    """
    if len(header) < FIXED or lengthV2(header[:FIXED]) != len(header):
        raise InvalidProxyHeader(f"PROXY header that is cut short: {shown(header)}")
    local = not header[12] & 15
    family, transport = header[13] >> 4, header[13] & 15
    if family > 3 or transport > 2:
        raise InvalidNetworkProtocol(f"PROXY header of no known family and transport: {header[13]:#04x}")
    kind = _TRANSPORTS[transport]
    if local or not family or kind is None:
        # What is in there instead of addresses is to be ignored, unless it can be understood.
        try:
            tlvs = _tlvs(header, FIXED)
        except InvalidProxyHeader:
            return ProxyInfo(header, None, None, 2, local)
        _verify(header, tlvs)
        return ProxyInfo(header, None, None, 2, local, [(type, value) for type, value, _ in tlvs])
    layout = (_INET, _INET6, _UNIX)[family - 1]
    if len(header) < FIXED + layout.size:
        raise MissingAddressData(f"PROXY header with {len(header) - FIXED} bytes of addresses, not {layout.size}")
    source, destination = _addresses(family, kind, layout.unpack_from(header, FIXED))
    tlvs = _tlvs(header, FIXED + layout.size)
    _verify(header, tlvs)
    return ProxyInfo(header, source, destination, 2, False, [(type, value) for type, value, _ in tlvs])


def _addresses(family: int, kind: Any, fields: tuple[Any, ...]) -> tuple[Any, Any]:
    if family == 3:
        # A name of the abstract namespace begins with NUL; padding ends all.
        names = [field.rstrip(b"\0") for field in fields]
        return UNIXAddress(names[0] or None), UNIXAddress(names[1] or None)
    source, destination, sourcePort, destinationPort = fields
    if family == 1:
        return (
            IPv4Address(kind, inet_ntop(AF_INET, source), sourcePort),
            IPv4Address(kind, inet_ntop(AF_INET, destination), destinationPort),
        )
    return (
        IPv6Address(kind, inet_ntop(AF_INET6, source), sourcePort),
        IPv6Address(kind, inet_ntop(AF_INET6, destination), destinationPort),
    )


def _tlvs(header: bytes, at: int) -> list[tuple[int, bytes, int]]:
    """Each additional piece from `at` on: its type, its value, and where that begins."""
    found = []
    while at < len(header):
        end = at + 3 + int.from_bytes(header[at + 1 : at + 3], "big")
        if at + 3 > len(header) or end > len(header):
            raise InvalidProxyHeader(f"PROXY header with a piece of type {header[at]:#04x} that is cut short")
        found.append((header[at], header[at + 3 : end], at + 3))
        at = end
    return found


def _verify(header: bytes, tlvs: list[tuple[int, bytes, int]]) -> None:
    checksums = [(value, at) for type, value, at in tlvs if type == CRC32C]
    if not checksums:
        return
    value, at = checksums[0]
    if len(checksums) > 1 or len(value) != 4:
        raise InvalidProxyHeader("PROXY header with a checksum that is not one of 4 bytes")
    # Computed as if it were zero itself.
    if crc32c(header[:at] + bytes(4) + header[at + 4 :]) != int.from_bytes(value, "big"):
        raise InvalidProxyHeader("PROXY header with a checksum that is wrong: it was changed on its way")


def formatV2(source: Any, destination: Any, tlvs: Iterable[tuple[int, bytes]] = (), *, checksum: bool = False) -> bytes:
    """The header for a connection from `source` to `destination`, two addresses of one class of `reactor.address`. Of
    one of each IP family, that of IPv4 is written in its mapped form.

    :param source: None (and `destination` None) when the proxy speaks for itself: the command is LOCAL then.
    :param tlvs: additional pieces, ``(type, value)``.
    :param checksum: whether to add a CRC32C.
    :raises ValueError: for a host that is no address, a path of more than 108 bytes, a type that is none, and for more
        than 65535 bytes. TypeError: for two addresses of which no header can be made.
    """
    kind, block = _block(source, destination)
    pieces = [block]
    for type, value in tlvs:
        if not 0 <= type <= 255 or type == CRC32C or len(value) > 65535:
            raise ValueError(f"formatV2(): no additional piece has type {type} and {len(value)} bytes")
        pieces.append(bytes((type,)) + len(value).to_bytes(2, "big") + value)
    if checksum:
        pieces.append(bytes((CRC32C, 0, 4, 0, 0, 0, 0)))
    body = b"".join(pieces)
    if len(body) > 65535:
        raise ValueError(f"formatV2(): a header of {len(body)} bytes, 65535 are allowed")
    header = _FIXED.pack(SIGNATURE, 0x20 if source is None else 0x21, kind, len(body)) + body
    return header[:-4] + crc32c(header).to_bytes(4, "big") if checksum else header


def _block(source: Any, destination: Any) -> tuple[int, bytes]:
    if source is None and destination is None:
        return 0, b""
    source, destination = ofOneFamily(source, destination)
    if source.__class__ is destination.__class__:
        if isinstance(source, UNIXAddress):
            names = [each.name or b"" for each in (source, destination)]
            if any(len(name) > 108 for name in names):
                raise ValueError(f"formatV2(): path of more than 108 bytes in {source}, {destination}")
            return 0x31, _UNIX.pack(*names)
        if isinstance(source, (IPv4Address, IPv6Address)) and source.type == destination.type:
            four = isinstance(source, IPv4Address)
            try:
                hosts = [
                    inet_pton(AF_INET if four else AF_INET6, each.host.partition("%")[0])
                    for each in (source, destination)
                ]
            except OSError:
                raise ValueError(f"formatV2(): {source} or {destination} has a host that is no address") from None
            kind = (0x10 if four else 0x20) | (1 if source.type == "TCP" else 2)
            return kind, (_INET if four else _INET6).pack(*hosts, source.port, destination.port)
    raise TypeError(f"formatV2(): expected two addresses of one kind, or None twice, not {source!r}, {destination!r}")
