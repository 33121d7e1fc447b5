"""SOCKS over real connections: our clients through our server, and `curl` and `socat` through it."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from net import DEADLINE, Net, Traced, TracedServer, pattern
from tls import clientOptions, serverOptions

from protocols.socks import (
    SOCKS4ClientEndpoint,
    SOCKS5ClientEndpoint,
    SOCKSClientParser,
    SOCKSError,
    SOCKSServerFactory,
    SOCKSServerProtocol,
    SOCKSv4,
    SOCKSv4Factory,
    allowNetworks,
    publicOnly,
    refuseAll,
)
from reactor._transport.client.resolver import ThreadedResolver
from reactor.address import HostnameAddress, IPv4Address
from reactor.defer import Deferred
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from reactor.error import ConnectError, ConnectingCancelledError, ConnectionRefusedError, NoProtocol, TimeoutError
from reactor.interfaces import IStreamClientEndpoint, IStreamClientEndpointStringParserWithReactor
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

LOOPBACK = allowNetworks("127.0.0.0/8", "::1")


class Keeping(SOCKSServerFactory):
    """Keeps what it builds."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.built: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        self.built.append(super().buildProtocol(addr))
        return self.built[-1]


def proxy(net: Net, policy: Any = LOOPBACK, factory: Any = None, **options: Any) -> Any:
    """A SOCKS server; its factory, with `port`."""
    factory = Keeping(policy, **options) if factory is None else factory
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    factory.port = port.getHost().port
    return factory


def through(net: Net, server: Any, port: int, version: int = 5, host: str = "127.0.0.1", **options: Any) -> Any:
    kind = SOCKS4ClientEndpoint if version == 4 else SOCKS5ClientEndpoint
    return kind(TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port), host, port, **options)


def echo(net: Net, **on: Any) -> TracedServer:
    return net.listen(data=lambda p, data: p.write(data), **on)


def gone(net: Net, *protocols: Traced) -> None:
    for each in protocols:
        each.lose()
    net.until(lambda: all(each.lost for each in protocols))


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_throughOurServer(net: Net, version: int, host: str) -> None:
    target, server = echo(net), proxy(net)
    endpoint = through(net, server, target.port, version, host)
    assert IStreamClientEndpoint.providedBy(endpoint) and f"{host}:{target.port} through" in repr(endpoint)
    mine = Traced(made=lambda p: p.write(b"hello"))
    assert net.result(connectProtocol(endpoint, mine)) is mine
    net.until(lambda: mine.received == b"hello")
    peer = mine.transport.getPeer()
    assert peer == (IPv4Address("TCP", host, target.port) if host[0] == "1" else HostnameAddress(host, target.port))
    gone(net, mine)
    net.until(lambda: target.built[-1].lost)
    assert mine.short == ["CM", "DR*", "CL(ConnectionDone)"]


@pytest.mark.parametrize("version", [4, 5])
def test_theAddressInTheReply(net: Net, version: int) -> None:
    """Of SOCKS 5 this side's (RFC 1928, section 6), of SOCKS 4 the destination's, as Twisted has it."""
    target, server = net.listen(), proxy(net)
    where = socket.inet_aton("127.0.0.1") + target.port.to_bytes(2, "big")
    if version == 4:
        said = b"\4\1" + where[4:] + where[:4] + b"\0"
    else:
        said = b"\5\1\0" + b"\5\1\0\1" + where
    client = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    client.sendall(said)
    net.until(lambda: target.built)
    if version == 4:
        assert net.receive(client, 8) == b"\0\x5a" + where[4:] + where[:4]
    else:
        peer = target.built[0].transport.getPeer()
        assert net.receive(client, 12)[2:] == b"\5\0\0\1" + socket.inet_aton(peer.host) + peer.port.to_bytes(2, "big")


@pytest.mark.parametrize("credentials", [{"me": "secret"}, lambda u, p: (u, p) == (b"me", b"secret"), "deferred"])
def test_SOCKS_passwords(net: Net, credentials: Any) -> None:
    waiting: list[Deferred[Any]] = []
    if credentials == "deferred":

        def credentials(user: bytes, password: bytes) -> Deferred[Any]:
            deferred: Deferred[Any] = Deferred()
            net.reactor.callLater(0, deferred.callback, (user, password) == (b"me", b"secret"))
            waiting.append(deferred)
            return deferred

    target, server = echo(net), proxy(net, credentials=credentials)
    seen: list[Any] = []
    server.policy = lambda request: seen.append(request) or True
    good = through(net, server, target.port, username="me", password="secret")
    mine = net.result(connectProtocol(good, Traced(made=lambda p: p.write(b"x"))))
    net.until(lambda: mine.received == b"x")
    assert [(each.user, each.version, each.address) for each in seen] == [(b"me", 5, "127.0.0.1")]
    for wrong in ({"username": "me", "password": "wrong"}, {"username": "you", "password": "secret"}, {}):
        with pytest.raises(SOCKSError, match="password"):
            net.result(connectProtocol(through(net, server, target.port, **wrong), Traced()))
    with pytest.raises(ConnectError, match="closed the connection"):
        net.result(connectProtocol(through(net, server, target.port, 4, user="me"), Traced()))
    gone(net, mine)
    assert len(seen) == 1


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(
    "policy", [refuseAll, publicOnly, allowNetworks(), lambda request: None, lambda request: "yes"]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001"])
def test_SOCKS_denyByDefaultAndPrivateRanges(net: Net, version: int, policy: Any, host: str) -> None:
    """Whatever is not True is no, and no name or other spelling gets around it."""
    target, server = echo(net), proxy(net, policy)
    with pytest.raises(SOCKSError) as raised:
        net.result(connectProtocol(through(net, server, target.port, version, host), Traced()))
    assert raised.value.reply == (91 if version == 4 else 2)
    assert (raised.value.host, raised.value.port) == (host, target.port)
    assert not target.built


@pytest.mark.parametrize("allowed", [True, False])
def test_policyThatTakesTime(net: Net, allowed: bool) -> None:
    waiting: list[Deferred[Any]] = []

    def policy(request: Any) -> Any:
        waiting.append(Deferred())
        return waiting[-1]

    target, server = echo(net), proxy(net, policy)
    connecting = connectProtocol(through(net, server, target.port), Traced())
    net.until(lambda: waiting)
    net.turn(5)
    assert not target.built
    waiting[0].callback(allowed)
    if allowed:
        gone(net, net.result(connecting))
        net.until(lambda: target.built[0].lost)
    else:
        with pytest.raises(SOCKSError, match="not allowed"):
            net.result(connecting)


def test_SOCKS_thePolicyHasToBeGiven(net: Net) -> None:
    with pytest.raises(TypeError, match="policy"):
        SOCKSServerFactory()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"policy": True}, TypeError, "callable"),
        ({"credentials": "me"}, TypeError, "mapping or callable"),
        ({"credentials": {"": "x"}}, ValueError, "1 to 255 bytes"),
        ({"credentials": {1: "x"}}, TypeError, "bytes or str"),
        ({"versions": (6,)}, ValueError, "versions must be of 4 and 5"),
        ({"versions": ()}, ValueError, "versions"),
        ({"versions": (4, 5), "credentials": {"a": "b"}}, ValueError, "version 4 has no passwords"),
    ],
)
def test_wrongArguments(net: Net, options: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        SOCKSServerFactory(**{"policy": refuseAll, **options})


def test_policyThatRaisesOrFails(net: Net) -> None:
    def broken(request: Any) -> Any:
        raise ValueError("broken")

    server = proxy(net, broken)
    net.expectErrors()
    with pytest.raises(SOCKSError) as raised:
        net.result(connectProtocol(through(net, server, 9), Traced()))
    assert raised.value.reply == 1


def test_nobodyThere(net: Net) -> None:
    server = proxy(net)
    with pytest.raises(SOCKSError, match="connection refused") as raised:
        net.result(connectProtocol(through(net, server, net.closedPort()), Traced()))
    assert raised.value.reply == 5
    with pytest.raises(SOCKSError) as raised:
        net.result(connectProtocol(through(net, server, 1, host="no-such-name.invalid"), Traced()))
    assert raised.value.reply == 4
    with pytest.raises(ConnectionRefusedError):
        server.port = net.closedPort()
        net.result(connectProtocol(through(net, server, 1), Traced()))


@pytest.mark.parametrize("command", [2, 3])
def test_otherCommandsAreRefused(net: Net, command: int) -> None:
    server = proxy(net)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(b"\5\1\0\5" + bytes([command]) + b"\0\1\x7f\0\0\1\0\x50")
    assert net.receive(sock) == b"\5\0\5\7\0\1" + bytes(6)
    if command == 2:
        sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
        sock.sendall(b"\4\2\0\x50\x7f\0\0\1\0")
        assert net.receive(sock) == b"\0\x5b" + bytes(6)


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\5\1\x80", b"\4\1\0\x50\1\1\1\1" + b"u" * 300])
def test_SOCKS_wrongBytesCloseTheConnection(net: Net, said: bytes) -> None:
    server = proxy(net)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(said)
    assert len(net.receive(sock)) <= 8


@pytest.mark.parametrize("said", [b"", b"\5", b"\5\1\0", b"\5\1\0\5\1\0\3\5loc", b"\4\1\0\x50\0\0\0\1"])
def test_SOCKS_theHandshakeHasADeadline(net: Net, said: bytes) -> None:
    clock = Clock()
    server = proxy(net, reactor=clock)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(said)
    net.until(lambda: clock.getDelayedCalls())
    net.turn(5)
    clock.advance(9.9)
    assert not server.built[0].transport.disconnecting
    clock.advance(0.2)
    assert net.receive(sock) in (b"", b"\5\0")
    assert not clock.getDelayedCalls()


def test_aDestinationThatDoesNotAnswer(net: Net) -> None:
    server = proxy(net)
    server.protocol = type("Impatient", (SOCKSServerProtocol,), {"connectTimeout": 0.05})
    with pytest.raises(SOCKSError, match="no answer in time") as raised:
        net.result(connectProtocol(through(net, server, net.silentPort()), Traced()))
    assert raised.value.reply == 6


def test_namesThatHangAreOnlyItsClients(net: Net) -> None:
    """One client's names take four threads of the resolver, also when it gives up and asks for more."""
    asked: list[str] = []
    gate = threading.Event()

    def getaddrinfo(name: str, port: int, family: int, kind: int) -> Any:
        asked.append(name)
        if name.startswith("hang"):
            gate.wait(3 * DEADLINE)
        return socket.getaddrinfo("127.0.0.1", port, family, kind)

    class Hasty(SOCKSServerProtocol):
        connectTimeout = 0.1
        gone = False

        def connectionLost(self, reason: Any) -> None:
            super().connectionLost(reason)
            self.gone = True

    resolver = ThreadedResolver(net.reactor._loop, getaddrinfo=getaddrinfo)
    net.reactor.installNameResolver(resolver)
    target, server = echo(net), proxy(net)
    server.protocol = Hasty
    for round_ in range(3):
        for number in range(8):
            host = f"hang{round_}-{number}.test"
            refused = connectProtocol(through(net, server, 1, host=host), Traced())
            refused.addErrback(lambda failure: failure.trap(SOCKSError))
        net.until(lambda: len(server.built) == 8 * (round_ + 1) and all(each.gone for each in server.built))  # noqa: B023
    assert len(asked) == 4
    server.protocol = SOCKSServerProtocol
    # Another client, for whom there are threads; and the first one's addresses, which need none.
    other = TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port, bindAddress=("127.0.0.2", 0))
    mine = net.result(connectProtocol(SOCKS5ClientEndpoint(other, "good.test", target.port), Traced()))
    same = net.result(connectProtocol(through(net, server, target.port), Traced()))
    assert asked[4:] == ["good.test"]
    gate.set()
    net.until(lambda: not server.lookUps._rows)
    last = net.result(connectProtocol(through(net, server, target.port, host="good.test"), Traced()))
    assert len(asked) == 6
    gone(net, mine, same, last)
    resolver.close()


def test_aClientThatGoesWhileConnecting(net: Net) -> None:
    """Whoever stops is not connected for any more."""
    server = proxy(net)
    endpoint = through(net, server, net.silentPort())
    connecting = connectProtocol(endpoint, Traced())
    net.until(lambda: server.built and server.built[0]._opening)
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError):
        net.result(connecting)
    server.built[0].transport.abortConnection()
    net.until(lambda: server.built[0]._opening is None)


def test_earlyBytesArriveInOrder(net: Net) -> None:
    """A client that does not wait: greeting, request and data in one piece."""
    target, server = echo(net), proxy(net)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    request = b"\5\1\0\5\1\0\1\x7f\0\0\1" + target.port.to_bytes(2, "big")
    sock.sendall(request + b"early")
    reply = net.receive(sock, 2 + 10 + 5)
    assert reply[:4] == b"\5\0\5\0" and reply[-5:] == b"early"
    sock.close()
    net.until(lambda: target.built[0].lost)


def test_halvesEndOneByOne(net: Net) -> None:
    """The client ends its half and still gets what the other one has to say."""
    server = proxy(net)
    listening = net.plainListener()
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(b"\5\1\0\5\1\0\1\x7f\0\0\1" + listening.getsockname()[1].to_bytes(2, "big"))
    net.receive(sock, 12)
    other = net.keep(listening.accept()[0])
    sock.sendall(b"question")
    sock.shutdown(socket.SHUT_WR)
    assert net.receive(other) == b"question"
    other.sendall(b"answer")
    other.close()
    assert net.receive(sock) == b"answer"


@pytest.mark.parametrize("clientSends", [True, False])
def test_SOCKS_backPressureBothWays(net: Net, clientSends: bool) -> None:
    """Who sends fast waits for who reads slowly; in between there is never much."""
    server = proxy(net)
    listening = net.plainListener()
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    sock.sendall(b"\5\1\0\5\1\0\1\x7f\0\0\1" + listening.getsockname()[1].to_bytes(2, "big"))
    net.receive(sock, 12)
    other = net.keep(listening.accept()[0])
    fast, slow = (sock, other) if clientSends else (other, sock)
    (side,) = server.built
    data, sent, most, still = pattern(32 << 20), 0, 0, 0
    fast.setblocking(False)
    while still < 20:
        try:
            sent += fast.send(data[sent : sent + 65536])
            still = 0
        except BlockingIOError:
            still += 1
        net.turn(1)
        most = max(most, side.transport.buffered, side.peer.transport.buffered)
    assert sent < len(data) and most < 1 << 20
    received = net.receive(slow, sent)
    assert received == data[:sent]
    fast.close()
    assert net.receive(slow) == b""


def test_TLSThroughTheServer(net: Net) -> None:
    """The name that is verified is that of the destination."""
    target = net.listen(data=lambda p, data: p.write(data), made=lambda p: p.transport.startTLS(serverOptions()))
    server = proxy(net)
    for host in ("localhost", "127.0.0.1"):
        endpoint = wrapClientTLS(clientOptions(host), through(net, server, target.port, host=host))
        mine = net.result(connectProtocol(endpoint, Traced(made=lambda p: p.write(b"secret"))))
        net.until(lambda mine=mine: mine.received == b"secret")
        assert mine.transport.TLS
        gone(net, mine)
    net.until(lambda: all(each.lost for each in target.built))


def test_throughTwoServers(net: Net) -> None:
    target, first, second = echo(net), proxy(net), proxy(net)
    inner = through(net, first, second.port)
    mine = net.result(
        connectProtocol(SOCKS4ClientEndpoint(inner, "localhost", target.port), Traced(made=lambda p: p.write(b"far")))
    )
    net.until(lambda: mine.received == b"far")
    gone(net, mine)
    net.until(lambda: target.built[0].lost)


# The client alone.


class Spoken:
    """A plain socket in the place of a SOCKS server."""

    def __init__(self, net: Net) -> None:
        self.listening = net.plainListener()
        self.port = self.listening.getsockname()[1]
        self.net = net

    def accept(self) -> socket.socket:
        return self.net.keep(self.listening.accept()[0])


def test_bytesBehindTheReplyBelongToTheProtocol(net: Net) -> None:
    spoken = Spoken(net)
    mine = Traced()
    connecting = connectProtocol(through(net, spoken, 80), mine)
    net.turn(5)
    sock = spoken.accept()
    sock.sendall(b"\5\0\5\0\0\1" + bytes(6) + b"behind")
    assert net.result(connecting) is mine
    net.until(lambda: mine.received == b"behind")
    assert mine.short == ["CM", "DR*"]
    gone(net, mine)


@pytest.mark.parametrize("said", [b"", b"\5", b"\5\0\5\0\0"])
def test_aServerThatHangsUp(net: Net, said: bytes) -> None:
    spoken = Spoken(net)
    connecting = connectProtocol(through(net, spoken, 80, host="example.com"), Traced())
    net.turn(5)
    sock = spoken.accept()
    sock.sendall(said)
    sock.close()
    with pytest.raises(ConnectError, match="closed the connection instead of an answer") as raised:
        net.result(connecting)
    assert (raised.value.host, raised.value.port) == ("example.com", 80)


def test_aServerThatSaysNothing(net: Net) -> None:
    spoken, clock = Spoken(net), Clock()
    connecting = connectProtocol(through(net, spoken, 80, timeout=7, clock=clock), Traced())
    net.until(lambda: clock.getDelayedCalls())
    clock.advance(8)
    with pytest.raises(TimeoutError, match="no answer from the proxy within 7 s"):
        net.result(connecting)


@pytest.mark.parametrize("connected", [False, True])
def test_cancelled(net: Net, connected: bool) -> None:
    spoken = Spoken(net)
    if not connected:
        spoken.port = net.silentPort()
    connecting = connectProtocol(through(net, spoken, 80), Traced())
    net.turn(5)
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError):
        net.result(connecting)
    if connected:
        sock = spoken.accept()
        with pytest.raises(ConnectionResetError):
            net.receive(sock)


def test_factoriesThatRefuseOrRaise(net: Net) -> None:
    target, server = echo(net), proxy(net)
    for build, expected in ((lambda addr: None, NoProtocol), (lambda addr: 1 / 0, ZeroDivisionError)):
        factory = TracedServer(build=build)
        with pytest.raises(expected):
            net.result(through(net, server, target.port).connect(factory))
        net.until(lambda factory=factory: factory.events[-1] == "stopFactory")
    mine = Traced(made=lambda p: 1 / 0)
    net.expectErrors()
    with pytest.raises(ZeroDivisionError):
        net.result(connectProtocol(through(net, server, target.port), mine))
    net.until(lambda: mine.lost)


def test_asText(net: Net) -> None:
    parser = SOCKSClientParser()
    assert IStreamClientEndpointStringParserWithReactor.providedBy(parser)
    for options, name in (({}, "SOCKS5"), ({"username": "u", "password": "p"}, "SOCKS5"), ({"version": "4"}, "SOCKS4")):
        endpoint = parser.parseStreamClient(net.reactor, "h", "80", proxy="tcp:localhost:1080", **options)
        assert repr(endpoint).startswith(f"<{name}ClientEndpoint h:80 through <TCP4ClientEndpoint localhost:1080>")
    for wrong in ({"version": "6"}, {"version": "4", "password": "p"}, {"timeout": "x"}, {"username": "u"}, {"x": ""}):
        with pytest.raises(ValueError, match=r"SOCKS|socks"):
            parser.parseStreamClient(net.reactor, "h", "80", proxy="tcp:localhost:1080", **wrong)


# Twisted's names.


class Friendly(SOCKSv4):
    """Lets one user through."""

    def authorize(self, code: int, server: str, port: int, user: bytes) -> Any:
        return code == 1 and server == "127.0.0.1" and user == b"friend"


def test_SOCKSv4(net: Net, tmp_path: Path) -> None:
    target = echo(net)
    path = tmp_path / "log"
    factory = SOCKSv4Factory(str(path))
    factory.protocol = Friendly
    server = proxy(net, factory=factory)
    mine = net.result(
        connectProtocol(through(net, server, target.port, 4, user="friend"), Traced(made=lambda p: p.write(b"x")))
    )
    net.until(lambda: mine.received == b"x")
    gone(net, mine)
    with pytest.raises(SOCKSError):
        net.result(connectProtocol(through(net, server, target.port, 4), Traced()))
    factory.protocol = SOCKSv4
    with pytest.raises(SOCKSError):
        net.result(connectProtocol(through(net, server, target.port, 4, user="friend"), Traced()))
    first, *others = path.read_text().splitlines()
    assert first.endswith("127.0.0.1 True") and [line.endswith("False") for line in others] == [True, True]
    with pytest.raises(ConnectError, match="closed the connection"):
        net.result(connectProtocol(through(net, server, target.port, 5), Traced()))


# Real programs.


def run(net: Net, *command: object, data: bytes = b"") -> bytes:
    """What a program prints, while the reactor turns."""
    if which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    # Files, since nobody would read from a pipe while the reactor has to turn.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        given.write(data)
        given.seek(0)
        words = [str(each) for each in command]
        with subprocess.Popen(words, stdin=given, stdout=printed, stderr=said) as process:
            try:
                net.until(lambda: process.poll() is not None)
            finally:
                process.kill()
        said.seek(0)
        assert process.returncode == 0, said.read()
        printed.seek(0)
        return printed.read()


def web(net: Net) -> TracedServer:
    def answer(protocol: Any, data: bytes) -> None:
        if protocol.received.endswith(b"\r\n\r\n"):
            protocol.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            protocol.lose()

    return net.listen(data=answer)


@pytest.mark.parametrize("option", ["--socks4", "--socks4a", "--socks5", "--socks5-hostname"])
def test_curl(net: Net, option: str) -> None:
    target, server = web(net), proxy(net)
    url = f"http://localhost:{target.port}/"
    assert run(net, "curl", "-4", "-sS", "-m", 10, option, f"127.0.0.1:{server.port}", url) == b"hello"


def test_curlWithPassword(net: Net) -> None:
    target, server = web(net), proxy(net, credentials={"me": "secret"})
    url, where = f"http://127.0.0.1:{target.port}/", f"socks5h://me:secret@127.0.0.1:{server.port}"
    assert run(net, "curl", "-sS", "-m", 10, "-x", where, url) == b"hello"


@pytest.mark.parametrize("kind", ["SOCKS4", "SOCKS4A"])
def test_socat(net: Net, kind: str) -> None:
    """It ends its half when its input ends, and waits for the rest."""
    server, data = proxy(net), pattern(200_000)
    listening = net.listen(data=lambda p, data: p.write(data) or (len(p.received) == 200_000 and p.lose()))
    there = f"{kind}:127.0.0.1:127.0.0.1:{listening.port},socksport={server.port}"
    assert run(net, "socat", "-t", 10, "-", there, data=data) == data
