"""What is limited, checked and refused when nobody asks for it: each test is named after its row of the table of
security defaults. The rows PROXY, SOCKS, S_connections, S_logs, S_parsers and S_prefixes stand with their protocols.
"""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
import unixnet
from net import Net, Traced
from tls import clientOptions, connectSSL, issued, listenSSL, private, root

from protocols.basic import LineOnlyReceiver, LineReceiver, NetstringReceiver
from protocols.irc import IRC
from reactor.ssl import CertificateOptions, optionsForClientTLS, trustRootFromCertificates

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def feed(net: Net, base: type, heard: str, data: bytes, **attributes: Any) -> tuple[list[bytes], bytes]:
    """What a server's protocol of class `base` hears by its method `heard` of a peer that says `data` and is then
    disconnected; and what the peer heard.
    """
    got: list[bytes] = []

    def made(self: Any) -> None:
        Traced.connectionMade(self)
        if base.connectionMade is not Traced.connectionMade:  # type: ignore[attr-defined]
            base.connectionMade(self)  # type: ignore[attr-defined]

    hooks = {"connectionMade": made, heard: lambda self, data: got.append(data)}
    own = type("Own", (base, Traced), hooks | attributes)
    server = net.listen(build=lambda address: own())
    peer = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    peer.sendall(data)
    answer = net.receive(peer)
    net.until(lambda: server.built[0].lost)
    return got, answer


@pytest.mark.parametrize("kind", [LineReceiver, LineOnlyReceiver])
def test_S_lines_areLimited(net: Net, kind: Any) -> None:
    longest = b"x" * 16_384
    lines, _ = feed(net, kind, "lineReceived", longest + b"\r\n" + longest + b"x\r\nnever delivered\r\n")
    assert lines == [longest]


@pytest.mark.parametrize("kind", [LineReceiver, LineOnlyReceiver])
def test_S_lines_withoutAnEndAreNotKept(net: Net, kind: Any) -> None:
    lines, _ = feed(net, kind, "lineReceived", b"good\r\n" + b"x" * 17_000)
    assert lines == [b"good"]


@pytest.mark.parametrize(
    "wrong",
    [b"05:hello,", b"+5:hello,", b"5 :hello,", b"-1:,", b"1" * 17, b"5:hellox", b"100000:", b"x", b":,", b"0x5:hello,"],
)
def test_S_netstrings_wrongOnesAreDropped(net: Net, wrong: bytes) -> None:
    strings, _ = feed(net, NetstringReceiver, "stringReceived", b"4:good," + wrong + b"5:never,")
    assert strings == [b"good"]


@pytest.mark.parametrize("wrong", ["x\r\nQUIT", "x\nQUIT", "x\rQUIT", "x\0QUIT"])
def test_S_irc_nothingEndsALineEarly(net: Net, wrong: str) -> None:
    def each(protocol: Any, *args: Any) -> None:
        for send in (
            lambda: protocol.sendMessage("PRIVMSG", "#here", wrong),
            lambda: protocol.sendMessage("PRIVMSG", wrong),
            lambda: protocol.sendCommand("PRIVMSG", ["#here", wrong], "server"),
            lambda: protocol.sendCommand("PRIVMSG", ["#here"], wrong),
            lambda: protocol.sendLine(wrong),
        ):
            with pytest.raises(ValueError, match="CR, LF or NUL"):
                send()
        protocol.sendMessage("NOTICE", "#here", "fine")
        protocol.transport.loseConnection()

    _, answer = feed(net, IRC, "unused", b"PING\r\n", irc_PING=each)
    assert answer == b"NOTICE #here fine\r\n" or answer == b"NOTICE #here :fine\r\n"


def test_S_irc_linesAreLimited(net: Net) -> None:
    got, _ = feed(net, IRC, "irc_PING", b"x" * 17_000, irc_PING=lambda self, *args: None)
    assert got == []
    assert IRC.MAX_LENGTH == 16_384


def clientContexts() -> list[ssl.SSLContext]:
    made = [optionsForClientTLS("localhost"), optionsForClientTLS("localhost", trustRootFromCertificates([root()]))]
    return [each.getContext() for each in made]


def test_S_tlsClient_verifies(net: Net) -> None:
    for context in clientContexts():
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    # The system's authorities do not know ours.
    server = listenSSL(net)
    client = connectSSL(net, server.port, optionsForClientTLS("localhost"))
    net.until(lambda: client.over)
    assert client.events == ["doStart", "startedConnecting", "CCF(PeerVerifyError)", "doStop"]


def test_S_tlsServer_defaults(net: Net) -> None:
    for options in (private().options(), CertificateOptions(private().privateKey, private())):
        context = options.getContext()
        assert context.protocol is ssl.PROTOCOL_TLS_SERVER
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.options & ssl.OP_NO_COMPRESSION
        assert context.options & ssl.OP_NO_RENEGOTIATION
        # An end without close_notify is no end.
        assert not context.options & ssl.OP_IGNORE_UNEXPECTED_EOF


def test_S_startTLS_verifiesWithoutBeingAsked(net: Net) -> None:
    server = net.listen(made=lambda p: p.transport.startTLS(private(issued("other.example")).options()))
    client = net.connect(
        server.port,
        "127.0.0.1",
        made=lambda p: (p.transport.startTLS(clientOptions("localhost")), p.transport.write(b"secret")),
    )
    net.until(lambda: client.over and server.built[0].lost)
    assert client.events[3:] == ["CM", "CL(PeerVerifyError)", "CCL(PeerVerifyError)", "doStop"]
    assert server.built[0].received == b""


def test_S_unix_onlyOurselves(net: Net, tmp_path: Path) -> None:
    unixnet.listen(net, tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
