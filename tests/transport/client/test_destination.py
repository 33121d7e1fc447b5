"""What a program names when it connects: hosts, ports and local addresses, and what is made of them before anything is
tried.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

from reactor._transport.client.destination import TCPDestination
from reactor._transport.client.resolver import encode
from reactor._transport.stream.tcp import checkBindAddress, checkPort, literal
from reactor.address import IPv4Address, IPv6Address
from reactor.error import ServiceNameUnknownError

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", V4, ("127.0.0.1", 80)),
        ("::1", V6, ("::1", 80, 0, 0)),
        ("0:0::1", V6, ("::1", 80, 0, 0)),
        ("::ffff:192.0.2.1", V6, ("::ffff:192.0.2.1", 80, 0, 0)),
        ("fe80::1%lo", V6, ("fe80::1", 80, 0, socket.if_nametoindex("lo"))),
        ("fe80::1%1", V6, ("fe80::1", 80, 0, 1)),
    ],
)
def test_literal(host: str, family: int, address: tuple[Any, ...]) -> None:
    assert literal(host, 80) == (family, address)


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "127.1", "1.2.3.4.5", "256.0.0.1", "::g", "[::1]", "fe80::1%nosuch", "1.2.3.4\0", "bücher"],
)
def test_noLiteral(host: str) -> None:
    assert literal(host, 80) is None


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("example.com", "example.com"),
        ("a_b.example.", "a_b.example."),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Bücher.EXAMPLE", "xn--bcher-kva.example"),
        # IDNA 2008 keeps what the 2003 one, and with it the socket module, would make "strasse".
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_encode(name: str, encoded: str) -> None:
    assert encode(name) == encoded


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", IPv4Address("TCP", "192.0.2.1", 80)),
        ("2001:DB8::1", IPv6Address("TCP", "2001:db8::1", 80)),
        ("fe80::1%1", IPv6Address("TCP", "fe80::1%lo", 80, 0, 1)),
        # A name is not resolved, and its address is of IPv4's type, as in Twisted.
        ("name.test", IPv4Address("TCP", "name.test", 80)),
        ("", IPv4Address("TCP", "", 80)),
    ],
)
def test_theAddressOfADestination(host: str, address: Any) -> None:
    loop: Any = None
    destination = TCPDestination(loop, lambda: None, host, 80, None)
    assert destination.address() == address
    assert type(destination.address()) is type(address)


# Ports.


@pytest.mark.parametrize("port", [0, 1, 65535])
def test_ports(port: int) -> None:
    assert checkPort("connectTCP", port) == port


@pytest.mark.parametrize("port", [-1, 65536, 10**20])
def test_portsOutOfRange(port: int) -> None:
    with pytest.raises(ValueError, match=rf"connectTCP.*65535.*{port}"):
        checkPort("connectTCP", port)


@pytest.mark.parametrize("port", [None, 80.0, "80", "http", b"80", True])
def test_whatIsNoPort(port: Any) -> None:
    with pytest.raises(TypeError, match=r"listenTCP.*port.*int"):
        checkPort("listenTCP", port)


def test_serviceNames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getservbyname", lambda *asked: {("http", "tcp"): 80}[asked])
    assert checkPort("connectTCP", "http", service=True) == 80


def test_unknownServiceNames() -> None:
    with pytest.raises(ServiceNameUnknownError, match="no such service") as caught:
        checkPort("connectTCP", "no such service", service=True)
    assert caught.value.phase == "resolve"


# Local addresses.


@pytest.mark.parametrize(
    ("local", "sockaddr"),
    [
        (None, None),
        ("127.0.0.1", ("127.0.0.1", 0)),
        (("127.0.0.1", 4000), ("127.0.0.1", 4000)),
        (("", 4000), ("", 4000)),
        (("::1", 0), ("::1", 0)),
        (("fe80::1", 0, 0, 2), ("fe80::1", 0, 0, 2)),
    ],
)
def test_bindAddress(local: Any, sockaddr: Any) -> None:
    assert checkBindAddress("connectTCP", local) == sockaddr


@pytest.mark.parametrize(
    "local", [4000, b"127.0.0.1", ("127.0.0.1",), ["127.0.0.1", 0], (b"127.0.0.1", 0), ("::1", 0, 0)]
)
def test_whatIsNoBindAddress(local: Any) -> None:
    with pytest.raises(TypeError, match=r"connectTCP.*bindAddress"):
        checkBindAddress("connectTCP", local)


@pytest.mark.parametrize(
    ("port", "error"), [(65536, ValueError), (-1, ValueError), ("http", TypeError), (None, TypeError)]
)
def test_bindAddressWithoutAPort(port: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"connectTCP.*bindAddress.*port"):
        checkBindAddress("connectTCP", ("127.0.0.1", port))
