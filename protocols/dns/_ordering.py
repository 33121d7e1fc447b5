"""In which order the addresses of a name are given: those that this machine can reach first, then by the rules of
RFC 6724, section 6, that do not need the routing tables. Whoever connects lets the families take turns from there.

Asks the kernel which local address it would send from; nothing is sent.
"""

from __future__ import annotations

import ipaddress
import socket

# So many are looked at; the others of a longer list follow as they are.
MOST = 64
# The policy table (RFC 6724, section 2.1): prefix, precedence, label.
_POLICY = [
    (ipaddress.ip_network(prefix), precedence, label)
    for prefix, precedence, label in (
        ("::1/128", 50, 0),
        ("::ffff:0:0/96", 35, 4),
        ("2002::/16", 30, 2),
        ("2001::/32", 5, 5),
        ("fc00::/7", 3, 13),
        ("::/96", 1, 3),
        ("fec0::/10", 1, 11),
        ("3ffe::/16", 1, 12),
        ("::/0", 40, 1),
    )
]

Found = tuple[int, str, int]


def ordered(addresses: list[Found]) -> tuple[list[Found], int]:
    """`addresses` (family, address, scope), best first, and how many of them can be reached at all."""
    first, rest = addresses[:MOST], addresses[MOST:]
    ranked = [(_rank(each, _source(each)), each) for each in first]
    ranked.sort(key=lambda pair: pair[0])
    return [each for _, each in ranked] + rest, sum(not rank[0] for rank, _ in ranked)


def _source(found: Found) -> str | None:
    """The address from which this machine would send to that one; None when there is no way."""
    family, address, scope = found
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9) if family == socket.AF_INET else (address, 9, 0, scope))
            return str(probe.getsockname()[0]).partition("%")[0]
    except OSError:
        return None


def _rank(found: Found, source: str | None) -> tuple[bool, bool, bool, int]:
    """The smaller, the better: rules 1, 2, 5 and 6."""
    address = _mapped(found[1])
    precedence, label = _policy(address)
    if source is None:
        return True, True, True, -precedence
    local = _mapped(source)
    return False, _scope(local) != _scope(address), _policy(local)[1] != label, -precedence


def _mapped(text: str) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(text if ":" in text else f"::ffff:{text}")


def _policy(address: ipaddress.IPv6Address) -> tuple[int, int]:
    # The longest prefix that fits: they are in an order in which that is the first.
    for network, precedence, label in _POLICY:
        if address in network:
            return precedence, label
    raise AssertionError("the last prefix fits all")


def _scope(address: ipaddress.IPv6Address) -> int:
    """RFC 6724, sections 3.1 and 3.2: 2 link-local, 5 site-local, 14 global."""
    four = address.ipv4_mapped
    if four is not None:
        return 2 if four.is_link_local or four.is_loopback else 14
    if address.is_link_local or address.is_loopback:
        return 2
    return 5 if address.is_site_local else 14
