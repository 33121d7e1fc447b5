"""Which addresses are of the Internet at large: whom a stranger may have us connect to. Pure.

An address passes when it is of global unicast as that is given out today (IANA's registries of address space; RFC 4291,
section 2.5.4) and in none of the blocks that IANA's registries of special purposes take out of it (RFC 6890). One of
IPv6 that leads to one of IPv4 passes if that one does. Everything else is refused, so that what is invented tomorrow
is not let in before somebody looked at it. The interpreter's own `is_global` is not asked: its answers change with its
version, and it lets all pass that no registry names.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPECIAL4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host, this network (RFC 791)
            "10.0.0.0/8",  # private (RFC 1918), as 172.16 and 192.168
            "100.64.0.0/10",  # behind a provider's NAT (RFC 6598)
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # this link (RFC 3927), and where clouds keep a machine's secrets
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocols' own use (RFC 6890)
            "192.0.2.0/24",  # documentation (RFC 5737), as 198.51.100 and 203.0.113
            "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # groups
            "240.0.0.0/4",  # reserved, and everybody (255.255.255.255)
        ),
    )
)
_GLOBAL6 = IPv6Network("2000::/3")
_SPECIAL6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols' own use (RFC 2928), Teredo among them, which has an address of IPv4 inside
            "2001:db8::/32",  # documentation (RFC 3849)
            "3ffe::/16",  # the 6bone, given back (RFC 3701)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_6TO4 = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")
# The lower half of an ISATAP address (RFC 5214, section 6.1), without the bit that says whether what follows is unique.
_ISATAP = 0x00005EFE
_UNIQUE = 0x02000000


def isPublic(host: str | IPv4Address | IPv6Address) -> bool:
    """Whether `host` is an address of the Internet at large. False for what is no address, and for one with a zone,
    which names an interface of this machine.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL4)
    if address.scope_id is not None:
        return False
    if not all(map(isPublic, _inside(address))):
        return False
    if address in _MAPPED or address in _NAT64:
        return True
    return address in _GLOBAL6 and not any(address in network for network in _SPECIAL6)


def _inside(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that what is sent to `address` may be handed to; none when it is of IPv6 alone."""
    number = int(address)
    if address in _6TO4:
        yield IPv4Address((number >> 80) & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64 or (number >> 32) & 0xFFFFFFFF & ~_UNIQUE == _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
