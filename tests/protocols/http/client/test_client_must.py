"""The requirements of RFC 9110 and 9112 on a client, each a row named after its section, over a real connection.

What concerns the reading of answers is tested at the reader (`tests/protocols/http/h1/test_h1_rfc.py`). Those on
proxies, gateways and caches do not apply, nor those on user agents that show something to somebody (9110: 15.4's
history, 17.16). One is not kept to: a body whose length nobody knows is sent in chunks to a server that was not heard
before (9112, 6.1), as everybody does; one that speaks HTTP/1.0 refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from webbing import Script, Web, reply

from protocols.http.error import BadResponse, Incomplete

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTS = {"expectContinue": True}


class Must(NamedTuple):
    """What a request is like on the wire; `has` and `hasNot` are of what was sent, with `{host}` for host and port."""

    section: str
    method: str
    path: str
    options: dict[str, Any]
    has: tuple[str, ...]
    hasNot: tuple[str, ...] = ()


MUSTS = [
    Must("9112 2.2 no line end behind a body", "POST", "/", {"body": b"x"}, ("\r\n\r\nx\n",)),
    Must("9112 3.2 Host first, as in the URL", "GET", "/a", {}, ("GET /a HTTP/1.1\r\nHost: {host}\r\n",)),
    Must("9112 3.2.1 no path is a slash", "GET", "", {}, ("GET / HTTP/1.1\r\n",)),
    Must("9112 3.2.1 nor before a query", "GET", "?a", {}, ("GET /?a HTTP/1.1\r\n",)),
    Must("9110 7.1 a fragment is not sent", "GET", "/a#b", {}, ("GET /a HTTP/1.1\r\n",), ("#",)),
    Must(
        "9112 6.1 chunked once, without a length", "PUT", "/", {"body": iter([b"x"])}, ("chunked",), ("Content-Length",)
    ),
    Must("9110 8.6 the length of a body", "PUT", "/", {"body": b"hello"}, ("Content-Length: 5\r\n",), ("Transfer-E",)),
    Must("9110 8.6 no body where one is awaited", "POST", "/", {}, ("Content-Length: 0\r\n",)),
    Must("9110 8.6 nor where none is", "GET", "/", {}, ("GET",), ("Content-Length", "Transfer-Encoding")),
    Must("9110 9.1 methods keep their case", "gEt", "/", {}, ("gEt / HTTP/1.1\r\n",)),
    Must("9110 10.1.1 nothing is expected without a body", "POST", "/", {**EXPECTS}, ("POST",), ("Expect",)),
    Must("9110 10.1.1 nor with an empty one", "PUT", "/", {**EXPECTS, "body": b""}, ("PUT",), ("Expect",)),
    Must(
        "9110 4.2.4 credentials are not part of Host",
        "GET",
        "u:p@",
        {},
        ("Host: {host}\r\n", "Authorization: Basic "),
        ("u:p@",),
    ),
]


@pytest.mark.parametrize("must", MUSTS, ids=lambda must: must.section)
def test_what_a_client_must_send(web: Web, must: Must) -> None:
    server = web.serve(reply())
    host = f"127.0.0.1:{server.port}"
    path = must.path
    url = f"http://{path}{host}/" if path.endswith("@") else f"http://{host}{path}"
    web.run(web.client().request(must.method, url, **must.options))
    sent = server.received.decode() + "\n"
    for each in must.has:
        assert each.replace("{host}", host) in sent, sent
    for each in must.hasNot:
        assert each not in sent, sent


@pytest.mark.parametrize(
    ("method", "options", "why"),
    [
        ("TRACE", {"body": b"x"}, "9.3.8"),
        ("GET", {"headers": {"Content-Length": "5"}}, "without a body"),
        ("POST", {"headers": {"content-length": "5"}}, "without a body"),
        ("POST", {"headers": {"Content-Length": "5"}, "body": b"x"}, "the body has 1 bytes"),
        ("POST", {"headers": {"Transfer-Encoding": "chunked"}, "body": b"x"}, "not the program's"),
        ("GET", {"headers": {"Host": "a b"}}, "Host must be"),
        ("GET", {"headers": {"Host": "u@a"}}, "Host must be"),
        ("GET", {"headers": [("Host", "a"), ("Host", "a")]}, "once only"),
        ("GET", {"headers": {"Upgrade": "x"}}, "not the program's"),
        ("GET", {"headers": {"TE": "gzip"}}, "not the program's"),
        ("GET", {"headers": {"Connection": "Host"}}, "not the program's"),
        ("GET", {"headers": {"Expect": "x"}}, "not the program's"),
        ("GET", {"headers": {"A": "b\r\n c"}}, "control character"),
        ("GET", {"headers": {"A ": "b"}}, "no token"),
        ("G ET", {}, "token"),
    ],
    ids=(
        "9110 9.3.8 TRACE has no content",
        *("9112 6.3 a length without a body", "9112 6.3 with POST", "9110 8.6 another length", "9112 6.2 two framings"),
        *("9110 7.2 what is no host", "9110 4.2.4 a user in Host", "9112 3.2 two Hosts", "9110 7.8 Upgrade"),
        *("9110 10.1.4 TE", "9110 7.6.1 Connection", "9110 10.1.1 Expect", "9112 5.2 folds", "9112 5.1 names"),
        "9112 3.1 methods",
    ),
)
def test_what_a_client_must_not_send(web: Web, method: str, options: dict[str, Any], why: str) -> None:
    server = web.serve(reply())
    with pytest.raises(ValueError, match=why):
        web.client().request(method, server.url(), **options)
    assert server.received == b""


class Meets(NamedTuple):
    """What the server says to a first request, and what becomes of the next one."""

    section: str
    answer: Any
    options: dict[str, Any]
    connections: int
    method: str = "GET"


def closing(data: bytes) -> Callable[[Script, Any], None]:
    def answer(connection: Script, request: Any) -> None:
        connection.say(data)
        connection.transport.loseConnection()

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"
MEETS = [
    Meets("9112 9.3 an answer that is whole keeps the connection", reply(), {}, 1),
    Meets("9112 9.6 close is the end of it", reply(b"x", "200 OK", "Connection: Close"), {}, 2),
    Meets("9112 9.3 so is HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", {}, 2),
    Meets("9112 6.3 and a body that ends with it", closing(OK + b"\r\nx"), {}, 2),
    Meets("9110 15.2 any number of 1xx", CONTINUE + HINT * 3 + reply(), {}, 1),
    Meets("9110 15.2 in which nothing decides", b"HTTP/1.1 103 X\r\nConnection: close\r\n\r\n" + reply(), {}, 1),
    Meets("9112 6.3 an answer to HEAD has no body", OK + b"Content-Length: 5\r\n\r\n", {}, 1, "HEAD"),
    Meets("9112 6.3 nor chunks", OK + b"Transfer-Encoding: chunked\r\n\r\n", {}, 1, "HEAD"),
    Meets("9112 6.3 204 has none", b"HTTP/1.1 204 X\r\n\r\n", {}, 1),
    Meets("9112 6.3 204 that may have one", b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", {}, 2),
    Meets("9112 6.3 304 has none", b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", {}, 1),
    Meets("9110 15.5.18 417", reply(b"", "417 No"), {}, 1),
]


@pytest.mark.parametrize("meets", MEETS, ids=lambda meets: meets.section)
def test_what_keeps_a_connection(web: Web, meets: Meets) -> None:
    server = web.serve(meets.answer)
    client = web.client()
    for _ in range(2):
        web.run(client.request(meets.method, server.url(), **meets.options))
    assert server.made == meets.connections


class Declining(Script):
    """Answers the head, whatever is to follow it."""

    def dataReceived(self, data: bytes) -> None:
        self.server.received += data
        if self.server.received.endswith(b"\r\n\r\n"):
            self.say(reply(b"", "403 No"))


def test_S_httpExpect_a_body_that_was_declined_is_not_sent_and_the_connection_not_used_again(web: Web) -> None:
    server = web.serve(b"")
    server.protocol = Declining
    client = web.client()
    for _ in range(2):
        response = web.run(client.put(server.url(), body=b"GET /smuggled HTTP/1.1\r\n\r\n", expectContinue=True))
        assert response.status == 403
    assert server.made == 2 and b"smuggled" not in server.received
    web.net.until(lambda: not server.open)


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        (b"5\r\nhello", Incomplete),
        (b"5\r\nhello\r\n0\r\n", Incomplete),
        (b"5\r\nhello\n0\r\n\r\n", BadResponse),
        (b"5\r\nhello\r\n5;\nxx\r\n0\r\n\r\n", BadResponse),
        (b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", BadResponse),
    ],
)
def test_S_httpBody_what_came_is_read_and_then_what_is_wrong_with_it(
    web: Web, rest: bytes, error: type[Exception]
) -> None:
    """RFC 9112, sections 7.1 and 8: none of them is whole."""
    server = web.serve(closing(OK + b"Transfer-Encoding: chunked\r\n\r\n" + rest))
    with pytest.raises(error) as raised:
        web.fetch(web.client(), server.url())
    assert getattr(raised.value, "received", 5) == 5
    web.net.until(lambda: not server.open)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\nContent-Length: %d\r\n\r\n" % len(reply(b"smuggled")) + reply(b"smuggled") + reply(),
        b"HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + reply(),
        b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        OK + b"Connection: content-length\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=[
        *("9110 8.6 1xx with a length", "9112 6.1 1xx with a coding", "9110 7.8 101 that nobody asked for"),
        *("9110 7.6.1 Connection names the length", "9112 6.3 two lengths"),
    ],
)
def test_S_httpClient_what_two_could_read_in_two_ways_is_no_answer(web: Web, answer: bytes) -> None:
    server = web.serve(answer)
    with pytest.raises(BadResponse):
        web.fetch(web.client(), server.url())
    web.net.until(lambda: not server.open)
