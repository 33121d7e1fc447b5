"""The first words of a client: the name that is read out of them is the one that OpenSSL reads."""

from __future__ import annotations

import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tls import plainServerContext

from reactor._transport.tls.hello import LONGEST, ClientHello, serverNameIn

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def helloOf(name: str | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, **options: list[str]) -> bytes:
    """What OpenSSL's client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    if "alpn" in options:
        context.set_alpn_protocols(options["alpn"])
    outgoing = ssl.MemoryBIO()
    secured = context.wrap_bio(ssl.MemoryBIO(), outgoing, False, name)
    with pytest.raises(ssl.SSLWantReadError):
        secured.do_handshake()
    return outgoing.read()


def heardByOpenSSL(data: bytes) -> list[str | None]:
    """The name that OpenSSL's server reads; nothing when it does not get that far."""
    heard: list[str | None] = []
    context = plainServerContext()
    context.sni_callback = lambda secured, name, context: heard.append(name)
    incoming = ssl.MemoryBIO()
    incoming.write(data)
    secured = context.wrap_bio(incoming, ssl.MemoryBIO(), True)
    with pytest.raises(ssl.SSLError):
        secured.do_handshake()
    return heard


def records(message: bytes, size: int) -> bytes:
    """A handshake message in records of `size` bytes."""
    pieces = [message[start : start + size] for start in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(piece)) + piece for piece in pieces)


def read(data: bytes, cut: int | None = None) -> ClientHello:
    """Fed in pieces of `cut` bytes, to the end or until it is done."""
    hello = ClientHello()
    for start in range(0, len(data), cut or len(data)):
        if hello.feed(data[start : start + (cut or len(data))]):
            break
    return hello


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [None, "a.example", "xn--bcher-kva.example", "x" * 63 + ".example", "A.Example"])
def test_theName(name: str | None, version: ssl.TLSVersion) -> None:
    data = helloOf(name, version, alpn=["h2", "http/1.1"])
    assert [read(data).name] == [name] == heardByOpenSSL(data)


@pytest.mark.parametrize("version", VERSIONS)
def test_atEveryByte(version: ssl.TLSVersion) -> None:
    data = helloOf("a.example", version)
    for end in range(len(data)):
        hello = ClientHello()
        assert not hello.feed(data[:end])
        assert hello.feed(data[end:] + b"behind it")
        assert (hello.name, bytes(hello.received)) == ("a.example", data + b"behind it")
    assert read(data, 1).name == "a.example"


@pytest.mark.parametrize("size", [1, 3, 4, 100, 300])
def test_inManyRecords(size: int) -> None:
    data = records(helloOf("a.example")[5:], size)
    assert [read(data, 7).name] == ["a.example"] == heardByOpenSSL(data)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x80\x2e\x01\x03\x01",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        records(b"\x01" + (LONGEST - 3).to_bytes(3, "big"), 4),
        records(b"\x01\x00\x00\x00", 4),
        records(b"\x01\x00\x00\x26" + bytes(38), 42),
    ],
    ids=["HTTP", "SSL 2", "an alert", "an empty record", "a long record", "a ServerHello", *"1234"],
)
def test_whatAsksForNoName(data: bytes) -> None:
    """And is not waited for."""
    hello = ClientHello()
    assert hello.feed(data)
    assert hello.name is None
    assert bytes(hello.received) == data


def withName(entry: bytes) -> bytes:
    """The body of a ClientHello whose server_name extension is `entry`."""
    extension = struct.pack(">HH", 0, len(entry)) + entry
    other = struct.pack(">HH", 0x2A2A, 3) + b"\0\0\0"
    extensions = other + extension + other
    return (
        b"\x03\x03"
        + bytes(32)
        + b"\0"
        + b"\0\x02\x13\x01"
        + b"\x01\0"
        + struct.pack(">H", len(extensions))
        + extensions
    )


def nameEntry(name: bytes) -> bytes:
    return struct.pack(">HBH", len(name) + 3, 0, len(name)) + name


def test_theEntry() -> None:
    assert serverNameIn(withName(nameEntry(b"a.example"))) == "a.example"
    for entry in (
        b"",
        b"\0",
        nameEntry(b""),
        nameEntry("bücher.example".encode()),
        nameEntry(b"\xff\xfe"),
        nameEntry(b"a.example\0.evil"),
        nameEntry(b"a.example") + b"x",
        nameEntry(b"a.example")[:-1],
        b"\0\x0c\x01\0\x09a.example",
    ):
        assert serverNameIn(withName(entry)) is None


@given(st.binary(max_size=300))
def test_anyBytes(data: bytes) -> None:
    assert serverNameIn(data) is None or serverNameIn(data).isascii()  # type: ignore[union-attr]
    ClientHello().feed(data)
    ClientHello().feed(b"\x16\x03\x01" + struct.pack(">H", len(data)) + data)


HELLO = helloOf("a.example")


@given(st.integers(0, len(HELLO) - 1), st.integers(0, 127))
def test_aChangedByte(place: int, byte: int) -> None:
    """Where OpenSSL gets as far as asking for a context, it has read the name that was read here."""
    changed = HELLO[:place] + bytes([byte]) + HELLO[place + 1 :]
    heard = heardByOpenSSL(changed)
    assert not heard or read(changed).name == heard[0]
