"""Protocols, consumers and files in each other's clothes."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from reactor.interfaces import IConsumer, IProtocol, ITransport
from reactor.protocol import ConsumerToProtocolAdapter, FileWrapper, Protocol, ProtocolToConsumerAdapter, connectionDone


class Received(Protocol):
    def __init__(self) -> None:
        self.data: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.data.append(data)


@implementer(IConsumer)
class Consumer:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        pass

    def unregisterProducer(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written.append(data)


def test_aProtocolAsConsumer() -> None:
    protocol = Received()
    consumer: Any = IConsumer(protocol)
    assert type(consumer) is ProtocolToConsumerAdapter
    assert verifyObject(IConsumer, consumer)
    consumer.registerProducer(object(), True)
    consumer.write(b"a")
    consumer.write(b"b")
    consumer.unregisterProducer()
    assert protocol.data == [b"a", b"b"]


def test_aConsumerAsProtocol() -> None:
    consumer = Consumer()
    protocol: Any = IProtocol(consumer)
    assert type(protocol) is ConsumerToProtocolAdapter
    assert verifyObject(IProtocol, protocol)
    protocol.makeConnection(object())
    protocol.connectionMade()
    protocol.dataReceived(b"a")
    protocol.connectionLost(connectionDone)
    assert consumer.written == [b"a"]


# ---- FileWrapper ----


class Producer:
    """Writes so many pieces when asked, one each time, and unregisters with the last."""

    def __init__(self, consumer: Any, pieces: int) -> None:
        self.consumer = consumer
        self.pieces = pieces
        self.calls: list[str] = []
        self.depth = self.deepest = 0

    def resumeProducing(self) -> None:
        self.calls.append("resume")
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        self.pieces -= 1
        if self.pieces == 0:
            self.consumer.unregisterProducer()
        self.consumer.write(b"x")
        self.depth -= 1

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class Broken(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError("full")

    def close(self) -> None:
        super().close()
        raise OSError("still full")


def test_fileWrapperWrites() -> None:
    file = io.BytesIO()
    wrapper = FileWrapper(file)
    assert verifyObject(ITransport, wrapper)
    assert verifyObject(IConsumer, wrapper)
    wrapper.write(b"a")
    wrapper.writeSequence(iter([b"b", b"c"]))
    assert file.getvalue() == b"abc"
    assert (wrapper.getPeer(), wrapper.getHost()) == (("file", "file"), "file")
    wrapper.pauseProducing()
    wrapper.resumeProducing()
    wrapper.write(b"d")
    assert file.getvalue() == b"abcd"


@pytest.mark.parametrize("close", [FileWrapper.loseConnection, FileWrapper.stopProducing, FileWrapper.stopConsuming])
def test_fileWrapperCloses(close: Any) -> None:
    file = io.BytesIO()
    wrapper = FileWrapper(file)
    close(wrapper)
    close(wrapper)
    assert wrapper.closed
    assert file.closed
    wrapper.write(b"dropped")


def test_aPullProducerIsAskedUntilItHasNoMore() -> None:
    file = io.BytesIO()
    wrapper = FileWrapper(file)
    producer = Producer(wrapper, 5000)
    wrapper.registerProducer(producer, False)
    assert len(file.getvalue()) == 5000
    assert producer.calls == ["resume"] * 5000
    assert producer.deepest == 1
    assert wrapper.producer is None


def test_aPullProducerThatWritesLater() -> None:
    wrapper = FileWrapper(io.BytesIO())
    producer = Producer(wrapper, 1)
    producer.resumeProducing = lambda: producer.calls.append("resume")  # type: ignore[method-assign]
    wrapper.registerProducer(producer, False)
    assert producer.calls == ["resume"]
    wrapper.write(b"later")
    assert producer.calls == ["resume", "resume"]


def test_aPushProducerIsNotAsked() -> None:
    wrapper = FileWrapper(io.BytesIO())
    producer = Producer(wrapper, 1)
    wrapper.registerProducer(producer, True)
    wrapper.write(b"x")
    assert producer.calls == []
    wrapper.stopConsuming()
    assert producer.calls == ["stop"]
    assert wrapper.producer is None


def test_aFileThatFailsIsLoggedAndStaysOpen(caplog: pytest.LogCaptureFixture) -> None:
    wrapper = FileWrapper(Broken())
    producer = Producer(wrapper, 3)
    wrapper.registerProducer(producer, False)
    assert producer.calls == ["resume"]
    assert not wrapper.closed
    assert [(r.name, r.levelno) for r in caplog.records] == [("reactor", logging.ERROR)]
    wrapper.write(b"again")
    assert len(caplog.records) == 2
    # Closing fails as well, and is over.
    wrapper.loseConnection()
    assert wrapper.closed and len(caplog.records) == 3
    assert "full" in caplog.text


def test_aProducerThatRaises() -> None:
    wrapper = FileWrapper(io.BytesIO())
    producer = Producer(wrapper, 3)
    raising = Producer(wrapper, 3)
    raising.resumeProducing = lambda: 1 // 0  # type: ignore[method-assign, assignment]
    with pytest.raises(ZeroDivisionError):
        wrapper.registerProducer(raising, False)
    wrapper.unregisterProducer()
    wrapper.registerProducer(producer, False)
    assert producer.calls == ["resume"] * 3
