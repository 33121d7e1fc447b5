"""What tests of the client share: a server that says what the test wants, byte for byte, and a client that is looked
after: when the test is over its pool is empty, its timer gone, and nothing of it left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from net import Net

from protocols.http.client.client import Client
from reactor.defer import Deferred, ensureDeferred
from reactor.protocol import Factory, Protocol

HEAD_END = b"\r\n\r\n"


class Script(Protocol):
    """One connection of a `Server`: collects requests (heads, and bodies of a known length), and answers each."""

    transport: Any

    def __init__(self, server: Server) -> None:
        self.server = server
        self.data = b""
        self.lost = False
        self.answered = 0

    def connectionMade(self) -> None:
        self.server.open.append(self)

    def dataReceived(self, data: bytes) -> None:
        self.server.received += data
        self.data += data
        while not self.lost and self.data:
            request, self.data = cut(self.data)
            if request is None:
                return
            self.server.requests.append(request)
            self.answered += 1
            self.server.answer(self, request)

    def say(self, data: bytes) -> None:
        self.transport.write(data)

    def connectionLost(self, reason: Any) -> None:
        self.lost = True
        self.server.open.remove(self)
        self.server.reasons.append(reason.value)


class Request:
    """A request as it came: method, target, fields (names in lower case), body."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.body = body

    def get(self, name: str) -> str | None:
        return next((value for each, value in self.fields if each == name), None)


def cut(data: bytes) -> tuple[Request | None, bytes]:
    """The first request of `data`, if it is whole, and what is behind it."""
    head, end, rest = data.partition(HEAD_END)
    if not end:
        return None, data
    request = Request(head, b"")
    length = int(request.get("content-length") or 0)
    if request.get("transfer-encoding"):
        body = b""
        while True:
            size, line, more = rest.partition(b"\r\n")
            if not line:
                return None, data
            count = int(size, 16)
            if len(more) < count + 2:
                return None, data
            assert more[count : count + 2] == b"\r\n"
            body += more[:count]
            rest = more[count + 2 :]
            if not count:
                request.body = body
                return request, rest
    if len(rest) < length:
        return None, data
    request.body = rest[:length]
    return request, rest[length:]


def reply(body: bytes = b"hello", status: str = "200 OK", *fields: str) -> bytes:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Server(Factory):
    """A server whose `answer(connection, request)` is the test's; bytes are just said."""

    noisy = False

    def __init__(self, answer: Callable[[Script, Request], Any] | bytes) -> None:
        self.answer: Callable[[Script, Request], Any] = (
            (lambda connection, request: connection.say(answer)) if isinstance(answer, bytes) else answer
        )
        self.requests: list[Request] = []
        self.received = b""
        self.open: list[Script] = []
        self.made = 0
        self.protocol: Any = Script
        self.reasons: list[BaseException] = []
        self.port = 0

    def buildProtocol(self, addr: Any) -> Script:
        self.made += 1
        return self.protocol(self)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Web:
    """Servers and clients on a `Net`."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.clients: list[Client] = []
        self.ports: list[Any] = []

    def serve(self, answer: Callable[[Script, Request], Any] | bytes, tls: Any = None) -> Server:
        """A server on a free port of 127.0.0.1."""
        server = Server(answer)
        reactor = self.net.reactor
        port: Any
        if tls is None:
            port = reactor.listenTCP(0, server, interface="127.0.0.1")
        else:
            port = reactor.listenSSL(0, server, tls, interface="127.0.0.1")
        server.port = port.getHost().port
        self.net.ports.append(port)
        return server

    def client(self, **options: Any) -> Client:
        """A client on the test's reactor."""
        client = Client(**{"reactor": self.net.reactor, **options})
        self.clients.append(client)
        return client

    def run(self, coroutine: Any) -> Any:
        """What a coroutine, or a Deferred, comes to."""
        deferred: Deferred[Any] = ensureDeferred(coroutine)
        return self.net.result(deferred)

    def fetch(self, client: Client, url: str, **options: Any) -> tuple[Any, bytes]:
        """The response to a GET, and its content."""

        async def both() -> tuple[Any, bytes]:
            response = await client.get(url, **options)
            return response, await response.content()

        found: tuple[Any, bytes] = self.run(both())
        return found

    def finish(self) -> None:
        """Nothing is left when the clients are closed; the invariants of `Net` are checked behind this."""
        for client in self.clients:
            self.net.result(client.close())
            keeper = client.keeper
            assert keeper.pool.places == 0 and keeper.pool.waiting == 0 and not keeper.pool._taken
            assert not keeper.deadlines.watched and keeper.deadlines._timer is None and not keeper.open


@pytest.fixture
def web(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Web]:
    """Servers and clients, with the invariants after all. Which selector is below is other tests' business."""
    web = Web(Net(None, caplog))
    failed = request.session.testsfailed
    yield web
    if request.session.testsfailed == failed:
        web.finish()
        web.net.finish()
    else:
        web.net.abandon()
