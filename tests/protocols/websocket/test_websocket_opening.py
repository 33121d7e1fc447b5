"""The opening handshake, RFC 6455, section 4, on real connections: each test of a MUST is named after its section."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from net import Net
from wire import TEXT, built
from wsnet import HANDSHAKE, Echo, Traced, answer, opened, plain, serve

from protocols.websocket import HandshakeError, WebSocketClientEndpoint, WebSocketFactory, connect
from protocols.websocket._frames import FIN
from reactor.defer import Deferred
from reactor.error import ConnectError, ConnectionRefusedError, NoProtocol, TimeoutError
from reactor.protocol import ClientFactory
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_4_2_2_theServerAnswersTheKey(net: Net) -> None:
    head = answer(net, plain(net, serve(net)))
    fields = head.split(b"\r\n")
    assert fields[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in fields
    assert b"Upgrade: websocket" in fields and b"Connection: Upgrade" in fields


@pytest.mark.parametrize(
    "change, status",
    [
        (lambda head: head.replace(b"GET", b"POST"), 405),
        (lambda head: head.replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
        (lambda head: head.replace(b"Host: 127.0.0.1\r\n", b""), 400),
        (lambda head: head.replace(b"Upgrade: websocket\r\n", b""), 426),
        (lambda head: head.replace(b"keep-alive, Upgrade", b"keep-alive"), 426),
        (lambda head: head.replace(b"Key: dGhlIHNhbXBsZSBub25jZQ==", b"Key: dGhl"), 400),
        (lambda head: head.replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""), 400),
        (lambda head: head.replace(b"Version: 13", b"Version: 12"), 426),
        (lambda head: head.replace(b"Version: 13", b"Version: 13, 8"), 426),
        (lambda head: head + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400),
        (lambda head: head + b"Content-Length: 3\r\n", 400),
        (lambda head: head + b"Transfer-Encoding: chunked\r\n", 400),
        (lambda head: head.replace(b"Host:", b"Host :"), 400),
        (lambda head: b"\x16\x03\x01\r\n" + head, 400),
        (lambda head: head + b"X: " + b"x" * 70000 + b"\r\n", 431),
    ],
)
def test_4_2_1_otherRequestsAreAnsweredAndClosed(net: Net, change: Callable[[bytes], bytes], status: int) -> None:
    server = serve(net)
    got = net.receive(plain(net, server, request=change(HANDSHAKE)))
    assert got.startswith(b"HTTP/1.1 %d " % status) and server.built == []
    assert re.search(rb"\r\nConnection: close(, Upgrade)?\r\n", got)


def test_4_4_anUnknownVersionIsToldWhichIsKnown(net: Net) -> None:
    head = answer(net, plain(net, serve(net), request=HANDSHAKE.replace(b"Version: 13", b"Version: 99")))
    assert head.startswith(b"HTTP/1.1 426 ") and b"\r\nSec-WebSocket-Version: 13\r\n" in head


def test_whatCameBehindTheRequestIsReadAsFrames(net: Net) -> None:
    server = serve(net)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(HANDSHAKE + b"\r\n" + built(FIN | TEXT, b"early"))
    answer(net, sock)
    assert net.receive(sock, 7) == b"\x81\x05early" and server.built[0].messages == ["early"]


def test_everyCutOfTheRequest(net: Net) -> None:
    server = serve(net)
    whole = HANDSHAKE + b"\r\n" + built(FIN | TEXT, b"!")
    for at in range(1, len(whole), 7):
        sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(whole[:at])
        net.turn(2)
        sock.sendall(whole[at:])
        assert answer(net, sock).startswith(b"HTTP/1.1 101 ") and net.receive(sock, 3) == b"\x81\x01!"
        net.reset(sock)


def test_4_2_2_theServersFirstSubprotocolThatIsOfferedIsAgreedOn(net: Net) -> None:
    server = serve(net, subprotocols=["best", "good"])
    for offered, agreed in ((["good", "best"], "best"), (["x", "good"], "good"), (["x"], None), ([], None)):
        client, end = opened(net, server, subprotocols=offered)
        assert client.subprotocol == end.subprotocol == agreed


def test_10_2_pagesOfOtherOriginsAreRefused(net: Net) -> None:
    def status(server: Any, origin: bytes | None) -> bytes:
        extra = b"" if origin is None else b"Origin: " + origin + b"\r\n"
        return answer(net, plain(net, server, extra))[9:12]

    same = serve(net)
    host = b"http://127.0.0.1"
    assert [status(same, origin) for origin in (None, host, b"HTTP://127.0.0.1:80")] == [b"101"] * 3
    assert [status(same, origin) for origin in (b"http://evil.example", b"null", host + b":81")] == [b"403"] * 3
    some = serve(net, origins=["https://good.example", re.compile(r"https://\w+\.good\.example")])
    assert [status(some, origin) for origin in (b"https://good.example", b"https://a.good.example")] == [b"101"] * 2
    assert [status(some, origin) for origin in (None, host, b"https://good.example.evil")] == [b"403"] * 3
    assert status(serve(net, origins=None), b"http://evil.example") == b"101"


def test_theFactorySeesTheRequestAndMayRefuse(net: Net) -> None:
    class Choosing(WebSocketFactory):
        noisy = False

        def buildWebSocket(self, request: Any) -> Any:
            seen.append((request.path, request.target, request.get("x-a")))
            if request.path == "/secret":
                raise HandshakeError("not for you", 401, [("WWW-Authenticate", "Basic")])
            return None

    seen: list[Any] = []
    server = serve(net)
    port = net.reactor.listenTCP(0, Choosing(), interface="127.0.0.1")
    net.ports.append(port)
    server.port = port.getHost().port
    assert answer(net, plain(net, server, b"X-A: 1\r\n")).startswith(b"HTTP/1.1 404 ")
    head = answer(net, plain(net, server, request=HANDSHAKE.replace(b"/chat?a=b", b"/secret")))
    assert head.startswith(b"HTTP/1.1 401 ") and b"WWW-Authenticate: Basic\r\n" in head
    assert seen == [("/chat", "/chat?a=b", "1"), ("/secret", "/secret", None)]


def test_S_websocket_whoSaysNothingOrDripsIsAnsweredWhenTimeIsOver(net: Net) -> None:
    clock = Clock()
    server = serve(net, clock=clock, openTimeout=5)
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(HANDSHAKE)
    net.until(lambda: clock.calls)
    net.turn()
    clock.advance(5)
    assert net.receive(sock).startswith(b"HTTP/1.1 408 ")


# The client.


def told(net: Net, answered: bytes, **arguments: Any) -> Any:
    """What becomes of `connect` when a server answers that; `%` stands for the right Sec-WebSocket-Accept."""
    from websockets.utils import accept_key

    listening = net.plainListener()
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}/x"
    connecting = connect(url, reactor=net.reactor, **arguments)
    failures: list[Any] = []
    connecting.addErrback(failures.append)
    net.turn()
    peer = net.keep(listening.accept()[0])
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += net.receive(peer, 1)
    key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
    peer.sendall(answered.replace(b"%", accept_key(key).encode()))
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: failures)
    return failures[0].value


RIGHT = b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %\r\n\r\n"


@pytest.mark.parametrize(
    "answered, text",
    [
        (b"HTTP/1.1 403 Forbidden\r\nX: y\r\nContent-Length: 4\r\n\r\nnope", "403"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "302"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000, "200"),
        (b"HTTP/1.1 500 Oh\r\n\r\nshort", "500"),
        (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Accept"),
        (RIGHT.replace(b"%", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "Accept"),
        (RIGHT.replace(b"Connection: Upgrade", b"X: y"), "Connection|protocol"),
        (RIGHT.replace(b"Upgrade: websocket\r\n", b"Upgrade: other\r\n"), "Upgrade"),
        (RIGHT[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension"),
        (RIGHT[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n", "subprotocol"),
        (b"220 smtp.example ESMTP\r\n", "HTTP"),
        (b"HTTP/1.1 101 x\r\nUpgrade : websocket\r\n\r\n", "HTTP"),
    ],
)
def test_4_1_answersThatOpenNothing(net: Net, answered: bytes, text: str) -> None:
    problem = told(net, answered)
    assert isinstance(problem, HandshakeError) and re.search(text, str(problem)), problem


def test_4_1_aRefusalIsToldWithStatusFieldsAndBody(net: Net) -> None:
    problem = told(net, b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nnope")
    assert (problem.status, problem.body, problem.host) == (401, b"nope", "127.0.0.1")
    assert ("WWW-Authenticate", "Basic") in problem.headers


def test_4_1_anotherSubprotocolThanOfferedFails(net: Net) -> None:
    answered = RIGHT[:-2] + b"Sec-WebSocket-Protocol: other\r\n\r\n"
    assert "subprotocol" in str(told(net, answered, subprotocols=["chat"]))


def test_aServerThatEndsOrIsSilent(net: Net) -> None:
    problem = told(net, b"")
    assert type(problem) is ConnectError and "WebSocket server closed" in str(problem)
    clock = Clock()
    listening = net.plainListener()
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
    connecting = connect(url, reactor=net.reactor, clock=clock, openTimeout=3)
    net.until(lambda: clock.calls)
    clock.advance(3)
    with pytest.raises(TimeoutError, match="no answer from the WebSocket server within 3 s"):
        net.result(connecting)
    with pytest.raises(ConnectionRefusedError):
        net.result(connect(f"ws://127.0.0.1:{net.closedPort()}", reactor=net.reactor))


def test_cancellingFreesTheConnection(net: Net) -> None:
    listening = net.plainListener()
    connecting: Deferred[Any] = connect(f"ws://127.0.0.1:{listening.getsockname()[1]}", reactor=net.reactor)
    failures: list[Any] = []
    connecting.addErrback(failures.append)
    net.turn()
    peer = net.keep(listening.accept()[0])
    net.receive(peer, 4)
    connecting.cancel()
    assert failures
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


def test_theRequestHasWhatTheUrlAndTheProgramSay(net: Net) -> None:
    server = serve(net)
    url = server.url.replace("ws://", "ws://user:pa%20ss@") + "?q=1"
    client = net.result(
        connect(url, reactor=net.reactor, origin=f"http://127.0.0.1:{server.port}", headers=[("X-More", "yes")])
    )
    asked = server.built[0].transport.request
    assert asked.target == "/chat?q=1" and asked.get("X-More") == "yes"
    assert asked.get("authorization") == "Basic dXNlcjpwYSBzcw==" and asked.get("Host") == f"127.0.0.1:{server.port}"
    assert client.transport.request.target == "/chat?q=1"
    assert client.transport.getPeer().port == server.port


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"url": "http://x"}, "is no URL of a WebSocket"),
        ({"url": "ws://x/#there"}, "is no URL of a WebSocket"),
        ({"url": "ws://x:99999/"}, "is no URL of a WebSocket"),
        ({"url": "ws://x/a b"}, "target"),
        ({"url": "ws://x", "headers": [("a b", "c")]}, "a b"),
        ({"url": "ws://x", "headers": [("X", "a\r\nb")]}, "X"),
        ({"url": "ws://x", "headers": [("upgrade", "x")]}, "handshake's own"),
        ({"url": "ws://x", "subprotocols": ["a b"]}, "token"),
        ({"url": "ws://x", "subprotocols": ["a", "a"]}, "twice"),
        ({"url": "ws://x", "subprotocols": "chat"}, "list of str"),
        ({"url": "ws://x", "maxMessage": 0}, "maxMessage"),
        ({"url": "ws://x", "pingInterval": -1}, "pingInterval"),
        ({"url": "ws://x", "nonsense": 1}, "nonsense"),
        ({"url": "ws://x", "compressionBits": 8}, "compressionBits"),
        ({"url": "ws://x", "tls": object()}, "wss"),
        ({"url": b"ws://x"}, "url must be a str"),
        ({"url": "ws://x", "headers": 5}, "headers must be a mapping"),
        ({"url": "ws://x", "headers": {"X": 5}}, "'X'"),
        ({"url": "ws://x", "origin": 5}, "origin must be a str or None, not 5"),
        ({"url": "ws://x", "subprotocols": 5}, "list of str"),
        ({"url": "ws://x", "endpoint": "tcp:x:1"}, "endpoint must be a client endpoint, not 'tcp:x:1'"),
        ({"url": "ws://x", "compression": "x"}, "compression must be True or False"),
    ],
)
def test_argumentsThatAreNoneAreToldAtOnce(net: Net, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        WebSocketClientEndpoint(net.reactor, **arguments)


def test_headersMayBeAMapping(net: Net) -> None:
    endpoint = WebSocketClientEndpoint(net.reactor, "ws://x", headers={"X-More": "yes"})
    assert (b"X-More", b"yes") in endpoint._arguments[4]


def test_whatTheOtherFunctionsDoNotTakeIsToldAtOnce(net: Net) -> None:
    with pytest.raises(TypeError, match="protocol must be callable, not 5"):
        connect("ws://x", reactor=net.reactor, protocol=5)
    with pytest.raises(TypeError, match="origins must be a list of origins"):
        WebSocketFactory(origins=5)


def test_aFactoryThatBuildsNothing(net: Net) -> None:
    class Nothing(ClientFactory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            return None

    server = serve(net)
    with pytest.raises(NoProtocol):
        net.result(WebSocketClientEndpoint(net.reactor, server.url).connect(Nothing()))
    net.until(lambda: server.built[0].reason)


def test_whatConnectionMadeRaisesIsLoggedAndEndsIt(net: Net) -> None:
    def fail(protocol: Any) -> None:
        raise RuntimeError("mine")

    server = serve(net, lambda: Echo(made=fail))
    sock = plain(net, server)
    net.expectErrors(1)
    net.receive(sock)
    assert isinstance(net.until(lambda: server.built[0].reason), RuntimeError)


def test_theDefaultFactoryBuildsItsProtocol(net: Net) -> None:
    factory = WebSocketFactory.forProtocol(Traced, maxMessage=10)
    assert isinstance(factory.buildWebSocket(None), Traced) and factory.options.maxMessage == 10
    with pytest.raises(TypeError, match="origins"):
        WebSocketFactory(origins="http://x")
