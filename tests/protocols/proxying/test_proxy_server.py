"""Servers behind a proxy that sends PROXY headers: real connections, and a real proxy (haproxy)."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from patience import PATIENCE
from tls import clientOptions, plainClientContext, serverOptions
from zope.interface import implementedBy

from protocols.haproxy import (
    HAProxyClientEndpoint,
    HAProxyServerParser,
    HAProxyWrappingFactory,
    formatV1,
    formatV2,
    proxyEndpoint,
)
from reactor.address import IPv4Address, UNIXAddress
from reactor.endpoints import (
    TCP4ClientEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
    serverFromString,
    wrapClientTLS,
)
from reactor.interfaces import IStreamServerEndpoint, IStreamServerEndpointStringParser, ITCPTransport, IUNIXTransport
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

SOURCE = IPv4Address("TCP", "192.0.2.1", 5000)
DESTINATION = IPv4Address("TCP", "198.51.100.7", 443)
HEADERS = [formatV1(SOURCE, DESTINATION), formatV2(SOURCE, DESTINATION, [(2, b"example.com")], checksum=True)]
TRUSTED = ["127.0.0.1"]


def behind(net: Net, trusted: Any = TRUSTED, wrap: Callable[[Any], Any] = lambda f: f, **options: Any) -> TracedServer:
    """A server behind a proxy; `server.on` and `server.built` are those of the protocols it builds."""
    on = {name: options.pop(name) for name in ("made", "data", "lost") if name in options}
    server = TracedServer(**on)
    server.listening = net.reactor.listenTCP(
        0, HAProxyWrappingFactory(wrap(server), trusted, **options), interface="127.0.0.1"
    )
    server.port = server.listening.getHost().port
    net.ports.append(server.listening)
    net.servers.append(server)
    return server


def dial(net: Net, server: TracedServer, data: bytes = b"") -> socket.socket:
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(data)
    return sock


def closedByServer(net: Net, sock: socket.socket) -> bool:
    try:
        return net.receive(sock) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("size", [1, 1000])
def test_theAddressesOfTheHeader(net: Net, header: bytes, size: int) -> None:
    seen: list[Any] = []
    server = behind(net, made=lambda p: seen.extend([p.transport.getPeer(), p.transport.getHost(), p.received]))
    built: list[Any] = []
    build = server.buildProtocol
    server.buildProtocol = lambda addr: [built.append(addr), build(addr)][1]  # type: ignore[method-assign]
    sock = dial(net, server)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(header), size):
        assert not server.built
        sock.sendall(header[at : at + size])
        net.turn(1)
    sock.sendall(b"hello")
    net.until(lambda: server.built and server.built[0].received == b"hello")
    assert seen == [SOURCE, DESTINATION, b""] and built == [SOURCE]
    (protocol,) = server.built
    assert protocol.transport.proxyInfo.header == header
    # Asking the class sets its attributes, if it has none of its own.
    assert ITCPTransport not in implementedBy(type(protocol.transport))
    assert ITCPTransport.providedBy(protocol.transport) and not IUNIXTransport.providedBy(protocol.transport)
    assert protocol.transport.getHandle().fileno() > 0 and "192.0.2.1" in repr(protocol.transport)
    protocol.write(b"answer")
    protocol.lose()
    assert net.receive(sock) == b"answer"
    net.until(lambda: protocol.lost)
    assert protocol.short == ["CM", "DR*", "CL(ConnectionDone)"]


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", formatV1(None, None), formatV2(None, None)])
def test_withoutAddressesTheyAreTheConnections(net: Net, header: bytes) -> None:
    server = behind(net)
    sock = dial(net, server, header + b"x")
    net.until(lambda: server.built and server.built[0].received)
    transport = server.built[0].transport
    assert transport.getPeer() == IPv4Address("TCP", *sock.getsockname())
    assert transport.getHost() == IPv4Address("TCP", *sock.getpeername())


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"PROXY TCP4 999.1.1.1 1.1.1.1 1 1\r\n", b"\x16\x03\x01"])
def test_PROXY_requiredAndChecked(net: Net, data: bytes, size: int) -> None:
    server = behind(net)
    sock = dial(net, server)
    try:
        for at in range(0, len(data), size):
            sock.sendall(data[at : at + size])
            net.turn()
    except OSError:
        # Closed before all was sent: as soon as it was seen.
        assert size == 1
    assert closedByServer(net, sock)
    assert not server.built


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8"], ["::1", "unix"]])
def test_PROXY_onlyFromTheTrustList(net: Net, trusted: Any) -> None:
    server = behind(net, trusted)
    assert closedByServer(net, dial(net, server, HEADERS[0]))
    assert not server.built and "buildProtocol" not in server.events


@pytest.mark.parametrize("trusted", [["127.0.0.0/8"], ["10.0.0.1", "127.0.0.1"], ["0.0.0.0/0"]])
def test_PROXY_fromTheTrustList(net: Net, trusted: Any) -> None:
    server = behind(net, trusted)
    dial(net, server, HEADERS[0])
    net.until(lambda: server.built)


def test_PROXY_aPeerThatIPv6NamesIsTrustedAsTheIPv4ItIs(net: Net) -> None:
    server = TracedServer()
    factory = HAProxyWrappingFactory(server, TRUSTED)
    net.servers.append(server)
    port = net.reactor.listenTCP(0, factory, interface="::")
    net.ports.append(port)
    server.port = port.getHost().port
    dial(net, server, HEADERS[1])
    net.until(lambda: server.built)
    assert server.built[0].transport.getPeer() == SOURCE


def test_PROXY_theHeaderHasADeadline(net: Net) -> None:
    clock = Clock()
    server = behind(net, clock=clock, timeout=3)
    sock = dial(net, server, HEADERS[0][:20])
    net.until(lambda: clock.getDelayedCalls())
    clock.advance(2.9)
    net.turn()
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    clock.advance(0.2)
    assert closedByServer(net, sock)
    assert not server.built and not clock.getDelayedCalls()


def test_PROXY_theDeadlineEndsWithTheHeaderAndWithTheConnection(net: Net) -> None:
    clock = Clock()
    server = behind(net, clock=clock)
    sock = dial(net, server)
    net.until(lambda: clock.getDelayedCalls())
    sock.sendall(HEADERS[0])
    net.until(lambda: server.built)
    assert not clock.getDelayedCalls()
    other = dial(net, server, HEADERS[0][:5])
    net.until(lambda: clock.getDelayedCalls())
    other.close()
    net.until(lambda: not clock.getDelayedCalls())
    assert len(server.built) == 1


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"timeout": 2}, ValueError, "from 3 to 10 seconds, not 2"),
        ({"timeout": 11}, ValueError, "from 3 to 10"),
        ({"timeout": float("nan")}, ValueError, "from 3 to 10"),
        ({"lengthLimit": 100}, ValueError, "from 232 to 65551 bytes, not 100"),
        ({"trusted": "127.0.0.1"}, TypeError, r"must be a list, such as \['127.0.0.1'\]"),
        ({"trusted": ["nobody"]}, ValueError, "trusted .*'nobody'"),
        ({"trusted": ["10.0.0.1/8"]}, ValueError, "host bits"),
        ({"trusted": ["::ffff:10.0.0.0/104"]}, ValueError, "as an IPv4 network"),
        ({"trusted": [1]}, TypeError, "must be of str"),
    ],
)
def test_wrongArguments(net: Net, options: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        HAProxyWrappingFactory(None, **{"trusted": [], **options})
    with pytest.raises(error, match=said):
        proxyEndpoint(None, **{"trusted": [], **options})


def test_PROXY_theTrustListHasToBeGiven(net: Net) -> None:
    with pytest.raises(TypeError, match="trusted"):
        HAProxyWrappingFactory(None)  # type: ignore[call-arg]


def test_theWrappedFactoryIsStartedAndStopped(net: Net) -> None:
    server = behind(net)
    assert server.events == ["startFactory"]
    net.result(server.listening.stopListening())
    assert server.events == ["startFactory", "stopFactory"]


def test_noProtocolClosesTheConnection(net: Net) -> None:
    server = TracedServer(build=lambda addr: None)
    port = net.reactor.listenTCP(0, HAProxyWrappingFactory(server, TRUSTED), interface="127.0.0.1")
    net.ports.append(port)
    server.port = port.getHost().port
    assert closedByServer(net, dial(net, server, HEADERS[0]))


def test_pausedInConnectionMade(net: Net) -> None:
    """What came with the header waits, and comes before what came later."""
    server = behind(net, made=lambda p: p.transport.pauseProducing())
    sock = dial(net, server, HEADERS[1] + b"first ")
    net.until(lambda: server.built)
    sock.sendall(b"second")
    net.turn(5)
    (protocol,) = server.built
    assert protocol.events == ["CM"]
    protocol.ask("resumeProducing")
    assert protocol.events == ["CM"]
    net.until(lambda: protocol.received == b"first second")


def test_pausedAndResumedInConnectionMade(net: Net) -> None:
    def made(protocol: Any) -> None:
        protocol.transport.pauseProducing()
        protocol.transport.resumeProducing()

    server = behind(net, made=made)
    sock = dial(net, server, HEADERS[1] + b"first ")
    sock.sendall(b"second")
    net.until(lambda: server.built and server.built[0].received == b"first second")


def test_pausedAgainBeforeItIsDelivered(net: Net) -> None:
    server = behind(net, made=lambda p: p.transport.pauseProducing())
    dial(net, server, HEADERS[1] + b"first")
    net.until(lambda: server.built)
    (protocol,) = server.built
    protocol.ask("resumeProducing")
    protocol.ask("pauseProducing")
    net.turn(5)
    assert protocol.events == ["CM"]
    protocol.ask("resumeProducing")
    net.until(lambda: protocol.received == b"first")


def test_closedInConnectionMadeHearsNothing(net: Net) -> None:
    server = behind(net, made=lambda p: p.lose())
    sock = dial(net, server, HEADERS[1] + b"first")
    assert closedByServer(net, sock)
    net.until(lambda: server.built[0].lost)
    assert server.built[0].events == ["CM", "CL(ConnectionDone)"]


def test_whatComesBehindMayRaise(net: Net) -> None:
    def boom(protocol: Any, data: bytes) -> None:
        raise ValueError("boom")

    server = behind(net, data=boom)
    net.expectErrors()
    assert closedByServer(net, dial(net, server, HEADERS[1] + b"first"))
    net.until(lambda: server.built[0].lost)
    assert server.built[0].events[-1] == "CL(ValueError)"


def test_TLSBehindTheHeaderInOnePiece(net: Net) -> None:
    """startTLS in connectionMade: what came with the header is TLS's, not the protocol's."""
    context = serverOptions()
    server = behind(net, made=lambda p: p.transport.startTLS(context))
    sock = dial(net, server)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = plainClientContext().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    sock.sendall(HEADERS[1] + outgoing.read())
    for _ in range(10):
        incoming.write(net.receive(sock, 1))
        try:
            while True:
                sock.setblocking(False)
                incoming.write(sock.recv(65536))
        except BlockingIOError:
            pass
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
    client.write(b"secret")
    sock.sendall(outgoing.read())
    net.until(lambda: server.built[0].received == b"secret")
    assert server.built[0].transport.TLS and server.built[0].transport.getPeer() == SOURCE


# Sending.


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("tls", [False, True])
def test_clientSends(net: Net, version: int, tls: bool) -> None:
    context = serverOptions()
    server = behind(net, made=(lambda p: p.transport.startTLS(context)) if tls else (lambda p: None))
    endpoint: Any = HAProxyClientEndpoint(
        TCP4ClientEndpoint(net.reactor, "localhost", server.port), SOURCE, DESTINATION, version
    )
    if tls:
        endpoint = wrapClientTLS(clientOptions(), endpoint)
    mine = Traced(made=lambda p: p.write(b"hello"))
    assert net.result(connectProtocol(endpoint, mine)) is mine
    net.until(lambda: server.built and server.built[0].received == b"hello")
    assert server.built[0].transport.getPeer() == SOURCE
    assert server.built[0].transport.TLS is tls
    mine.lose()
    net.until(lambda: mine.lost and server.built[0].lost)


def test_clientOverUNIX(net: Net, tmp_path: Path) -> None:
    server = TracedServer()
    net.servers.append(server)
    path = str(tmp_path / "socket")
    endpoint = proxyEndpoint(UNIXServerEndpoint(net.reactor, path), ["unix"])
    assert IStreamServerEndpoint.providedBy(endpoint) and "UNIX" in repr(endpoint)
    net.ports.append(net.result(endpoint.listen(server)))
    sender = HAProxyClientEndpoint(
        UNIXClientEndpoint(net.reactor, path), UNIXAddress("/a"), UNIXAddress("/b"), tlvs=[(2, b"x")], checksum=True
    )
    assert "HAProxyClientEndpoint of <" in repr(sender)
    mine = net.result(connectProtocol(sender, Traced()))
    net.until(lambda: server.built)
    assert server.built[0].transport.getPeer() == UNIXAddress("/a")
    assert server.built[0].transport.proxyInfo.get(2) == b"x"
    mine.lose()
    net.until(lambda: mine.lost)


@pytest.mark.parametrize(
    "options", [{"version": 3}, {"version": 1, "checksum": True}, {"version": 1, "tlvs": [(2, b"")]}]
)
def test_whatNoClientSends(net: Net, options: Any) -> None:
    with pytest.raises(ValueError, match="version"):
        HAProxyClientEndpoint(None, **options)


# As text.


def entryPoints(folder: Path) -> None:
    """Puts the entry points of setup.cfg into `folder` as an installed distribution has them."""
    setup = ConfigParser()
    setup.read(Path(__file__).resolve().parents[3] / "setup.cfg")
    info = folder / "described-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: described\nVersion: 1.0\n")
    points = setup["options.entry_points"]
    (info / "entry_points.txt").write_text("".join(f"[{group}]\n{points[group]}\n" for group in points))


def test_asText(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entryPoints(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = r"haproxy:tcp:0:interface=127.0.0.1:trusted=10.0.0.0/8, 127.0.0.1,\:\:1:timeout=4"
    endpoint = serverFromString(net.reactor, text)
    assert repr(endpoint) == "<proxyEndpoint of <TCP4ServerEndpoint 127.0.0.1:0>>"
    server = TracedServer()
    net.servers.append(server)
    port = net.result(endpoint.listen(server))
    net.ports.append(port)
    server.port = port.getHost().port
    dial(net, server, HEADERS[0])
    net.until(lambda: server.built)
    assert server.built[0].transport.getPeer() == SOURCE
    for wrong, said in (
        ("haproxy:tcp:80", "expected trusted="),
        ("haproxy:tcp:80:trusted=nobody", "'nobody'"),
        ("haproxy:tcp:80:trusted=unix:timeout=x", "number of seconds"),
        ("haproxy:tcp:80:trusted=unix:timeout=99", "from 3 to 10"),
        ("haproxy:tcp:x:trusted=unix", "expected port"),
    ):
        with pytest.raises(ValueError, match=said):
            serverFromString(net.reactor, wrong)


def test_theParserProvidesItsInterface(net: Net) -> None:
    assert IStreamServerEndpointStringParser.providedBy(HAProxyServerParser())
    quoted = HAProxyServerParser().parseStreamServer(net.reactor, "unix", "/a:b", trusted="unix", mode="600")
    assert "/a:b" in repr(quoted._wrappedEndpoint.__dict__)
    assert isinstance(HAProxyServerParser().parseStreamServer(None, "tcp", "1", trusted="::1"), object)


# A real proxy.


CONFIGURATION = """
global
    maxconn 20
defaults
    mode tcp
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen one
    bind 127.0.0.1:{front}
    server two 127.0.0.1:{back} {options}
"""


@pytest.fixture
def haproxy(net: Net, tmp_path: Path) -> Iterator[Callable[[int, str], int]]:
    """Starts haproxy in front of a port with options for its server; the port that it listens on."""
    program = which("haproxy")
    if program is None:
        pytest.skip("haproxy is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def start(back: int, options: str) -> int:
        front = net.closedPort()
        path = tmp_path / "haproxy.cfg"
        path.write_text(CONFIGURATION.format(front=front, back=back, options=options))
        running.append(subprocess.Popen([program, "-db", "-f", path], stderr=subprocess.DEVNULL))
        end = time.monotonic() + 10
        while running[0].poll() is None and time.monotonic() < end:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", front)) == 0:
                    return front
            net.reactor.iterate(0.02)
        raise AssertionError("haproxy does not listen")

    yield start
    for process in running:
        process.kill()
        process.wait(PATIENCE)


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ("send-proxy", 1),
        ("send-proxy-v2", 2),
        ("send-proxy-v2 proxy-v2-options crc32c,unique-id,authority", 2),
    ],
)
def test_haproxySends(net: Net, haproxy: Callable[[int, str], int], options: str, version: int) -> None:
    server = behind(net)
    front = haproxy(server.port, options)
    sock = net.keep(socket.create_connection(("127.0.0.1", front), 5))
    sock.sendall(b"hello")
    net.until(lambda: any(p.received == b"hello" for p in server.built))
    protocol = next(p for p in server.built if p.received)
    assert protocol.transport.getPeer() == IPv4Address("TCP", *sock.getsockname())
    assert protocol.transport.getHost() == IPv4Address("TCP", *sock.getpeername())
    info = protocol.transport.proxyInfo
    assert info.version == version
    assert (info.get(3) is not None) == ("crc32c" in options)
    protocol.write(b"answer")
    protocol.lose()
    assert net.receive(sock) == b"answer"
    sock.close()
    net.until(lambda: all(p.lost for p in server.built))


def test_haproxyChecksHealth(net: Net, haproxy: Callable[[int, str], int]) -> None:
    """Its health checks say LOCAL: a connection of its own, which is just as good."""
    server = behind(net)
    haproxy(server.port, "check inter 50ms send-proxy-v2 check-send-proxy")
    net.until(lambda: [p for p in server.built if p.transport.proxyInfo.local])
    local = next(p for p in server.built if p.transport.proxyInfo.local)
    assert local.transport.proxyInfo.source is None
    net.until(lambda: local.lost)
