"""How long a client may take for what, and what becomes of it; and how a server stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from httpserving import Served, get, hello, post

from protocols.http import Response, Timeout
from protocols.http.server import Request, Site
from reactor.defer import Deferred
from reactor.error import ConnectionLost


def closedAfter(served: Served, most: float, each: Callable[[int], object] | None = None) -> float:
    """Seconds until the server has closed; `each` is called every second."""
    begun = served.clock.seconds()
    n = 0
    while served.isOpen and served.clock.seconds() - begun < most:
        served.advance(1)
        n += 1
        if each is not None and served.isOpen:
            each(n)
    return served.clock.seconds() - begun


async def readWhole(request: Request) -> Response:
    return Response(await request.read())


def test_S_httpSlow_who_says_nothing() -> None:
    served = Served(hello)
    assert 9 <= closedAfter(served, 75) <= 11
    assert served.got == b""


def test_S_httpSlow_half_a_line() -> None:
    served = Served(hello)
    served.send(b"GET / HT")
    assert 9 <= closedAfter(served, 75) <= 11
    assert served.answers()[0].status == 408


def test_S_httpSlow_a_head_that_drips() -> None:
    served = Served(hello)
    served.send(b"GET / HTTP/1.1\r\n")
    assert 9 <= closedAfter(served, 75, lambda n: served.client.transport.write(b"X-%d: y\r\n" % n)) <= 11
    assert served.answers()[0].status == 408


@pytest.mark.parametrize("before", [0, 1, 25])
def test_a_head_that_drips_behind_another_request(before: int) -> None:
    served = Served(hello)
    served.send(get())
    served.advance(before)
    served.send(b"GET / HTTP/1.1\r\n")
    assert 9 <= closedAfter(served, 75, lambda n: served.client.transport.write(b"X-%d: y\r\n" % n)) <= 11
    assert [each.status for each in served.answers()] == [200, 408]


def test_a_head_that_began_in_the_same_packet_as_another() -> None:
    served = Served(hello)
    served.send(get() + b"GET / HT")
    assert closedAfter(served, 75) <= 31
    assert [each.status for each in served.answers()] == [200, 408]


def test_S_httpSlow_a_body_that_stops() -> None:
    caught: list[Any] = []

    async def handler(request: Request) -> Response:
        try:
            return Response(await request.read())
        except Timeout as e:
            caught.append(e.phase)
            raise

    served = Served(handler)
    served.send(get("/", "Content-Length: 100", method="POST") + b"x")
    assert 9 <= closedAfter(served, 75) <= 12
    assert served.answers()[0].status == 408
    assert caught == ["body"]


def test_S_httpSlow_a_body_that_drips() -> None:
    served = Served(readWhole)
    served.send(get("/", "Content-Length: 1000", method="POST"))
    assert 9 <= closedAfter(served, 75, lambda n: served.client.transport.write(b"x")) <= 12
    assert served.answers()[0].status == 408


def test_a_body_that_comes_slowly_but_does() -> None:
    served = Served(readWhole)
    served.send(get("/", "Content-Length: 60000", method="POST"))
    for _ in range(60):
        served.send(b"x" * 1000)
        served.advance(0.9)
    assert served.answers()[0].body == b"x" * 60000


def test_a_body_that_the_handler_does_not_take_may_take_its_time() -> None:
    requests: list[Request] = []

    def handler(request: Request) -> Deferred[Any]:
        requests.append(request)
        return Deferred()

    served = Served(handler, maxBody=None)
    served.client.transport.write(post(b"x" * 1_000_000))
    served.advance(200)
    assert served.isOpen
    taken = requests[0].read()
    served.advance(1)
    assert len(taken.result) == 1_000_000


def test_a_handler_may_take_its_time() -> None:
    waiting: Deferred[Response] = Deferred()
    served = Served(lambda request: waiting)
    served.send(get())
    served.advance(1000)
    waiting.callback(Response("at last"))
    served.settle()
    assert served.answers()[0].body == b"at last"
    assert 28 <= closedAfter(served, 75) <= 61


def test_idle_between_two_requests() -> None:
    served = Served(hello)
    served.send(get())
    assert 29 <= closedAfter(served, 75) <= 31
    assert len(served.answers()) == 1


def test_one_request_a_while_keeps_it() -> None:
    served = Served(hello)
    for _ in range(20):
        served.send(get())
        served.advance(25)
    assert served.isOpen
    assert len(served.answers()) == 20


@pytest.mark.parametrize("kind", ["bytes", "pieces", "many"])
def test_S_httpSlow_who_does_not_read_the_answer(kind: str) -> None:
    def handler(request: Request) -> Response:
        if kind == "pieces":
            return Response(b"x" * 1000 for _ in range(1000))
        return Response(b"x" * (1_000_000 if kind == "bytes" else 16384))

    served = Served(handler, {"capacity": 10000})
    served.pair.hold("client")
    served.send(get() * (100 if kind == "many" else 1))
    for _ in range(100):
        served.advance(1)
        if not served.isServed:
            break
    assert 30 <= served.clock.seconds() <= 75
    served.pair.release("client")
    served.advance(1)
    assert isinstance(served.client.reason, ConnectionLost)


def test_who_reads_slowly_but_does() -> None:
    served = Served(lambda request: Response(b"x" * 400_000), {"capacity": 10000})
    served.pair.hold("client")
    served.send(get())
    for _ in range(50):
        served.advance(10)
        served.pair.release("client")
        served.pair.advance(0.002)
        served.pair.hold("client")
    served.pair.release("client")
    served.advance(10)
    assert len(served.answers()[0].body) == 400_000


def test_who_does_not_read_an_error_either() -> None:
    served = Served(hello, {"capacity": 100})
    served.pair.hold("client")
    served.send(b"nonsense\r\n\r\n")
    served.advance(40)
    assert not served.isServed


def test_nothing_is_left_on_the_clock() -> None:
    served = Served(hello)
    served.send(get())
    served.client.transport.loseConnection()
    served.settle()
    assert served.clock.getDelayedCalls() == []


class TestStopping:
    def test_who_is_idle_is_closed(self) -> None:
        served = Served(hello)
        served.send(get())
        done = served.site.stop()
        served.settle()
        assert done.called
        assert not served.isOpen
        assert served.site.buildProtocol(None) is None
        assert served.site.stop().called

    def test_who_asks_is_answered_and_told(self) -> None:
        waiting: Deferred[Response] = Deferred()
        served = Served(lambda request: waiting)
        served.send(get())
        done = served.site.stop()
        served.settle()
        assert not done.called
        waiting.callback(Response("answered"))
        served.settle()
        (answer,) = served.answers()
        assert answer.body == b"answered"
        assert answer.fields["connection"] == "close"
        assert done.called
        assert not served.isOpen

    def test_a_body_that_is_coming_is_read(self) -> None:
        served = Served(readWhole)
        served.send(get("/", "Content-Length: 4", method="POST") + b"ab")
        served.channel.drain()
        served.send(b"cd")
        assert [each.body for each in served.answers()] == [b"abcd"]
        assert not served.isOpen

    def test_half_a_head_may_become_a_request(self) -> None:
        served = Served(hello)
        served.send(get()[:10])
        served.channel.drain()
        served.send(get()[10:])
        assert [each.fields["connection"] for each in served.answers()] == ["close"]
        assert not served.isOpen

    def test_who_drips_is_not_waited_for(self) -> None:
        served = Served(hello)
        served.send(get()[:10])
        served.channel.drain()
        served.advance(11)
        assert not served.isOpen

    def test_an_answer_that_has_begun_is_finished(self) -> None:
        waiting: list[Deferred[bytes]] = []

        class Feed:
            def __aiter__(self) -> Feed:
                return self

            def __anext__(self) -> Deferred[bytes]:
                waiting.append(Deferred())
                return waiting[-1]

        served = Served(lambda request: Response(Feed()))
        served.send(get())
        served.channel.drain()
        waiting[0].callback(b"x")
        waiting[1].errback(StopAsyncIteration())
        served.settle()
        assert [each.body for each in served.answers()] == [b"x"]
        assert not served.isOpen


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("headTimeout", 0, ValueError),
        ("idleTimeout", -1, ValueError),
        ("bodyTimeout", "10", TypeError),
        ("maxRequests", 0, ValueError),
        ("maxBody", 1.5, TypeError),
        ("maxPipelined", -1, ValueError),
    ],
)
def test_limits_that_are_none(name: str, value: Any, error: type[Exception]) -> None:
    limits: dict[str, Any] = {name: value}
    with pytest.raises(error, match=name):
        Site(hello, **limits)


def test_a_handler_that_is_none() -> None:
    with pytest.raises(TypeError, match="handler"):
        Site("hello")
