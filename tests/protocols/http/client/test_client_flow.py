"""Redirects, retries, 100-continue, and the pool over real sockets."""

from __future__ import annotations

from typing import Any

import pytest
from webbing import Script, Web, reply

from protocols.http.client.redirects import RedirectError
from protocols.http.error import Incomplete
from reactor.defer import gatherResults
from reactor.task import Clock


def by(targets: dict[str, bytes]) -> Any:
    """An answer for each target."""
    return lambda connection, request: connection.say(targets[request.target])


def moved(to: str, status: int = 302, *fields: str) -> bytes:
    return reply(b"go on", f"{status} Moved", f"Location: {to}", *fields)


# ---- Redirects ----


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "POST", "POST"),
        (301, "PUT", "PUT"), (302, "DELETE", "DELETE"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"), (301, "GET", "GET"),
    ],
)  # fmt: skip
def test_the_method_and_the_body_that_follow(web: Web, status: int, method: str, then: str) -> None:
    def answer(connection: Script, request: Any) -> None:
        connection.say(moved("/b", status) if request.target == "/a" else reply())
        if request.method == "HEAD":
            connection.transport.loseConnection()

    server = web.serve(answer)
    body = None if method in ("GET", "HEAD") else b"body"
    headers = {"Content-Type": "a/b", "X-Kept": "1"} if body else {"X-Kept": "1"}
    response = web.run(web.client().request(method, server.url("/a#f"), body=body, headers=headers))
    assert [each.status for each in response.history] == [status] and str(response.url).endswith("/b#f")
    last = server.requests[-1]
    assert (last.method, last.body) == (then, b"body" if then == method and body else b"")
    assert last.get("content-type") == ("a/b" if then == method and body else None) and last.get("x-kept") == "1"


def test_credentials_go_no_further_than_their_origin(web: Web) -> None:
    other = web.serve(reply())
    server = web.serve(by({"/a": moved("/b"), "/b": moved(other.url("/c"))}))
    headers = {"Cookie": "secret=1", "X-Kept": "1", "Authorization": "Bearer secret"}
    web.run(web.client().get(server.url("/a"), headers=headers))
    same, elsewhere = server.requests[1], other.requests[0]
    assert same.get("authorization") == "Bearer secret" and same.get("cookie") == "secret=1"
    assert elsewhere.get("authorization") is None and elsewhere.get("cookie") is None
    assert elsewhere.get("x-kept") == "1" and elsewhere.get("host") == f"127.0.0.1:{other.port}"
    web.run(web.client().get(server.url("/b"), auth=("me", "secret")))
    assert other.requests[1].get("authorization") is None


def test_credentials_in_a_location_are_left_out(web: Web) -> None:
    server = web.serve(reply())
    first = web.serve(moved(server.url().replace("//", "//evil:name@")))
    response = web.run(web.client().get(first.url()))
    assert server.requests[0].get("authorization") is None and response.url.credentials is None


def test_how_many_are_followed(web: Web) -> None:
    def answer(connection: Script, request: Any) -> None:
        connection.say(moved(f"/{int(request.target[1:]) + 1}"))

    server = web.serve(answer)
    client = web.client(redirects=3)
    with pytest.raises(RedirectError, match="too many"):
        web.run(client.get(server.url("/0")))
    assert [request.target for request in server.requests] == ["/0", "/1", "/2", "/3"] and server.made == 1
    with pytest.raises(RedirectError, match="too many"):
        web.run(client.get(server.url("/0"), redirects=0))
    response, content = web.fetch(client, server.url("/0"), redirects=None)
    assert (response.status, content) == (302, b"go on")
    with pytest.raises(RedirectError, match="fields Location"):
        web.run(client.get(web.serve(moved("/1", 302, "Location: /2")).url("/0")))


def test_an_answer_3xx_without_location_and_304_are_answers(web: Web) -> None:
    for status in ("302 Found", "300 Multiple Choices", "304 Not Modified"):
        data = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        assert web.run(web.client().get(web.serve(data).url())).status == int(status[:3])


def test_a_body_that_cannot_be_sent_again_is_not(web: Web) -> None:
    server = web.serve(moved("/b", 307))
    with pytest.raises(RedirectError, match="cannot be sent again"):
        web.run(web.client().post(server.url("/a"), body=iter([b"x"])))
    server = web.serve(by({"/a": moved("/b", 307), "/b": reply()}))
    web.run(web.client().post(server.url("/a"), body=lambda: iter([b"x", b"y"])))
    assert [request.body for request in server.requests] == [b"xy", b"xy"]


def test_cookies_are_kept_and_a_circle_that_sets_one_is_none(web: Web) -> None:
    def answer(connection: Script, request: Any) -> None:
        if request.get("cookie") is None:
            connection.say(moved("/", 302, "Set-Cookie: seen=1; Path=/"))
        else:
            connection.say(reply())

    server = web.serve(answer)
    client = web.client()
    assert web.run(client.get(server.url())).status == 200
    assert web.run(client.get(server.url("/x"), headers={"Cookie": "mine=2"})).status == 200
    assert server.requests[-1].get("cookie") == "mine=2; seen=1"
    assert client.cookies is not None and len(client.cookies) == 1
    # Without a jar, one for the time of the call.
    other = web.client(cookies=False)
    assert web.run(other.get(server.url())).status == 200
    assert server.requests[-1].get("cookie") == "seen=1"
    web.run(other.get(server.url()))
    assert server.requests[-2].get("cookie") is None


# ---- Stale connections ----


def stale(web: Web, answers: int = 1) -> Any:
    """A server that ends each connection when a request comes behind the `answers` first ones, without a word."""

    def answer(connection: Script, request: Any) -> None:
        if connection.answered > answers:
            connection.transport.abortConnection()
        else:
            connection.say(reply())

    return web.serve(answer)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_stale_connection_is_no_error_for_what_may_be_repeated(web: Web, method: str) -> None:
    server = stale(web)
    client = web.client()
    body = b"x" if method == "PUT" else None
    web.run(client.get(server.url()))
    if method == "HEAD":
        web.run(client.request(method, server.url()))
        return
    assert web.run(client.request(method, server.url(), body=body)).status == 200
    assert server.made == 2 and client.connections == 1


def test_a_post_is_never_sent_twice(web: Web) -> None:
    server = stale(web)
    client = web.client()
    web.run(client.get(server.url()))
    with pytest.raises(Incomplete, match="0 bytes of the head"):
        web.run(client.post(server.url(), body=b"x"))
    web.run(client.get(server.url()))
    with pytest.raises(Incomplete):
        web.run(client.put(server.url(), body=iter([b"x"])))
    assert [request.method for request in server.requests] == ["GET", "POST", "GET", "PUT"]


def test_a_fresh_connection_and_no_retries_left(web: Web) -> None:
    server = stale(web, 0)
    with pytest.raises(Incomplete):
        web.run(web.client().get(server.url()))
    assert server.made == 1
    server = stale(web)
    client = web.client(retries=0)
    web.run(client.get(server.url()))
    with pytest.raises(Incomplete):
        web.run(client.get(server.url()))


def test_when_all_that_is_idle_is_stale_one_retry_is_enough(web: Web) -> None:
    server = stale(web)
    client = web.client()
    web.run(gatherResults([client.get(server.url()) for _ in range(5)]))
    assert server.made == 5
    assert web.run(client.get(server.url())).status == 200


def test_an_idle_connection_that_the_server_closes_leaves_the_pool(web: Web) -> None:
    server = web.serve(reply())
    client = web.client()
    web.fetch(client, server.url())
    server.open[0].transport.loseConnection()
    web.net.until(lambda: client.connections == 0)
    assert web.fetch(client, server.url())[1] == b"hello"


# ---- The pool ----


def test_ten_thousand_requests_at_a_pool_of_fifty_open_fifty_connections(web: Web) -> None:
    class Short(Script):
        def dataReceived(self, data: bytes) -> None:
            self.say(reply() * data.count(b"\r\n\r\n"))

    server = web.serve(reply())
    server.protocol = Short
    client = web.client(maxConnections=50, maxPerHost=50, timeout=90)
    responses = web.run(gatherResults([client.get(server.url()) for _ in range(10_000)]))
    assert len(responses) == 10_000 and all(response.status == 200 for response in responses)
    assert server.made == 50 and client.connections == 50


def test_requests_to_one_host_wait_in_line(web: Web) -> None:
    held: list[Script] = []
    server = web.serve(lambda connection, request: held.append(connection))
    client = web.client(maxPerHost=2)
    order: list[int] = []
    waiting = [client.get(server.url(f"/{number}")) for number in range(5)]
    for number, each in enumerate(waiting):
        each.addCallback(lambda _, number=number: order.append(number))
    served = 0
    while served < 5:
        web.net.until(lambda: held)
        held.pop(0).say(reply())
        served += 1
    web.net.until(lambda: len(order) == 5)
    assert order == [0, 1, 2, 3, 4] and server.made == 2


def test_places_of_hosts_that_nobody_asks_go_to_others(web: Web) -> None:
    servers = [web.serve(reply()) for _ in range(5)]
    client = web.client(maxConnections=2)
    for server in servers * 2:
        assert web.run(client.get(server.url())).status == 200
        assert client.connections <= 2
    web.net.until(lambda: sum(len(server.open) for server in servers) == 2)


def test_a_connection_is_closed_after_its_uses_and_when_it_was_idle_too_long(web: Web) -> None:
    server = web.serve(reply())
    client = web.client(maxUses=2)
    for _ in range(5):
        web.fetch(client, server.url())
    assert server.made == 3
    clock = Clock()
    client = web.client(idleTimeout=5, clock=clock)
    web.fetch(client, server.url())
    web.net.until(lambda: len(server.open) == 2)
    clock.advance(4)
    web.fetch(client, server.url())
    clock.advance(4.9)
    assert client.connections == 1
    clock.advance(0.2)
    web.net.until(lambda: client.connections == 0)
    assert server.made == 4 and clock.calls == []


def test_a_server_that_says_close_is_closed(web: Web) -> None:
    server = web.serve(reply(b"x", "200 OK", "Connection: close"))
    client = web.client()
    for _ in range(3):
        web.fetch(client, server.url())
    assert server.made == 3
    old = web.serve(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx")
    for _ in range(2):
        web.fetch(client, old.url())
    assert old.made == 2


# ---- 100-continue, and answers that come early ----


def test_a_body_waits_until_the_server_wants_it(web: Web) -> None:
    seen: list[bytes] = []

    class Asked(Script):
        def dataReceived(self, data: bytes) -> None:
            if not self.server.received:
                seen.append(data)
                self.server.received += data
                self.data = data
                self.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            else:
                super().dataReceived(data)

    server = web.serve(reply())
    server.protocol = Asked
    response = web.run(web.client().post(server.url(), body=b"body", expectContinue=True))
    assert response.status == 200 and seen[0].endswith(b"Expect: 100-continue\r\n\r\n")
    assert server.requests[0].body == b"body"


def test_a_body_that_is_declined_is_never_sent(web: Web) -> None:
    class Declines(Script):
        def dataReceived(self, data: bytes) -> None:
            self.server.received += data
            self.say(reply(b"no", "417 Expectation Failed"))

    server = web.serve(reply())
    server.protocol = Declines
    response = web.run(web.client().post(server.url(), body=b"body", expectContinue=True))
    assert response.status == 417 and web.run(response.content()) == b"no"
    web.net.until(lambda: not server.open)
    assert b"body" not in server.received


def test_a_server_that_says_nothing_gets_the_body_after_a_while(web: Web) -> None:
    server = web.serve(reply())
    clock = Clock()
    waiting = web.client(clock=clock, continueTimeout=3).post(server.url(), body=b"body", expectContinue=True)
    web.net.until(lambda: server.received.endswith(b"\r\n\r\n"))
    clock.advance(2.9)
    web.net.turn()
    assert not server.requests
    clock.advance(0.1)
    assert web.run(waiting).status == 200


def test_an_answer_before_all_was_sent_is_the_answer(web: Web) -> None:
    class Early(Script):
        def dataReceived(self, data: bytes) -> None:
            if not self.answered:
                self.answered = 1
                self.say(reply(b"too large", "413 Content Too Large"))

    server = web.serve(reply())
    server.protocol = Early
    closed: list[bool] = []

    async def endless() -> Any:
        try:
            while True:
                yield bytes(10_000)
        finally:
            closed.append(True)

    response = web.run(web.client().post(server.url(), body=endless()))
    assert response.status == 413 and web.run(response.content()) == b"too large"
    assert closed == [True]
    web.net.until(lambda: not server.open)


@pytest.mark.parametrize("kind", ["raises", "too little", "too much", "text"])
def test_a_body_that_fails_is_never_ended_as_if_it_were_whole(web: Web, kind: str) -> None:
    server = web.serve(reply())

    def body() -> Any:
        yield b"some"
        if kind == "raises":
            raise LookupError("no more")
        if kind == "too much":
            yield b"more than that"
        if kind == "text":
            yield "text"

    headers = {"Content-Length": "10"} if kind.startswith("too") else None
    error = {"raises": LookupError, "text": TypeError}.get(kind, ValueError)
    with pytest.raises(error):
        web.run(web.client().post(server.url(), body=body(), headers=headers))
    web.net.until(lambda: not server.open)
    assert not server.requests and b"0\r\n\r\n" not in server.received
