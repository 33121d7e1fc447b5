"""DCC offers: what peers may write, where that would make us connect, and what files would be called."""

from __future__ import annotations

import io
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.irc import (
    DccOffer,
    IRCBadMessage,
    dccDescribe,
    dccParseAddress,
    fileSize,
    formatDcc,
    isPublicAddress,
    parseDcc,
    quoteFileName,
    safeFileName,
)

OFFERS = [
    ("CHAT chat 2130706433 5000", DccOffer("CHAT", "chat", "127.0.0.1", 5000)),
    ("SEND f 2130706433 5000 123", DccOffer("SEND", "f", "127.0.0.1", 5000, 123)),
    ("SEND f 2130706433 5000", DccOffer("SEND", "f", "127.0.0.1", 5000)),
    ('SEND "a b c" 2130706433 5000 123', DccOffer("SEND", "a b c", "127.0.0.1", 5000, 123)),
    ("SEND f ::1 5000 123", DccOffer("SEND", "f", "::1", 5000, 123)),
    ("SEND f 2130706433 0 123 77", DccOffer("SEND", "f", "127.0.0.1", 0, 123, "77")),
    ("CHAT chat 2130706433 0 77", DccOffer("CHAT", "chat", "127.0.0.1", 0, None, "77")),
    ("RESUME f 5000 100", DccOffer("RESUME", "f", "", 5000, 100)),
    ("ACCEPT f 5000 100", DccOffer("ACCEPT", "f", "", 5000, 100)),
]


@pytest.mark.parametrize(("text", "offer"), OFFERS)
def test_offers(text: str, offer: DccOffer) -> None:
    assert parseDcc(text) == offer
    assert formatDcc(offer) == text


BAD = [
    *(
        "",
        "SEND",
        "SEND f",
        "SEND f 1",
        "SEND f 1 x",
        "SEND f x 1 1",
        "SEND f 1 65536 1",
        "SEND f 1 1 -1",
        "SEND f 1 1 ²",
    ),
    *(
        "SEND f 1 1 ²",
        "SEND f 1 1 " + "9" * 5000,
        "SEND f 4294967296 1 1",
        "SEND f fe80::1%lo 1 1",
        "SEND f localhost 1 1",
    ),
    *("SEND f 1 0 1", "RESUME f 1", "RESUME f 1 x", "XMIT f 1 1 1", 'SEND "a b 1 2', "CHAT chat 1 0"),
]


@pytest.mark.parametrize(
    "text",
    BAD,
)
def test_offersThatMakeNoSense(text: str) -> None:
    with pytest.raises(IRCBadMessage):
        parseDcc(text)
    assert dccDescribe(text) == text


@settings(max_examples=200)
@given(st.text(st.sampled_from('SENDCHAT "01:. \\/%'), max_size=40))
def test_onlyOneErrorEscapes(text: str) -> None:
    try:
        offer = parseDcc(text)
    except IRCBadMessage:
        return
    assert parseDcc(formatDcc(offer)) == offer


@pytest.mark.parametrize(
    "data", ["CHAT chat 2130706433 5000", "SEND f 1 2", "SEND f 2130706433 5000 123", "RESUME f 1 2", "X"]
)
def test_describedAsByTwisted(data: str) -> None:
    irc = pytest.importorskip("twisted.words.protocols.irc")
    assert dccDescribe(data) == irc.dccDescribe(data)


@pytest.mark.parametrize("address", ["2130706433", "127.0.0.1", "0", "4294967295", "3232235777"])
def test_addressesAreTwisteds(address: str) -> None:
    irc = pytest.importorskip("twisted.words.protocols.irc")
    assert dccParseAddress(address) == irc.dccParseAddress(address)


@pytest.mark.parametrize(
    "address", ["", "x", "-1", "256.1.1.1", "4294967296", "9" * 5000, "localhost", "example.org", "²"]
)
def test_addressesThatAreNone(address: str) -> None:
    with pytest.raises(IRCBadMessage, match="not an address"):
        dccParseAddress(address)


@pytest.mark.parametrize(
    ("address", "public"),
    [("192.0.32.8", True), ("2620:0:2d0:200::8", True)]
    + [
        (address, False)
        for address in "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 0.0.0.0 224.0.0.1 255.255.255.255"
        " 100.64.0.1 ::1 :: fe80::1 fd00::1 ff02::1 ::ffff:127.0.0.1 2002:7f00:1:: x".split()
    ],
)
def test_publicAddresses(address: str, public: bool) -> None:
    assert isPublicAddress(address) is public


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\a b.txt", "a b.txt"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("a\0\n\x1b\u202eb", "ab"),
        ("a\udcff", "a"),
        ("é" * 300, "é" * 100),
        (" . .a ", " .a".strip()),
    ],
)
def test_safeFileNames(name: str, safe: str) -> None:
    assert safeFileName(name) == safe


def test_namesAreQuoted() -> None:
    assert [quoteFileName(name) for name in ("a", "a b", 'a"b c', "")] == ["a", '"a b"', '"a\'b c"', '""']


def test_offersThatCannotBe() -> None:
    with pytest.raises(ValueError, match="port must be"):
        formatDcc(DccOffer("CHAT", "chat", "127.0.0.1", 65536))
    with pytest.raises(ValueError, match="example"):
        formatDcc(DccOffer("CHAT", "chat", "example.org", 1))


def test_fileSizes() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"12345")
        file.flush()
        assert fileSize(file) == 5
    memory = io.BytesIO(b"123")
    memory.read(1)
    assert fileSize(memory) == 3
    assert memory.tell() == 1
    assert fileSize(object()) is None
