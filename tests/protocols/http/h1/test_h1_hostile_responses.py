"""Hostile responses: each is refused, or read in the one way that it can be read, however it is cut."""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from httpread import Told, everyCut, fed, pieces, responses

from protocols.http.error import BadMessage, Incomplete, TooLarge
from protocols.http.h1 import ResponseReader


class Case(NamedTuple):
    name: str
    data: bytes
    methods: tuple[str, ...] = ("GET",)
    error: type[Exception] | None = None
    bodies: tuple[bytes, ...] = ()
    end: bool = False


CASES: list[Case] = []
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FIVE = b"5\r\nhello\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def bad(
    name: str,
    data: bytes,
    *bodies: bytes,
    methods: tuple[str, ...] = ("GET",),
    error: type[Exception] = BadMessage,
    end: bool = False,
) -> None:
    CASES.append(Case(name, data, methods, error, bodies, end))


def good(name: str, data: bytes, *bodies: bytes, methods: tuple[str, ...] = ("GET",), end: bool = False) -> None:
    CASES.append(Case(name, data, methods, None, bodies, end))


# ---- Status lines ----

for line in (
    *(b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 -20 OK", b"HTTP/1.1 2 OK"),
    *(b"HTTP/1.1 OK", b"HTTP/1.1 020 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1  200 OK"),
    *(b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1 0x2 OK", b"HTTP/1.1 2e2 OK", b"HTTP/1.1 200.0 OK"),
    *(b"HTTP/1.1 2 00 OK", b"HTTP/1.1 \xb200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 200OK"),
    *(b"HTTP/1.1 200, OK", b" HTTP/1.1 200 OK", b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 O\x7fK"),
    *(b"HTTP/1.1 200 O\x1bK", b"http/1.1 200 OK", b"HTTP/1 200 OK", b"HTTP/2 200 OK", b"HTTP/2.0 200 OK"),
    *(b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK", b"HTTP/9.9 200 OK", b"HTTP/11 200 OK", b"HTTP/1.10 200 OK"),
    *(b"HTTP/1.1.1 200 OK", b"ICY 200 OK", b"SIP/2.0 200 OK", b"200 OK", b"HTTP/1.1 200 OK\r", b"GET / HTTP/1.1"),
    *(b"<html>", b"\0", b"\xff\xfe", b"", b"220 smtp ready", b"SSH-2.0-x", b"+OK", b"\x15\x03\x01\x00\x02\x02\x50"),
    *(b"HTTP/1.1 2\xef\xbc\x900 OK",),
):
    bad(f"line {line!r}", line + b"\r\nContent-Length: 0\r\n\r\n")
for line in (
    *(b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 200 \xe9t\xe9", b"HTTP/1.1 299 a  b\tc", b"HTTP/1.1 999 ?"),
    *(b"HTTP/1.1 600 x",),
):
    good(f"line {line!r}", line + b"\r\nContent-Length: 2\r\n\r\nhi", b"hi")
bad("LF everywhere", (OK + b"Content-Length: 0\r\n\r\n").replace(b"\r\n", b"\n"))
bad("LF behind the status line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n")
bad("an empty line before", b"\r\n" + EMPTY)
bad("HTTP/0.9", b"hello, world\r\n\r\n")

# ---- Framing ----

for value in (b"+5", b"-5", b"0x5", b"5, 5", b"5,6", b"5.0", b"", b"five", b"9" * 30, b"5 5", b"5\0"):
    bad(f"length {value!r}", OK + b"Content-Length: " + value + b"\r\n\r\nhello")
bad("length twice, the same", OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
bad("length twice, another", OK + b"Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!")
bad("both", OK + CHUNKED + b"Content-Length: 5\r\n\r\n" + FIVE)
bad("both, the other way", OK + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + FIVE)
bad("both, in answer to HEAD", OK + CHUNKED + b"Content-Length: 5\r\n\r\n", methods=("HEAD",))
for value in (
    *(b"gzip, chunked", b"chunked, gzip", b"gzip", b"identity", b"chunked, chunked", b"", b"chunked,", b"xchunked"),
    *(b"chunked;a",),
):
    bad(f"coding {value!r}", OK + b"Transfer-Encoding: " + value + b"\r\n\r\n" + FIVE)
bad("coding twice", OK + CHUNKED + CHUNKED + b"\r\n" + FIVE)
bad("coding in HTTP/1.0", b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n" + FIVE)
for name in (
    *(b"Transfer-Encoding ", b" Transfer-Encoding", b"X: y\nTransfer-Encoding", b"Transfer-Encoding\0"),
    *(b"A: b\r\n c",),
):
    bad(f"field {name!r}", OK + name + b": chunked\r\n\r\n" + FIVE)
good("chunks", OK + CHUNKED + b"\r\n" + FIVE + EMPTY, b"hello", b"", methods=("GET", "GET"))
good("length", OK + b"Content-Length: 5\r\n\r\nhello" + EMPTY, b"hello", b"", methods=("GET", "GET"))
good("until the end", OK + b"\r\nhello", b"hello", end=True)
good("until the end, in HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello", end=True)
good("until the end, of nothing", OK + b"\r\n", b"", end=True)
good("until the end, whatever keep-alive says", OK + b"Connection: keep-alive\r\n\r\n" + EMPTY, EMPTY, end=True)
for status in (204, 304):
    line = b"HTTP/1.1 %d X\r\n" % status
    good(f"{status}", line + b"\r\n" + EMPTY, b"", b"", methods=("GET", "GET"))
good("304 with a length", b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n" + EMPTY, b"", b"", methods=("GET", "GET"))
good("304 that is chunked", b"HTTP/1.1 304 X\r\n" + CHUNKED + b"\r\n" + EMPTY, b"", b"", methods=("GET", "GET"))
good("204 with a length is the last", b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\nhello", b"", methods=("GET",))
good("204 that is chunked is the last", b"HTTP/1.1 204 X\r\n" + CHUNKED + b"\r\n" + FIVE, b"", methods=("GET",))
bad("304 with a body", b"HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\nhello", b"")
bad("304 with chunks", b"HTTP/1.1 304 X\r\n" + CHUNKED + b"\r\n" + FIVE, b"")
good(
    "205 with a body",
    b"HTTP/1.1 205 X\r\nContent-Length: 5\r\n\r\nhello" + EMPTY,
    b"hello",
    b"",
    methods=("GET", "GET"),
)
bad("the length is named in Connection", OK + b"Connection: content-length\r\nContent-Length: 5\r\n\r\nhello")
good("HEAD", OK + b"Content-Length: 5\r\n\r\n" + EMPTY, b"", b"", methods=("HEAD", "GET"))
good("HEAD, chunked", OK + CHUNKED + b"\r\n" + EMPTY, b"", b"", methods=("HEAD", "GET"))
good("HEAD without a length", OK + b"\r\n" + EMPTY, b"", b"", methods=("HEAD", "GET"))
bad("HEAD with a body", OK + b"Content-Length: 5\r\n\r\nhello", b"", methods=("HEAD",))
good("CONNECT", OK + b"Content-Length: 5\r\n\r\nhello", b"", methods=("CONNECT",))
good("CONNECT refused", b"HTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\nhello", b"hello", methods=("CONNECT",))

# ---- 1xx ----

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
good("100", CONTINUE + EMPTY, b"")
good("16 of 1xx", CONTINUE * 16 + EMPTY, b"")
good("16 of 1xx for each", (CONTINUE * 16 + EMPTY) * 2, b"", b"", methods=("GET", "GET"))
bad("17 of 1xx", CONTINUE * 17 + EMPTY, error=TooLarge)
bad("1xx without end", CONTINUE * 1000, error=TooLarge)
bad("100 when nothing was asked", CONTINUE, methods=())
bad("100 behind the answer", EMPTY + CONTINUE, b"")
good("100 with a length", b"HTTP/1.1 100 C\r\nContent-Length: 0\r\n\r\n" + EMPTY, b"")
bad("100 with what may be a body", b"HTTP/1.1 100 C\r\nContent-Length: %d\r\n\r\n" % len(EMPTY) + EMPTY + EMPTY)
bad("103 with a length", b"HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\nhello" + EMPTY)
good("103 that says close, of which the answer decides", b"HTTP/1.1 103 X\r\nConnection: close\r\n\r\n" + EMPTY, b"")
good("100 before what answers HEAD", CONTINUE + OK + b"Content-Length: 5\r\n\r\n", b"", methods=("HEAD",))
bad("100 that is chunked", b"HTTP/1.1 100 C\r\n" + CHUNKED + b"\r\n" + FIVE + EMPTY)
bad("101 that nobody asked for", b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")

# ---- What is left over ----

for rest in (b"x", b"\r\n", b"\0", b" ", EMPTY, CONTINUE, b"\n"):
    bad(f"left over {rest[:12]!r}", OK + b"Content-Length: 2\r\n\r\nhi" + rest, b"hi")
    bad(f"left over behind chunks {rest[:12]!r}", OK + CHUNKED + b"\r\n" + FIVE + rest, b"hello")
bad("before anything was asked", EMPTY, methods=())
bad("one byte before anything was asked", b"H", methods=())
good("behind the last answer", OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhiX", b"hi")
good("behind the last answer of HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhiX", b"hi")
good(
    "HTTP/1.0 that stays",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi" + EMPTY,
    *(b"hi", b""),
    methods=("GET", "GET"),
)

# ---- Cut off ----

bad("cut off in the head", OK, end=True, error=Incomplete)
bad("cut off in the body", OK + b"Content-Length: 5\r\n\r\nhell", b"hell", end=True, error=Incomplete)
bad("cut off in a chunk", OK + CHUNKED + b"\r\n5\r\nhell", b"hell", end=True, error=Incomplete)
bad("cut off behind a chunk", OK + CHUNKED + b"\r\n5\r\nhello\r\n", b"hello", end=True, error=Incomplete)
bad("cut off behind the last chunk", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n", b"hello", end=True, error=Incomplete)
bad("cut off behind 100", CONTINUE, end=True, error=Incomplete)
bad("no answer", b"", end=True, error=Incomplete)
bad("one answer for two", EMPTY, b"", methods=("GET", "GET"), end=True, error=Incomplete)

# ---- Too much ----

bad("513 fields", OK + b"A: b\r\n" * 513 + b"\r\n", error=TooLarge)
bad("a head of 70 KiB", OK + b"".join(b"A%d: %b\r\n" % (n, b"b" * 10_000) for n in range(7)) + b"\r\n", error=TooLarge)
bad("a line of 33 KiB", OK + b"A: " + b"b" * 33_000 + b"\r\n\r\n", error=TooLarge)
bad("a head that does not end", OK + b"A: b\r\n" * 20_000, error=TooLarge)
bad("a reason that does not end", OK[:-2] + b"K" * 100_000, error=TooLarge)
good("300 cookies", OK + b"Set-Cookie: a=b\r\n" * 300 + b"Content-Length: 0\r\n\r\n", b"")


def test_the_corpus_has_each_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 140


def test_each_is_refused_or_read_as_it_should() -> None:
    wrong = []
    for case in CASES:
        out = responses(case.data, case.methods, end=case.end)
        if (type(out.error) if out.error else None, tuple(out.bodies)) != (case.error, case.bodies):
            wrong.append((case.name, out.error, out.bodies))
    assert wrong == []


def test_how_it_is_cut_does_not_matter() -> None:
    wrong = []
    for case in CASES:
        whole = responses(case.data, case.methods, end=case.end).summary()
        for cut in everyCut(case.data) if len(case.data) < 200 else [list(pieces(case.data, 977))]:
            told = Told()
            reader = ResponseReader(told)
            for method in case.methods:
                reader.expect(method)
            if fed(reader, told, cut, case.end).summary() != whole:
                wrong.append((case.name, list(map(len, cut))[:3]))
                break
    assert wrong == []


def h11Body(case: Case) -> bytes | None:
    """The body of the first answer, or None if h11 refuses it."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=case.methods[0], target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    body = b""
    try:
        client.receive_data(case.data)
        if case.end:
            client.receive_data(b"")
        while not isinstance(event := client.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if event in (h11.NEED_DATA, h11.PAUSED):
                break
            if isinstance(event, h11.Data):
                body += event.data
    except h11.RemoteProtocolError:
        return None
    return body


# What h11 refuses and we read.
H11_REFUSES = {
    "line b'HTTP/1.1 299 a  b\\tc": "a tab in a reason, which RFC 9112, section 4 has",
}


def test_what_we_read_h11_reads_alike() -> None:
    wrong = []
    for case in CASES:
        if case.error is None and case.methods:
            body = h11Body(case)
            if body is None or body != (case.bodies[0] if case.methods[0] != "CONNECT" else body):
                wrong.append((case.name, body))
    assert wrong == []


@pytest.mark.parametrize(
    "data", [OK[:-2] + b"\n\n", b"\n", b"HTTP/1.1 200 OK\r\nA: b\n", b"\x16", b"H\0", b"HTTP/1.1 200 OK\r\n\0"]
)
def test_what_can_become_no_answer_is_refused_before_it_ends(data: bytes) -> None:
    assert isinstance(responses(data).error, BadMessage)
