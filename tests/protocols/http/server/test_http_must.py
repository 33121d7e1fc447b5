"""The requirements of RFC 9110 and 9112 on a server, each a row named after its section, over a connection.

What concerns the reading of messages is tested at the reader (`tests/protocols/http/h1/test_h1_rfc.py`). Those on
proxies, gateways, tunnels and caches do not apply (9110: 7.6 but for 7.6.1, 9.3.8's Max-Forwards, 11.7, 15.5.8; RFC
9111), nor those on what only a program can know: that its 401 says WWW-Authenticate (15.5.2), its 206 of several parts
is multipart (15.3.7.2), its methods are safe (9.2.1).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from httpserving import Served, get, post

from protocols.http import Response, Router, files
from protocols.http.error import BadMessage, Incomplete
from protocols.http.server import Request
from reactor.protocol import Protocol


def echo(request: Request) -> Any:
    return request.read().addCallback(Response)


def answer(*args: Any) -> Callable[[Request], Response]:
    return lambda request: Response(*args)


def pieces(status: int = 200) -> Callable[[Request], Response]:
    return lambda request: Response(iter([b"pie", b"ces"]), status)


def where(request: Request) -> Response:
    return Response(f"{request.host} {request.path} {request.queryString}")


def hinting(request: Request) -> Response:
    request.inform(103, [("Link", "</x>")])
    return Response("hinted")


def switching(*fields: tuple[str, str]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        request.switchProtocol(Protocol(), fields)
        return Response("not sent")

    return handle


def router(request: Request) -> Any:
    app = Router()
    app.get("/")(lambda request: Response("it"))
    return app(request)


class Must(NamedTuple):
    section: str
    handler: Any
    data: bytes
    has: tuple[bytes, ...] = ()
    hasNot: tuple[bytes, ...] = ()
    isOpen: bool = True


UPGRADE = ("Connection: Upgrade", "Upgrade: shout")
EXPECT = "Expect: 100-continue"
BAD = b"GET / HTTP/1.1\r\n\r\n"
CONNECT = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100"
LENGTH, CODING, CLOSE = b"Content-Length", b"Transfer-Encoding", b"Connection: close"
PIECES = b"\r\n\r\npieces"

MUSTS = [
    Must(
        "9112 2.3 the answer to HTTP/1.0 is one of HTTP/1.1",
        answer("x"),
        get(version="1.0"),
        (b"HTTP/1.1 200",),
        (),
        False,
    ),
    Must("9112 3.2 without a Host: 400", answer("x"), BAD, (b"HTTP/1.1 400", CLOSE), (), False),
    Must("9112 3.2.2 absolute form", where, b"GET http://a.org?b HTTP/1.1\r\nHost: a.org\r\n\r\n", (b"a.org / b",)),
    Must("9112 3.2.4 OPTIONS *", router, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", (b"HTTP/1.1 204",)),
    Must("9112 6.1 no coding to HTTP/1.0", pieces(), get(version="1.0"), (PIECES, CLOSE), (CODING,), False),
    Must("9112 6.1 no coding with 204", pieces(204), get(), (), (CODING, b"pieces")),
    Must("9112 6.1 no coding with 304", pieces(304), get(), (), (b"pieces",)),
    Must("9112 6.1 no coding in success with CONNECT", pieces(), CONNECT, (b"200",), (CODING, LENGTH, b"pie"), False),
    Must(
        "9112 6.3 two framings",
        echo,
        get("/", "Content-Length: 1", "Transfer-Encoding: chunked"),
        (b"400", CLOSE),
        (),
        False,
    ),
    Must("9112 7.1 chunks end", pieces(), get(), (b"\r\n\r\n3\r\npie\r\n3\r\nces\r\n0\r\n\r\n",), (LENGTH,)),
    Must("9112 9.3 the rest of a body is read", answer("x"), post(b"GET /2 HTTP/1.1\r\n\r\n"), (b"200",), (b"400",)),
    Must("9112 9.3 or the connection closed", answer("x"), get("/", "Content-Length: 99999999"), (CLOSE,), (), False),
    Must("9112 9.6 who is told close says it", answer("x"), get("/", "Connection: close"), (CLOSE,), (), False),
    Must("9112 9.6 and answers nothing more", where, get("/", "Connection: close") + get("/2"), (), (b"/2",), False),
    Must(
        "9112 9.6 nor who has said it",
        answer("x", 200, {"Connection": "close"}),
        get() * 2,
        (CLOSE,),
        (b"x HTTP",),
        False,
    ),
    Must("9110 6.6.1 Date with 2xx", answer("x"), get(), (b"\r\nDate: ",)),
    Must("9110 6.6.1 Date with 3xx", answer("", 304), get(), (b"\r\nDate: ",)),
    Must("9110 6.6.1 Date with 4xx of the server's own", answer("x"), BAD, (b"\r\nDate: ",), (), False),
    Must(
        "9110 7.8 Upgrade is said in Connection", answer("", 426, {"Upgrade": "a/1"}), get(), (b"Connection: Upgrade",)
    ),
    Must(
        *("9110 7.8 and is with close", answer("", 426, {"Upgrade": "a/1", "Connection": "upgrade"})),
        *(get("/", "Connection: close"), (b"Connection: close, Upgrade\r\n",), (b"Connection: upgrade",), False),
    ),
    Must(
        "9110 7.8 what was not asked for",
        switching(("Connection", "Upgrade"), ("Upgrade", "x")),
        get("/", *UPGRADE),
        (b"500",),
        (b"101",),
    ),
    Must(
        "9110 7.8 a change to nothing", switching(("Connection", "Upgrade")), get("/", *UPGRADE), (b"500",), (b"101",)
    ),
    Must("9110 7.8 without the option", switching(("Upgrade", "shout")), get("/", *UPGRADE), (b"500",), (b"101",)),
    Must(
        "9110 7.8 in HTTP/1.0",
        switching(("Connection", "Upgrade"), ("Upgrade", "shout")),
        get("/", *UPGRADE, version="1.0"),
        (b"500",),
        (b"101",),
        False,
    ),
    Must("9110 8.6 no length with 204", answer("", 204), get(), (b"204",), (LENGTH,)),
    Must("9110 8.6 nor if it is given", answer("", 204, {"Content-Length": "0"}), get(), (b"500",), (b" 204",)),
    Must("9110 8.6 none in success with CONNECT", answer("x"), CONNECT, (b"200",), (LENGTH, b"\r\n\r\nx"), False),
    Must(
        "9110 8.6 nor if it is given there",
        answer("", 200, {"Content-Length": "5"}),
        CONNECT,
        (b"500",),
        (b" 200",),
        False,
    ),
    Must(
        "9110 8.6 with HEAD it is that of GET",
        answer("hello"),
        get(method="HEAD"),
        (b"Content-Length: 5",),
        (b"hello",),
    ),
    Must("9110 9.1 HEAD where GET is", router, get(method="HEAD"), (b"200", b"Content-Length: 2"), (b"\r\n\r\nit",)),
    Must("9110 9.3.2 no content with HEAD", pieces(), get(method="HEAD"), (b"200",), (b"pie", b"0\r\n\r\n")),
    Must(
        "9110 10.1.1 100 when the body is wanted",
        echo,
        get("/", EXPECT, "Content-Length: 2", method="PUT"),
        (CONTINUE,),
    ),
    Must("9110 10.1.1 none when it is here", echo, post(b"hi", EXPECT), (b"200",), (CONTINUE,)),
    Must("9110 10.1.1 none without a body", echo, get("/", EXPECT), (b"200",), (CONTINUE,)),
    Must("9110 10.1.1 none to HTTP/1.0", echo, get("/", EXPECT, "Content-Length: 2", version="1.0"), (), (CONTINUE,)),
    Must(
        "9110 10.1.1 a last word says whether it closes",
        answer("", 403),
        get("/", EXPECT, "Content-Length: 2"),
        (b"403", CLOSE),
        (CONTINUE,),
        False,
    ),
    Must(
        "9110 10.1.1 what follows is not read",
        where,
        get("/", EXPECT, "Content-Length: 99") + get("/2"),
        (),
        (b"/2",),
        False,
    ),
    Must("9110 10.1.1 another expectation", echo, get("/", "Expect: miracles"), (b"417", CLOSE), (), False),
    Must("9110 15.2 no 1xx to HTTP/1.0", hinting, get(version="1.0"), (b"hinted",), (b"103",), False),
    Must("9110 15.2 and to others", hinting, get(), (b"103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200",)),
    Must("9110 15.3.6 205 has no content", answer("x", 205), get(), (b"205", b"Content-Length: 0"), (b"\r\n\r\nx",)),
    Must("9110 15.3.6 nor in pieces", pieces(205), get(), (b"205", b"Content-Length: 0"), (CODING, b"pie")),
    Must("9110 15.3.6 nor with a length", answer("", 205, {"Content-Length": "5"}), get(), (b"500",), (b" 205",)),
    Must("9110 15.4.5 no content with 304", answer("x", 304), get(), (b"304",), (b"\r\n\r\nx",)),
    Must("9110 15.5.6 Allow with 405", router, get(method="DELETE"), (b"405", b"Allow: GET, HEAD, OPTIONS")),
]


@pytest.mark.parametrize("must", MUSTS, ids=lambda must: must.section)
def test_what_a_server_must_do(must: Must) -> None:
    served = Served(must.handler)
    served.send(must.data)
    for each in must.has:
        assert each in served.got, served.got
    for each in must.hasNot:
        assert each not in served.got, served.got
    assert served.isOpen is must.isOpen


def test_9110_10_1_1_the_answer_follows_when_the_body_has_come() -> None:
    served = Served(echo)
    served.send(get("/", EXPECT, "Content-Length: 2", method="PUT"))
    served.send(b"hi")
    assert served.got.endswith(b"\r\n\r\nhi") and served.got.count(CONTINUE) == 1


@pytest.mark.parametrize("isAnswered", [True, False])
def test_S_httpExpect_what_comes_behind_a_refusal_is_no_request(isAnswered: bool) -> None:
    """RFC 9110, section 10.1.1: the body may come or not, and nobody can tell it from a request."""
    asked: list[str] = []

    def handle(request: Request) -> Any:
        asked.append(request.target)
        return Response(status=403) if isAnswered else request.read(10).addCallback(Response)

    served = Served(handle, maxBody=30)
    served.send(get("/", EXPECT, "Content-Length: 38", method="PUT"))
    served.send(get("/smuggled"))
    assert asked == ["/"] and not served.isOpen
    assert served.got.count(b"HTTP/1.1") == 1 and CLOSE in served.got


@pytest.mark.parametrize("isRead", [True, False])
@pytest.mark.parametrize(
    "rest", [b"x\r\n", b"5;\nxx\r\n", b"2\r\nabcd", b"2\r\nab\n", b"0\r\nHost: evil\r\n\r\n", b"0\r\n" + get("/2")]
)
def test_S_httpBody_one_that_is_none_is_told_to_its_reader(rest: bytes, isRead: bool) -> None:
    asked: list[str] = []
    failures: list[Any] = []

    def handle(request: Request) -> Any:
        asked.append(request.target)
        if not isRead:
            return Response("not read")
        reading = request.read()
        reading.addErrback(lambda failure: (failures.append(failure.value), failure)[1])
        return reading.addCallback(Response)

    served = Served(handle)
    served.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"2\r\nab\r\n" + rest + get("/smuggled"))
    assert asked == ["/"] and not served.isOpen
    assert [each.status for each in served.answers()] == [400 if isRead else 200]
    assert [type(each) for each in failures] == [BadMessage] * isRead


def test_S_httpBody_one_that_ends_early_is_incomplete() -> None:
    failures: list[Any] = []
    served = Served(lambda request: request.read().addErrback(lambda failure: failures.append(failure.value)))
    served.send(get("/", "Content-Length: 5", method="POST") + b"abc")
    served.client.transport.loseConnection()
    served.settle()
    (error,) = failures
    assert isinstance(error, Incomplete) and (error.received, error.expected) == (3, 5)
    assert not served.isServed


def test_9112_9_3_2_pipelined_requests_are_answered_in_order() -> None:
    served = Served(where)
    served.send(b"".join(get(f"/{n}") for n in range(9)))
    assert [each.body for each in served.answers()] == [b"example.org /%d " % n for n in range(9)]


class Asked(NamedTuple):
    section: str
    fields: tuple[str, ...]
    status: int
    method: str = "GET"


PAST, YEAR = "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 2015 00:00:00 GMT"
DIGITS = b"0123456789"
CONDITIONS = [
    Asked("9110 13.1.1 If-Match, another one", ('If-Match: "x"',), 412),
    Asked("9110 13.1.1 any", ("If-Match: *",), 200),
    Asked("9110 13.1.1 compared strongly", ("If-Match: W/TAG",), 412),
    Asked("9110 13.1.2 If-None-Match", ("If-None-Match: TAG",), 304),
    Asked("9110 13.1.2 compared weakly", ('If-None-Match: "x", W/TAG',), 304),
    Asked("9110 13.1.2 304 is for those who read", ("If-None-Match: TAG",), 304, "HEAD"),
    Asked("9110 13.1.3 it goes before If-Modified-Since", ('If-None-Match: "x"', "If-Modified-Since: " + YEAR), 200),
    Asked("9110 13.1.3 If-Modified-Since", ("If-Modified-Since: " + YEAR,), 304),
    Asked("9110 13.1.3 one that is no date is ignored", ("If-Modified-Since: x",), 200),
    Asked("9110 13.1.4 If-Unmodified-Since", ("If-Unmodified-Since: " + PAST,), 412),
    Asked("9110 13.1.4 one that is no date is ignored", ("If-Unmodified-Since: x",), 200),
    Asked("9110 13.1.4 If-Match goes before it", ("If-Match: TAG", "If-Unmodified-Since: " + PAST), 200),
    Asked("9110 13.1.5 If-Range without Range", ('If-Range: "x"',), 200),
    Asked("9110 13.1.5 the same one", ("Range: bytes=2-4", "If-Range: TAG"), 206),
    Asked("9110 13.1.5 another one", ("Range: bytes=2-4", 'If-Range: "x"'), 200),
    Asked("9110 13.1.5 a weak one is none", ("Range: bytes=2-4", "If-Range: W/TAG"), 200),
    Asked("9110 13.2.2 conditions go before ranges", ("Range: bytes=2-4", "If-None-Match: TAG"), 304),
    Asked("9110 14.1.2 beyond the end", ("Range: bytes=10-",), 416),
    Asked("9110 14.2 another unit is ignored", ("Range: lines=2-4",), 200),
    Asked("9110 14.2 what is no range is ignored", ("Range: bytes=4-2",), 200),
    Asked("9110 14.2 only GET has ranges", ("Range: bytes=2-4",), 200, "HEAD"),
]


def askedFor(path: Path, asked: Asked) -> Any:
    served = Served(files(path))
    served.send(get("/digits"))
    tag = served.answers()[0].fields["etag"]
    served = Served(files(path))
    served.send(get("/digits", *[each.replace("TAG", tag) for each in asked.fields], method=asked.method))
    return tag, served.answers(asked.method)[0]


@pytest.mark.parametrize("asked", CONDITIONS, ids=lambda asked: asked.section)
def test_conditions_and_ranges(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "digits").write_bytes(DIGITS)
    os.utime(tmp_path / "digits", (1_400_000_000, 1_400_000_000))
    tag, answer = askedFor(tmp_path, asked)
    assert answer.status == asked.status and answer.fields["date"]
    if asked.status in (200, 206, 304):
        # 9110 15.3.7 and 15.4.5: what a 200 would have said.
        assert answer.fields["etag"] == tag
    if asked.status == 206:
        assert answer.body == b"234" and answer.fields["content-range"] == "bytes 2-4/10"
    elif asked.status == 416:
        assert answer.fields["content-range"] == "bytes */10"
    else:
        # 9110 14.4: nowhere else.
        assert "content-range" not in answer.fields


def test_9110_8_8_2_1_Last_Modified_is_not_in_the_future(tmp_path: Path) -> None:
    (tmp_path / "digits").write_bytes(DIGITS)
    os.utime(tmp_path / "digits", (5_000_000_000, 5_000_000_000))
    _, answer = askedFor(tmp_path, Asked("", (), 200))
    assert "2128" not in answer.fields["last-modified"]
