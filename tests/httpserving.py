"""A `Site` and a client of raw bytes, connected in memory, on a clock that the test moves; and answers, read by h11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import h11
from zope.interface import implementer

from protocols.http import Response
from protocols.http.server import Request, Site
from reactor.failure import Failure
from reactor.interfaces import IHalfCloseableProtocol
from reactor.protocol import Protocol
from reactor.task import Clock
from reactor.testing import connectedPair
from reactor.testing.pair import ConnectedPair


class Answer(NamedTuple):
    status: int
    fields: dict[str, str]
    body: bytes


@implementer(IHalfCloseableProtocol)
class RawClient(Protocol):
    """Writes what it is told and keeps what comes; goes on writing when the server has ended its half."""

    transport: Any

    def __init__(self) -> None:
        self.got = b""
        self.ended = False
        self.reason: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def readConnectionLost(self) -> None:
        self.ended = True

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure) -> None:
        self.reason = reason.value


class Served:
    """One connection to a site."""

    def __init__(self, handler: Callable[[Request], Any], network: dict[str, Any] | None = None, **limits: Any) -> None:
        self.clock = Clock()
        self.site = limits.pop("site", None) or Site(handler, clock=self.clock, **limits)
        self.client = RawClient()
        self.channel: Any = self.site.buildProtocol(None)
        self.pair: ConnectedPair = connectedPair(self.clock, self.client, self.channel, seed=1, **(network or {}))

    def send(self, data: bytes) -> None:
        """Write it, and let all happen that follows at once."""
        self.client.transport.write(data)
        self.settle()

    def settle(self) -> None:
        """Let happen what happens at once; a tenth of a second passes."""
        self.pair.advance(0.1)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.pair.advance(seconds)

    @property
    def got(self) -> bytes:
        return self.client.got

    @property
    def isOpen(self) -> bool:
        """Whether the client may expect another answer."""
        return self.client.reason is None and not self.client.ended

    @property
    def isServed(self) -> bool:
        """Whether the server still has the connection."""
        return self.channel.transport.connected  # type: ignore[no-any-return]

    def answers(self, *methods: str) -> list[Answer]:
        """What has come, which must be whole answers to requests of these methods ("GET" for one that is not named)."""
        return answersIn(self.client.got, *methods)


def get(path: str = "/", *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    lines = [f"{method} {path} HTTP/{version}", "Host: example.org", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(body: bytes, *fields: str, path: str = "/", method: str = "POST") -> bytes:
    """A request with a body whose length is said."""
    return get(path, f"Content-Length: {len(body)}", *fields, method=method) + body


def answersIn(data: bytes, *methods: str) -> list[Answer]:
    found = []
    waiting = list(methods)
    while data:
        connection = h11.Connection(h11.CLIENT)
        method = waiting.pop(0) if waiting else "GET"
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(data)
        body = b""
        head: Any = None
        while True:
            event: Any = connection.next_event()
            if isinstance(event, h11.InformationalResponse):
                continue
            if event is h11.NEED_DATA:
                # Only a body that the end of the connection ends may be without an end.
                connection.receive_data(b"")
                event = connection.next_event()
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.EndOfMessage), event
                break
        fields = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        found.append(Answer(head.status_code, fields, body))
        data = connection.trailing_data[0]
    return found


def hello(request: Request) -> Response:
    return Response("hello")
