"""Version 1 of the PROXY protocol, a line of text (section 2.1 of its specification). Pure."""

from __future__ import annotations

from ipaddress import IPv4Address as Text4
from ipaddress import IPv6Address as Text6
from socket import AF_INET6, inet_ntop
from typing import Any

from protocols.haproxy._info import (
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    MissingAddressData,
    ProxyInfo,
    shown,
)
from reactor.address import IPv4Address, IPv6Address

SIGNATURE = b"PROXY "
#: Bytes of the longest line, with its CR LF.
LONGEST = 107


def parseV1(line: bytes) -> ProxyInfo:
    """What `line`, which ends with CR LF, says.

    :raises InvalidProxyHeader: when it is not what the specification has.
    """
    if len(line) > LONGEST:
        raise InvalidProxyHeader(f"PROXY line of {len(line)} bytes, {LONGEST} are allowed: {shown(line)}")
    if not line.startswith(SIGNATURE) or line.find(b"\r\n") != len(line) - 2:
        raise InvalidProxyHeader(f"no PROXY line: {shown(line)}")
    kind, *fields = line[len(SIGNATURE) : -2].split(b" ")
    if kind == b"UNKNOWN":
        # Whatever follows is to be ignored.
        return ProxyInfo(line, None, None)
    if kind not in (b"TCP4", b"TCP6"):
        raise InvalidNetworkProtocol(f"PROXY line of no known family: {shown(line)}")
    if len(fields) < 4:
        raise MissingAddressData(f"PROXY line without two addresses and two ports: {shown(line)}")
    if len(fields) > 4:
        raise InvalidProxyHeader(f"PROXY line with more than two addresses and two ports: {shown(line)}")
    source, destination, sourcePort, destinationPort = fields
    return ProxyInfo(line, _address(kind, source, sourcePort, line), _address(kind, destination, destinationPort, line))


def _address(kind: bytes, host: bytes, port: bytes, line: bytes) -> Any:
    # No leading zeros: 010 is eight to some and ten to others.
    if not port.isdigit() or len(port) > 5 or int(port) > 65535 or (port[:1] == b"0" and port != b"0"):
        raise InvalidProxyHeader(f"PROXY line with a port that is none, {shown(port)}: {shown(line)}")
    try:
        text = host.decode("ascii")
        if kind == b"TCP4":
            return IPv4Address("TCP", str(Text4(text)), int(port))
        if "%" in text:
            raise ValueError("a zone")
        return IPv6Address("TCP", inet_ntop(AF_INET6, Text6(text).packed), int(port))
    except ValueError:
        raise InvalidProxyHeader(f"PROXY line with an address that is none, {shown(host)}: {shown(line)}") from None


def formatV1(source: Any, destination: Any) -> bytes:
    """The line for a connection from `source` to `destination`, both `IPv4Address` or both `IPv6Address` of TCP; for
    anything else, None for example, the line that says that they are unknown.

    :raises ValueError: when a host is no address.
    """
    kinds: tuple[tuple[bytes, Any, Any], ...] = ((b"TCP4", IPv4Address, Text4), (b"TCP6", IPv6Address, Text6))
    for kind, cls, text in kinds:
        if isinstance(source, cls) and isinstance(destination, cls) and source.type == destination.type == "TCP":
            hosts = [str(text(each.host)).encode("ascii") for each in (source, destination)]
            return b"PROXY %s %s %s %d %d\r\n" % (kind, *hosts, source.port, destination.port)
    return b"PROXY UNKNOWN\r\n"
