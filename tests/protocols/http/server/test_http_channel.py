"""Requests and answers on one connection: order, framing, bodies, errors."""

from __future__ import annotations

from typing import Any

import pytest
from httpserving import Served, answersIn, get, hello, post

from protocols.http import Incomplete, Response, TooLarge
from protocols.http.h1 import requests
from protocols.http.server import Request
from reactor.defer import CancelledError, Deferred


def echo(request: Request) -> Response:
    return Response(request.target)


class Later:
    """A handler whose answers are given by the test."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting: list[Deferred[Any]] = []

    def __call__(self, request: Request) -> Deferred[Any]:
        self.asked.append(request.target)
        waiting: Deferred[Any] = Deferred()
        self.waiting.append(waiting)
        return waiting


async def readWhole(request: Request) -> Response:
    return Response(await request.read())


# ---- Answers ----


def test_a_plain_answer_is_one_write_of_known_length() -> None:
    served = Served(hello)
    served.send(get())
    (answer,) = served.answers()
    assert answer.status == 200
    assert answer.body == b"hello"
    assert answer.fields["content-length"] == "5"
    assert answer.fields["content-type"] == "text/plain; charset=utf-8"
    assert answer.fields["date"].endswith(" GMT")
    assert served.isOpen


def test_requests_that_come_together_are_answered_in_order() -> None:
    served = Served(echo)
    served.send(b"".join(get(f"/{n}") for n in range(20)))
    assert [each.body for each in served.answers()] == [b"/%d" % n for n in range(20)]


def test_a_request_waits_until_the_one_before_is_answered() -> None:
    later = Later()
    served = Served(later)
    served.send(get("/1") + get("/2") + get("/3"))
    assert later.asked == ["/1"]
    later.waiting[0].callback(Response("one"))
    served.settle()
    assert later.asked == ["/1", "/2"]
    later.waiting[1].callback(Response("two"))
    served.settle()
    later.waiting[2].callback(Response("three"))
    served.settle()
    assert [each.body for each in served.answers()] == [b"one", b"two", b"three"]


def test_no_more_is_taken_in_than_the_bound_while_an_answer_is_made() -> None:
    later = Later()
    served = Served(later, {"capacity": 4096}, maxPipelined=10000)
    served.send(get("/1"))
    served.client.transport.write(get("/more", "X-Fill: " + "x" * 1000) * 200)
    served.advance(5)
    assert served.channel._reader.buffered <= 10000 + 262144
    assert served.client.transport.buffered > 100_000
    for n in range(201):
        later.waiting[n].callback(Response("x"))
        served.settle()
    assert len(served.answers()) == 201


@pytest.mark.parametrize("how", ["function", "coroutine", "waits", "deferred", "fired"])
def test_what_a_handler_may_be(how: str) -> None:
    released: Deferred[None] = Deferred()

    def function(request: Request) -> Response:
        return Response("hello")

    async def coroutine(request: Request) -> Response:
        return Response("hello")

    async def waits(request: Request) -> Response:
        await released
        return Response("hello")

    def deferred(request: Request) -> Deferred[Response]:
        return released.addCallback(lambda _: Response("hello"))

    def fired(request: Request) -> Deferred[Response]:
        done: Deferred[Response] = Deferred()
        done.callback(Response("hello"))
        return done

    served = Served(
        {"function": function, "coroutine": coroutine, "waits": waits, "deferred": deferred}.get(how, fired)
    )
    served.send(get())
    if how in ("waits", "deferred"):
        assert served.got == b""
        released.callback(None)
        served.settle()
    assert [each.body for each in served.answers()] == [b"hello"]


def test_HEAD_has_the_fields_and_no_body() -> None:
    served = Served(hello)
    served.send(get(method="HEAD") + get())
    first, second = served.answers("HEAD")
    assert first.fields["content-length"] == "5"
    assert first.body == b""
    assert second.body == b"hello"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_gets_none(status: int) -> None:
    served = Served(lambda request: Response("not sent", status))
    served.send(get() + get())
    assert [(each.status, each.body) for each in served.answers()] == [(status, b"")] * 2
    assert b"not sent" not in served.got


def test_fields_of_the_handler_take_the_place_of_ours() -> None:
    headers = {"date": "Thu, 01 Jan 1970 00:00:00 GMT", "Content-Type": "text/html", "X-More": "yes"}
    served = Served(lambda request: Response("x", headers=headers))
    served.send(get())
    (answer,) = served.answers()
    assert answer.fields == {
        "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "content-type": "text/html",
        "x-more": "yes",
        "content-length": "1",
    }


def test_the_date_is_made_once_a_second() -> None:
    served = Served(hello)
    dates = set()
    for _ in range(30):
        served.client.got = b""
        served.send(get())
        dates.add(served.answers()[0].fields["date"])
    assert 1 <= len(dates) <= 5
    before = served.site.heads.stale
    served.advance(3)
    served.send(get())
    assert served.site.heads.stale > before


# ---- Which connection goes on ----


def test_Connection_close_is_answered_so_and_closed() -> None:
    served = Served(hello)
    served.send(get("/", "Connection: close") + get("/behind"))
    (answer,) = served.answers()
    assert answer.fields["connection"] == "close"
    assert not served.isOpen


def test_HTTP_1_0_is_closed_unless_it_asks_for_more() -> None:
    served = Served(hello)
    served.send(get(version="1.0"))
    assert served.answers()[0].fields["connection"] == "close"
    assert not served.isOpen
    served = Served(hello)
    served.send(get("/", "Connection: keep-alive", version="1.0") * 2)
    assert [each.fields["connection"] for each in served.answers()] == ["keep-alive"] * 2
    assert served.isOpen


def test_a_connection_has_so_many_requests_and_the_last_is_told() -> None:
    served = Served(hello, maxRequests=3)
    served.send(get() * 5)
    assert [each.fields.get("connection") for each in served.answers()] == [None, None, "close"]
    assert not served.isOpen
    served = Served(hello, maxRequests=1)
    served.send(get() * 5)
    assert [each.fields.get("connection") for each in served.answers()] == ["close"]


def test_a_handler_may_end_the_connection() -> None:
    served = Served(lambda request: Response("bye", headers={"Connection": "close"}))
    served.send(get() * 2)
    assert [each.body for each in served.answers()] == [b"bye"]
    assert not served.isOpen


# ---- Bodies of requests ----


def test_a_body_is_read_as_it_comes() -> None:
    seen: list[bytes] = []

    async def reads(request: Request) -> Response:
        async for piece in request:
            seen.append(piece)
        return Response(b"".join(seen))

    served = Served(reads)
    served.send(get("/", "Content-Length: 6", method="POST") + b"ab")
    assert seen == [b"ab"]
    served.send(b"cd")
    assert seen == [b"ab", b"cd"]
    served.send(b"ef" + get("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nxyz\r\n0\r\n\r\n")
    assert [each.body for each in served.answers()] == [b"abcdef", b"abcdefxyz"]


def test_a_handler_that_does_not_take_it_stops_the_client() -> None:
    requests: list[Request] = []

    def waits(request: Request) -> Deferred[Response]:
        requests.append(request)
        return Deferred()

    served = Served(waits, {"capacity": 8192}, maxBody=None)
    served.client.transport.write(post(b"x" * 2_000_000))
    served.advance(8)
    assert served.channel._body.buffered <= 65536 + 262144
    assert served.client.transport.buffered > 1_000_000
    taken = requests[0].read()
    served.advance(5)
    assert len(taken.result) == 2_000_000  # type: ignore[arg-type]


def test_100_Continue_is_sent_when_the_body_is_waited_for() -> None:
    released: Deferred[None] = Deferred()

    async def handler(request: Request) -> Response:
        await released
        return Response(await request.read())

    served = Served(handler)
    served.send(get("/", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
    assert served.got == b""
    released.callback(None)
    served.settle()
    assert served.got == b"HTTP/1.1 100 Continue\r\n\r\n"
    served.send(b"hello")
    assert [each.body for each in answersIn(served.got)] == [b"hello"]
    assert served.isOpen


def test_100_Continue_is_not_sent_when_the_body_is_there_or_not_wanted() -> None:
    served = Served(readWhole)
    served.send(post(b"hello", "Expect: 100-continue"))
    assert b" 100 " not in served.got
    served = Served(lambda request: Response("no", 403))
    served.send(get("/", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
    (answer,) = served.answers()
    # The body may come or not: nobody could tell it from the next request.
    assert answer.fields["connection"] == "close"
    served.send(b"GET /x HTTP/1.1\r\nHost: evil\r\n\r\n")
    assert len(served.answers()) == 1


def test_a_short_body_that_nobody_reads_keeps_the_connection() -> None:
    served = Served(hello)
    served.send(get("/", "Content-Length: 1000", method="POST") + b"x" * 10)
    assert len(served.answers()) == 1
    served.send(b"x" * 990 + get())
    assert [each.fields.get("connection") for each in served.answers()] == [None, None]
    assert served.isOpen


def test_a_long_body_that_nobody_reads_does_not() -> None:
    served = Served(hello, maxDiscard=500)
    served.send(get("/", "Content-Length: 1000", method="POST") + b"x" * 10)
    (answer,) = served.answers()
    assert answer.fields["connection"] == "close"
    # The client is still sending: it gets the answer, and what it sends is no request.
    assert not served.isOpen
    assert served.isServed
    served.send(b"x" * 990 + get())
    assert len(served.answers()) == 1
    served.advance(6)
    assert not served.isServed


def test_a_body_without_a_length_that_nobody_reads_is_bounded() -> None:
    served = Served(hello, maxDiscard=500)
    served.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"a\r\n0123456789\r\n")
    assert len(served.answers()) == 1
    served.send(b"100\r\n" + b"x" * 256 + b"\r\n")
    assert served.isOpen
    served.send(b"100\r\n" + b"x" * 256 + b"\r\n" * 2)
    assert not served.isOpen


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(chunked: bool) -> None:
    caught: list[BaseException] = []

    async def handler(request: Request) -> Response:
        try:
            return Response(await request.read())
        except TooLarge as e:
            caught.append(e)
            raise

    served = Served(handler, maxBody=10, maxDiscard=5)
    if chunked:
        served.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"6\r\n012345\r\n")
        assert served.got == b""
        served.send(b"6\r\n012345\r\n")
    else:
        served.send(get("/", "Content-Length: 11", "Expect: 100-continue", method="POST"))
    (answer,) = served.answers()
    assert answer.status == 413
    # What was not announced may be about to end.
    assert answer.fields.get("connection") == (None if chunked else "close")
    assert isinstance(caught[0], TooLarge)


def test_a_handler_may_take_more_than_the_site_does() -> None:
    async def handler(request: Request) -> Response:
        request.maxBody = 100
        return Response(await request.read())

    served = Served(handler, maxBody=10)
    served.send(post(b"x" * 100))
    assert served.answers()[0].body == b"x" * 100
    served.send(post(b"x" * 101))
    assert served.answers()[1].status == 413


def test_a_handler_may_want_less_than_the_site_does() -> None:
    async def handler(request: Request) -> Response:
        return Response(await request.read(5))

    served = Served(handler)
    served.send(post(b"x" * 6) + get())
    assert [each.status for each in served.answers()] == [413, 200]


def test_what_a_body_should_be_and_is_not_is_the_clients_fault() -> None:
    async def handler(request: Request) -> Response:
        return Response(json=await request.json())

    served = Served(handler)
    served.send(post(b'{"a":1}') + post(b"{") + get())
    assert [each.status for each in served.answers()] == [200, 400, 400]
    assert served.answers()[0].body == b'{"a":1}'
    assert served.answers()[0].fields["content-type"] == "application/json"


def test_forms_and_queries() -> None:
    async def handler(request: Request) -> Response:
        form = await request.form()
        return Response(json=[request.path, request.query.getAll("q"), request.query["q"], form["name"]])

    served = Served(handler)
    served.send(
        post(b"name=Zo%C3%AB+M", "Content-Type: application/x-www-form-urlencoded", path="/a%20b?q=1&q=%202")
        + post(b"x", "Content-Type: text/plain")
    )
    first, second = served.answers()
    assert first.body.decode() == '["/a%20b",["1"," 2"],"1","Zoë M"]'
    assert second.status == 415


def test_trailers_are_there_behind_the_body() -> None:
    async def handler(request: Request) -> Response:
        await request.read()
        return Response(request.trailers["Digest"])

    served = Served(handler)
    served.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"1\r\nx\r\n0\r\nDigest: abc\r\n\r\n")
    assert served.answers()[0].body == b"abc"


# ---- What goes wrong ----


def test_what_is_no_request_is_answered_once_and_nothing_is_read_behind_it() -> None:
    asked: list[str] = []

    def handler(request: Request) -> Response:
        asked.append(request.target)
        return Response("x")

    served = Served(handler)
    served.send(get("/1") + b"nonsense\r\n\r\n" + get("/2"))
    served.send(get("/3"))
    first, second = served.answers()
    assert (first.status, second.status) == (200, 400)
    assert second.fields["connection"] == "close"
    assert asked == ["/1"]
    assert not served.isOpen
    served.advance(6)
    assert not served.isServed


def test_an_error_behind_a_request_that_is_being_answered_comes_behind_its_answer() -> None:
    later = Later()
    served = Served(later)
    served.send(get("/1") + b"nonsense\r\n\r\n")
    assert served.got == b""
    later.waiting[0].callback(Response("one"))
    served.settle()
    assert [each.status for each in served.answers()] == [200, 400]


def test_an_error_in_a_body_is_the_readers() -> None:
    served = Served(readWhole)
    served.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"2\r\nab\r\nno chunk\r\n")
    (answer,) = served.answers()
    assert answer.status == 400
    assert answer.fields["connection"] == "close"


def test_S_httpHandler_a_handler_that_raises_is_a_500_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def function(request: Request) -> Response:
        raise RuntimeError("secret")

    async def coroutine(request: Request) -> Response:
        raise RuntimeError("secret")

    for handler in (function, coroutine):
        caplog.clear()
        served = Served(handler)
        served.send(get() + get())
        assert [each.status for each in served.answers()] == [500, 500]
        assert b"secret" not in served.got
        assert len(caplog.records) == 2
        assert "secret" in caplog.text
        assert served.isOpen


@pytest.mark.parametrize(
    "what",
    [
        None,
        "text",
        3,
        Response("x", headers={"Content-Length": "3"}),
        Response(["x"], headers={"Transfer-Encoding": "x"}),
    ],
)
def test_what_is_no_answer_is_a_500(what: Any, caplog: pytest.LogCaptureFixture) -> None:
    served = Served(lambda request: what)
    served.send(get())
    assert [each.status for each in served.answers()] == [500]
    assert len(caplog.records) == 1


def test_an_answer_that_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="X-Name"):
        Response("x", headers={"X-Name": "a\r\nEvil: yes"})


@pytest.mark.parametrize("when", ["waiting", "reading"])
def test_S_httpHandler_the_clients_going_cancels_the_handler(when: str) -> None:
    ended: list[BaseException] = []

    async def handler(request: Request) -> Response:
        try:
            await (Deferred() if when == "waiting" else request.read())
        except BaseException as e:
            ended.append(e)
            raise
        raise AssertionError

    served = Served(handler)
    served.send(get() if when == "waiting" else get("/", "Content-Length: 5", method="POST") + b"ab")
    served.client.transport.loseConnection()
    served.settle()
    (problem,) = ended
    if when == "waiting":
        assert isinstance(problem, CancelledError)
    else:
        assert isinstance(problem, Incomplete)
        assert (problem.received, problem.expected) == (2, 5)
    assert served.site.channels == set()


def test_an_answer_that_comes_when_nobody_waits_is_dropped() -> None:
    kept: list[Deferred[Response]] = []

    def handler(request: Request) -> Deferred[Response]:
        kept.append(Deferred(lambda d: d.callback(Response("too late"))))
        return kept[-1]

    served = Served(handler)
    served.send(get())
    served.client.transport.loseConnection()
    served.settle()
    assert kept[0].called


def test_who_asked_is_told_when_it_is_over() -> None:
    told: list[Any] = []

    def handler(request: Request) -> Any:
        request.whenOver(lambda r, status, count, failure: told.append((r.target, status, count, failure and "cut")))
        return Deferred() if request.target == "/never" else Response("hello")

    served = Served(handler)
    served.send(get("/1") + get("/never"))
    served.client.transport.abortConnection()
    served.settle()
    assert told == [("/1", 200, 5, None), ("/never", 0, 0, "cut")]


def test_hints_go_ahead_of_the_answer() -> None:
    def handler(request: Request) -> Response:
        request.inform(103, [("Link", "</style.css>; rel=preload")])
        return Response("x")

    served = Served(handler)
    served.send(get())
    assert served.got.startswith(
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
    )
    assert served.answers()[0].body == b"x"
    served = Served(handler)
    served.send(get(version="1.0"))
    assert b" 103 " not in served.got


def test_what_a_handler_does_to_fields_is_of_one_request() -> None:
    seen: list[str] = []

    def handler(request: Request) -> Response:
        seen.append(request.headers.get("x-seen", "no"))
        request.headers["X-Seen"] = "yes"
        return Response("x")

    served = Served(handler)
    served.send(get("/same") * 3)
    served.send(get("/same"))
    assert seen == ["no"] * 4


def test_heads_with_credentials_are_not_kept() -> None:
    known: Any = requests._known
    served = Served(hello)
    served.send(get("/kept") + get("/secret", "cOOkie: a=b") + get("/secret", "Authorization: Basic x"))
    assert len(served.answers()) == 3
    assert [each for each in known if b"/kept" in each]
    assert not [each for each in known if b"/secret" in each]
    served.send(b"".join(get(f"/{n}") for n in range(1000)))
    assert len(known) <= requests._KNOWN


@pytest.mark.parametrize("what", ["text", None, bytearray(b"text")])
def test_a_body_that_is_put_in_later_is_taken_as_one_that_was_given(what: Any) -> None:
    def handler(request: Request) -> Response:
        response = Response("before")
        response.body = what
        return response

    served = Served(handler)
    served.send(get() + get())
    assert [each.body for each in served.answers()] == [b"text" if what else b""] * 2
    assert "transfer-encoding" not in served.answers()[0].fields


@pytest.mark.parametrize(
    ("name", "value"),
    [("body", 5), ("status", "x"), ("status", 5.5), ("contentType", "a\r\nEvil: yes"), ("contentType", 5)],
)
def test_what_was_put_into_an_answer_and_cannot_be_sent_is_a_500(
    name: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(request: Request) -> Response:
        response = Response("before")
        setattr(response, name, value)
        return response

    served = Served(handler)
    served.send(get("/this") + get("/that"))
    assert [each.status for each in served.answers()] == [500, 500]
    assert b"Evil" not in served.got
    # Who reads the log learns at which request it was.
    assert "at <Request GET /this>" in caplog.text
