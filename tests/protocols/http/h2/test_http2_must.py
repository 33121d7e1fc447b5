"""What RFC 9113 says a server must do: frames as they come, and what comes of them, by section."""

from __future__ import annotations

from typing import Any

import pytest
from http2serving import (
    ACK,
    END_HEADERS,
    END_STREAM,
    GET,
    PADDED,
    POST,
    PRIORITIZED,
    Served2,
    block,
    body,
    head,
    length,
    more,
    reset,
    settings,
    window,
)

from protocols.http import Response
from protocols.http.h2.frames import DATA, HEADERS, PING, PREFACE, PRIORITY, PUSH_PROMISE, SETTINGS, frame

PROTOCOL, FLOW, CLOSED, SIZE, COMPRESSION = 1, 3, 5, 6, 9
OPEN = END_HEADERS
UPLOAD = head(1, POST, OPEN)


def without(name: str, *others: tuple[str, Any]) -> list[tuple[str, Any]]:
    return [pair for pair in GET if pair[0] != name] + list(others)


# What comes -> GOAWAY with this code (an int), RST_STREAM of stream 1 with it (in a tuple), or an answer (its status).
CONNECTION = [
    ("4.1 unknown kinds are ignored", frame(0xBE, 0xFF, 1, b"?") + head(1), "200"),
    ("4.1 unknown flags are ignored", head(1, GET, 0xC0 | END_STREAM | END_HEADERS), "200"),
    ("4.1 the reserved bit is ignored", frame(PING, 0, 1 << 31, b"12345678") + head(1), "200"),
    ("4.2 a frame that is too long", frame(DATA, 0, 1, b"x" * 16385), SIZE),
    ("4.2 its length is enough", UPLOAD + b"\x00\x40\x01\x00\x00\x00\x00\x00\x01", SIZE),
    ("4.3 HPACK that cannot be read", frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff"), COMPRESSION),
    ("4.3 an index that is in no table", frame(HEADERS, 5, 1, b"\xfe"), COMPRESSION),
    ("5.1 idle: DATA", body(1, b"x"), PROTOCOL),
    ("5.1 idle: RST_STREAM", reset(1), PROTOCOL),
    ("5.1 idle: WINDOW_UPDATE", window(1, 1), PROTOCOL),
    ("5.1 idle: CONTINUATION", more(1, b""), PROTOCOL),
    ("5.1 idle: PRIORITY", frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + head(1), "200"),
    ("5.1 half-closed: RST_STREAM and WINDOW_UPDATE", head(1) + window(1, 1) + reset(1) + head(3), 3),
    ("5.1.1 even numbers are the server's", head(2), PROTOCOL),
    ("5.1.1 numbers grow", head(3) + head(1), PROTOCOL),
    ("5.5 unknown kinds within a head", head(1, GET, END_STREAM) + frame(0xBE, 0, 1, b"") + more(1, b""), PROTOCOL),
    ("6.1 DATA on stream 0", body(0, b"x"), PROTOCOL),
    ("6.1 padding longer than the frame", UPLOAD + body(1, b"\x05abc", PADDED), PROTOCOL),
    ("6.1 padding is no body", UPLOAD + body(1, b"\x02abc\0\0", PADDED | END_STREAM), "200"),
    ("6.2 HEADERS on stream 0", head(0), PROTOCOL),
    ("6.2 padding longer than the frame", frame(HEADERS, 0xD, 1, b"\xff" + block(GET)), PROTOCOL),
    ("6.2 with PADDED and PRIORITY", frame(HEADERS, 0x2D, 1, b"\1\0\0\0\0\x10" + block(GET) + b"\0"), "200"),
    ("6.2 another frame within a head", head(1, GET, END_STREAM) + frame(PING, 0, 0, b"12345678"), PROTOCOL),
    ("6.2 the head of another stream within", head(1, GET, END_STREAM) + head(3), PROTOCOL),
    ("6.2 GOAWAY within a head", head(1, GET, END_STREAM) + frame(7, 0, 0, bytes(8)), PROTOCOL),
    ("6.3 PRIORITY on stream 0", frame(PRIORITY, 0, 0, b"\0\0\0\0\x10"), PROTOCOL),
    ("6.3 PRIORITY of 4 bytes", frame(PRIORITY, 0, 1, b"\0\0\0\0"), SIZE),
    ("6.4 RST_STREAM on stream 0", reset(0), PROTOCOL),
    ("6.4 RST_STREAM of 3 bytes", UPLOAD + frame(3, 0, 1, b"\0\0\0"), SIZE),
    ("6.5 SETTINGS on a stream", settings(stream=1), PROTOCOL),
    ("6.5 SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, b"\0\0\0\0\0"), SIZE),
    ("6.5 ACK that says something", settings((4, 70000), flags=1), SIZE),
    ("6.5.2 ENABLE_PUSH is 0 or 1", settings((2, 2)), PROTOCOL),
    ("6.5.2 INITIAL_WINDOW_SIZE is at most 2^31 - 1", settings((4, 1 << 31)), FLOW),
    ("6.5.2 MAX_FRAME_SIZE is at least 16384", settings((5, 16383)), PROTOCOL),
    ("6.5.2 MAX_FRAME_SIZE is at most 16777215", settings((5, 1 << 24)), PROTOCOL),
    ("6.5.2 unknown settings are ignored", settings((0xFF, 7)) + head(1), "200"),
    ("6.6 a client does not push", UPLOAD + frame(PUSH_PROMISE, 4, 1, b"\0\0\0\2" + block(GET)), PROTOCOL),
    ("6.7 PING on a stream", frame(PING, 0, 1, b"12345678"), PROTOCOL),
    ("6.7 PING of 7 bytes", frame(PING, 0, 0, b"1234567"), SIZE),
    ("6.8 GOAWAY on a stream", frame(7, 0, 1, bytes(8)), PROTOCOL),
    ("6.8 GOAWAY of 7 bytes", frame(7, 0, 0, bytes(7)), SIZE),
    ("6.9 WINDOW_UPDATE of 0, connection", window(0, 0), PROTOCOL),
    ("6.9 WINDOW_UPDATE of 3 bytes", frame(8, 0, 0, b"\0\0\1"), SIZE),
    ("6.9.1 a window beyond 2^31 - 1, connection", window(0, (1 << 31) - 1), FLOW),
    ("6.9.2 and by SETTINGS", UPLOAD + window(1, (1 << 31) - 65536) + settings((4, 65536)), FLOW),
    ("6.10 CONTINUATION behind a whole head", UPLOAD + more(1, b""), PROTOCOL),
    ("6.10 CONTINUATION on stream 0", head(1, GET, END_STREAM) + more(0, b""), PROTOCOL),
    ("6.10 a head in parts", frame(HEADERS, 1, 1, block(GET)[:9]) + more(1, block(GET)[9:12], 0)
     + more(1, block(GET)[12:]), "200"),
]  # fmt: skip
MESSAGES = [
    ("6.9 WINDOW_UPDATE of 0, stream", UPLOAD + window(1, 0), PROTOCOL),
    ("6.9.1 a window beyond 2^31 - 1, stream", UPLOAD + window(1, (1 << 31) - 1), (FLOW,)),
    ("5.1 half-closed: DATA", head(1, [*POST, ("x-wait", "1")]) + body(1, b"x"), (CLOSED,)),
    ("5.1 half-closed: HEADERS", head(1, [*POST, ("x-wait", "1")]) + head(1), (CLOSED,)),
    ("8.1 trailers", UPLOAD + body(1, b"abc", 0) + head(1, [("x-sum", "1")]), "200"),
    ("8.1 trailers that do not end it", UPLOAD + body(1, b"abc", 0) + head(1, [("x-sum", "1")], OPEN), PROTOCOL),
    ("8.1 pseudo-header fields in trailers", UPLOAD + head(1, [(":path", "/")]), (PROTOCOL,)),
    ("8.1.1 too little", head(1, [*POST, ("content-length", "4")], OPEN) + body(1, b"abc"), (PROTOCOL,)),
    ("8.1.1 too much", head(1, [*POST, ("content-length", "2")], OPEN) + body(1, b"abc", 0), (PROTOCOL,)),
    ("8.1.1 too little before trailers", head(1, [*POST, ("content-length", "4")], OPEN) + body(1, b"abc", 0)
     + head(1, [("x-sum", "1")]), (PROTOCOL,)),
    ("8.1.1 a length and no body", head(1, [*POST, ("content-length", "4")]), (PROTOCOL,)),
    ("8.1.1 exactly", head(1, [*POST, ("content-length", "3")], OPEN) + body(1, b"abc"), "200"),
    ("8.1.1 with empty frames", head(1, [*POST, ("content-length", "3")], OPEN) + body(1, b"", 0)
     + body(1, b"abc", 0) + body(1), "200"),
    ("8.1.1 twice the same", head(1, [*POST, ("content-length", "0"), ("content-length", "0")]), (PROTOCOL,)),
    ("8.2.1 upper case", head(1, [*GET, ("X-A", "1")]), (PROTOCOL,)),
    ("8.2.1 a blank in a name", head(1, [*GET, ("x a", "1")]), (PROTOCOL,)),
    ("8.2.1 a colon in a name", head(1, [*GET, ("x:a", "1")]), (PROTOCOL,)),
    ("8.2.1 an empty name", head(1, [*GET, ("", "1")]), (PROTOCOL,)),
    ("8.2.1 a name beyond ASCII", head(1, [*GET, ("x\xe9", "1")]), (PROTOCOL,)),
    ("8.2.1 NUL in a value", head(1, [*GET, ("x-a", "a\0b")]), (PROTOCOL,)),
    ("8.2.1 CR in a value", head(1, [*GET, ("x-a", "a\rb")]), (PROTOCOL,)),
    ("8.2.1 LF in a value", head(1, [*GET, ("x-a", "a\nb")]), (PROTOCOL,)),
    ("8.2.1 a blank before a value", head(1, [*GET, ("x-a", " a")]), (PROTOCOL,)),
    ("8.2.1 a tab behind a value", head(1, [*GET, ("x-a", "a\t")]), (PROTOCOL,)),
    ("8.2.2 connection", head(1, [*GET, ("connection", "close")]), (PROTOCOL,)),
    ("8.2.2 proxy-connection", head(1, [*GET, ("proxy-connection", "close")]), (PROTOCOL,)),
    ("8.2.2 keep-alive", head(1, [*GET, ("keep-alive", "1")]), (PROTOCOL,)),
    ("8.2.2 transfer-encoding", head(1, [*POST, ("transfer-encoding", "chunked")], OPEN), (PROTOCOL,)),
    ("8.2.2 upgrade", head(1, [*GET, ("upgrade", "h2c")]), (PROTOCOL,)),
    ("8.2.2 te, trailers", head(1, [*GET, ("te", "trailers")]), "200"),
    ("8.2.2 te, something else", head(1, [*GET, ("te", "gzip")]), (PROTOCOL,)),
    ("8.2.3 cookies in parts", head(1, [*GET, ("cookie", "a=1"), ("cookie", "b=2")]), "200"),
    ("8.3 behind a field", head(1, [("x-a", "1"), *GET]), (PROTOCOL,)),
    ("8.3 unknown", head(1, [*GET, (":protocol", "websocket")]), (PROTOCOL,)),
    ("8.3 of an answer", head(1, [*GET, (":status", "200")]), (PROTOCOL,)),
    ("8.3 twice", head(1, [*GET, (":path", "/")]), (PROTOCOL,)),
    ("8.3.1 no :method", head(1, without(":method")), (PROTOCOL,)),
    ("8.3.1 no :scheme", head(1, without(":scheme")), (PROTOCOL,)),
    ("8.3.1 no :path", head(1, without(":path")), (PROTOCOL,)),
    ("8.3.1 an empty :path", head(1, without(":path", (":path", ""))), (PROTOCOL,)),
    ("8.3.1 :path that is none", head(1, without(":path", (":path", "x"))), (PROTOCOL,)),
    ("8.3.1 :path with a fragment", head(1, without(":path", (":path", "/a#b"))), (PROTOCOL,)),
    ("8.3.1 :path with a blank", head(1, without(":path", (":path", "/a b"))), (PROTOCOL,)),
    ("8.3.1 a method that is none", head(1, without(":method", (":method", "G T"))), (PROTOCOL,)),
    ("8.3.1 * is for OPTIONS", head(1, without(":path", (":path", "*"))), (PROTOCOL,)),
    ("8.3.1 neither :authority nor host", head(1, without(":authority")), (PROTOCOL,)),
    ("8.3.1 host alone", head(1, without(":authority", ("host", "example.org"))), "200"),
    ("8.3.1 host that differs", head(1, [*GET, ("host", "example.com")]), (PROTOCOL,)),
    ("8.3.1 user name in :authority", head(1, without(":authority", (":authority", "u@h"))), (PROTOCOL,)),
    ("8.5 CONNECT with :path", head(1, without(":method", (":method", "CONNECT"))), (PROTOCOL,)),
    ("8.5 CONNECT", head(1, [(":method", "CONNECT"), (":authority", "a:1")]), "200"),
    ("a target that is too long", head(1, without(":path", (":path", "/" + "x" * 8192))), "414"),
    ("too many fields", head(1, GET + [("x", "1")] * 129), "431"),
    ("an expectation that is none", head(1, [*GET, ("expect", "tea")]), "417"),
    ("a method that is longer than any", head(1, without(":method", (":method", "X" * 33))), "501"),
]  # fmt: skip


async def _answer(request: Any) -> Response:
    if "x-wait" in request.headers:
        await _never()
    await request.read()
    return Response("hello")


def _never() -> Any:
    from reactor.defer import Deferred

    return Deferred()


def _check(served: Served2, expected: Any) -> None:
    # Whatever a connection error is, what follows it is not answered; whatever a stream's is, the next one's is.
    served.send(head(99))
    if isinstance(expected, int) and served.goneAway is not None:
        assert served.goneAway == expected
        assert not served.isWhole(99)
        served.advance(6)
        assert not served.isOpen
        return
    if expected == 3:
        assert served.isWhole(3)
        return
    assert served.goneAway is None
    assert served.isWhole(99)
    if isinstance(expected, str):
        assert served.heads(1)[-1][":status"] == expected
        assert served.isWhole(1)
    else:
        assert (served.resetOf(1),) == expected


@pytest.mark.parametrize(
    ("name", "data", "expected"), CONNECTION + MESSAGES, ids=lambda each: each if isinstance(each, str) else ""
)
def test_S_httpFlood_a_server_does_what_the_standard_says(name: str, data: bytes, expected: Any) -> None:
    served = Served2(_answer)
    served.send(data)
    _check(served, expected)


@pytest.mark.parametrize(
    ("name", "data", "expected"), CONNECTION + MESSAGES, ids=lambda each: each if isinstance(each, str) else ""
)
def test_and_so_it_does_when_each_byte_comes_alone(name: str, data: bytes, expected: Any) -> None:
    served = Served2(_answer, network={})
    for at in range(min(len(data), 600)):
        served.client.transport.write(data[at : at + 1])
        served.pair.advance(0.0)
    served.send(data[600:])
    _check(served, expected)


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        PREFACE[:-1] + b"x",
        PREFACE + ACK,
        PREFACE + frame(PING, 0, 0, b"12345678"),
        PREFACE + head(1),
    ],
)
def test_3_4_what_does_not_begin_with_the_preface_is_refused(first: bytes) -> None:
    served = Served2(_answer, began=False)
    served.send(first)
    assert served.goneAway == PROTOCOL


def test_3_4_the_servers_preface_comes_first_and_settings_are_acknowledged() -> None:
    served = Served2(_answer)
    assert served.frames[0].kind == SETTINGS and not served.frames[0].flags
    assert [each.flags for each in served.of(SETTINGS)] == [0, 1]


def test_5_2_no_more_is_sent_than_the_windows_allow() -> None:
    served = Served2(lambda request: Response(b"x" * 200000))
    served.send(settings((4, 1000)) + head(1))
    assert len(served.data(1)) == 1000
    served.send(window(1, 500))
    assert len(served.data(1)) == 1500
    served.send(window(1, 500000))
    # The connection's.
    assert len(served.data(1)) == 65535
    served.send(window(0, 500000))
    assert len(served.data(1)) == 200000
    assert served.isWhole(1)


def test_6_9_2_a_window_that_becomes_negative_is_waited_for() -> None:
    served = Served2(lambda request: Response(b"x" * 3000))
    served.send(settings((4, 1000)) + head(1))
    served.send(settings((4, 0)))
    served.send(window(1, 1000))
    assert len(served.data(1)) == 1000
    served.send(window(1, 1))
    assert len(served.data(1)) == 1001


def test_5_2_more_than_the_window_is_refused() -> None:
    async def waits(request: Any) -> Response:
        await _never()
        return Response()

    served = Served2(waits)
    served.send(UPLOAD)
    for _ in range(20):
        served.send(body(1, b"x" * 16000, 0))
    assert FLOW in (served.goneAway, served.resetOf(1))


def test_5_2_the_window_opens_as_the_reader_reads() -> None:
    readers: list[Any] = []

    async def slowly(request: Any) -> Response:
        count = 0
        async for piece in request:
            count += len(piece)
            waits = _never()
            readers.append(waits)
            await waits
        return Response(str(count))

    served = Served2(slowly, maxBody=None)
    served.send(UPLOAD)
    sent = 0
    opened = 65535
    while sent < 300000:
        if opened - sent >= 16000:
            served.send(body(1, b"x" * 16000, 0))
            sent += 16000
        else:
            before = opened
            while opened == before:
                readers.pop().callback(None)
                served.advance(0.01)
                opened = 65535 + sum([int.from_bytes(each.payload, "big") for each in served.of(8, 1)])
                assert readers
        # What the body holds, and the window: no more is ever held.
        assert opened <= sent + 65535
    served.send(body(1))
    while readers:
        readers.pop().callback(None)
        served.advance(0.01)
    assert served.data(1) == str(sent).encode()


def test_5_1_2_more_streams_than_are_allowed_are_refused_and_no_more_than_that() -> None:
    from protocols.http.h2 import Bounds

    waiting = []

    def wait(request: Any) -> Any:
        waiting.append(_never())
        return waiting[-1]

    served = Served2(wait, Bounds(maxStreams=3))
    served.send(b"".join([head(number) for number in (1, 3, 5, 7)]))
    assert [served.resetOf(number) for number in (1, 3, 5, 7)] == [None, None, None, 7]
    waiting[0].callback(Response("one"))
    served.send(head(9))
    waiting[3].callback(Response("four"))
    served.advance(0.01)
    assert served.isWhole(1) and served.isWhole(9) and served.goneAway is None


def test_6_7_pings_are_answered_with_what_they_say() -> None:
    served = Served2(_answer)
    served.send(frame(PING, 0, 0, b"12345678"))
    assert [(each.flags, each.payload) for each in served.of(PING)] == [(1, b"12345678")]
    served.send(frame(PING, 1, 0, b"abcdefgh"))
    assert len(served.of(PING)) == 1


def test_8_1_an_answer_before_the_end_of_the_request_ends_that() -> None:
    served = Served2(lambda request: Response("enough"))
    served.send(UPLOAD)
    assert served.isWhole(1)
    assert served.resetOf(1) == 0
    # What was on its way is nobody's fault, and counts for the connection's window.
    served.send(b"".join([body(1, b"x" * 16000, 0) for _ in range(60)]))
    assert served.goneAway is None and len(served.of(3)) == 1
    assert served.of(8, 0)[1:]


def test_8_1_trailers_and_interim_answers() -> None:
    seen = []

    async def handler(request: Any) -> Response:
        request.inform(103, [("Link", "</a>")])
        body = await request.read()
        seen.append(request.trailers.items())
        return Response(body)

    served = Served2(handler)
    served.send(head(1, [*POST, ("expect", "100-continue")], OPEN))
    assert [each[":status"] for each in served.heads(1)] == ["103", "100"]
    served.send(body(1, b"abc", 0) + head(1, [("x-sum", "6")]))
    assert seen == [[("x-sum", "6")]]
    assert served.data(1) == b"abc"


def test_8_1_head_has_no_body() -> None:
    served = Served2(lambda request: Response("hello"))
    served.send(head(1, [(":method", "HEAD"), *GET[1:]]))
    (answer,) = served.heads(1)
    assert answer["content-length"] == "5" and served.data(1) == b"" and served.isWhole(1)


def test_8_2_2_nothing_about_the_connection_is_sent() -> None:
    served = Served2(lambda request: Response(iter([b"a", b"b"]), headers={"Connection": "close", "X-A": "1"}))
    served.send(head(1))
    (answer,) = served.heads(1)
    assert answer.keys() == {":status", "date", "content-type", "x-a"}
    assert served.data(1) == b"ab"


def test_the_flags_of_priority_do_not_make_a_stream_depend_on_itself() -> None:
    served = Served2(_answer)
    served.send(frame(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1, b"\0\0\0\1\x10" + block(GET)))
    assert served.goneAway == PROTOCOL


def test_a_connection_of_many_requests() -> None:
    served = Served2(length)
    for number in range(1, 401, 2):
        served.send(head(number, POST, OPEN) + body(number, b"x" * number))
        assert served.data(number) == str(number).encode()
    assert not served.site.channels.pop().session.streams  # type: ignore[union-attr]
