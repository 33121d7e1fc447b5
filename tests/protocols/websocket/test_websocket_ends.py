"""Two ends of a WebSocket on loopback: messages, closing, pings, deadlines, back-pressure, and what is left behind."""

from __future__ import annotations

import gc
import socket
import weakref
from typing import Any

import pytest
from net import Net
from wire import BINARY, CLOSE, PONG, TEXT, built
from wsnet import Echo, Traced, opened, serve, upgraded

from protocols.websocket import CloseCode, WebSocketAborted, WebSocketClosed, WebSocketLost
from protocols.websocket._frames import FIN
from reactor.error import ConnectionAborted, ConnectionDone, ConnectionLost
from reactor.task import Clock

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

BIG = 300_000


def lost(net: Net, end: Any) -> Any:
    return net.until(lambda: end.reason)


@pytest.mark.parametrize("options", [{}, {"compression": True}], ids=["plain", "deflate"])
def test_messagesComeBack(net: Net, options: dict[str, Any]) -> None:
    server = serve(net, **options)
    client, _ = opened(net, server, protocol=Traced, **options)
    messages = ["héllo", b"\0\xff", "", b"", "x" * BIG, bytes(BIG), bytearray(b"array"), memoryview(b"view")]
    for message in messages:
        client.sendMessage(message)
    net.until(lambda: len(client.messages) == len(messages))
    assert client.messages == [*messages[:6], b"array", b"view"]
    assert [type(message) for message in client.messages] == [str, bytes, str, bytes, str, bytes, bytes, bytes]


def test_whatIsNoMessageIsToldWhoSendsIt(net: Net) -> None:
    client, server = opened(net, serve(net), protocol=Traced)
    for wrong in (None, 5, ["x"]):
        with pytest.raises(TypeError, match=r"sendMessage\(\): a message must be str or bytes"):
            client.sendMessage(wrong)
    with pytest.raises(UnicodeEncodeError):
        client.sendMessage("\ud800")
    client.sendMessage("still here")
    net.until(lambda: client.messages == ["still here"])


def test_fragmentsArriveAsOneMessage(net: Net) -> None:
    client, server = opened(net, serve(net), protocol=Traced)
    for part in ("a", "b"):
        client.transport.sendFragment(part)
    client.transport.sendFragment("c", last=True)
    net.until(lambda: client.messages == ["abc"])


@pytest.mark.parametrize("first", ["client", "server"])
def test_aCloseWithCodeAndReason(net: Net, first: str) -> None:
    client, server = opened(net, serve(net), protocol=Traced)
    ends = {"client": client, "server": server}
    closer = ends.pop(first)
    (other,) = ends.values()
    closer.sendMessage("last word")
    closer.close(4001, "bye é")
    closer.sendMessage("dropped")
    for end in (closer, other):
        reason = lost(net, end)
        assert isinstance(reason, WebSocketClosed) and isinstance(reason, ConnectionDone)
        assert (reason.code, reason.reason, reason.byPeer) == (4001, "bye é", end is other)
    assert other.messages == ["last word"]


def test_aCloseFromInsideAMessage(net: Net) -> None:
    server = serve(net, lambda: Echo(message=lambda end, message: end.close() if message == "end" else None))
    client, end = opened(net, server, protocol=Traced)
    for message in ("a", "end", "b"):
        client.sendMessage(message)
    lost(net, client)
    assert end.messages == ["a", "end"] and client.messages == ["a"]


def test_closesThatCannotBeSent(net: Net) -> None:
    client, _ = opened(net, serve(net), protocol=Traced)
    for code, reason in ((1006, ""), (1000, "x" * 124), (999, "")):
        with pytest.raises(ValueError, match=r"loseConnection\(\)"):
            client.close(code, reason)
    assert not client.transport.disconnecting


@pytest.mark.parametrize("first", ["client", "server"])
def test_anAbortIsTold(net: Net, first: str) -> None:
    client, server = opened(net, serve(net), protocol=Traced)
    closer, other = (client, server) if first == "client" else (server, client)
    closer.transport.abortConnection()
    reason = lost(net, closer)
    assert isinstance(reason, WebSocketAborted) and isinstance(reason, ConnectionAborted)
    reason = lost(net, other)
    assert type(reason) is WebSocketLost and reason.code == CloseCode.ABNORMAL


def test_aPeerThatGoesWithoutAWord(net: Net) -> None:
    server = serve(net)
    for leave in (socket.socket.close, net.reset):
        sock = upgraded(net, server)
        leave(sock)
        reason = lost(net, server.built[-1])
        assert isinstance(reason, WebSocketLost) and isinstance(reason, ConnectionLost) and reason.code == 1006


def test_7_1_1_theServerClosesFirst(net: Net) -> None:
    server = serve(net)
    sock = upgraded(net, server)
    sock.sendall(built(FIN | CLOSE, b"\x03\xe8"))
    assert net.receive(sock) == b"\x88\x02\x03\xe8"
    assert lost(net, server.built[0]).code == 1000


def test_S_websocket_whoBreaksTheProtocolReadsWhy(net: Net) -> None:
    server = serve(net)
    sock = upgraded(net, server)
    # Much lies behind it that nobody reads, for which a system resets connections that are just closed.
    sock.sendall(built(FIN | 3) + bytes(200_000))
    sock.shutdown(socket.SHUT_WR)
    assert net.receive(sock).startswith(b"\x88")
    reason = lost(net, server.built[0])
    assert type(reason) is WebSocketLost and reason.code == CloseCode.PROTOCOL_ERROR and "opcode 3" in reason.reason


def test_whatTheProtocolRaisesIsLoggedOnceAndClosesWith1011(net: Net) -> None:
    def fail(end: Any, message: Any) -> None:
        raise RuntimeError("mine")

    server = serve(net, lambda: Traced(message=fail))
    client, end = opened(net, server, protocol=Traced)
    other, _ = opened(net, server, protocol=Traced)
    client.sendMessage("x")
    client.sendMessage("y")
    net.expectErrors(1)
    assert lost(net, client).code == CloseCode.INTERNAL_ERROR
    assert isinstance(lost(net, end), RuntimeError) and end.messages == ["x"]
    assert other.reason is None


def test_pingsAreAnsweredAndTold(net: Net) -> None:
    client, server = opened(net, serve(net), protocol=Traced)
    client.transport.ping(b"one")
    server.transport.ping()
    net.until(lambda: ("pong", b"one") in client.events and ("pong", b"") in server.events)
    assert ("ping", b"one") in server.events and ("ping", b"") in client.events
    with pytest.raises(ValueError, match="125"):
        client.transport.ping(bytes(126))


# Deadlines.


def test_theConnectionIsAskedNowAndThen(net: Net) -> None:
    clock = Clock()
    server = serve(net, clock=clock, pingInterval=20, pingTimeout=10)
    sock = upgraded(net, server)
    for count in (b"1", b"2"):
        clock.advance(20)
        assert net.receive(sock, 3) == b"\x89\x01" + count
        sock.sendall(built(FIN | PONG, count))
        net.until(lambda: clock.calls[0].getTime() == clock.seconds() + 20)
    assert server.built[0].events == [("made",)]


@pytest.mark.parametrize("said", [b"", built(FIN | PONG, b"other"), built(FIN | TEXT, b"x")])
def test_S_websocket_whoDoesNotAnswerIsLeft(net: Net, said: bytes) -> None:
    clock = Clock()
    server = serve(net, Traced, clock=clock, pingInterval=20, pingTimeout=10)
    sock = upgraded(net, server)
    clock.advance(20)
    sock.sendall(said)
    net.receive(sock, 3)
    net.turn()
    clock.advance(10)
    sock.shutdown(socket.SHUT_WR)
    assert net.receive(sock)[2:4] == b"\x03\xf3"
    reason = lost(net, server.built[0])
    assert type(reason) is WebSocketLost and reason.code == 1011 and "no answer to a ping within 10 s" in reason.reason
    assert clock.calls == []


def test_noAnswerIsAwaitedFromAPeerThatIsNotRead(net: Net) -> None:
    clock = Clock()
    server = serve(net, Traced, clock=clock, pingInterval=20, pingTimeout=10)
    sock = upgraded(net, server)
    end = server.built[0]
    end.transport.pauseProducing()
    for _ in range(6):
        clock.advance(20)
        net.turn()
    assert end.reason is None
    end.transport.resumeProducing()
    sock.sendall(built(FIN | TEXT, b"here"))
    net.until(lambda: clock.calls)
    clock.advance(0)
    net.until(lambda: end.messages == ["here"])


def test_S_websocket_aCloseThatIsNotAnsweredEnds(net: Net) -> None:
    clock = Clock()
    server = serve(net, Traced, clock=clock, closeTimeout=7)
    sock = upgraded(net, server)
    end = server.built[0]
    end.close(1001)
    assert net.receive(sock, 4) == b"\x88\x02\x03\xe9"
    net.turn()
    clock.advance(7)
    reason = lost(net, end)
    assert type(reason) is WebSocketAborted and reason.code == 1006


def test_aServerThatDoesNotCloseIsLeftByTheClient(net: Net) -> None:
    from websockets.utils import accept_key

    from protocols.websocket import connect

    clock = Clock()
    listening = net.plainListener()
    made: list[Any] = []
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
    connect(url, reactor=net.reactor, clock=clock, closeTimeout=7, protocol=Traced).addCallback(made.append)
    net.turn()
    peer = net.keep(listening.accept()[0])
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += net.receive(peer, 1)
    key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
    peer.sendall(
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept_key(key).encode()
        + b"\r\n\r\n"
        + built(FIN | CLOSE, b"\x03\xe8", key=None)
    )
    (end,) = net.until(lambda: made)
    net.turn()
    assert end.reason is None
    clock.advance(7)
    reason = lost(net, end)
    assert type(reason) is WebSocketClosed and reason.code == 1000


# Back-pressure and memory.


def test_S_websocket_aPeerThatDoesNotReadTakesBoundedMemory(net: Net) -> None:
    server = serve(net, Echo, maxBuffered=1 << 20)
    sock = upgraded(net, server)
    sock.setblocking(False)
    end = server.built[0]
    data = built(FIN | BINARY, bytes(60_000))

    def flood() -> bool:
        try:
            sock.send(data)
        except (BlockingIOError, ConnectionError):
            pass
        return end.reason is not None

    most = 0
    while not flood():
        net.turn(1)
        most = max(most, end.transport.buffered)
    assert "write buffer is full" in str(end.reason.__cause__) and most < 3 << 20


def test_aMessageThatIsLargerThanTheLimitOfWhatWaitsIsSent(net: Net) -> None:
    server = serve(net, Traced, maxBuffered=1 << 20, maxMessage=None)
    client, end = opened(net, server, protocol=Traced, maxMessage=None)
    for _ in range(2):
        end.sendMessage(bytes(3 << 20))
    net.until(lambda: len(client.messages) == 2)


@pytest.mark.parametrize("resumed", ["at once", "later"])
def test_pausingFromInsideAMessage(net: Net, resumed: str) -> None:
    def pause(end: Any, message: Any) -> None:
        end.transport.pauseProducing()
        if resumed == "at once":
            end.transport.resumeProducing()

    client, end = opened(net, serve(net, lambda: Traced(message=pause)), protocol=Traced)
    sent = [str(number) for number in range(15)]
    for message in sent:
        client.sendMessage(message)
    for count in range(1, 16):
        net.until(lambda count=count: len(end.messages) >= count)
        if resumed == "later":
            net.turn(2)
            assert len(end.messages) == count
            end.transport.resumeProducing()
    assert end.messages == sent


def test_aPausedEndThatClosesHearsThePeersClose(net: Net) -> None:
    client, end = opened(net, serve(net, Traced), protocol=Traced)
    end.transport.pauseProducing()
    for _ in range(3):
        client.sendMessage("x" * 1000)
    net.turn()
    end.close()
    assert lost(net, end).code == 1000 and end.messages == []


def test_aProducerIsToldAndACloseWaitsForIt(net: Net) -> None:
    class Producer:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def resumeProducing(self) -> None:
            self.calls.append("resume")

        def pauseProducing(self) -> None:
            self.calls.append("pause")

        def stopProducing(self) -> None:
            self.calls.append("stop")

    client, end = opened(net, serve(net, Traced), protocol=Traced)
    producer = Producer()
    end.transport.registerProducer(producer, True)
    end.close(4002)
    for _ in range(30):
        end.sendMessage(bytes(100_000))
    assert producer.calls == ["pause"]
    net.until(lambda: len(client.messages) == 30)
    net.until(lambda: producer.calls == ["pause", "resume"])
    assert end.transport.disconnecting and client.reason is None
    end.transport.unregisterProducer()
    assert lost(net, client).code == 4002
    lost(net, end)
    late = Producer()
    end.transport.registerProducer(late, True)
    assert late.calls == ["stop"]


def test_whatIsOverIsFreedWithoutTheCollector(net: Net) -> None:
    client, end = opened(net, serve(net, compression=True), protocol=Traced, compression=True)
    client.sendMessage("x")
    net.until(lambda: client.messages)
    client.close()
    lost(net, client), lost(net, end)
    net.turn()
    gc.collect()
    gc.disable()
    try:
        kept = [weakref.ref(each) for each in (client, client.transport)]
        client = None
        assert [each() for each in kept] == [None] * 2
    finally:
        gc.enable()


def test_loseConnectionAndSendMessageCallNobody(net: Net) -> None:
    client, end = opened(net, serve(net), protocol=Traced)
    for act in (lambda: client.sendMessage("x"), client.close, client.close, client.transport.abortConnection):
        before = len(client.events)
        act()
        assert len(client.events) == before
    lost(net, client), lost(net, end)
    client.sendMessage("late")
    client.close()
    client.transport.abortConnection()
    client.transport.pauseProducing()
    client.transport.resumeProducing()
    client.transport.ping()
    assert not client.transport.connected and client.transport.getPeer().host == "127.0.0.1"
