"""`connect` and `WebSocket`: what coroutines see."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net
from wire import BINARY, CLOSE, TEXT, built
from wsnet import Echo, Traced, opened, serve, upgraded

from protocols.websocket import WebSocket, WebSocketClosed, WebSocketLost, connect
from protocols.websocket._frames import FIN
from reactor.defer import CancelledError, Deferred, ensureDeferred

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_aConversation(net: Net) -> None:
    async def talk() -> list[Any]:
        async with await connect(server.url, reactor=net.reactor) as socket:
            await socket.send("one")
            await socket.send(b"two")
            await socket.ping()
            return [await socket.receive(), await socket.receive()]

    server = serve(net)
    assert net.result(ensureDeferred(talk())) == ["one", b"two"]
    assert net.until(lambda: server.built[0].reason).code == 1000


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_iterationEndsWithAnOrderlyClose(net: Net, code: int) -> None:
    async def read() -> list[Any]:
        return [message async for message in socket]

    socket, end = opened(net, serve(net))
    reading = ensureDeferred(read())
    end.sendMessage("a")
    end.sendMessage("b")
    end.close(code)
    assert net.result(reading) == ["a", "b"]
    with pytest.raises(WebSocketClosed):
        net.result(socket.receive())
    with pytest.raises(WebSocketClosed):
        net.result(socket.send("late"))
    with pytest.raises(WebSocketClosed):
        net.result(socket.ping())
    assert net.result(socket.close()) is None and socket.closed.value.code == code


@pytest.mark.parametrize("how, error", [("close", WebSocketClosed), ("abort", WebSocketLost)])
def test_iterationRaisesAnyOtherEnd(net: Net, how: str, error: type[Exception]) -> None:
    async def read() -> None:
        async for message in socket:
            got.append(message)

    got: list[Any] = []
    socket, end = opened(net, serve(net))
    reading = ensureDeferred(read())
    end.sendMessage("a")
    net.until(lambda: got)
    if how == "close":
        end.close(1011, "broken")
    else:
        end.transport.abortConnection()
    with pytest.raises(error):
        net.result(reading)


def test_closingFiresWhenItIsOverHoweverItEnds(net: Net) -> None:
    socket, end = opened(net, serve(net))
    assert net.result(socket.close(4000, "x")) is None
    assert end.reason.code == 4000
    socket, end = opened(net, serve(net))
    closing = socket.close()
    socket.abort()
    assert net.result(closing) is None and isinstance(socket.closed.value, WebSocketLost)


def test_aBlockThatRaisesClosesWith1011(net: Net) -> None:
    async def talk() -> None:
        async with await connect(server.url, reactor=net.reactor):
            raise RuntimeError("mine")

    server = serve(net)
    with pytest.raises(RuntimeError, match="mine"):
        net.result(ensureDeferred(talk()))
    assert net.until(lambda: server.built[0].reason).code == 1011


def test_oneWaitsForAMessageAndMayGiveUp(net: Net) -> None:
    socket, end = opened(net, serve(net))
    waiting = socket.receive()
    with pytest.raises(RuntimeError, match="somebody waits"):
        socket.receive()
    waiting.cancel()
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    end.sendMessage("kept")
    assert net.result(socket.receive()) == "kept"


def test_whoSendsWaitsForThePeerToRead(net: Net) -> None:
    async def flood() -> int:
        for number in range(400):
            await sending.send(bytes(60_000))
            count.append(number)
        return len(count)

    count: list[int] = []
    server = serve(net, WebSocket)
    sock = upgraded(net, server)
    (sending,) = server.built
    flooding = ensureDeferred(flood())
    net.turn(50)
    stopped = len(count)
    assert 0 < stopped < 200
    net.turn(10)
    assert len(count) == stopped and sending.transport.buffered < 200_000
    got = net.receive(sock, 400 * 60_004)
    assert len(got) == 400 * 60_004 and net.result(flooding) == 400


def test_whoWaitsToSendHearsOfTheEnd(net: Net) -> None:
    for end in ("close", "abort", "reset"):
        server = serve(net, WebSocket)
        sock = upgraded(net, server)
        (socket,) = server.built
        waiting: list[Deferred[Any]] = [socket.send(bytes(1 << 20)) for _ in range(8)]
        assert not waiting[-1].called
        closing = socket.close() if end == "close" else None
        if end == "abort":
            socket.abort()
        if end != "close":
            net.reset(sock)
        else:
            sock.setblocking(False)
        for each in waiting:
            with pytest.raises((WebSocketClosed, WebSocketLost)):
                net.result(each)
        if closing is not None:
            net.reset(sock)
            net.result(closing)


def test_noMoreIsReadThanMaxWaitingUntilSomebodyReads(net: Net) -> None:
    server = serve(net, lambda: WebSocket(100_000))
    sock = upgraded(net, server)
    (socket,) = server.built
    sock.setblocking(False)
    data, sent = built(FIN | BINARY, bytes(30_000)) * 5, 0
    while True:
        try:
            sent += sock.send(data[sent % len(data) :])
        except BlockingIOError:
            net.turn(3)
            try:
                sent += sock.send(data[sent % len(data) :])
            except BlockingIOError:
                break
    assert socket._size <= 120_000 and len(socket._messages) <= 4
    frame = len(data) // 5
    for _ in range(sent // frame):
        assert net.result(socket.receive()) == bytes(30_000)


def test_messagesThatCameBeforeTheEndAreStillRead(net: Net) -> None:
    server = serve(net, WebSocket)
    sock = upgraded(net, server)
    sock.sendall(built(FIN | TEXT, b"a") + built(FIN | TEXT, b"b") + built(FIN | CLOSE, b"\x03\xe8"))
    (socket,) = server.built
    net.until(lambda: socket.closed)
    assert [net.result(socket.receive()) for _ in range(2)] == ["a", "b"]
    with pytest.raises(WebSocketClosed):
        net.result(socket.receive())


def test_aProtocolOfTheProgramsOwn(net: Net) -> None:
    client, _ = opened(net, serve(net, Echo), protocol=Traced)
    assert isinstance(client, Traced) and client.factory is not None


def test_itTellsWithWhomItIsAndWhetherItIsOver(net: Net) -> None:
    assert repr(WebSocket()) == "<WebSocket that is not open yet>"
    socket, end = opened(net, serve(net))
    peer = socket.transport.getPeer()
    assert repr(socket) == f"<WebSocket with {peer}, open>"
    net.result(socket.close())
    assert repr(socket) == f"<WebSocket with {peer}, over>"
