"""Which addresses are of the Internet at large: the registries' blocks, and private places in other spellings."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols._proxying.internet import isPublic
from protocols.irc import isPublicAddress
from protocols.socks import publicOnly

PUBLIC = (
    "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1"
    " 223.255.255.255 2001:200::1 2600:: 2606:4700:4700::1111 2620:0:2d0:200::8 2a00:1450:4001:830::200e 3fff:1000::1"
    " ::ffff:8.8.8.8 64:ff9b::1.1.1.1 2002:808:808::1 2a00::5efe:8.8.8.8 2a00::200:5efe:8.8.8.8"
).split()

PRIVATE = (
    "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1"
    " 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1"
    " 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255"
    # Of IPv6 alone: this host, links, sites, local networks, groups, documentation, what is not given out.
    " :: ::1 fe80::1 fe80::1%lo fec0::1 fc00::1 fd00::1 ff02::1 ff0e::1 100::1 2001:db8::1 3ffe::1 3fff::1 5f00::1"
    " 4000::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2606:4700::1111%eth0"
    # With an address of IPv4 inside: mapped, "IPv4-translated", compatible, NAT64, 6to4, Teredo, ISATAP.
    " ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 ::127.0.0.1 ::8.8.8.8"
    " 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::169.254.169.254 64:ff9b:1::a00:1 64:ff9b:1::808:808 2002:7f00:1::"
    " 2002:a00:1::1 2002:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:80ff:fffe 2a00::5efe:10.0.0.1 2a00::200:5efe:127.0.0.1"
    " 2002:808:808::5efe:10.0.0.1 64:ff9b:0:0:0:5efe:808:808"
    # No addresses, though some programs take them for such.
    " localhost example.com x 0177.0.0.1 2130706433 127.1 0x7f000001 1.1.1.1/32 ::ffff:8.8.8.8%1"
).split()


@pytest.mark.parametrize(
    ("address", "public"),
    [(each, True) for each in PUBLIC] + [(each, False) for each in [*PRIVATE, "", " 1.1.1.1"]],
)
def test_whoIsOfTheInternet(address: str, public: bool) -> None:
    asked: Any = SimpleNamespace(address=address)
    # The same answer to all who ask.
    assert (isPublic(address), isPublicAddress(address), publicOnly(asked)) == (public,) * 3


def test_anUnresolvedRequestGoesNowhere() -> None:
    asked: Any = SimpleNamespace(address=None)
    assert publicOnly(asked) is False


@given(st.integers(0, 2**32 - 1))
def test_whatLeadsToIPv4IsJudgedAsThat(number: int) -> None:
    plain = isPublic(IPv4Address(number))
    for inside in (
        IPv6Address((0xFFFF << 32) + number),
        IPv6Address((0x64FF9B << 96) + number),
        IPv6Address((0x2002 << 112) + (number << 80)),
        IPv6Address((0x2A00 << 112) + (0x5EFE << 32) + number),
    ):
        assert isPublic(inside) is plain, inside


@given(st.integers(0, 2**128 - 1))
def test_onlyGlobalUnicastPasses(number: int) -> None:
    address = IPv6Address(number)
    if isPublic(address) and address.ipv4_mapped is None and number >> 32 != 0x64FF9B << 64:
        assert number >> 125 == 1
        assert address.is_global or address.sixtofour is not None
