"""A connection that becomes another protocol's."""

from __future__ import annotations

from typing import Any

import pytest
from httpserving import Served, get

from protocols.http import Response
from protocols.http.server import Request
from reactor.defer import Deferred
from reactor.protocol import Protocol

UPGRADE = ("Connection: Upgrade", "Upgrade: shout")
FIELDS = [("Connection", "Upgrade"), ("Upgrade", "shout")]


class Shout(Protocol):
    transport: Any

    def __init__(self) -> None:
        self.reason: Any = None

    def connectionMade(self) -> None:
        self.transport.write(b"[")

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason


def shouting(request: Request) -> Response:
    if "shout" not in request.upgrade:
        return Response("plain")
    request.switchProtocol(Shout(), FIELDS)
    return Response("not sent")


HEAD = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n"


@pytest.mark.parametrize("later", [False, True])
def test_what_follows_is_the_other_protocols(later: bool) -> None:
    released: Deferred[None] = Deferred()

    async def waits(request: Request) -> Response:
        await released
        return shouting(request)

    served = Served(waits if later else shouting)
    served.send(get("/", *UPGRADE) + b"behind it ")
    if later:
        assert served.got == b""
        released.callback(None)
        served.settle()
    served.send(b"and on")
    assert served.got == HEAD + b"[BEHIND IT AND ON"
    served.advance(1000)
    assert served.isOpen
    assert served.clock.getDelayedCalls() == []
    assert served.site.channels == set()
    protocol = served.channel._switched and served.channel.transport.protocol
    served.client.transport.loseConnection()
    served.settle()
    assert isinstance(protocol, Shout)
    assert protocol.reason is not None


def test_an_upgrade_that_is_not_taken_up_is_a_request_as_others() -> None:
    served = Served(shouting)
    served.send(get("/", "Connection: Upgrade", "Upgrade: other") + get())
    assert [each.body for each in served.answers()] == [b"plain", b"plain"]


def test_a_protocol_that_pauses_gets_it_when_it_resumes() -> None:
    class Pausing(Shout):
        def connectionMade(self) -> None:
            self.transport.pauseProducing()

    protocol = Pausing()

    def handler(request: Request) -> None:
        request.switchProtocol(protocol, FIELDS)

    served = Served(handler)
    served.send(get("/", *UPGRADE) + b"behind it ")
    assert served.got == HEAD
    protocol.transport.resumeProducing()
    served.send(b"and on")
    served.advance(1)
    assert served.got in (HEAD, HEAD + b"BEHIND IT AND ON")


def test_a_handler_that_fails_after_it_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    released: Deferred[None] = Deferred()

    async def handler(request: Request) -> None:
        request.switchProtocol(Shout(), FIELDS)
        await released

    served = Served(handler)
    served.send(get("/", *UPGRADE))
    assert served.got == HEAD + b"["
    released.errback(RuntimeError("x"))
    served.settle()
    assert not served.isOpen
    assert len(caplog.records) == 1


def test_when_it_may_not_be() -> None:
    problems: list[str] = []

    def handler(request: Request) -> Any:
        try:
            request.switchProtocol(Shout(), FIELDS)
        except RuntimeError as e:
            problems.append(str(e))
        return Response("x")

    served = Served(handler)
    served.send(get() + get("/", *UPGRADE, "Content-Length: 5", method="POST") + b"hello" + get())
    assert len(served.answers()) == 3
    assert ["has not asked" in each for each in problems] == [True, False, True]
    assert "body" in problems[1]
