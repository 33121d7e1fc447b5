"""Version 1 of the PROXY protocol, a line of text (section 2.1 of its specification). Pure.

A line has addresses of one family there. nginx and others write the other end's address as they have it where it is of
the other one; that is no reason to shut a client out, since each address says itself what it is.
"""

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
    ofOneFamily,
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
    *hosts, sourcePort, destinationPort = fields
    source, destination = (_host(host, line) for host in hosts)
    named = Text4 if kind == b"TCP4" else Text6
    if not isinstance(source, named) and not isinstance(destination, named):
        raise InvalidProxyHeader(f"PROXY line with no address of the family that it names: {shown(line)}")
    mapped = kind == b"TCP6"
    return ProxyInfo(
        line,
        _address(source, _port(sourcePort, line), mapped),
        _address(destination, _port(destinationPort, line), mapped),
    )


def _port(port: bytes, line: bytes) -> int:
    # No leading zeros: 010 is eight to some and ten to others.
    if not port.isdigit() or len(port) > 5 or int(port) > 65535 or (port[:1] == b"0" and port != b"0"):
        raise InvalidProxyHeader(f"PROXY line with a port that is none, {shown(port)}: {shown(line)}")
    return int(port)


def _host(host: bytes, line: bytes) -> Text4 | Text6:
    try:
        text = host.decode("ascii")
        if "%" in text:
            raise ValueError("a zone")
        return Text6(text) if ":" in text else Text4(text)
    except ValueError:
        raise InvalidProxyHeader(f"PROXY line with an address that is none, {shown(host)}: {shown(line)}") from None


def _address(host: Text4 | Text6, port: int, mapped: bool) -> IPv4Address | IPv6Address:
    """`mapped`: an address of IPv4 in the form that it has on sockets of both families."""
    if isinstance(host, Text6):
        return IPv6Address("TCP", inet_ntop(AF_INET6, host.packed), port)
    return IPv6Address("TCP", f"::ffff:{host}", port) if mapped else IPv4Address("TCP", str(host), port)


def formatV1(source: Any, destination: Any) -> bytes:
    """The line for a connection from `source` to `destination`, each an `IPv4Address` or `IPv6Address` of TCP; for
    anything else, None for example, the line that says that they are unknown. Of one of each family, that of IPv4 is
    written in its mapped form.

    :raises ValueError: when a host is no address.
    """
    source, destination = ofOneFamily(source, destination)
    kinds: tuple[tuple[bytes, Any, Any], ...] = ((b"TCP4", IPv4Address, Text4), (b"TCP6", IPv6Address, Text6))
    for kind, cls, text in kinds:
        if isinstance(source, cls) and isinstance(destination, cls) and source.type == destination.type == "TCP":
            hosts = [str(text(each.host.partition("%")[0])).encode("ascii") for each in (source, destination)]
            return b"PROXY %s %s %s %d %d\r\n" % (kind, *hosts, source.port, destination.port)
    return b"PROXY UNKNOWN\r\n"
