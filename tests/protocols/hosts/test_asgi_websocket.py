"""WebSockets of applications of ASGI, with the clients of ``websockets``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hosting import Hosted
from httpserving import get
from net import Net
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from protocols.asgi import Disconnected
from reactor import aio

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def visit(net: Net, application: Any, what: Callable[[ClientConnection], Coroutine[Any, Any, Any]], **kw: Any) -> Any:
    """What comes of a client that connects and does `what`."""
    hosted = Hosted.asgi(net, application)

    async def client() -> Any:
        async with connect(f"ws://127.0.0.1:{hosted.port}/chat%21?room=1", **kw) as socket:
            return await what(socket)

    return net.result(aio.start(client(), reactor=net.reactor))


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


def test_messages_go_both_ways(net: Net) -> None:
    async def what(socket: ClientConnection) -> list[Any]:
        for each in ("text é", b"bytes", "x" * 100_000):
            await socket.send(each)
        return [await socket.recv() for _ in range(3)]

    assert visit(net, echo, what) == ["text é", b"bytes", "x" * 100_000]


def test_what_is_asked_and_agreed_on(net: Net) -> None:
    scopes: list[Any] = []
    ends: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"x-more", b"1")]})
        ends.append(await receive())

    async def what(socket: ClientConnection) -> Any:
        assert socket.response is not None
        await socket.close(4001, "enough")
        return socket.subprotocol, socket.response.headers["X-More"]

    assert visit(net, application, what, subprotocols=["other", "chat"]) == ("chat", "1")
    [scope] = scopes
    assert (scope["type"], scope["scheme"], scope["path"]) == ("websocket", "ws", "/chat!")
    assert scope["query_string"] == b"room=1"
    assert scope["subprotocols"] == ["other", "chat"]
    assert "method" not in scope
    net.until(lambda: ends)
    assert ends == [{"type": "websocket.disconnect", "code": 4001, "reason": "enough"}]


@pytest.mark.parametrize("own", [False, True])
def test_it_is_refused(net: Net, own: bool) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if own:
            await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"who?")]})
            await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
            await send({"type": "websocket.http.response.body", "body": b"are you"})
        else:
            await send({"type": "websocket.close"})
        assert (await receive())["type"] == "websocket.disconnect"

    async def what(socket: ClientConnection) -> None:
        raise AssertionError

    with pytest.raises(InvalidStatus) as raised:
        visit(net, application, what)
    response = raised.value.response
    assert response.status_code == (401 if own else 403)
    if own:
        assert (response.headers["x-why"], response.body) == ("who?", b"who are you")


def test_the_application_closes(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4004, "reason": "not here"})
        with pytest.raises(RuntimeError, match="after the WebSocket was closed"):
            await send({"type": "websocket.send", "text": "late"})

    async def what(socket: ClientConnection) -> Any:
        with pytest.raises(ConnectionClosed) as raised:
            await socket.recv()
        assert raised.value.rcvd is not None
        return raised.value.rcvd.code, raised.value.rcvd.reason

    assert visit(net, application, what) == (4004, "not here")


def test_the_application_raises(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise ValueError("secret")

    async def what(socket: ClientConnection) -> Any:
        await socket.send("go")
        with pytest.raises(ConnectionClosed) as raised:
            await socket.recv()
        assert raised.value.rcvd is not None
        return raised.value.rcvd.code

    assert visit(net, application, what) == 1011
    net.expectErrors()


def test_the_client_goes_without_a_word(net: Net) -> None:
    ends: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        ends.append(await receive())
        ends.append(await receive())
        with pytest.raises(Disconnected):
            await send({"type": "websocket.send", "text": "late"})
        ends.append("raised")

    async def what(socket: ClientConnection) -> None:
        socket.transport.abort()

    visit(net, application, what)
    net.until(lambda: len(ends) == 3)
    assert ends[0]["code"] == ends[1]["code"] == 1006


def test_an_opening_that_is_none_is_answered(net: Net) -> None:
    heard: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        with pytest.raises(Disconnected):
            await send({"type": "websocket.accept"})
        heard.append(await receive())

    answer = Hosted.asgi(net, application).ask(get("/", "Upgrade: websocket", "Connection: Upgrade"))
    assert answer.status in (400, 426)
    net.until(lambda: heard)
    assert heard[0]["type"] == "websocket.disconnect"


def test_messages_that_do_not_belong_there(net: Net) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="before the WebSocket is accepted"):
            await send({"type": "websocket.send", "text": "early"})
        await receive()
        with pytest.raises(RuntimeError, match="subprotocol"):
            await send({"type": "websocket.accept", "subprotocol": "no token"})
        await send({"type": "websocket.accept"})
        for message in ({"type": "websocket.accept"}, {"type": "http.response.start"}, {"type": "websocket.send"}):
            with pytest.raises(RuntimeError, match=r"send\(\)"):
                await send(message)
        await send({"type": "websocket.send", "text": "done"})

    async def what(socket: ClientConnection) -> Any:
        return await socket.recv()

    assert visit(net, application, what) == "done"


def test_an_application_goes_no_faster_than_the_client_reads(net: Net) -> None:
    sent: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for number in range(300):
            await send({"type": "websocket.send", "bytes": b"x" * 65536})
            sent.append(number)

    async def what(socket: ClientConnection) -> Any:
        before = -1
        while before != len(sent):
            before = len(sent)
            await asyncio.sleep(0.05)
        assert before < 250
        return sum([len(await socket.recv()) for _ in range(300)])

    assert visit(net, application, what, max_queue=1) == 300 * 65536
