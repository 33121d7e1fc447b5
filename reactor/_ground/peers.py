"""What tells one peer from another, for limits that each is to have for itself."""

from __future__ import annotations

import socket
from typing import Any

# A host mostly has all addresses of a /64 to itself (RFC 4291, section 2.5.1).
IPV6_PREFIX = 64


def peerOf(addr: Any, ipv6Prefix: int = IPV6_PREFIX) -> Any:
    """Equal for addresses, as `reactor.address` has them, that are the same peer's; None for one that has none.

    An IPv4 address, also one mapped into IPv6, is a peer; so are all IPv6 addresses with the same first `ipv6Prefix`
    bits (each link-local one by itself).
    """
    host = getattr(addr, "host", None)
    if not isinstance(host, str) or ":" not in host:
        return host
    try:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except OSError:
        return host
    if packed[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    if packed[0] == 0xFE and packed[1] & 0xC0 == 0x80:
        return host, getattr(addr, "scopeID", 0)
    return int.from_bytes(packed, "big") >> (128 - ipv6Prefix)
