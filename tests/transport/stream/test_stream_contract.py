"""What every kind of stream connection does, whatever it is made of.

A kind is a function that makes two connected ends; one more kind is one more row in `KINDS`.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
import unixnet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from net import Net, Traced, TracedServer, pattern
from tls import impatient, startBoth, startTLS, tls, tlsInTLS
from zope.interface import implementer
from zope.interface.verify import verifyObject

from protocols.websocket import WebSocketClientEndpoint, WebSocketServerEndpoint
from reactor.endpoints import TCP4ServerEndpoint
from reactor.error import ConnectionAborted, ConnectionDone, ConnectionLost
from reactor.failure import Failure
from reactor.interfaces import IConsumer, IHalfCloseableProtocol, IPushProducer, ITransport

Build = Callable[[], Traced]
Kind = Callable[[Net, Build, Build], tuple[Traced, Traced]]
Ends = Callable[..., tuple[Traced, Traced]]
NUMBERS = itertools.count()


def tcp(net: Net, first: Build, second: Build, host: str) -> tuple[Traced, Traced]:
    """A client and a server."""
    server = net.listen(build=lambda address: second(), interface=host)
    client = net.connect(server.port, host=host, build=lambda address: first())
    net.until(lambda: server.built and client.built and "CM" in client.events and "CM" in server.built[0].events)
    return client.built[0], server.built[0]


def tcp4(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Over IPv4."""
    return tcp(net, first, second, "127.0.0.1")


def tcp6(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Over IPv6."""
    return tcp(net, first, second, "::1")


def adopt(net: Net, sock: socket.socket, build: Build) -> Traced:
    """The protocol of a connection that somebody else made."""
    factory = TracedServer(lambda address: build())
    net.servers.append(factory)
    net.reactor.adoptStreamConnection(sock.fileno(), sock.family, factory)
    return factory.built[0]


def adopted(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Two sockets that somebody else connected."""
    ends: list[Traced] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()) as one, listening.accept()[0] as other:
            for sock, build in ((one, first), (other, second)):
                ends.append(adopt(net, sock, build))
    return ends[0], ends[1]


def unix(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Over a UNIX socket; the name is abstract, so that nothing is left behind."""
    name = f"\0reactor-{os.getpid()}-{next(NUMBERS)}"
    server = unixnet.listen(net, name, lambda address: second())
    client = unixnet.connect(net, name, lambda address: first())
    net.until(lambda: server.built and client.built and "CM" in client.events and "CM" in server.built[0].events)
    return client.built[0], server.built[0]


def unixWithDescriptors(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Over a UNIX socket, whose ends have descriptors in play."""
    ends = unix(net, first, second)
    for end in ends:
        end.transport._passes().receiver = end
        end.transport._wire.receiver = end.transport._passing
    return ends


def tlsOverUnix(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """TLS over a UNIX socket."""
    one, other = unix(net, first, second)
    startBoth(net, one, other)
    return one, other


def overWebSocket(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Bytes over WebSocket, whose reasons are told by the names of the classes that they are of."""

    def named(build: Build) -> Callable[[Any], Traced]:
        def make(address: Any) -> Traced:
            end = build()
            lost = end.connectionLost

            def connectionLost(reason: Failure) -> None:
                for kind in (ConnectionDone, ConnectionAborted, ConnectionLost):
                    if isinstance(reason.value, kind):
                        reason = Failure(kind())
                        break
                lost(reason)

            end.connectionLost = connectionLost  # type: ignore[method-assign]
            return end

        return make

    server = TracedServer(named(second))
    endpoint = WebSocketServerEndpoint(TCP4ServerEndpoint(net.reactor, 0, interface="127.0.0.1"))
    port = net.result(endpoint.listen(server))
    net.ports.append(port)
    net.servers.append(server)
    client = TracedServer(named(first))
    net.servers.append(client)
    url = f"ws://127.0.0.1:{port.getHost().port}"
    end = net.result(WebSocketClientEndpoint(net.reactor, url).connect(client))
    return end, net.until(lambda: server.built[0])


KINDS: dict[str, Kind] = {
    "tcp4": tcp4,
    "tcp6": tcp6,
    "adopted": adopted,
    "unix": unix,
    "unix with descriptors": unixWithDescriptors,
    "tls": tls,
    "tls in tls": tlsInTLS,
    "startTLS": startTLS,
    "tls over unix": tlsOverUnix,
    "websocket": overWebSocket,
}

# A WebSocket has no end of one half; what a callback raises ends it as tests of its own tell; and what is below of it
# is not where one of them looks for it.
NOT_OVER_WEBSOCKET = {
    "test_halfClose",
    "test_halfCloseThatTheOtherEndDoesNotWant",
    "test_theEndWaitsForResume",
    "test_aCallbackRaises",
}

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture(params=list(KINDS))
def ends(request: pytest.FixtureRequest, net: Net) -> Ends:
    """Makes two connected ends of each kind, of two protocols (`Traced` ones if not said otherwise)."""
    if request.param == "websocket" and request.function.__name__ in NOT_OVER_WEBSOCKET:
        pytest.skip("not over WebSocket, for the reason told beside the list")
    kind = KINDS[request.param]
    return lambda first=Traced, second=Traced: kind(net, first, second)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Traced):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


def heard(protocol: Traced) -> list[str]:
    """What the protocol, not its factory, heard after connectionMade."""
    return [event for event in protocol.short if event[:2] in ("DR", "RC", "WC", "CL")]


def bareUnix(protocol: Traced) -> bool:
    return protocol.transport.kind == "UNIX" and not protocol.transport.TLS


def cut(whole: bytes, sizes: list[int]) -> list[bytes]:
    """`whole` in pieces of these sizes, and the rest, which may be empty."""
    pieces, begin = [], 0
    for size in sizes:
        pieces.append(whole[begin : begin + size])
        begin += size
    return [*pieces, whole[begin:]]


SIZES = st.lists(st.one_of(st.integers(0, 10), st.integers(0, 1 << 18)), max_size=8)
# Ahead of or behind a piece: let the loop send what there is.
TURNS = st.lists(st.booleans(), max_size=20)


@given(there=SIZES, back=SIZES, turns=TURNS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytesInBothDirections(net: Net, ends: Ends, there: list[int], back: list[int], turns: list[bool]) -> None:
    first, second = ends()
    toSecond, toFirst = pattern(sum(there) + 1), pattern(sum(back) + 2)
    pieces = [(first, piece) for piece in cut(toSecond, there)]
    for number, piece in enumerate(cut(toFirst, back)):
        pieces.insert(2 * number, (second, piece))
    for number, (end, piece) in enumerate(pieces):
        end.write(piece)
        if number < len(turns) and turns[number]:
            net.turn(1)
    net.until(lambda: len(first.received) >= len(toFirst) and len(second.received) >= len(toSecond))
    assert first.received == toFirst
    assert second.received == toSecond
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == heard(second) == ["DR*", "CL(ConnectionDone)"]


def test_interfaces(net: Net, ends: Ends) -> None:
    for end in ends():
        for interface in (ITransport, IConsumer, IPushProducer):
            assert verifyObject(interface, end.transport)


def test_addresses(net: Net, ends: Ends) -> None:
    first, second = ends()
    for one, other in ((first, second), (second, first)):
        assert one.transport.getPeer() == other.transport.getHost()
        assert type(one.transport.getPeer()) is type(one.transport.getHost())


def test_loseConnectionSendsAll(net: Net, ends: Ends) -> None:
    first, second = ends()
    whole = pattern(5_000_000)
    first.write(whole)
    first.lose()
    assert heard(first) == []
    net.until(lambda: first.lost and second.lost)
    assert second.received == whole
    assert heard(first) == ["CL(ConnectionDone)"]
    assert heard(second) == ["DR*", "CL(ConnectionDone)"]


def test_loseConnectionOnBothEndsAtOnce(net: Net, ends: Ends) -> None:
    first, second = ends()
    for end in (first, second):
        end.write(b"bye")
        end.lose()
    net.until(lambda: first.lost and second.lost)
    if first.transport.TLS:
        # Each waits for the other's close_notify, and hears what comes before that.
        assert heard(first) == heard(second) == ["DR*", "CL(ConnectionDone)"]
        return
    # Neither reads any more, and what the other said is not taken for a reset.
    assert heard(first) == ["CL(ConnectionDone)"]
    # A UNIX socket knows at once that nobody is there to take it.
    assert heard(second) == ["CL(ConnectionLost)" if bareUnix(first) else "CL(ConnectionDone)"]


def test_abortConnection(net: Net, ends: Ends) -> None:
    first, second = ends()
    first.write(pattern(5_000_000))
    first.abort()
    assert heard(first) == []
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == ["CL(ConnectionAborted)"]
    # UNIX sockets have no reset: what the peer sees is an end, which under TLS comes without a close_notify.
    assert heard(second)[-1:] == ["CL(ConnectionDone)" if bareUnix(first) else "CL(ConnectionLost)"]


def test_abortConnectionOnBothEndsAtOnce(net: Net, ends: Ends) -> None:
    first, second = ends()
    first.abort()
    second.abort()
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == heard(second) == ["CL(ConnectionAborted)"]


def test_writeAfterTheClose(net: Net, ends: Ends) -> None:
    first, second = ends()
    first.write(b"before")
    first.lose()
    first.write(b"after")
    net.until(lambda: first.lost and second.lost)
    first.write(b"after")
    second.write(b"after")
    net.turn()
    assert second.received == b"before"


def test_halfClose(net: Net, ends: Ends) -> None:
    first, second = ends(HalfCloseable, HalfCloseable)
    question, answer = pattern(1_000_000), pattern(1_000_001)
    first.write(question)
    first.ask("loseWriteConnection")
    net.until(lambda: "RCL" in second.events and "WCL" in first.events)
    assert second.received == question
    net.assertIdle()
    second.write(answer)
    second.ask("loseWriteConnection")
    net.until(lambda: first.lost and second.lost)
    assert first.received == answer
    assert heard(first) == ["WCL", "DR*", "RCL", "CL(ConnectionDone)"]
    assert heard(second) == ["DR*", "RCL", "WCL", "CL(ConnectionDone)"]


def test_halfCloseThatTheOtherEndDoesNotWant(net: Net, ends: Ends) -> None:
    first, second = ends(HalfCloseable, Traced)
    first.write(b"question")
    first.ask("loseWriteConnection")
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == ["WCL", "RCL", "CL(ConnectionDone)"]
    assert heard(second) == ["DR*", "CL(ConnectionDone)"]


def test_pauseAndResume(net: Net, ends: Ends) -> None:
    first, second = ends(lambda: Traced(data=lambda p, data: p.ask("pauseProducing")))
    whole = pattern(600_000)
    second.write(whole)
    second.lose()
    while not first.lost:
        portions = len(first.events)
        net.turn()
        # The one that came before it was paused, or its end.
        assert len(first.events) - portions <= 3
        assert sum(event.startswith("DR") for event in first.events[portions:]) <= 1
        first.ask("resumeProducing")
    assert first.received == whole
    assert heard(first) == ["DR*", "CL(ConnectionDone)"]


def test_theEndWaitsForResume(net: Net, ends: Ends) -> None:
    first, second = ends(lambda: Traced(made=lambda p: p.ask("pauseProducing")))
    impatient(second)
    second.write(b"last words")
    second.lose()
    net.until(lambda: second.lost)
    net.assertIdle()
    assert heard(first) == []
    first.ask("resumeProducing")
    net.until(lambda: first.lost)
    assert first.received == b"last words"


# What TLS in TLS adds to 20 000 bytes, at most.
OVERHEAD = 200


class Producer:
    """Writes `whole` in pieces of 20 000 bytes: as long as it is not paused, or one each time it is asked."""

    def __init__(self, end: Traced, whole: bytes, streaming: bool) -> None:
        self.end = end
        # Without empty ones: a pull producer that writes nothing has not answered, and is not asked again.
        self.pieces = [piece for piece in cut(whole, [20_000] * (len(whole) // 20_000)) if piece]
        self.streaming = streaming
        self.paused = False
        self.peak = 0
        self.pauses = 0
        self.stopped = 0
        end.transport.registerProducer(self, streaming)
        if streaming:
            self.resumeProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        while self.pieces and not self.paused:
            self.end.write(self.pieces.pop(0))
            self.peak = max(self.peak, self.end.transport.buffered)
            if not self.streaming:
                return
        if not self.pieces:
            self.end.ask("unregisterProducer")

    def pauseProducing(self) -> None:
        self.paused = True
        self.pauses += 1

    def stopProducing(self) -> None:
        self.stopped += 1


@pytest.mark.parametrize("streaming", [True, False])
def test_producer(net: Net, ends: Ends, streaming: bool) -> None:
    first, second = ends()
    whole = pattern(3_000_000)
    producer = Producer(first, whole, streaming)
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert second.received == whole
    assert heard(first) == ["CL(ConnectionDone)"]
    assert producer.peak <= (65_536 + 20_000 if streaming else 20_000) + OVERHEAD
    assert bool(producer.pauses) == streaming
    assert producer.stopped == 0


@pytest.mark.parametrize("streaming", [True, False])
def test_producerOfALostConnection(net: Net, ends: Ends, streaming: bool) -> None:
    first, second = ends(Traced, lambda: Traced(made=lambda p: p.ask("pauseProducing")))
    producer = Producer(first, pattern(30_000_000), streaming)
    net.turn(20)
    second.abort()
    net.until(lambda: first.lost and second.lost)
    assert producer.stopped == 1
    assert heard(first) == ["CL(ConnectionLost)"]


@pytest.mark.parametrize("hook", ["made", "data", "lost"])
def test_aCallbackRaises(net: Net, ends: Ends, hook: str) -> None:
    def fail(protocol: Traced, *args: Any) -> None:
        raise ValueError

    def build() -> Traced:
        return Traced(**{hook: fail})

    first, second = ends(Traced, build)
    # TLS can tell a connection that broke off from one that was ended.
    brokenOff = hook != "lost" and first.transport is not None and first.transport.TLS
    if hook == "data":
        first.write(b"x")
    elif hook == "lost":
        first.lose()
    net.until(lambda: first.lost and second.lost)
    assert heard(first) == ["CL(ConnectionLost)" if brokenOff else "CL(ConnectionDone)"]
    assert heard(second)[-1:] == ["CL(ConnectionDone)" if hook == "lost" else "CL(ValueError)"]
    net.expectErrors(1)


def test_theReactorStops(net: Net, ends: Ends) -> None:
    first, second = ends()
    first.write(b"bye")
    net.stopReactor()
    assert heard(first) == ["CL(ConnectionLost)"]
    assert heard(second)[-1:] == ["CL(ConnectionLost)"]
