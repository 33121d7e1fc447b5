"""What stands around a handler: the access log, compression, and what proxies say."""

from __future__ import annotations

import gzip as standard
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpserving import Served, get

from protocols.http import Response, Site, forwarded, gzip, log
from protocols.http.server import Request
from reactor.defer import Deferred

TEXT = "words and words and words\n" * 200


class TestLog:
    def test_a_line_for_each_request(self) -> None:
        lines: list[str] = []

        async def handler(request: Request) -> Response:
            if request.path == "/fails":
                raise RuntimeError("x")
            return Response("hello", 201)

        served = Served(log(handler, lines.append))
        served.send(get("/a?b", 'User-Agent: a "quoted" \\ one', "Referer: /from") + get("/fails", version="1.0"))
        first, second = lines
        stamp = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
        asked = re.escape('"GET /a?b HTTP/1.1" 201 5 "/from" "a \\"quoted\\" \\\\ one"')
        assert re.fullmatch(rf"192\.0\.2\.1 - - {stamp} {asked}", first)
        assert '"GET /fails HTTP/1.0" 500 ' in second

    def test_one_that_was_cut_off_says_so(self) -> None:
        lines: list[str] = []
        served = Served(log(lambda request: Deferred(), lines.append))
        served.send(get())
        served.client.transport.abortConnection()
        served.settle()
        assert lines[0].endswith('"GET / HTTP/1.1" - 0 "-" "-" (cut off)')

    def test_by_default_it_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        served = Served(log(lambda request: Response("x")))
        served.send(get("/%0a", "User-Agent: \xe9"))
        assert [each.name for each in caplog.records] == ["reactor.http.access"]
        assert "GET /%0a" in caplog.text


class TestGzip:
    def answer(self, response: Any, *fields: str, **options: Any) -> Any:
        async def later(request: Request) -> Any:
            return response

        for handler in (lambda request: response, later):
            served = Served(gzip(handler, **options))
            served.send(get("/", *(fields or ("Accept-Encoding: br, gzip;q=0.5",))))
            break
        return served.answers()[0]

    def test_text_is_compressed(self) -> None:
        answer = self.answer(Response(TEXT, headers={"ETag": '"x"'}))
        assert answer.fields["content-encoding"] == "gzip"
        assert answer.fields["vary"] == "Accept-Encoding"
        assert answer.fields["etag"] == 'W/"x"'
        assert len(answer.body) < len(TEXT) / 10
        assert standard.decompress(answer.body).decode() == TEXT

    def test_so_is_that_of_a_coroutine(self) -> None:
        async def handler(request: Request) -> Response:
            return Response(TEXT)

        served = Served(gzip(handler))
        served.send(get("/", "Accept-Encoding: gzip"))
        assert standard.decompress(served.answers()[0].body).decode() == TEXT

    @pytest.mark.parametrize("accepted", ["br", "gzip;q=0", "gzip; q=0.000", "", "identity"])
    def test_not_for_who_does_not_take_it(self, accepted: str) -> None:
        answer = self.answer(Response(TEXT), f"Accept-Encoding: {accepted}")
        assert answer.body.decode() == TEXT
        assert answer.fields["vary"] == "Accept-Encoding"

    @pytest.mark.parametrize("accepted", ["gzip", "*", "GZIP", "gzip;q=0.001", "x, x-gzip"])
    def test_for_who_does(self, accepted: str) -> None:
        assert "content-encoding" in self.answer(Response(TEXT), f"Accept-Encoding: {accepted}").fields

    def test_not_what_is_not_worth_it(self) -> None:
        for response in (
            Response("short"),
            Response(TEXT, contentType="image/png"),
            Response(TEXT, headers={"Content-Encoding": "br"}),
            Response(TEXT.encode()),
            Response(TEXT, 206),
        ):
            assert self.answer(response).fields.get("content-encoding") != "gzip"
        with pytest.raises(ValueError, match="level"):
            gzip(lambda request: Response(""), level=0)

    def test_pieces_leave_as_they_come(self) -> None:
        waiting: list[Deferred[Any]] = []

        async def pieces() -> AsyncIterator[str]:
            yield "first\n"
            waiting.append(Deferred())
            await waiting[0]
            yield "second\n"

        served = Served(gzip(lambda request: Response(pieces(), contentType="text/event-stream")))
        served.send(get("/", "Accept-Encoding: gzip"))
        head, _, body = served.got.partition(b"\r\n\r\n")
        size, _, rest = body.partition(b"\r\n")
        assert zlib.decompressobj(wbits=31).decompress(rest[: int(size, 16)]) == b"first\n"
        waiting[0].callback(None)
        served.settle()
        assert standard.decompress(served.answers()[0].body) == b"first\nsecond\n"

    def test_pieces_that_are_there(self) -> None:
        answer = self.answer(Response(["a" * 1000, "b" * 1000], contentType="text/plain"))
        assert standard.decompress(answer.body) == b"a" * 1000 + b"b" * 1000


class TestForwarded:
    def seen(self, *fields: str, trusted: Any = ("192.0.2.1", "10.0.0.0/8", "fd00::/8")) -> tuple[str, str, str]:
        found: list[Any] = []

        def handler(request: Request) -> Response:
            found.append((request.client, request.scheme, request.host))
            return Response("x")

        served = Served(forwarded(handler, trusted))
        served.send(get("/", *fields))
        assert served.answers()[0].status == 200
        return found[0]  # type: ignore[no-any-return]

    def test_who_is_trusted_is_believed(self) -> None:
        assert self.seen() == ("192.0.2.1", "http", "example.org")
        assert self.seen("Forwarded: for=198.51.100.7;proto=https;host=a.example") == (
            "198.51.100.7",
            "https",
            "a.example",
        )
        assert self.seen('Forwarded: For="[2001:db8::1]:4711"; Proto=HTTPS')[:2] == ("2001:db8::1", "https")
        assert self.seen("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https") == (
            "198.51.100.7",
            "https",
            "example.org",
        )

    def test_who_is_not_is_not(self) -> None:
        assert self.seen("Forwarded: for=1.2.3.4;proto=https", trusted=["10.0.0.1"]) == (
            "192.0.2.1",
            "http",
            "example.org",
        )
        assert self.seen("X-Forwarded-For: 1.2.3.4", trusted=[])[0] == "192.0.2.1"

    def test_what_stands_before_who_is_not_trusted_may_be_invented(self) -> None:
        assert self.seen("X-Forwarded-For: 6.6.6.6, 198.51.100.7")[0] == "198.51.100.7"
        assert self.seen("X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.2.3")[0] == "198.51.100.7"
        assert self.seen("Forwarded: for=6.6.6.6, for=198.51.100.7", "Forwarded: for=10.1.2.3")[0] == "198.51.100.7"
        assert self.seen("X-Forwarded-For: 10.1.1.1, 10.1.2.3")[0] == "10.1.1.1"
        assert self.seen('Forwarded: for="6.6.6.6, for=7.7.7.7", for=unknown')[0] == "unknown"

    def test_what_is_no_list_of_networks(self) -> None:
        with pytest.raises(TypeError, match="trusted"):
            forwarded(lambda request: Response(""), "10.0.0.1")


def test_gzip_leaves_an_answer_that_is_given_back_again_as_it_is() -> None:
    same = Response("word " * 1000)
    served = Served(gzip(lambda request: same))
    served.send(get("/", "Accept-Encoding: gzip") + get() + get("/", "Accept-Encoding: gzip"))
    answers = served.answers()
    assert [each.fields.get("content-encoding") for each in answers] == ["gzip", None, "gzip"]
    assert answers[1].body == b"word " * 1000
    assert answers[0].body == answers[2].body
    assert not same.headers


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: gzip(5), r"gzip\(\): handler must be callable, not 5"),  # type: ignore[arg-type]
        (lambda: gzip(print, least="x"), r"gzip\(\): least must be an int"),  # type: ignore[arg-type]
        (lambda: gzip(print, level="x"), r"gzip\(\): level must be an int"),  # type: ignore[arg-type]
        (lambda: log(5), r"log\(\): handler must be callable"),  # type: ignore[arg-type]
        (lambda: log(print, 5), r"log\(\): write must be callable"),  # type: ignore[arg-type]
        (lambda: forwarded(5, trusted=[]), r"forwarded\(\): handler must be callable"),  # type: ignore[arg-type]
        (lambda: Site(print, limits=5), r"Site\(\): limits must be Limits, not 5"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_wrapped_is_said_at_once(wrong: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        wrong()
