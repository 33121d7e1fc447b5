"""PROXY headers as bytes: what is read out of them, what is written, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.haproxy import (
    HeaderParser,
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    MissingAddressData,
    ProxyInfo,
    formatV1,
    formatV2,
    parseV1,
    parseV2,
)
from protocols.haproxy._crc32c import crc32c
from reactor.address import IPv4Address, IPv6Address, UNIXAddress

FOUR = IPv4Address("TCP", "192.0.2.1", 5000), IPv4Address("TCP", "198.51.100.7", 443)
SIX = IPv6Address("TCP", "2001:db8::1", 5000), IPv6Address("TCP", "2001:db8::2", 443)
UNIX = UNIXAddress("/run/a"), UNIXAddress("/run/b")
DATAGRAM = IPv4Address("UDP", "192.0.2.1", 5000), IPv4Address("UDP", "198.51.100.7", 53)
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def feedAll(data: bytes, size: int, **options: Any) -> tuple[ProxyInfo, bytes] | None:
    """What comes of `data` in pieces of `size`; the rest is what had not been fed, too."""
    parser = HeaderParser(**options)
    for at in range(0, len(data), size):
        found = parser.feed(data[at : at + size])
        if found is not None:
            return found[0], found[1] + data[at + size :]
    return None


def test_version1() -> None:
    info = parseV1(b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n")
    assert (info.source, info.destination, info.version, info.local) == (*FOUR, 1, False)
    info = parseV1(b"PROXY TCP6 2001:DB8:0::1 2001:db8::2 5000 443\r\n")
    assert (info.source, info.destination) == SIX


def test_PROXY_version1OfTwoFamilies() -> None:
    """As nginx writes them: the family that is named is that of one end."""
    info = parseV1(b"PROXY TCP6 2001:db8::1 192.0.2.1 51512 22\r\n")
    assert (info.source, info.destination) == (
        IPv6Address("TCP", "2001:db8::1", 51512),
        IPv6Address("TCP", "::ffff:192.0.2.1", 22),
    )
    info = parseV1(b"PROXY TCP4 192.168.203.4 2603:c020:57fd::a1:1 48874 25\r\n")
    assert (info.source, info.destination) == (
        IPv4Address("TCP", "192.168.203.4", 48874),
        IPv6Address("TCP", "2603:c020:57fd::a1:1", 25),
    )
    info = parseV1(b"PROXY TCP6 192.0.2.1 2001:db8::1 5 22\r\n")
    assert info.source == IPv6Address("TCP", "::ffff:192.0.2.1", 5)


@pytest.mark.parametrize("pair", [(FOUR[0], SIX[1]), (SIX[0], FOUR[1])])
def test_twoFamiliesAreWrittenAsOne(pair: Any) -> None:
    for info in (parseV1(formatV1(*pair)), parseV2(formatV2(*pair))):
        for said, meant in zip((info.source, info.destination), pair, strict=True):
            host = meant.host if isinstance(meant, IPv6Address) else f"::ffff:{meant.host}"
            assert said == IPv6Address("TCP", host, meant.port)


@pytest.mark.parametrize("rest", [b"", b" 1 2 3", b" TCP4 192.0.2.1 192.0.2.1 1 2", b" \xff\0"])
def test_version1Unknown(rest: bytes) -> None:
    info = parseV1(b"PROXY UNKNOWN" + rest + b"\r\n")
    assert (info.source, info.destination) == (None, None)


LONGEST_V1 = b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n"


def test_theLongestLine() -> None:
    assert len(LONGEST_V1) == 107
    assert feedAll(LONGEST_V1 + b"x", 1) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 999.1.1.1 198.51.100.7 5000 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 99999 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 65536\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 05000 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 +500 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5_0 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 \xb2 443\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.7 5000 443\r\n",
        b"PROXY TCP4 192.0.2 198.51.100.7 5000 443\r\n",
        b"PROXY TCP4 ::1 ::1 5000 443\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.7 5000 443\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 5000 443\r\n",
        b"PROXY TCP4 192.0.2.1 fe80::1%eth0 5000 443\r\n",
        b"PROXY TCP6 ::1 192.0.2.01 5000 443\r\n",
        b"PROXY TCP6 ::\xff ::1 5000 443\r\n",
        b"PROXY TCP4  192.0.2.1 198.51.100.7 5000 443\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443 \r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5000\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r",
        b"PROXY \r\n",
        b"PROXY TCP5 192.0.2.1 198.51.100.7 5000 443\r\n",
        b"PROXY tcp4 192.0.2.1 198.51.100.7 5000 443\r\n",
        b"proxy UNKNOWN\r\n",
        b"PROXY UNKNOWN " + b"f" * 92 + b"\r\n",
    ],
)
def test_PROXY_wrongLines(line: bytes) -> None:
    with pytest.raises(InvalidProxyHeader):
        parseV1(line)
    for size in (1, len(line)):
        with pytest.raises(InvalidProxyHeader):
            # Whoever forgot the end of the line goes on with something.
            feedAll(line + b"GET / HTTP/1.1\r\n" + b"x" * 107, size)


def test_whichErrorSaysWhat() -> None:
    with pytest.raises(InvalidNetworkProtocol, match="no known family"):
        parseV1(b"PROXY TCP9 192.0.2.1 198.51.100.7 5000 443\r\n")
    with pytest.raises(MissingAddressData, match="without two addresses"):
        parseV1(b"PROXY TCP4 192.0.2.1\r\n")
    with pytest.raises(MissingAddressData, match="4 bytes of addresses, not 12"):
        parseV2(V2 + b"\x21\x11\0\4\1\2\3\4")
    with pytest.raises(InvalidProxyHeader, match=r"port that is none, b'99999': b'PROXY TCP4"):
        parseV1(b"PROXY TCP4 192.0.2.1 198.51.100.7 99999 443\r\n")


@pytest.mark.parametrize("data", [b"G", b"PROXX", b"\r\n\r\n\0\r\nQUIT\r", b"\0", b"PROXY\r\n"])
def test_PROXY_requiredNotGuessed(data: bytes) -> None:
    """Refused with the first byte that is none of a header's, and not before."""
    parser = HeaderParser()
    assert parser.feed(data[:-1]) is None if data[:-1] not in (b"PROX", b"PROXY\r") else True
    with pytest.raises(InvalidProxyHeader, match="does not begin with a PROXY header"):
        feedAll(data, 1)


def test_PROXY_aLineWithoutEndIsRefusedAt107Bytes() -> None:
    parser = HeaderParser()
    assert parser.feed(b"PROXY UNKNOWN " + b"x" * 92) is None
    with pytest.raises(InvalidProxyHeader, match="more than 107"):
        parser.feed(b"x")


# Version 2.


@pytest.mark.parametrize("addresses", [FOUR, SIX, UNIX, DATAGRAM, (None, None)])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("tlvs", [[], [(2, b"example.com"), (1, b"h2"), (0xE0, b"")]])
def test_version2ThereAndBack(addresses: Any, checksum: bool, tlvs: Any) -> None:
    header = formatV2(*addresses, tlvs, checksum=checksum)
    for size in (1, 7, 10000):
        found = feedAll(header + b"rest", size)
        assert found is not None and found[1] == b"rest"
        info = found[0]
        assert (info.source, info.destination) == addresses
        assert (info.version, info.local, info.header) == (2, addresses[0] is None, header)
        assert list(info.tlvs[: len(tlvs)]) == tlvs and len(info.tlvs) == len(tlvs) + checksum
    assert info.get(2) == (b"example.com" if tlvs else None)
    assert info == parseV2(header) and hash(info) == hash(parseV2(header)) and info != header


def test_version2AsTheSpecificationHasIt() -> None:
    assert formatV2(*FOUR) == V2 + bytes.fromhex("2111000c c0000201 c6336407 1388 01bb")
    assert formatV2(None, None) == V2 + bytes.fromhex("20000000")


def test_crc32cOfTheStandard() -> None:
    # RFC 3720, appendix B.4.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_abstractAndNamelessUNIXSockets() -> None:
    header = formatV2(UNIXAddress(b"\0name"), UNIXAddress(None))
    info = parseV2(header)
    assert (info.source, info.destination) == (UNIXAddress(b"\0name"), UNIXAddress(None))


def test_localIgnoresAddresses() -> None:
    """The command LOCAL: whatever family and addresses are there, the connection's own are meant."""
    body = bytes(12) + b"junk"
    info = parseV2(V2 + bytes((0x20, 0x11)) + len(body).to_bytes(2, "big") + body)
    assert (info.source, info.destination, info.local, info.tlvs) == (None, None, True, ())


def test_unspecifiedFamilyIsUnknown() -> None:
    info = parseV2(V2 + b"\x21\x00\0\3\2\0\0")
    assert (info.source, info.destination, info.local, info.tlvs) == (None, None, False, ((2, b""),))


def test_PROXY_everyChangedByteFailsTheChecksum() -> None:
    header = formatV2(*FOUR, [(2, b"example.com")], checksum=True)
    for at in range(16, len(header)):
        changed = bytearray(header)
        changed[at] ^= 1
        if at in (28, 42):
            # A type: of another piece, or of none that is a checksum; then nobody asked for one.
            continue
        with pytest.raises(InvalidProxyHeader):
            parseV2(bytes(changed))


@pytest.mark.parametrize(
    "header",
    [
        V2 + b"\x11\x11\0\x0c" + bytes(12),
        V2 + b"\x31\x11\0\x0c" + bytes(12),
        V2 + b"\x22\x11\0\x0c" + bytes(12),
        V2 + b"\x21\x41\0\x0c" + bytes(12),
        V2 + b"\x21\x13\0\x0c" + bytes(12),
        V2 + b"\x21\x11\0\x0b" + bytes(11),
        V2 + b"\x21\x21\0\x0c" + bytes(12),
        V2 + b"\x21\x31\0\x0c" + bytes(12),
        V2 + b"\x21\x11\0\x0e" + bytes(12) + b"\2\0",
        V2 + b"\x21\x11\0\x0f" + bytes(12) + b"\2\0\1",
        V2 + b"\x21\x11\0\x13" + bytes(12) + b"\3\0\4\0\0\0\0",
        V2 + b"\x21\x11\0\x11" + bytes(12) + b"\3\0\2\0\0",
        V2 + b"\x21\x11\0\x0c" + bytes(11),
        V2,
        b"",
    ],
)
def test_PROXY_wrongHeaders(header: bytes) -> None:
    with pytest.raises(InvalidProxyHeader):
        parseV2(header)


def test_PROXY_lengthIsRefusedBeforeAnythingIsKept() -> None:
    with pytest.raises(InvalidProxyHeader, match="PROXY header of 65551 bytes, 4096 are allowed"):
        feedAll(V2 + b"\x21\x11\xff\xff", 1)
    assert feedAll(formatV2(*FOUR, [(2, bytes(5000))]), 1000, lengthLimit=6000) is not None


# Writing.


def test_formatV1() -> None:
    assert formatV1(*FOUR) == b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n"
    assert formatV1(*SIX) == b"PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n"
    for other in (UNIX, DATAGRAM, (None, None), (DATAGRAM[0], SIX[1])):
        assert formatV1(*other) == b"PROXY UNKNOWN\r\n"
    with pytest.raises(ValueError, match="example"):
        formatV1(IPv4Address("TCP", "example", 1), FOUR[1])


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((DATAGRAM[0], SIX[1]), TypeError, "of one kind"),
        ((FOUR[0], None), TypeError, "of one kind"),
        ((FOUR[0], DATAGRAM[1]), TypeError, "of one kind"),
        ((IPv4Address("TCP", "name", 1), FOUR[1]), ValueError, "no address"),
        ((UNIXAddress(b"x" * 109), UNIX[1]), ValueError, "108"),
        ((*FOUR, [(256, b"")]), ValueError, "256"),
        ((*FOUR, [(3, b"abcd")]), ValueError, "type 3"),
        ((*FOUR, [(2, bytes(65535)), (2, b"")]), ValueError, "65535 are allowed"),
    ],
)
def test_whatNoHeaderCanBeMadeOf(arguments: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        formatV2(*arguments)


# Whatever comes.


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 1.2.3.4 1.2.3.4 ", b"PROXY TCP6 ", V2, V2 + b"\x21\x11\0\x20"]),
    st.binary(max_size=300),
    st.integers(1, 50),
)
def test_onlyItsOwnErrorEscapes(start: bytes, more: bytes, size: int) -> None:
    def outcome(size: int) -> Any:
        try:
            return feedAll(start + more, size)
        except InvalidProxyHeader as e:
            return type(e)

    # And it does not matter how it was cut.
    assert outcome(size) == outcome(1000)


def test_oneByteAtATimeIsLinear() -> None:
    def seconds(length: int) -> float:
        data = formatV2(*FOUR, [(0xE0, bytes(length))])
        began = time.process_time()
        assert feedAll(data, 1, lengthLimit=65551) is not None
        return time.process_time() - began

    # 16 times as much, so 16 times as long, or 256 times if it were quadratic.
    assert min(seconds(64000) for _ in range(3)) < 64 * max(min(seconds(4000) for _ in range(3)), 1e-4)


# Beside Twisted's, on what both take.


@pytest.mark.parametrize(
    "header",
    [
        formatV1(*FOUR),
        formatV1(*SIX),
        b"PROXY UNKNOWN 1 2 3 4\r\n",
        formatV2(*FOUR),
        formatV2(*UNIX),
        formatV2(*DATAGRAM),
    ],
)
def test_asTwistedUnderstandsIt(header: bytes) -> None:
    v1 = pytest.importorskip("twisted.protocols.haproxy._v1parser")
    v2 = pytest.importorskip("twisted.protocols.haproxy._v2parser")
    ours = parseV1(header) if header.startswith(b"P") else parseV2(header)
    theirs = v1.V1Parser.parse(header[:-2]) if header.startswith(b"P") else v2.V2Parser.parse(header)
    for name in ("source", "destination"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        for fact in ("type", "host", "port", "name"):
            assert getattr(mine, fact, None) == getattr(other, fact, None)


def test_noZonesInHeaders() -> None:
    """They mean nothing to who reads it."""
    pair = IPv6Address("TCP", "fe80::1%eth0", 5, 0, 2), IPv6Address("TCP", "fe80::2%eth0", 6, 0, 2)
    assert formatV1(*pair) == b"PROXY TCP6 fe80::1 fe80::2 5 6\r\n"
    bare = IPv6Address("TCP", "fe80::1", 5), IPv6Address("TCP", "fe80::2", 6)
    assert formatV2(*pair) == formatV2(*bare)
