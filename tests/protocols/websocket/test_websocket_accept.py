"""`accept`: WebSockets inside a server of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from net import Net
from wire import CLOSE, TEXT, built
from wsnet import HANDSHAKE, Traced, answer, plain

from protocols import http, websocket
from protocols.websocket._frames import FIN

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


class Port:
    def __init__(self, net: Net, handler: Callable[[Any], Any]) -> None:
        port = net.reactor.listenTCP(0, http.Site(handler), interface="127.0.0.1")
        net.ports.append(port)
        self.port = port.getHost().port
        self.url = f"ws://127.0.0.1:{self.port}/chat"


async def chat(request: Any) -> Any:
    if request.path != "/chat":
        return http.Response("a page\n")
    socket = await websocket.accept(request, subprotocols=["chat"])
    async for message in socket:
        if message == "fail":
            raise RuntimeError("mine")
        if message == "end":
            return None
        await socket.send(message)
    return None


def test_aHandlerTalksAndItsReturnCloses(net: Net) -> None:
    server = Port(net, chat)
    client = net.result(websocket.connect(server.url, reactor=net.reactor, subprotocols=["chat"]))
    assert client.subprotocol == "chat"
    for message in ("one", b"two"):
        client.send(message)
        assert net.result(client.receive()) == message
    client.send("end")
    with pytest.raises(websocket.WebSocketClosed) as caught:
        net.result(client.receive())
    assert caught.value.code == 1000


def test_aPortThatIsDrainedClosesWith1012(net: Net) -> None:
    client = net.result(websocket.connect(Port(net, chat).url, reactor=net.reactor))
    drained = net.ports[-1].drain(60)
    with pytest.raises(websocket.WebSocketClosed) as caught:
        net.result(client.receive())
    assert caught.value.code == 1012
    # None had to be closed by force.
    assert net.result(drained) == 0


def test_aHandlerThatRaisesClosesWith1011(net: Net) -> None:
    client = net.result(websocket.connect(Port(net, chat).url, reactor=net.reactor))
    net.expectErrors(1)
    client.send("fail")
    with pytest.raises(websocket.WebSocketClosed) as caught:
        net.result(client.receive())
    assert caught.value.code == 1011


def test_aClientThatGoesIsNoFaultOfTheHandlers(net: Net) -> None:
    server = Port(net, chat)
    for code in (1000, 4000):
        client = net.result(websocket.connect(server.url, reactor=net.reactor))
        net.result(client.close(code))
    client = net.result(websocket.connect(server.url, reactor=net.reactor))
    client.abort()
    net.until(lambda: client.closed)
    net.turn(5)


def test_whatComesWithTheRequestIsRead(net: Net) -> None:
    server: Any = Port(net, chat)
    sock = plain(net, server, request=b"")
    sock.close()
    sock = plain(net, server)
    sock.sendall(built(FIN | TEXT, b"early"))
    assert answer(net, sock).startswith(b"HTTP/1.1 101 ")
    sock.sendall(built(FIN | CLOSE, b"\x03\xe8"))
    assert net.receive(sock) == b"\x81\x05early\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    "change, status",
    [
        (lambda head: head.replace(b"Upgrade: websocket\r\n", b""), 426),
        (lambda head: head.replace(b"Version: 13", b"Version: 8"), 426),
        (lambda head: head.replace(b"Key: dGhlIHNhbXBsZSBub25jZQ==", b"Key: dGhl"), 400),
        (lambda head: head + b"Origin: http://evil.example\r\n", 403),
        (lambda head: head + b"Content-Length: 3\r\n", 400),
        (lambda head: head.replace(b"/chat?a=b", b"/page"), 200),
    ],
)
def test_whatCannotBeOpenedIsAnsweredWithItsStatus(net: Net, change: Callable[[bytes], bytes], status: int) -> None:
    server: Any = Port(net, chat)
    head = answer(net, plain(net, server, request=change(HANDSHAKE)))
    assert head.startswith(b"HTTP/1.1 %d " % status)
    if status == 426:
        assert b"Sec-WebSocket-Version: 13\r\n" in head and b"Upgrade: websocket\r\n" in head


def test_aProtocolOfTheProgramsOwnStaysOpen(net: Net) -> None:
    made: list[Any] = []

    def handler(request: Any) -> Any:
        return websocket.accept(request, protocol=Traced).addCallback(made.append)

    client = net.result(websocket.connect(Port(net, handler).url, reactor=net.reactor))
    client.send("hello")
    net.until(lambda: made[0].messages == ["hello"])
    assert made[0].reason is None
    net.result(client.close())
