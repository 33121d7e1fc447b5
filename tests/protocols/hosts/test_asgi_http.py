"""Applications of ASGI over HTTP: what they hear, what they may send, and what comes of those that go wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hosting import Hosted
from httpserving import get, post
from net import Net

from protocols.asgi import Disconnected

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def start(status: int = 200, *fields: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(fields)}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send(start(200, (b"content-type", b"text/plain"), (b"Content-Length", b"5")))
    await send(body(b"hello"))


def test_an_application_answers(net: Net) -> None:
    answer = Hosted.asgi(net, hello).ask(get() + get(), count=2)
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.fields["content-type"] == "text/plain"
    assert answer.fields["content-length"] == "5"


def test_the_scope_tells_what_was_asked(net: Net) -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await hello(scope, receive, send)

    hosted = Hosted.asgi(net, application, state={"db": 1}, rootPath="/api")
    hosted.ask(get("/a%20b/%C3%A9?x=%31&y", "X-Two: a", "X-Two: b"))
    [scope] = scopes
    assert scope["type"] == "http"
    assert scope["asgi"]["version"] == "3.0"
    assert (scope["method"], scope["scheme"], scope["http_version"]) == ("GET", "http", "1.1")
    assert scope["path"] == "/api/a b/é"
    assert scope["raw_path"] == b"/api/a%20b/%C3%A9"
    assert scope["query_string"] == b"x=%31&y"
    assert scope["root_path"] == "/api"
    assert scope["headers"] == [(b"host", b"example.org"), (b"x-two", b"a"), (b"x-two", b"b")]
    assert scope["server"] == ("127.0.0.1", hosted.port)
    assert scope["client"][0] == "127.0.0.1"
    assert scope["state"] == {"db": 1}


async def echo(scope: Any, receive: Any, send: Any) -> None:
    told = []
    while True:
        message = await receive()
        told.append(message["body"])
        if not message["more_body"]:
            break
    await send(start())
    for each in told:
        await send(body(each, True))
    await send(body())


@pytest.mark.parametrize("size", [1, 200_000])
def test_a_body_comes_and_an_answer_goes_in_pieces(net: Net, size: int) -> None:
    data = b"x" * size
    answer = Hosted.asgi(net, echo).ask(post(data) + post(b"end"), "POST", "POST", count=2)
    assert answer.body == b"end"
    assert Hosted.asgi(net, echo).ask(post(data), "POST").body == data


def test_an_application_goes_no_faster_than_its_client_reads(net: Net) -> None:
    sent: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for number in range(400):
            await send(body(b"x" * 65536, True))
            sent.append(number)
        await send(body())

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    net.until(lambda: sent)
    before = -1
    while before != len(sent):
        before = len(sent)
        net.turn(50)
    # What the kernel's buffers take, and a few.
    assert len(sent) < 300
    asking.until(lambda: asking.got.endswith(b"0\r\n\r\n"))
    # By its length: h11 would take seconds.
    assert asking.got.count(b"x" * 65536) == 400


def test_an_upload_is_read_no_faster_than_it_is_taken(net: Net) -> None:
    heard: list[int] = []
    go = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        more = True
        while more:
            message = await receive()
            heard.append(len(message["body"]))
            more = message["more_body"]
        await hello(scope, receive, send)

    asking = Hosted.asgi(net, application, maxBody=None).connect()
    asking.send(get(method="POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 30000000\r\n\r\n"))
    left = 30_000_000
    for _ in range(300):
        net.turn(1)
        try:
            left -= asking.sock.send(b"x" * min(left, 1 << 16))
        except BlockingIOError:
            pass
    assert left > 10_000_000
    go.set()
    while left:
        net.turn(1)
        try:
            left -= asking.sock.send(b"x" * min(left, 1 << 16))
        except BlockingIOError:
            pass
    assert asking.answers(1, "POST")[0].body == b"hello"
    assert sum(heard) == 30_000_000


def test_what_raises_before_it_has_begun_is_a_500(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/later":
            await asyncio.sleep(0)
        raise ValueError("secret")

    hosted = Hosted.asgi(net, application)
    for path in ("/", "/later"):
        answer = hosted.ask(get(path))
        assert answer.status == 500
        assert b"secret" not in answer.body
    net.expectErrors(2)


def test_what_raises_after_it_has_begun_is_cut_off(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"some", True))
        raise ValueError("secret")

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    asking.until(lambda: asking.ended)
    assert b"secret" not in asking.got
    assert not asking.got.endswith(b"0\r\n\r\n")
    net.expectErrors()


def test_what_raises_behind_its_answer_is_logged(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await hello(scope, receive, send)
        if scope["path"] == "/later":
            await asyncio.sleep(0)
        raise ValueError("in the background")

    hosted = Hosted.asgi(net, application)
    assert hosted.ask(get()).body == b"hello"
    assert hosted.ask(get("/later")).body == b"hello"
    net.expectErrors(2)


def test_an_answer_does_not_wait_for_what_is_done_behind_it(net: Net) -> None:
    go = asyncio.Event()
    done: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await hello(scope, receive, send)
        await go.wait()
        done.append(True)

    hosted = Hosted.asgi(net, application)
    assert hosted.ask(get() + get(), count=2).body == b"hello"
    assert done == []
    go.set()
    net.until(lambda: len(done) == 2)


@pytest.mark.parametrize("messages", [[], [start()], [start(), body(b"some", True)]])
def test_too_little(net: Net, messages: list[Any]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        for each in messages:
            await send(each)

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    if len(messages) < 2:
        assert asking.answers(1)[0].status == 500
    else:
        asking.until(lambda: asking.ended)
        assert not asking.got.endswith(b"0\r\n\r\n")
    net.expectErrors()


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([body()], "before http.response.start"),
        ([start(), start()], "after the answer has begun"),
        ([start(), body(), body()], "after the answer was complete"),
        ([start(), body(), start()], "after the answer was complete"),
        ([start(), body(b"a", True), body(), body()], "after the answer was complete"),
        ([{"type": "websocket.send"}], "no message of type 'websocket.send'"),
        ([start(99)], "status must be"),
        ([start(200, (b"content-length", b"x"))], "Content-Length must be"),
        ([start(200, (b"content-length", b"1")), body(b"two")], "Content-Length is 1"),
        ([start(200, (b"content-length", b"1")), body(b"two", True)], "longer"),
        ([start(200, (b"content-length", b"9")), body(b"two", True), body()], "shorter"),
        ([start(200, (b"x", b"a\r\nb: c")), body()], "x"),
        ([start(), {"type": "http.response.body", "body": "text"}], "must be bytes"),
    ],
)
def test_what_may_not_be_sent_is_raised_where_it_is_sent(net: Net, messages: list[Any], said: str) -> None:
    raised: list[RuntimeError] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        try:
            for each in messages:
                await send(each)
        except RuntimeError as e:
            raised.append(e)
            raise

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    net.until(lambda: raised)
    assert said in str(raised[0])
    asking.until(lambda: asking.ended or asking.got.endswith((b"0\r\n\r\n", b"Error\n", b"\r\n\r\n")))
    net.expectErrors()


def test_the_client_goes_before_it_has_its_answer(net: Net) -> None:
    heard: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.append(await receive())
        heard.append(await receive())
        with pytest.raises(Disconnected):
            await send(start())
        heard.append("raised")

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    net.until(lambda: len(heard) == 1)
    asking.close()
    net.until(lambda: len(heard) == 3)
    assert heard[1] == {"type": "http.disconnect"}


def test_an_application_that_minds_no_disconnection_is_no_error(net: Net) -> None:
    ended: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(start())
            while True:
                await send(body(b"x" * 65536, True))
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    asking = Hosted.asgi(net, application).connect()
    asking.send(get())
    asking.until(lambda: asking.got)
    asking.close()
    net.until(lambda: ended)


def test_receive_tells_of_the_end_of_the_answer(net: Net) -> None:
    heard: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def watch() -> None:
            while True:
                message = await receive()
                heard.append(message["type"])
                if message["type"] == "http.disconnect":
                    return

        watching = asyncio.create_task(watch())
        await hello(scope, receive, send)
        await watching

    assert Hosted.asgi(net, application).ask(get()).body == b"hello"
    net.until(lambda: heard == ["http.request", "http.disconnect"])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_answered_by_the_server(net: Net, chunked: bool) -> None:
    heard: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        while message["type"] == "http.request":
            message = await receive()
        heard.append(message["type"])

    hosted = Hosted.asgi(net, application, maxBody=10)
    data = post(b"x" * 100)
    if chunked:
        data = get("/", "Transfer-Encoding: chunked", method="POST") + b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n"
    assert hosted.ask(data, "POST").status == 413
    net.until(lambda: heard == ["http.disconnect"])


@pytest.mark.parametrize("pieces", [1, 3])
def test_head_has_no_body(net: Net, pieces: int) -> None:
    ended: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for _ in range(pieces - 1):
            await send(body(b"piece", True))
        await send(body(b"piece"))
        ended.append(True)

    asking = Hosted.asgi(net, application).connect()
    asking.send(get(method="HEAD") + get(method="HEAD"))
    assert [each.body for each in asking.answers(2, "HEAD", "HEAD")] == [b"", b""]
    net.until(lambda: len(ended) == 2)


def test_concurrent_requests_have_contexts_of_their_own(net: Net) -> None:
    import contextvars

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    seen: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(variable.get())
        variable.set(scope["path"])
        await asyncio.sleep(0)
        assert variable.get() == scope["path"]
        await hello(scope, receive, send)

    Hosted.asgi(net, application).ask(get("/1") + get("/2"), count=2)
    assert seen == ["none", "none"]
