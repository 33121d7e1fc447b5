"""What may be sent, and that all readers read it as it was meant."""

from __future__ import annotations

import h11
import pytest
from httpread import requests, responses

from protocols.http.fields import _LINES, _lines, fieldLine
from protocols.http.h1 import chunk, lastChunk, requestHead, responseHead


def test_heads_and_chunks() -> None:
    assert requestHead("GET", "/a?b", [("Host", "x"), (b"Accept", b"*/*")]) == (
        b"GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
    )
    assert responseHead(200, [("Content-Length", "0")]) == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert responseHead(200, [], "Fine, thanks") == b"HTTP/1.1 200 Fine, thanks\r\n\r\n"
    assert responseHead(299, []) == b"HTTP/1.1 299 \r\n\r\n"
    assert responseHead(413, []).startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n" and chunk(b"") == b""
    assert lastChunk() == b"0\r\n\r\n" and lastChunk([("A", "b")]) == b"0\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("method", ["", "G T", "GET\r\n", "GÉT", "GET:"])
def test_a_method_is_a_token(method: str) -> None:
    with pytest.raises(ValueError, match="method is no token: "):
        requestHead(method, "/", [("Host", "x")])


@pytest.mark.parametrize("target", ["", "/a b", "/\r\n", "/\0", "/ä", "/\x7f", "/a HTTP/1.1\r\nX: y"])
def test_a_target_ends_no_line(target: str) -> None:
    with pytest.raises(ValueError, match="target has a space, a control character, or one that is not ASCII: "):
        requestHead("GET", target, [("Host", "x")])


@pytest.mark.parametrize("fields", [[], [("Host", "a"), ("host", "b")]])
def test_a_request_has_one_host(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="a request has exactly one Host"):
        requestHead("GET", "/", fields)


@pytest.mark.parametrize(
    "fields, why",
    [
        ([("Content-Length", "1"), ("Transfer-Encoding", "chunked")], "both Content-Length and Transfer-Encoding"),
        ([("transfer-encoding", "chunked"), ("CONTENT-LENGTH", "1")], "both Content-Length and Transfer-Encoding"),
        ([("Content-Length", "1"), ("content-length", "1")], "there twice"),
        ([("Content-Length", "+1")], "Content-Length is no length: b'\\+1'"),
        ([("Content-Length", "")], "Content-Length is no length"),
        ([("Content-Length", "9" * 30)], "Content-Length is no length"),
        ([("Transfer-Encoding", "gzip")], "Transfer-Encoding is chunked or nothing: b'gzip'"),
        ([("A", "b\r\nC: d")], "value of field 'A' has a control character"),
        ([("A b", "c")], "name of a field is no token"),
    ],
)
def test_what_contradicts_itself_is_not_sent(fields: list[tuple[str, str]], why: str) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=why):
            responseHead(200, fields)
        with pytest.raises(ValueError, match=why):
            requestHead("POST", "/", [("Host", "x"), *fields])


@pytest.mark.parametrize("status", [100, 103, 204])
@pytest.mark.parametrize("field", [("Content-Length", "0"), ("Transfer-Encoding", "chunked")])
def test_what_has_no_body_announces_none(status: int, field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="where there is no body"):
        responseHead(status, [field])


@pytest.mark.parametrize("status, error", [(99, ValueError), (1000, ValueError), (-1, ValueError), ("200", TypeError)])
def test_a_status_has_three_digits(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="status is "):
        responseHead(status, [])


@pytest.mark.parametrize("reason", ["a\r\nb", "\0", "€"])
def test_a_reason_ends_no_line(reason: str) -> None:
    with pytest.raises(ValueError, match="reason "):
        responseHead(200, [], reason)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Host", "Connection", "Trailer"])
def test_what_frames_a_message_is_no_trailer(name: str) -> None:
    with pytest.raises(ValueError, match="is no trailer"):
        lastChunk([(name, "1")])


def test_the_lines_that_are_kept_are_bounded() -> None:
    for number in range(3 * _LINES):
        assert fieldLine("A", str(number)) == b"A: %d\r\n" % number
        assert fieldLine("A", "x" * 300 + str(number)).endswith(b"x%d\r\n" % number)
    assert len(_lines) <= _LINES
    assert max(map(len, _lines.values())) <= 256


FIELDS = [("Host", "example.org"), ("X-A", "  spaces \t"), ("x-b", "é"), ("X-a", "again"), ("Empty", "")]
SEEN = [(b"x-a", b"spaces"), (b"x-b", b"\xe9"), (b"x-a", b"again"), (b"empty", b"")]


def test_what_we_write_all_read_alike() -> None:
    body = chunk(b"hello") + chunk(b"x" * 1000) + lastChunk([("Digest", "y")])
    data = requestHead("POST", "/p?q=1", [*FIELDS, ("Transfer-Encoding", "chunked")]) + body
    out = requests(data)
    assert out.error is None and out.bodies == [b"hello" + b"x" * 1000]
    assert [(n.lower(), v) for n, v in out.heads[0].fields[1:-1]] == SEEN
    assert out.told.trailers == [[(b"Digest", b"y")]]

    theirs = h11.Connection(h11.SERVER)
    theirs.receive_data(data)
    head = theirs.next_event()
    assert isinstance(head, h11.Request) and head.target == b"/p?q=1" and list(head.headers)[1:-1] == SEEN
    assert h11Body(theirs) == out.bodies[0]

    data = responseHead(200, [*FIELDS, ("Transfer-Encoding", "chunked")]) + body
    answer = responses(data)
    assert answer.error is None and answer.bodies == out.bodies and answer.told.trailers == out.told.trailers
    theirs = h11.Connection(h11.CLIENT)
    theirs.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    theirs.receive_data(data)
    response = theirs.next_event()
    assert isinstance(response, h11.Response) and list(response.headers)[1:-1] == SEEN
    assert h11Body(theirs) == out.bodies[0]


def h11Body(connection: h11.Connection) -> bytes:
    found = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        found += event.data
    return found
