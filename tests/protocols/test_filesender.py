"""`protocols.basic.FileSender` into a consumer in memory and over a real connection."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest
from net import Net

from protocols.basic import FileSender
from reactor.defer import CancelledError, Deferred
from reactor.error import ConnectionLost
from reactor.interfaces import IPullProducer

CONTENT = bytes(range(256)) * 1000


class Consumer:
    """Asks when the test says so."""

    def __init__(self) -> None:
        self.producer: Any = None
        self.written: list[bytes] = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert not streaming
        if self.producer is not None:
            raise RuntimeError("one is registered")
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        assert data
        self.written.append(data)

    def drain(self) -> bytes:
        while self.producer is not None:
            self.producer.resumeProducing()
        return b"".join(self.written)


def heard(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def test_a_piece_each_time_it_is_asked() -> None:
    consumer, sender = Consumer(), FileSender()
    assert IPullProducer.providedBy(sender)
    done = heard(sender.beginFileTransfer(io.BytesIO(CONTENT), consumer))
    consumer.producer.resumeProducing()
    assert [len(piece) for piece in consumer.written] == [sender.CHUNK_SIZE]
    sender.pauseProducing()
    assert done == []
    assert consumer.drain() == CONTENT
    assert done == [b"\xff"] == [sender.lastSent]


def test_an_empty_file() -> None:
    consumer = Consumer()
    done = heard(FileSender().beginFileTransfer(io.BytesIO(), consumer))
    assert consumer.drain() == b""
    assert done == [b""]


def test_each_piece_transformed() -> None:
    consumer = Consumer()
    done = heard(FileSender().beginFileTransfer(io.BytesIO(b"abc" * 10_000), consumer, bytes.upper))
    assert consumer.drain() == b"ABC" * 10_000
    assert done == [b"C"]


def test_a_piece_that_becomes_nothing_is_no_end() -> None:
    consumer = Consumer()
    pieces = iter([b"", b"x", b"", b"", b"y"])
    sender = FileSender()
    sender.CHUNK_SIZE = 1
    done = heard(sender.beginFileTransfer(io.BytesIO(b"12345"), consumer, lambda piece: next(pieces)))
    assert consumer.drain() == b"xy"
    assert done == [b"y"]


def test_one_sender_sends_one_file_after_another() -> None:
    consumer, sender = Consumer(), FileSender()
    for content in b"one", b"two":
        heard(sender.beginFileTransfer(io.BytesIO(content), consumer))
        consumer.drain()
    assert consumer.written == [b"one", b"two"]


def test_what_reading_or_transforming_raises_is_the_result() -> None:
    consumer = Consumer()
    broken = io.BytesIO(b"x")
    done = heard(FileSender().beginFileTransfer(broken, consumer, lambda piece: bytes(1 // 0)))
    consumer.drain()
    assert done[0].type is ZeroDivisionError
    done = heard(FileSender().beginFileTransfer(broken, consumer))
    broken.close()
    consumer.drain()
    assert done[0].type is ValueError


def test_the_consumer_wants_no_more() -> None:
    consumer = Consumer()
    done = heard(FileSender().beginFileTransfer(io.BytesIO(CONTENT), consumer))
    consumer.producer.resumeProducing()
    consumer.producer.stopProducing()
    consumer.producer.stopProducing()
    assert done[0].type is ConnectionLost
    assert "Consumer asked FileSender to stop" in str(done[0].value)
    consumer.producer.resumeProducing()
    assert len(consumer.written) == 1


def test_a_consumer_that_has_a_producer() -> None:
    consumer = Consumer()
    heard(FileSender().beginFileTransfer(io.BytesIO(b"first"), consumer))
    with pytest.raises(RuntimeError, match="one is registered"):
        FileSender().beginFileTransfer(io.BytesIO(b"second"), consumer)
    assert consumer.drain() == b"first"


def test_cancelled_it_writes_no_more() -> None:
    consumer = Consumer()
    sending = FileSender().beginFileTransfer(io.BytesIO(CONTENT), consumer)
    done = heard(sending)
    consumer.producer.resumeProducing()
    sending.cancel()
    assert done[0].type is CancelledError
    assert consumer.producer is None
    assert len(consumer.written) == 1


def test_over_a_connection_it_is_as_fast_as_the_reader(net: Net) -> None:
    size = 5_000_000
    protocol, peer = net.socketPair()
    file = io.BytesIO(b"0123456789" * (size // 10))
    done = heard(FileSender().beginFileTransfer(file, protocol.transport))
    protocol.lose()
    net.turn(50)
    read_ = file.tell()
    assert read_ < size, "the rest waits until the peer reads"
    assert net.receive(peer) == file.getvalue()
    assert done == [b"9"]
    net.until(lambda: protocol.lost)


def test_the_connection_is_lost(net: Net) -> None:
    protocol, peer = net.socketPair()
    done = heard(FileSender().beginFileTransfer(io.BytesIO(bytes(20_000_000)), protocol.transport))
    net.turn()
    net.reset(peer)
    net.until(lambda: protocol.lost)
    assert done[0].type is ConnectionLost


def test_whatCannotBeWrittenFailsTheDeferredAndLetsTheConnectionClose(net: Net) -> None:
    failed: list[Any] = []

    def made(server: Any) -> None:
        # Opened without "b".
        failed.extend(heard(FileSender().beginFileTransfer(io.StringIO("text"), server.transport)))
        server.lose()

    server = net.listen(made=made)
    client = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    assert net.receive(client) == b""
    failed[0].trap(TypeError)
