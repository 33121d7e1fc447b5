"""Answers that come piece by piece, and files: framing, back-pressure, and what goes wrong in the middle."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpserving import Served, answersIn, get

from protocols.http import Response
from protocols.http.server import Request
from reactor.defer import Deferred
from reactor.error import ConnectionLost


class Feed:
    """An async iterable whose pieces the test gives; it keeps whether it was closed."""

    def __init__(self) -> None:
        self.waiting: Deferred[Any] | None = None
        self.closed = 0

    def __aiter__(self) -> Feed:
        return self

    def __anext__(self) -> Deferred[Any]:
        self.waiting = Deferred()
        return self.waiting

    async def aclose(self) -> None:
        self.closed += 1

    def give(self, piece: Any) -> None:
        waiting, self.waiting = self.waiting, None
        assert waiting is not None
        waiting.callback(piece)

    def end(self, problem: BaseException | None = None) -> None:
        assert self.waiting is not None
        self.waiting.errback(problem or StopAsyncIteration())


async def asynchronously(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("kind", ["list", "generator", "async"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_pieces_become_one_body(kind: str, version: str) -> None:
    pieces = [b"one", "zwei", b"", bytearray(b"three")]

    def handler(request: Request) -> Response:
        if kind == "async":
            return Response(asynchronously(*pieces))
        return Response(pieces if kind == "list" else (each for each in pieces))  # type: ignore[arg-type]

    served = Served(handler)
    served.send(get(version=version) + get(version=version))
    answers = served.answers()
    if version == "1.1":
        assert [each.body for each in answers] == [b"onezweithree"] * 2
        assert answers[0].fields["transfer-encoding"] == "chunked"
        assert served.isOpen
    else:
        # Only the end of the connection tells where it ends.
        assert answers[0].body == b"onezweithree"
        assert "transfer-encoding" not in answers[0].fields
        assert not served.isOpen


def test_a_length_that_is_known_is_said() -> None:
    served = Served(lambda request: Response([b"ab", b"cd"], headers={"Content-Length": "4"}))
    served.send(get() + get(version="1.0"))
    assert [each.fields["content-length"] for each in served.answers()] == ["4", "4"]
    assert [each.body for each in served.answers()] == [b"abcd", b"abcd"]


def test_HEAD_asks_for_no_pieces() -> None:
    asked: list[str] = []

    def pieces() -> Iterator[bytes]:
        asked.append("piece")
        yield b"x"

    served = Served(lambda request: Response(pieces()))
    served.send(get(method="HEAD") + get())
    first, second = served.answers("HEAD")
    assert "content-length" not in first.fields
    assert second.body == b"x"
    assert asked == ["piece"]


def test_what_is_there_is_sent_while_the_next_is_waited_for() -> None:
    feed = Feed()
    served = Served(lambda request: Response(feed, contentType="text/event-stream"))
    served.send(get())
    assert served.got.endswith(b"\r\n\r\n")
    feed.give("data: 1\n\n")
    served.settle()
    assert served.got.endswith(b"9\r\ndata: 1\n\n\r\n")
    feed.end()
    served.settle()
    assert [each.body for each in served.answers()] == [b"data: 1\n\n"]
    served.send(get())
    assert served.got.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_faster_than_it_is_taken(kind: str) -> None:
    made: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield b"x" * 1000

    async def endlessly() -> AsyncIterator[bytes]:
        for piece in endless():
            yield piece

    served = Served(lambda request: Response(endless() if kind == "sync" else endlessly()), {"capacity": 10000})
    served.pair.hold("client")
    served.send(get())
    assert 60 <= len(made) <= 150
    served.pair.release("client")
    served.settle()
    assert len(made) > 200
    served.client.transport.abortConnection()
    served.settle()


def test_what_fails_before_it_began_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> AsyncIterator[bytes]:
        raise RuntimeError("secret")
        yield b""

    served = Served(lambda request: Response(fails()))
    served.send(get() + get())
    assert [each.status for each in served.answers()] == [500, 500]
    assert len(caplog.records) == 2


@pytest.mark.parametrize("kind", ["raises", "short", "long", "no bytes"])
def test_S_httpHandler_what_fails_in_the_middle_is_cut_off(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    feed = Feed()
    length = {} if kind in ("raises", "no bytes") else {"Content-Length": "4"}
    served = Served(lambda request: Response(feed, headers=length))
    served.send(get())
    feed.give(b"abc")
    served.settle()
    if kind == "raises":
        feed.end(RuntimeError("secret"))
    elif kind == "short":
        feed.end()
    else:
        feed.give(b"de" if kind == "long" else 7)
    served.settle()
    assert isinstance(served.client.reason, ConnectionLost)
    assert b"secret" not in served.got
    assert not served.got.endswith(b"0\r\n\r\n")
    assert feed.closed == 1
    assert len(caplog.records) == 1


def test_the_clients_going_closes_what_was_sent() -> None:
    feed = Feed()
    told: list[Any] = []

    def handler(request: Request) -> Response:
        request.whenOver(lambda r, status, count, failure: told.append((status, count, failure is None)))
        return Response(feed)

    served = Served(handler)
    served.send(get())
    feed.give(b"abc")
    waiting = feed.waiting
    served.client.transport.abortConnection()
    served.settle()
    assert feed.closed == 1
    assert told == [(200, 3, False)]
    assert waiting is not None
    assert waiting.called


def test_an_echo_of_a_stream_is_a_stream() -> None:
    served = Served(lambda request: Response(request.body), maxBody=None)
    served.send(get("/", "Content-Length: 6", method="POST") + b"abc")
    assert served.got.endswith(b"3\r\nabc\r\n")
    served.send(b"def")
    assert served.answers()[0].body == b"abcdef"
    served.send(get())
    assert served.answers()[1].body == b""


def test_large_bytes_are_sent_whole() -> None:
    served = Served(lambda request: Response(b"x" * 1_000_000), {"capacity": 100_000})
    served.send(get())
    served.advance(1)
    assert len(served.answers()[0].body) == 1_000_000


def test_a_client_that_does_not_read_is_asked_for_no_further_requests() -> None:
    asked: list[int] = []

    def handler(request: Request) -> Response:
        asked.append(1)
        return Response(b"x" * 16384)

    served = Served(handler, {"capacity": 10000})
    served.pair.hold("client")
    served.send(get() * 100)
    served.advance(1)
    assert len(asked) < 30
    assert served.channel.transport.buffered < 500_000
    served.pair.release("client")
    served.advance(60)
    assert len(served.answers()) == 100


@pytest.mark.parametrize("size", [0, 100, 65536, 1_000_000])
def test_a_file_is_sent(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    served = Served(lambda request: Response(file=path))
    served.send(get() + get(method="HEAD") + get())
    served.advance(2)
    answers = served.answers("GET", "HEAD", "GET")
    assert [each.body for each in answers] == [path.read_bytes(), b"", path.read_bytes()]
    assert [each.fields["content-length"] for each in answers] == [str(size)] * 3


def test_a_part_of_an_open_file_is_sent_and_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000 + b"y" * 100_000 + b"z" * 100_000)
    file = path.open("rb")
    served = Served(lambda request: Response(file=file, offset=100_000, count=100_000))
    served.send(get())
    served.advance(1)
    assert served.answers()[0].body == b"y" * 100_000
    assert file.closed


def test_a_file_that_shrinks_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)

    def handler(request: Request) -> Response:
        response = Response(file=path)
        path.write_bytes(b"x" * 500_000)
        return response

    served = Served(handler)
    served.send(get())
    served.advance(1)
    assert isinstance(served.client.reason, ConnectionLost)
    assert len(caplog.records) == 1


def test_a_client_that_goes_in_the_middle_of_a_file_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    file = path.open("rb")
    served = Served(lambda request: Response(file=file), {"capacity": 10000})
    served.pair.hold("client")
    served.send(get())
    served.client.transport.abortConnection()
    served.settle()
    assert file.closed


def test_a_response_that_nobody_sends_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    file = path.open("rb")
    waiting: Deferred[Response] = Deferred(lambda d: d.callback(Response(file=file)))
    served = Served(lambda request: waiting)
    served.send(get())
    served.client.transport.abortConnection()
    served.settle()
    assert file.closed


class TestResponse:
    def test_bodies(self) -> None:
        assert Response("ä").body == "ä".encode()
        assert Response(memoryview(b"x")).body == b"x"
        assert Response(None).body == b""
        assert Response(json={"a": [1, "ä"]}).body == '{"a":[1,"ä"]}'.encode()
        assert Response(json=None).body == b"null"

    @pytest.mark.parametrize("body", [1, {"a": 1}, object()])
    def test_what_is_no_body(self, body: Any) -> None:
        with pytest.raises(TypeError, match="body must be"):
            Response(body)

    def test_what_is_no_status(self) -> None:
        for status in (0, 100, 101, 1000, -200):
            with pytest.raises(ValueError, match="200 to 999"):
                Response(status=status)
        for other in ("200", None, True, 2.0):
            with pytest.raises(TypeError, match="int"):
                Response(status=other)  # type: ignore[arg-type]

    def test_one_body_only(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="either"):
            Response("x", json=1)
        with pytest.raises(OSError, match="no file"):
            Response(file=tmp_path / "no file")
        with pytest.raises(io.UnsupportedOperation):
            Response(file=io.BytesIO(b"x"))
        path = tmp_path / "file"
        path.write_bytes(b"x")
        with pytest.raises(ValueError, match="offset"):
            Response(file=path, offset=-1)


def test_the_answer_to_a_body_that_is_still_coming_arrives() -> None:
    feed = Feed()
    served = Served(lambda request: Response(feed))
    served.send(get("/", "Content-Length: 4", method="POST") + b"ab")
    feed.give(b"1")
    served.send(b"cd")
    feed.end()
    served.settle()
    assert answersIn(served.got)[0].body == b"1"


@pytest.mark.parametrize("kind", ["iterator", "async", "file"])
def test_what_can_be_sent_once_is_not_sent_empty_again(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"onetwo")
    if kind == "file":
        response = Response(file=path)
    else:
        response = Response(iter([b"one", b"two"]) if kind == "iterator" else asynchronously(b"one", b"two"))
    served = Served(lambda request: response)
    served.send(get() + get())
    assert [each.status for each in served.answers()] == [200, 500]
    assert served.answers()[0].body == b"onetwo"
    assert "can be sent once" in caplog.text


def test_a_list_of_pieces_can_be_sent_again() -> None:
    response = Response([b"one", b"two"])
    served = Served(lambda request: response)
    served.send(get() + get())
    assert [each.body for each in served.answers()] == [b"onetwo"] * 2


@pytest.mark.parametrize(
    ("arguments", "problem", "words"),
    [
        ({"contentType": 5}, TypeError, "contentType must be a str, not 5"),
        ({"contentType": "a\r\nb: c"}, ValueError, "contentType has a control character"),
        ({"reason": b"x"}, TypeError, "reason must be a str"),
        ({"reason": "a\nb"}, ValueError, "reason has a control character"),
        ({"reason": "\u20ac"}, ValueError, "reason is not Latin-1"),
        ({"json": float("nan")}, ValueError, "json cannot be written"),
        ({"json": object()}, TypeError, "json cannot be written"),
        ({"file": 5}, TypeError, "file must be a path, or a file opened for reading bytes, not 5"),
        ({"file": io.TextIOWrapper(io.BytesIO())}, TypeError, "opened for reading bytes"),
        ({"offset": 5}, ValueError, "there is none"),
        ({"count": 0}, ValueError, "there is none"),
    ],
)
def test_what_no_answer_can_have_is_said_where_it_is_made(
    arguments: dict[str, Any], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        Response(**arguments)
