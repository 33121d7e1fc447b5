"""WebSockets on loopback, for tests: servers and clients on the reactor of a `Net`, and plain sockets against them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from net import Net

from protocols.websocket import WebSocketFactory, WebSocketProtocol, connect

HANDSHAKE = (
    b"GET /chat?a=b HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class Traced(WebSocketProtocol):
    """Keeps what it was told in `events`; `on[hook]`, if given, is called with it and what came."""

    transport: Any

    def __init__(self, **on: Callable[..., Any]) -> None:
        self.on = on
        self.events: list[Any] = []
        self.reason: Any = None

    def _heard(self, hook: str, *args: Any) -> None:
        assert self.reason is None, f"{hook} after connectionLost"
        self.events.append((hook, *args))
        if hook in self.on:
            self.on[hook](self, *args)

    def connectionMade(self) -> None:
        self._heard("made")

    def messageReceived(self, message: str | bytes) -> None:
        self._heard("message", message)

    def pingReceived(self, payload: bytes) -> None:
        self._heard("ping", payload)

    def pongReceived(self, payload: bytes) -> None:
        self._heard("pong", payload)

    def connectionLost(self, reason: Any) -> None:
        self._heard("lost")
        self.reason = reason.value

    @property
    def messages(self) -> list[str | bytes]:
        return [event[1] for event in self.events if event[0] == "message"]


class Echo(Traced):
    def messageReceived(self, message: str | bytes) -> None:
        super().messageReceived(message)
        self.sendMessage(message)


class Server(WebSocketFactory):
    """Keeps what it built."""

    noisy = False

    def __init__(self, build: Callable[[], Any] = Echo, **options: Any) -> None:
        super().__init__(**options)
        self.build = build
        self.built: list[Any] = []

    def buildWebSocket(self, request: Any) -> Any:
        self.built.append(self.build())
        return self.built[-1]


def serve(net: Net, build: Callable[[], Any] = Echo, **options: Any) -> Server:
    server = Server(build, **options)
    port = net.reactor.listenTCP(0, server, interface="127.0.0.1")
    net.ports.append(port)
    server.port = port.getHost().port
    server.url = f"ws://127.0.0.1:{server.port}/chat"
    return server


def opened(net: Net, server: Server, **arguments: Any) -> tuple[Any, Any]:
    """A client (what `connect` gives) and the server's protocol."""
    client = net.result(connect(server.url, reactor=net.reactor, **arguments))
    return client, server.built[-1]


def plain(net: Net, server: Server, extra: bytes = b"", request: bytes = HANDSHAKE) -> socket.socket:
    """A socket that has sent a request with these fields besides."""
    sock = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    sock.sendall(request + extra + b"\r\n")
    return sock


def answer(net: Net, sock: socket.socket) -> bytes:
    """The head of the answer."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = net.receive(sock, 1, 1)
        assert piece, got
        got += piece
    return got


def upgraded(net: Net, server: Server) -> socket.socket:
    """A plain socket whose WebSocket is open."""
    sock = plain(net, server)
    assert answer(net, sock).startswith(b"HTTP/1.1 101 ")
    return sock
