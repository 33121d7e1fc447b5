"""Bandwidth is limited, and nobody who waits for another reason is made to go on by it."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from net import Net, Traced

from protocols.policies import ThrottlingFactory
from protocols.policies import _limits as limits
from reactor.protocol import Factory, Protocol
from reactor.task import Clock


class Pipe:
    """A transport that keeps what it is asked."""

    disconnecting = False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.producer: Any = None

    def pauseProducing(self) -> None:
        self.asked.append("pause")

    def resumeProducing(self) -> None:
        self.asked.append("resume")

    def write(self, data: bytes) -> None:
        self.asked.append(f"write {len(data)}")

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None


class Producer:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def pauseProducing(self) -> None:
        self.asked.append("pause")

    def resumeProducing(self) -> None:
        self.asked.append("resume")

    def stopProducing(self) -> None:
        self.asked.append("stop")


def throttling(clock: Clock, **limits: Any) -> Any:
    inner = Factory.forProtocol(Protocol)
    factory: Any = ThrottlingFactory(inner, **limits)
    factory.callLater = clock.callLater
    return factory


def made(factory: Any) -> tuple[Any, Pipe]:
    wrapper, pipe = factory.buildProtocol(None), Pipe()
    wrapper.makeConnection(pipe)
    return wrapper, pipe


def test_reads() -> None:
    clock = Clock()
    factory = throttling(clock, readLimit=100)
    wrapper, pipe = made(factory)
    other, otherPipe = made(factory)
    wrapper.dataReceived(bytes(100))
    assert pipe.asked == []
    # One more: worth 2.5 seconds together.
    other.dataReceived(bytes(150))
    assert (pipe.asked, otherPipe.asked) == (["pause"], ["pause"])
    clock.advance(1)
    clock.advance(1.4)
    _, latePipe = made(factory)
    assert (pipe.asked, latePipe.asked) == (["pause"], ["pause"])
    clock.advance(0.1)
    assert (pipe.asked, otherPipe.asked, latePipe.asked) == (["pause", "resume"],) * 3
    clock.pump([1, 1])
    assert pipe.asked == ["pause", "resume"]


def test_theProgramsOwnPauseStays() -> None:
    clock = Clock()
    wrapper, pipe = made(throttling(clock, readLimit=100))
    wrapper.dataReceived(bytes(200))
    wrapper.pauseProducing()
    clock.pump([1, 1, 1])
    assert pipe.asked == ["pause"]
    wrapper.resumeProducing()
    assert pipe.asked == ["pause", "resume"]
    wrapper.pauseProducing()
    wrapper.dataReceived(bytes(200))
    wrapper.resumeProducing()
    assert pipe.asked == ["pause", "resume", "pause"]
    clock.pump([1, 1, 1])
    assert pipe.asked == ["pause", "resume", "pause", "resume"]


def test_writesOfAPushProducer() -> None:
    clock = Clock()
    wrapper, pipe = made(throttling(clock, writeLimit=100))
    producer = Producer()
    wrapper.registerProducer(producer, True)
    wrapper.write(bytes(150))
    wrapper.writeSequence([bytes(25), bytes(25)])
    assert producer.asked == ["pause"]
    # The transport is full and has room again, while the limit still objects.
    pipe.producer.pauseProducing()
    pipe.producer.resumeProducing()
    assert producer.asked == ["pause"]
    clock.advance(1)
    clock.advance(1)
    assert producer.asked == ["pause", "resume"]
    pipe.producer.pauseProducing()
    wrapper.write(bytes(200))
    clock.pump([1, 1, 1])
    assert producer.asked == ["pause", "resume", "pause"]
    pipe.producer.resumeProducing()
    assert producer.asked == ["pause", "resume", "pause", "resume"]
    wrapper.unregisterProducer()
    assert pipe.producer is None and wrapper.producer is None


def test_writesOfAPullProducer() -> None:
    clock = Clock()
    wrapper, pipe = made(throttling(clock, writeLimit=100))
    producer = Producer()
    wrapper.registerProducer(producer, False)
    assert producer.asked == ["resume"]
    wrapper.write(bytes(300))
    pipe.producer.resumeProducing()
    assert producer.asked == ["resume"]
    clock.advance(1)
    clock.advance(1.9)
    assert producer.asked == ["resume"]
    clock.advance(0.1)
    assert producer.asked == ["resume", "resume"]
    with pytest.raises(RuntimeError, match="is registered"):
        wrapper.registerProducer(Producer(), True)


def test_timersEndWithTheLastConnection() -> None:
    clock = Clock()
    factory = throttling(clock, readLimit=100, writeLimit=100)
    wrapper, _ = made(factory)
    wrapper.dataReceived(bytes(1000))
    wrapper.write(bytes(1000))
    clock.advance(1)
    assert len(clock.getDelayedCalls()) == 4
    wrapper.connectionLost(None)
    assert (clock.getDelayedCalls(), factory.connectionCount) == ([], 0)
    _, pipe = made(factory)
    assert pipe.asked == []


def test_timersEndWhenNothingWasConnected() -> None:
    clock = Clock()
    factory = throttling(clock, readLimit=100)
    factory.buildProtocol(None)
    gc.collect()
    clock.pump([1, 1])
    assert clock.getDelayedCalls() == []


def test_connections(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    factory = throttling(Clock(), maxConnectionCount=2)
    held = [made(factory) for _ in range(2)]
    assert [factory.buildProtocol(None) for _ in range(100)] == [None] * 100
    # Said once, however many try.
    assert len(caplog.records) == 1 and "refuses connections: it has 2" in caplog.text
    held.pop()[0].connectionLost(None)
    assert factory.buildProtocol(None) is not None
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (70, 70))
    factory = throttling(Clock())
    assert [factory.buildProtocol(None) is None for _ in range(1)] == [False]
    held = [made(factory) for _ in range(6)]
    assert factory.buildProtocol(None) is None


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_badLimits(limit: float) -> None:
    with pytest.raises(ValueError, match="readLimit must be above 0 bytes a second, or None, not"):
        ThrottlingFactory(Factory(), readLimit=limit)
    with pytest.raises(ValueError, match="writeLimit must be above 0 bytes a second, or None, not"):
        ThrottlingFactory(Factory(), writeLimit=limit)


def test_aFastSenderWaits(net: Net) -> None:
    clock = Clock()
    protocol = Traced()
    inner = Factory.forProtocol(lambda: protocol)
    factory: Any = ThrottlingFactory(inner, readLimit=1_000_000)
    factory.callLater = clock.callLater
    inner.noisy = factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    client = net.connect(port.getHost().port, made=lambda self: self.write(bytes(3_000_000)))
    net.until(lambda: len(protocol.received) > 1_000_000)
    before = len(protocol.received)
    assert before < 1_000_000 + 262_144
    net.assertIdle()
    assert len(protocol.received) == before
    while len(protocol.received) < 3_000_000:
        clock.advance(1)
        net.turn(20)
    client.built[0].lose()
    net.until(lambda: protocol.lost)
    assert clock.getDelayedCalls() == []
