"""What a client sends for what a program says, and what it makes of good answers."""

from __future__ import annotations

import gzip
import io
import json as jsonModule
from pathlib import Path
from typing import Any

import pytest
from webbing import Script, Web, reply

from protocols.http import Client
from protocols.http.error import StatusError, TooLarge
from reactor.defer import Deferred


def test_a_get(web: Web) -> None:
    server = web.serve(reply(b"hello", "200 OK", "Content-Type: text/plain", "X-A: 1", "x-a: 2"))
    client = web.client()
    response, content = web.fetch(client, server.url("/x?y=1#z"))
    assert (response.status, response.code, response.reason, response.version) == (200, 200, "OK", 1)
    assert content == b"hello" and response.isWhole and response.ok and response.check() is response
    assert response.headers["X-A"] == "1, 2" and response.headers.getAll("x-a") == ["1", "2"]
    assert str(response.url) == server.url("/x?y=1#z") and response.history == []
    request = server.requests[0]
    assert (request.method, request.target) == ("GET", "/x?y=1")
    assert request.fields == [
        ("host", f"127.0.0.1:{server.port}"),
        ("user-agent", "reactor"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
    ]


def test_the_content_is_there_twice_as_bytes_text_and_json(web: Web) -> None:
    server = web.serve(reply('{"a": "ä"}'.encode("latin-1"), "200 OK", 'Content-Type: x/y; a=b; CharSet="Latin-1"'))

    async def read() -> Any:
        response = await web.client().get(server.url())
        return await response.text(), await response.content(), await response.text("utf-8")

    assert web.run(read()) == ('{"a": "ä"}', b'{"a": "\xe4"}', '{"a": "\ufffd"}')
    server = web.serve(reply(b'{"a": [1]}'))

    async def asJSON() -> Any:
        return await (await web.client().get(server.url())).json()

    assert web.run(asJSON()) == {"a": [1]}
    server = web.serve(reply(b"no json"))
    with pytest.raises(ValueError, match="Expecting value"):
        web.run(asJSON())


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options"])
def test_the_methods(web: Web, method: str) -> None:
    server = web.serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    response = web.run(getattr(web.client(), method)(server.url()))
    assert response.status == 204 and web.run(response.content()) == b""
    assert server.requests[0].method == method.upper()
    assert server.requests[0].get("content-length") == ("0" if method in ("post", "put", "patch") else None)


def test_an_answer_to_head_has_no_body_whatever_it_says(web: Web) -> None:
    server = web.serve(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n")
    client = web.client()
    for _ in range(2):
        response = web.run(client.head(server.url()))
        assert web.run(response.content()) == b"" and response.headers["content-length"] == "1000"
    assert server.made == 1


async def pieces() -> Any:
    for piece in (b"one ", bytearray(b"two "), b"", memoryview(b"three")):
        yield piece


@pytest.mark.parametrize(
    ("said", "body", "contentType", "length"),
    [
        ({"body": b"abc"}, b"abc", None, "3"),
        ({"body": "ä"}, b"\xc3\xa4", "text/plain; charset=utf-8", "2"),
        ({"body": b""}, b"", None, "0"),
        ({"json": {"a": None}}, b'{"a": null}', "application/json", "11"),
        ({"json": None}, b"null", "application/json", "4"),
        ({"form": {"a b": "ä", "c": [1, 2]}}, b"a+b=%C3%A4&c=1&c=2", "application/x-www-form-urlencoded", "18"),
        ({"body": [b"one ", b"", b"two"]}, b"one two", None, None),
        ({"body": iter([b"one ", b"two"])}, b"one two", None, None),
        ({"body": lambda: [b"one"]}, b"one", None, None),
        ({"body": pieces}, b"one two three", None, None),
        ({"body": io.BytesIO(b"a file")}, b"a file", None, "6"),
        ({"body": [b"1", b"23"], "headers": {"Content-Length": "3"}}, b"123", None, "3"),
        ({"body": b"x", "headers": {"Content-Type": "a/b"}}, b"x", "a/b", "1"),
    ],
)
def test_bodies(web: Web, said: dict[str, Any], body: bytes, contentType: str | None, length: str | None) -> None:
    server = web.serve(reply())
    web.run(web.client().post(server.url(), **said))
    request = server.requests[0]
    assert request.body == body
    assert request.get("content-type") == contentType and request.get("content-length") == length
    assert request.get("transfer-encoding") == (None if length else "chunked")


def test_an_async_generator_that_waits(web: Web) -> None:
    server = web.serve(reply())
    gate: Deferred[None] = Deferred()

    async def body() -> Any:
        yield b"one "
        await gate
        yield b"two"

    sent = web.client().post(server.url(), body=body())
    web.net.until(lambda: b"one" in server.received)
    gate.callback(None)
    assert web.run(sent).status == 200
    assert server.requests[0].body == b"one two"


def test_a_file_from_where_it_stands(web: Web, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(300_000) + b"end")
    server = web.serve(reply())
    with path.open("rb") as file:
        file.seek(5)
        web.run(web.client().put(server.url(), body=file))
    assert server.requests[0].body == bytes(299_995) + b"end"
    with path.open() as text, pytest.raises(TypeError, match="binary"):
        web.client().put(server.url(), body=text)


def test_files_of_a_form_are_streamed(web: Web, tmp_path: Path) -> None:
    from email import message_from_bytes

    path = tmp_path / 'a "quoted" name.txt'
    path.write_bytes(b"contents")
    server = web.serve(reply())
    with path.open("rb") as file:
        files = {"one": file, "t\r\nwo": ("x\ny.bin", b"\0\1"), "three": ("z", iter([b"a", b"b"]), "a/b")}
        web.run(web.client().post(server.url(), form={"k": "v"}, files=files))
    request = server.requests[0]
    message = message_from_bytes(f"Content-Type: {request.get('content-type')}\r\n\r\n".encode() + request.body)
    parts: Any = message.get_payload()
    assert [part["content-disposition"] for part in parts] == [
        'form-data; name="k"',
        'form-data; name="one"; filename="a %22quoted%22 name.txt"',
        'form-data; name="t%0D%0Awo"; filename="x%0Ay.bin"',
        'form-data; name="three"; filename="z"',
    ]
    assert [part.get_payload(decode=True) for part in parts] == [b"v", b"contents", b"\0\1", b"ab"]
    assert [part.get_content_type() for part in parts][1:] == ["text/plain", "application/octet-stream", "a/b"]
    assert request.get("transfer-encoding") == "chunked"


def test_files_whose_sizes_are_known_have_a_length(web: Web, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(bytes(100_000))
    server = web.serve(reply())
    with path.open("rb") as file:
        web.run(web.client().post(server.url(), files=[("f", file), ("f", (None, b"y"))]))
    assert int(server.requests[0].get("content-length") or 0) == len(server.requests[0].body) > 100_000
    assert b'filename="x.png"\r\nContent-Type: image/png\r\n' in server.requests[0].body


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        ({"headers": {"X": "a\r\nY: b"}}, ValueError, "control character"),
        ({"headers": {"X": "a\0"}}, ValueError, "control character"),
        ({"headers": {"X\r\nY": "a"}}, ValueError, "no token"),
        ({"headers": {"X y": "a"}}, ValueError, "no token"),
        ({"headers": {"X": "€"}}, ValueError, "Latin-1"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, ValueError, "not the program's"),
        ({"headers": {"Connection": "close"}}, ValueError, "not the program's"),
        ({"headers": {"Upgrade": "h2c"}}, ValueError, "not the program's"),
        ({"headers": {"Expect": "100-continue"}}, ValueError, "expectContinue"),
        ({"headers": [("Host", "a"), ("host", "b")]}, ValueError, "once only"),
        ({"body": b"abc", "headers": {"Content-Length": "4"}}, ValueError, "3 bytes"),
        ({"body": [b"abc"], "headers": {"Content-Length": "+4"}}, ValueError, "must be a number"),
        ({"body": b"", "json": 1}, TypeError, "one body, not body and json"),
        ({"body": 1}, TypeError, "body must be"),
        ({"body": {"a": 1}}, TypeError, "json="),
        ({"json": float("nan")}, ValueError, "JSON"),
        ({"form": {"a": None}}, TypeError, "form: 'a'"),
        ({"files": {"a": (1, b"")}}, TypeError, "file name"),
        ({"files": {"a": ("n", b"", "a/b\r\nX: y")}}, ValueError, "content type"),
        ({"auth": ("a:b", "c")}, ValueError, "colon"),
        ({"auth": ("a", "c\r\n")}, ValueError, "control"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"timeout": None}, TypeError, "timeout"),
        ({"params": "a=b"}, TypeError, "params"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_the_call(
    web: Web, said: dict[str, Any], error: type[Exception], text: str
) -> None:
    client = web.client()
    with pytest.raises(error, match=text):
        client.post("http://127.0.0.1:1/", **said)
    assert client.connections == 0


@pytest.mark.parametrize("method", ["GET /\r\n", "G T", "", "GÉT", "CONNECT", "a:b"])
def test_methods_are_tokens(web: Web, method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        web.client().request(method, "http://127.0.0.1:1/")


def test_a_request_replaces_the_fields_of_its_client(web: Web) -> None:
    server = web.serve(reply())
    client = web.client(headers={"User-Agent": "mine", "X-Token": "1"})
    web.run(client.get(server.url()))
    web.run(client.get(server.url(), headers={"x-token": "2", "Accept": "a/b", "Host": "other"}))
    first, second = server.requests
    assert (first.get("user-agent"), first.get("x-token")) == ("mine", "1")
    assert [value for name, value in second.fields if name == "x-token"] == ["2"]
    assert (second.get("accept"), second.get("host")) == ("a/b", "other")


def test_credentials_are_a_field(web: Web) -> None:
    server = web.serve(reply())
    client = web.client()
    response = web.run(client.get(server.url().replace("//", "//me:s%40cret@")))
    web.run(client.get(server.url(), auth=("Aladdin", "open sesame")))
    web.run(client.get(server.url(), auth=("a", "b"), headers={"Authorization": "Bearer x"}))
    assert [request.get("authorization") for request in server.requests] == [
        "Basic bWU6c0BjcmV0",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Bearer x",
    ]
    assert "cret" not in f"{response} {response.url}"


def test_a_large_answer_comes_as_a_stream_and_holds_its_server_back(web: Web) -> None:
    size = 64 << 20
    block = bytes(1 << 16)
    buffered: list[int] = []

    class Flood:
        def __init__(self, connection: Script) -> None:
            self.connection, self.left = connection, size

        def resumeProducing(self) -> None:
            self.left -= len(block)
            self.connection.say(block)
            if not self.left:
                self.connection.transport.unregisterProducer()

        def stopProducing(self) -> None:
            raise AssertionError("the client did not take all")

    def answer(connection: Script, request: Any) -> None:
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        connection.transport.registerProducer(Flood(connection), False)

    server = web.serve(answer)
    client = web.client(timeout=100)

    async def read() -> int:
        response = await client.get(server.url())
        assert not response.isWhole
        total = 0
        async for piece in response:
            total += len(piece)
            buffered.append(response._body.buffered)
        assert response.isWhole and response.trailers is not None
        return total

    assert web.run(read()) == size
    assert max(buffered) < 1 << 20
    assert client.connections == 1


def test_an_answer_may_be_cut_anywhere(web: Web) -> None:
    body = gzip.compress(b"hello", mtime=0)
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\nX-T: 1\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = b"HTTP/1.1 100 Continue\r\n\r\n" + head + chunks

    def answer(connection: Script, request: Any) -> None:
        at = int(request.target[1:])
        connection.say(whole[:at])
        web.net.reactor.callLater(0, connection.say, whole[at:])

    server = web.serve(answer)
    client = web.client()
    for at in range(1, len(whole)):
        response, content = web.fetch(client, server.url(f"/{at}"))
        assert content == b"hello" and response.trailers["x-t"] == "1"
    assert server.made == 1


def test_an_unread_answer_of_64_kib_frees_its_connection(web: Web) -> None:
    def answer(connection: Script, request: Any) -> None:
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n")
        web.net.reactor.callLater(0, connection.say, bytes(65536))

    server = web.serve(answer)
    client = web.client(maxConnections=1)
    first, second = client.get(server.url()), client.get(server.url())
    assert web.run(first).status == web.run(second).status == 200
    assert server.made == 1


def test_a_body_is_bounded_when_it_is_read_whole(web: Web) -> None:
    server = web.serve(reply(bytes(1000)))
    client = web.client(maxBody=999)
    with pytest.raises(TooLarge, match="999"):
        web.fetch(client, server.url())
    assert web.fetch(client, server.url(), maxBody=1000)[1] == bytes(1000)
    large = web.serve(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(200_000))
    with pytest.raises(TooLarge, match="999"):
        web.fetch(client, large.url())
    web.net.until(lambda: not large.open)


def test_codings_are_undone(web: Web) -> None:
    text = b"some text " * 1000
    server = web.serve(reply(gzip.compress(text), "200 OK", "Content-Encoding: gzip"))
    client = web.client()
    assert web.fetch(client, server.url())[1] == text
    assert web.fetch(client, server.url(), decode=False)[1] == gzip.compress(text)

    async def stream() -> bytes:
        return b"".join([piece async for piece in await client.get(server.url())])

    assert web.run(stream()) == text


def test_trailers(web: Web) -> None:
    server = web.serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"
    )
    response, content = web.fetch(web.client(), server.url())
    assert content == b"abc" and response.trailers.getAll("x-sum") == ["1", "2"]


def test_check_raises_for_a_status_and_nothing_else_does(web: Web) -> None:
    server = web.serve(reply(b"why", "404 Not Found"))
    response = web.run(web.client().get(server.url()))
    with pytest.raises(StatusError, match="404 Not Found") as raised:
        response.check()
    assert raised.value.response is response and web.run(response.content()) == b"why" and not response.ok


def test_a_collector_gets_the_pieces(web: Web) -> None:
    server = web.serve(reply(b"hello"))
    got: list[bytes] = []
    client = web.client()
    web.run(web.run(client.get(server.url())).collect(got.append))
    assert got == [b"hello"]

    def refuse(piece: bytes) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        web.run(web.run(client.get(server.url())).collect(refuse))
    response = web.run(client.get(server.url()))
    web.run(response.collect(got.append))
    with pytest.raises(RuntimeError, match="read before"):
        web.run(response.content())


def test_json_of_a_large_answer(web: Web) -> None:
    data = {"key": "x" * 300_000}
    server = web.serve(reply(jsonModule.dumps(data).encode()))

    async def read() -> Any:
        return await (await web.client().get(server.url())).json()

    assert web.run(read()) == data


@pytest.mark.parametrize(
    ("arguments", "problem", "words"),
    [
        ({"maxBody": "x"}, TypeError, "maxBody must be an int, not 'x'"),
        ({"maxBody": None}, TypeError, "maxBody must be an int, not None"),
        ({"maxBody": -1}, ValueError, "maxBody must be 0 or more, not -1"),
        ({"retries": True}, TypeError, "retries must be an int"),
        ({"retries": -1}, ValueError, "retries must be 0 or more"),
        ({"redirects": "x"}, TypeError, "redirects must be an int"),
        ({"redirects": -1}, ValueError, "redirects must be 0 or more"),
        ({"maxUses": 0}, ValueError, "maxUses must be 1 or more"),
        ({"cookies": {"a": "b"}}, TypeError, "cookies must be True, False or a CookieJar"),
        ({"limits": 5}, TypeError, "limits must be Limits, not 5"),
        ({"headers": 5}, TypeError, "headers must be a mapping"),
        ({"proxy": {"ftp": "http://x"}}, ValueError, "proxy is for the schemes http and https, not for 'ftp'"),
    ],
)
def test_what_no_client_can_be_is_said_where_it_is_made(
    arguments: dict[str, Any], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        Client(**arguments)


@pytest.mark.parametrize(
    ("arguments", "problem", "words"),
    [
        ({"maxBody": "x"}, TypeError, "maxBody must be an int"),
        ({"redirects": True}, TypeError, "redirects must be an int"),
        ({"redirects": -1}, ValueError, "redirects must be 0 or more"),
        ({"auth": "ab"}, TypeError, "auth must be a user name and a password, not str"),
        ({"auth": 5}, TypeError, "auth must be a user name and a password, not int"),
        ({"params": 5}, TypeError, "params must be a mapping or pairs"),
        ({"form": 5}, TypeError, "form must be a mapping or pairs"),
        ({"files": 5}, TypeError, "files must be a mapping or pairs"),
        ({"headers": "a: b"}, TypeError, "headers must be a mapping, or pairs"),
        ({"json": object()}, TypeError, "json cannot be written"),
        ({"json": float("nan")}, ValueError, "json cannot be written"),
    ],
)
def test_what_no_request_can_have_is_said_at_the_call(
    web: Web, arguments: dict[str, Any], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        web.client().request("POST", "http://127.0.0.1:1/", **arguments)
