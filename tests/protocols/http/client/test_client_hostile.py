"""Answers that are none, cut off, endless, or a trap; over real sockets, and with nothing left behind."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import Any

import pytest
from webbing import Script, Web, reply

from protocols.http.client.redirects import RedirectError
from protocols.http.error import BadMessage, BadResponse, Incomplete, TooLarge

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"\r\n" + reply(),
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        OK + b"Content-Length: 5, 6\r\n\r\nhello!",
        OK + b"Content-Length: +5\r\n\r\nhello",
        OK + b"Content-Length: 0x5\r\n\r\nhello",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 99999999999999999999999999\r\n\r\n",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: identity\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
        OK + b"X : y\r\nContent-Length: 0\r\n\r\n",
        OK + b"X y: y\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_S_httpClient_what_is_no_answer_is_refused(web: Web, answer: bytes) -> None:
    server = web.serve(answer)
    client = web.client()

    async def read() -> Any:
        return await (await client.get(server.url())).content()

    with pytest.raises(BadResponse) as raised:
        web.run(read())
    error = raised.value
    assert isinstance(error.__cause__, BadMessage | TooLarge)
    assert (error.host, error.port) == ("127.0.0.1", server.port) and error.elapsed is not None
    web.net.until(lambda: not server.open)


@pytest.mark.parametrize(
    "flood",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b""),
        (b"X: y\r\n", OK),
        (b"x" * 1000, OK + b"X: "),
        (b"x" * 1000, b""),
        (b"1;x=y\r\na\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        (b"X: y\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
    ],
)
def test_S_httpClient_what_never_ends_is_cut_off(web: Web, flood: tuple[bytes, bytes]) -> None:
    more, first = flood

    class Endless:
        def __init__(self, connection: Script) -> None:
            self.connection = connection

        def resumeProducing(self) -> None:
            self.connection.say(more * 10)

        def stopProducing(self) -> None:
            pass

    def answer(connection: Script, request: Any) -> None:
        connection.say(first)
        connection.transport.registerProducer(Endless(connection), False)

    server = web.serve(answer)

    async def read() -> Any:
        return await (await web.client(maxBody=1 << 20).get(server.url())).content()

    with pytest.raises((BadResponse, TooLarge)):
        web.run(read())
    web.net.until(lambda: not server.open)


def test_a_few_answers_before_the_answer_are_no_harm(web: Web) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    server = web.serve(b"HTTP/1.1 100 Continue\r\n\r\n" + early + reply())
    assert web.fetch(web.client(), server.url())[1] == b"hello"


def test_S_httpClient_what_is_left_over_behind_an_answer_is_nobodys_answer(web: Web) -> None:
    """The answer is whole and right; its connection is not used again."""
    server = web.serve(reply(b"one") + reply(b"smuggled", "200 OK", "X: y"))
    client = web.client(maxConnections=1)
    for _ in range(3):
        assert web.fetch(client, server.url())[1] == b"one"
    assert server.made == 3


def test_what_comes_while_nothing_was_asked_closes_the_connection(web: Web) -> None:
    server = web.serve(reply(b"one"))
    client = web.client()
    web.fetch(client, server.url())
    server.open[0].say(reply(b"smuggled"))
    web.net.until(lambda: not server.open and client.connections == 0)
    assert web.fetch(client, server.url())[1] == b"one"


def closing(data: bytes) -> Any:
    def answer(connection: Script, request: Any) -> None:
        connection.say(data)
        connection.transport.loseConnection()

    return answer


@pytest.mark.parametrize(
    ("data", "received", "expected", "part"),
    [
        (b"", 0, None, "head"),
        (b"HTTP/1.1 200 OK\r\nX: ", 20, None, "head"),
        (OK + b"Content-Length: 10\r\n\r\n123", 3, 10, "body"),
        (OK + b"Content-Length: 10\r\n\r\n", 0, 10, "body"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 3, None, "body"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", 5, None, "trailers"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0, None, "head"),
    ],
)
def test_what_is_cut_off_says_how_much_had_come(
    web: Web, data: bytes, received: int, expected: int | None, part: str
) -> None:
    server = web.serve(closing(data))

    async def read() -> Any:
        return await (await web.client().get(server.url())).content()

    with pytest.raises(Incomplete) as raised:
        web.run(read())
    error = raised.value
    assert (error.received, error.expected, error.part) == (received, expected, part)
    assert error.host == "127.0.0.1" and error.__cause__ is not None


def test_a_body_that_ends_by_the_close_is_whole_when_the_close_is_good(web: Web) -> None:
    server = web.serve(closing(OK + b"\r\n" + b"x" * 100_000))
    client = web.client()
    assert web.fetch(client, server.url())[1] == b"x" * 100_000
    assert web.fetch(client, server.url())[1] == b"x" * 100_000
    assert server.made == 2


def test_a_reset_in_a_body_that_ends_by_the_close_is_no_end(web: Web) -> None:
    def answer(connection: Script, request: Any) -> None:
        connection.say(OK + b"\r\nsome of it")
        connection.server.reset = connection.transport.abortConnection  # type: ignore[attr-defined]

    server = web.serve(answer)
    response = web.run(web.client().get(server.url()))
    server.reset()  # type: ignore[attr-defined]
    with pytest.raises(Incomplete) as raised:
        web.run(response.content())
    assert raised.value.received == 10 and raised.value.part == "body"


def test_a_stream_gives_what_came_and_then_what_broke_it_off(web: Web) -> None:
    server = web.serve(closing(OK + b"Content-Length: 10\r\n\r\n123"))
    got: list[bytes] = []

    async def read() -> None:
        async for piece in await web.client().get(server.url()):
            got.append(piece)

    with pytest.raises(Incomplete):
        web.run(read())
    assert got in ([b"123"], [])


CODED = gzip.compress(b"hello" * 10_000, mtime=0)


@pytest.mark.parametrize(
    ("body", "coding", "error"),
    [
        (CODED[:-1], "gzip", Incomplete),
        (CODED[:-100], "gzip", Incomplete),
        (CODED + b"x", "gzip", BadMessage),
        (b"hello", "gzip", BadMessage),
        (gzip.compress(CODED, mtime=0)[:-9], "gzip, gzip", Incomplete),
        (CODED, "gzip, gzip", BadMessage),
        (CODED, "compress", BadMessage),
        (CODED, ", ".join(["gzip"] * 9), BadMessage),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("way", ["whole", "stream", "stream of chunks"])
def test_codings_that_are_none(web: Web, body: bytes, coding: str, error: type[Exception], way: str) -> None:
    if way == "stream of chunks":
        half = len(body) // 2
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]))
        head = OK + b"Transfer-Encoding: chunked\r\nContent-Encoding: %b\r\n\r\n" % coding.encode()
        server = web.serve(head + chunks + b"0\r\n\r\n")
    else:
        server = web.serve(reply(body, "200 OK", f"Content-Encoding: {coding}"))

    async def read() -> Any:
        response = await web.client().get(server.url())
        if way == "whole":
            return await response.content()
        return [piece async for piece in response]

    with pytest.raises(error):
        web.run(read())


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_S_httpClient_a_bomb_takes_bounded_memory(web: Web, way: str) -> None:
    body = gzip.compress(gzip.compress(bytes(32 << 20), 1), 1)
    server = web.serve(reply(body, "200 OK", "Content-Encoding: gzip", "Content-Encoding: gzip"))
    client = web.client(maxBody=2 << 20)

    async def read() -> int:
        response = await client.get(server.url())
        if way == "whole":
            return len(await response.content())
        total = 0
        async for piece in response:
            assert len(piece) <= 65536
            total += len(piece)
            if total > 16 << 20:
                response.abort()
                break
        return total

    tracemalloc.start()
    try:
        if way == "whole":
            with pytest.raises(TooLarge, match=str(2 << 20)):
                web.run(read())
        else:
            assert web.run(read()) > 16 << 20
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20


def test_a_redirect_with_a_body_without_end_is_followed_and_its_connection_closed(web: Web) -> None:
    def answer(connection: Script, request: Any) -> None:
        if request.target == "/":
            connection.say(
                b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 1000000\r\n\r\n" + bytes(200_000)
            )
        else:
            connection.say(reply(b"there"))

    server = web.serve(answer)
    response, content = web.fetch(web.client(), server.url())
    assert content == b"there" and [each.status for each in response.history] == [302]
    web.net.until(lambda: len(server.open) == 1)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("ftp://a/", "of http or https"),
        ("file:///etc/passwd", "of http or https"),
        ("javascript:alert(1)", "of http or https"),
        ("http://", "no host"),
        ("http://127.1/", "read as an address"),
        ("//a\\@b/", "backslash"),
        ("http://[::1", "bracket"),
        ("/", "circle"),
    ],
)
def test_S_httpClient_a_redirect_to_nowhere_is_an_error(web: Web, location: str, why: str) -> None:
    server = web.serve(reply(b"", "302 Found", f"Location: {location}"))
    with pytest.raises(RedirectError, match=why) as raised:
        web.run(web.client().get(server.url()))
    assert raised.value.response.status == 302 and raised.value.host == "127.0.0.1"
