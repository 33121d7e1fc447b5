"""What SOCKS clients and servers say, as bytes: both dialogues, against each other and against what is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols._proxying.names import Destination
from protocols.socks import (
    Request,
    ServerHandshake,
    SOCKSError,
    SOCKSProtocolError,
    State,
    allOf,
    allowClients,
    allowHosts,
    allowNetworks,
    allowPorts,
    anyOf,
    publicOnly,
    refuseAll,
)
from protocols.socks._asking import Asking4, Asking5
from reactor.address import IPv4Address, UNIXAddress


def asking(version: int, host: str = "example.com", port: int = 80, user: Any = None) -> Any:
    destination = Destination("test", host, port)
    return Asking4(destination, user or b"") if version == 4 else Asking5(destination, user, user)


def talk(client: Any, server: ServerHandshake, size: int = 1000, reply: int = 0, verified: bool = True) -> Request:
    """Both dialogues with each other, in pieces of `size`; what the server heard."""
    toServer, toClient = client.first, b""
    while not client.done:
        for at in range(0, len(toServer), size):
            server.receive(toServer[at : at + size])
        toServer = b""
        if server.state is State.VERIFYING:
            server.verified(verified)
        if server.state is State.DECIDING:
            server.answered(reply, "192.0.2.9", 1234)
        toClient = server.takeOutput()
        assert toClient, "nobody goes on"
        for at in range(0, len(toClient), size):
            toServer += client.receive(toClient[at : at + size])
    assert server.request is not None and client.rest == b""
    return server.request


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1", "a" * 255])
@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("user", [None, "u", "\xfc" * 127 + "x"])
def test_oneAskingTheOther(version: int, host: str, user: Any, size: int) -> None:
    if version == 4 and ":" in host:
        with pytest.raises(ValueError, match="SOCKS 4 has none"):
            asking(4, host)
        return
    request = talk(
        asking(version, host, 8080, user), ServerHandshake(authenticate=version == 5 and user is not None), size
    )
    expected = None if user is None else user.encode()
    assert (request.version, request.command, request.host, request.port) == (version, "CONNECT", host, 8080)
    assert request.user == expected
    assert "CONNECT" in repr(request)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("reply", [1, 2, 5, 8, 200])
def test_refusalsSayWhy(version: int, reply: int) -> None:
    with pytest.raises(SOCKSError, match=r"reply \d+") as raised:
        talk(asking(version), ServerHandshake(), reply=reply)
    assert raised.value.reply == (91 if version == 4 else reply)


def test_aWrongPassword() -> None:
    with pytest.raises(SOCKSError, match="refused the user name or the password"):
        talk(asking(5, user="u"), ServerHandshake(authenticate=True), verified=False)


def test_authenticationThatIsMissing() -> None:
    client, server = asking(5), ServerHandshake(authenticate=True)
    with pytest.raises(SOCKSProtocolError, match="no way to authenticate"):
        server.receive(client.first)
    with pytest.raises(SOCKSError, match="wants a user name and a password"):
        client.receive(server.takeOutput())
    client = asking(5, user="u")
    with pytest.raises(SOCKSError, match="wants another way"):
        client.receive(b"\5\1")


def test_theBytesOfTheRFC() -> None:
    client = asking(5, "192.0.2.1", 80, "me")
    assert client.first == b"\5\2\0\2"
    assert client.receive(b"\5\2") == b"\1\2me\2me"
    assert client.receive(b"\1\0") == b"\5\1\0\1\xc0\0\2\1\0\x50"
    assert client.receive(b"\5\0\0\3\4name\0\1behind") == b""
    assert client.done and client.rest == b"behind"
    assert asking(4, "192.0.2.1", 80, b"me").first == b"\4\1\0\x50\xc0\0\2\1me\0"
    assert asking(4, "example.com", 80).first == b"\4\1\0\x50\0\0\0\1\0example.com\0"
    client = asking(4)
    client.receive(b"\0\x5a\0\0\0\0\0")
    assert not client.done
    client.receive(b"\0behind")
    assert client.done and client.rest == b"behind"


def test_aStatusUnderTheVersionOfSOCKS() -> None:
    client = asking(5, "192.0.2.1", 80, "me")
    client.receive(b"\5\2")
    # RFC 1929 has a 1 there.
    assert client.receive(b"\5") == b""
    assert client.receive(b"\0") == b"\5\1\0\1\xc0\0\2\1\0\x50"
    client.receive(b"\5\0\0\1\0\0\0\0\0\0")
    assert client.done


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (b"\1\1", r"refused the user name or the password \(status 1\)"),
        (b"\5\xff", r"refused the user name or the password \(status 255\)"),
        (b"HTTP/1.1", "answered the user name and the password with what is no status: b'HTTP/1.1'"),
    ],
)
def test_aStatusThatIsNone(status: bytes, said: str) -> None:
    client = asking(5, "192.0.2.1", 80, "me")
    client.receive(b"\5\2")
    with pytest.raises(SOCKSError, match=said):
        client.receive(status)


@pytest.mark.parametrize(
    ("version", "answers"),
    [
        (4, [b"\4"]),
        (4, [b"HTTP/1.0 400"]),
        (4, [b"\0\x5c" + bytes(6)]),
        (5, [b"HTTP/1.1 400 Bad Request\r\n"]),
        (5, [b"\5\xff"]),
        (5, [b"\5\1"]),
        (5, [b"\5\0", b"\4"]),
        (5, [b"\5\0", b"\5\1"]),
        (5, [b"\5\0", b"\5\0\0\7\0\0\0"]),
    ],
)
def test_whatNoServerSays(version: int, answers: Any) -> None:
    client = asking(version)
    with pytest.raises(SOCKSError):
        for answer in answers:
            client.receive(answer)


GREETING = b"\5\1\0"


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (b"\6", b""),
        (b"GET / HTTP/1.1\r\n", b""),
        (b"\5\1\1", b"\5\xff"),
        (b"\5\0", b"\5\xff"),
        (GREETING + b"\4", b"\5\1\0\1" + bytes(6)),
        (GREETING + b"\5\1\0\5\0", b"\5\x08\0\1" + bytes(6)),
        (GREETING + b"\5\4\0\1\0", b"\5\7\0\1" + bytes(6)),
        (GREETING + b"\5\1\0\3\0\0\x50", b"\5\1\0\1" + bytes(6)),
        (GREETING + b"\5\1\0\3\3a\nb\0\x50", b"\5\1\0\1" + bytes(6)),
        (GREETING + b"\5\1\0\3\2\xc3\xa4\0\x50", b"\5\1\0\1" + bytes(6)),
        (b"\4\3\0\x50\1\2\3\4\0", b"\0\x5b" + bytes(6)),
        (b"\4\1\0\x50\1\2\3\4" + b"u" * 256, b"\0\x5b" + bytes(6)),
        (b"\4\1\0\x50\0\0\0\1\0" + b"h" * 256, b"\0\x5b" + bytes(6)),
        (b"\4\1\0\x50\0\0\0\1\0\0", b"\0\x5b" + bytes(6)),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_SOCKS_whatNoClientSays(said: bytes, last: bytes, size: int) -> None:
    """Names of more than 255 bytes are refused without waiting for their end."""
    server, output = ServerHandshake(), b""
    with pytest.raises(SOCKSProtocolError):
        for at in range(0, len(said), size):
            server.receive(said[at : at + size])
            output += server.takeOutput()
    output += server.takeOutput()
    assert server.state is State.OVER and output.endswith(last)


def test_SOCKS_namesOf255BytesAreTaken() -> None:
    server = ServerHandshake()
    server.receive(b"\4\1\0\x50\0\0\0\1" + b"u" * 255 + b"\0" + b"h" * 255 + b"\0rest")
    assert server.request is not None
    assert (server.request.user, server.request.host, server.takeRest()) == (b"u" * 255, "h" * 255, b"rest")


def test_versionsThatAreNotSpoken() -> None:
    for versions, said in (((5,), b"\4"), ((4,), b"\5")):
        with pytest.raises(SOCKSProtocolError, match="not spoken"):
            ServerHandshake(versions).receive(said)


def test_otherCommandsAreUnderstood() -> None:
    for said, command in (
        (GREETING + b"\5\2\0\1\1\2\3\4\0\x50", "BIND"),
        (GREETING + b"\5\3\0\4" + bytes(15) + b"\1\0\x50", "UDP ASSOCIATE"),
        (b"\4\2\0\x50\1\2\3\4\0", "BIND"),
    ):
        server = ServerHandshake()
        server.receive(said)
        assert server.request is not None and server.request.command == command


@given(
    st.sampled_from([b"", b"\4\1\0\x50", b"\5\1\0\5\1\0\3", b"\5\1\2\1\1u\1p"]),
    st.binary(max_size=600),
    st.integers(1, 60),
)
def test_onlyTheirOwnErrorEscapes(start: bytes, more: bytes, size: int) -> None:
    def outcome(size: int) -> Any:
        server, data = ServerHandshake(authenticate=start.endswith(b"p")), start + more
        try:
            for at in range(0, len(data), size):
                server.receive(data[at : at + size])
                if server.state is State.VERIFYING:
                    server.verified(True)
                if server.state in (State.OVER, State.DECIDING):
                    break
        except SOCKSProtocolError:
            pass
        return server.state, repr(server.request), server.takeOutput()

    assert outcome(size) == outcome(1000)
    for version in (4, 5):
        client = asking(version)
        try:
            for at in range(0, len(more), size):
                client.receive(more[at : at + size])
                if client.done:
                    break
        except SOCKSError:
            pass


# Destinations.


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [
        ("", 80, ValueError),
        ("a b", 80, ValueError),
        ("a\r\nb", 80, ValueError),
        ("a" * 256, 80, ValueError),
        ("user@host", 80, ValueError),
        (b"\xff", 80, ValueError),
        (None, 80, TypeError),
        ("h", 0, ValueError),
        ("h", 65536, ValueError),
        ("h", "80", TypeError),
    ],
)
def test_SOCKS_whatIsNoDestination(host: Any, port: Any, error: Any) -> None:
    with pytest.raises(error, match=r"test: (host|port)"):
        Destination("test", host, port)


def test_destinations() -> None:
    assert Destination("", "b\xfccher.example", 80).name == "xn--bcher-kva.example"
    assert Destination("", b"example.com", 80).name == "example.com"
    assert Destination("", "::ffff:192.0.2.1", 80).name == "192.0.2.1"
    assert repr(Destination("", "::1", 80)) == "[::1]:80"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("u", None), ValueError), (("", "p"), ValueError), (("u" * 256, "p"), ValueError), ((1, "p"), TypeError)],
)
def test_SOCKS_whatIsNoCredential(arguments: Any, error: Any) -> None:
    with pytest.raises(error, match=r"SOCKS5ClientEndpoint\(\): (username|password)"):
        Asking5(Destination("", "h", 1), *arguments)
    with pytest.raises(ValueError, match="NUL"):
        Asking4(Destination("", "h", 1), "a\0b")


# Policies.


def request(address: str, port: int = 80, host: str = "example.com", peer: Any = None) -> Any:
    return SimpleNamespace(address=address, port=port, host=host, peer=peer)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1", True),
        ("10.0.0.1", False),
        ("172.16.5.4", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:1.1.1.1", True),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::1.1.1.1", True),
        ("example.com", False),
    ],
)
def test_SOCKS_privateRangesAreRefusedOnRequest(address: str, public: bool) -> None:
    assert publicOnly(request(address)) is public


def test_policies() -> None:
    networks = allowNetworks("10.0.0.0/8", "::1")
    assert networks(request("10.1.2.3")) and networks(request("::1")) and networks(request("::ffff:10.1.2.3"))
    assert not networks(request("11.0.0.1"))
    ports = allowPorts(80, 443)
    assert ports(request("1.1.1.1")) and not ports(request("1.1.1.1", 25))
    hosts = allowHosts("Example.com", ".example.org")
    assert hosts(request("", host="example.COM.")) and hosts(request("", host="a.example.org"))
    assert not hosts(request("", host="example.org")) and not hosts(request("", host="badexample.com"))
    clients = allowClients("127.0.0.1", "unix")
    assert clients(request("", peer=IPv4Address("TCP", "127.0.0.1", 1))) and clients(
        request("", peer=UNIXAddress(None))
    )
    assert not clients(request("", peer=IPv4Address("TCP", "127.0.0.2", 1)))
    assert allOf(ports, networks)(request("10.0.0.1")) and not allOf(ports, networks)(request("11.0.0.1"))
    assert anyOf(ports, networks)(request("11.0.0.1")) and not anyOf(refuseAll)(request("10.0.0.1"))
    for wrong in (lambda: allowPorts(0), lambda: allowHosts(""), lambda: allowNetworks("x")):
        with pytest.raises(ValueError, match=r"allow\w+\(\)"):
            wrong()
