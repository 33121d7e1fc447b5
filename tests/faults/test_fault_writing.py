"""Rows E29 to E37 over every kind of connection and every selector: what may be written, and who writes it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import BEGUN, eachKind, ended, everywhere, meet

from reactor.error import WriteBufferFull

# What TLS adds to 64 KiB, at most.
OVERHEAD = 200


class Producer:
    """Keeps what it is told in the trace of its protocol; `fail` names what raises."""

    def __init__(self, protocol: Traced, streaming: bool = True) -> None:
        self.protocol = protocol
        self.fail = ""
        protocol.transport.registerProducer(self, streaming)

    def _told(self, what: str) -> None:
        self.protocol.events.append(what)
        if what == self.fail:
            raise ValueError("of the producer")

    def pauseProducing(self) -> None:
        self._told("pause")

    def resumeProducing(self) -> None:
        self._told("resume")

    def stopProducing(self) -> None:
        self._told("stop")


@everywhere
def test_E29_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    first = Producer(protocol)
    with pytest.raises(RuntimeError, match=r"cannot register .*Producer"):
        Producer(protocol)
    assert protocol.transport.producer is first
    # It was stopped, and is told nothing else; the other heard nothing.
    protocol.abort()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("stop", by="ConnectionAborted")


@everywhere
def test_E30_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    Producer(protocol)
    protocol.write(bytes(65_536 - (OVERHEAD if kind == "tls" else 0)))
    assert protocol.events == BEGUN
    protocol.write(bytes(1 + (OVERHEAD if kind == "tls" else 0)))
    # Before that returned, and only once.
    assert protocol.events == [*BEGUN, "pause"]
    protocol.write(b"x")
    assert len(peer.receive(65_538)) == 65_538
    net.assertIdle()
    assert protocol.events == [*BEGUN, "pause", "resume"]
    protocol.ask("unregisterProducer")
    protocol.lose()
    assert peer.receive() == b""
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("pause", "resume", by="ConnectionDone")


@everywhere
def test_E31_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind, lost=lambda p, reason: Producer(p))
    peer.close()
    net.until(lambda: net.clients[0].over)
    Producer(protocol, False)
    assert protocol.events == [*BEGUN, "CL(ConnectionDone)", "stop", "CCL(ConnectionDone)", "doStop", "stop"]


@everywhere
@pytest.mark.parametrize("streaming", [True, False])
def test_E32_everyKind(net: Net, kind: str, streaming: bool) -> None:
    protocol, peer = meet(net, kind)
    protocol.write(bytes(8_000_000))
    Producer(protocol, streaming)
    net.turn()
    # One that pulls is asked at once.
    told = [] if streaming else ["resume"]
    peer.reset()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(*told, "stop", by="ConnectionLost")


@everywhere
@pytest.mark.parametrize("streaming", [True, False])
def test_E33_everyKind(net: Net, kind: str, streaming: bool) -> None:
    protocol, peer = meet(net, kind)
    producer = Producer(protocol, streaming)
    producer.fail = "resume"
    protocol.write(bytes(70_000))
    while not net.clients[0].over:
        assert peer.receive(1)
        net.turn(1)
    assert protocol.events == ended("pause" if streaming else "resume", "resume", "stop", by="ValueError")
    net.expectErrors(1)


@everywhere
def test_E34_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    wrong: Any
    for wrong, text in (("text", r"\.encode\(\)"), (None, "NoneType"), (7, "int")):
        with pytest.raises(TypeError, match=rf"transport\.write\(\).*{text}"):
            protocol.write(wrong)
    changing = bytearray(b"array,")
    protocol.write(b"bytes,")
    protocol.write(changing)
    protocol.write(memoryview(changing)[:5])
    changing[:] = b"xxxxxx"
    protocol.lose()
    assert peer.receive() == b"bytes,array,array"
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")


@everywhere
def test_E35_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    protocol.ask("writeSequence", (b"%d" % number for number in range(1000)))
    protocol.write(b"!")
    expected = b"".join(b"%d" % number for number in range(1000)) + b"!"
    protocol.lose()
    assert peer.receive() == expected
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")


@eachKind
def test_E36_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    turns, begin = net.turns, time.process_time()
    for _ in range(200_000):
        protocol.transport.write(b"x")
    net.turn(1)
    assert len(peer.receive(200_000)) == 200_000
    assert time.process_time() - begin < 2
    # A turn sends once.
    assert net.turns - turns < 300
    assert protocol.events == BEGUN


@everywhere
def test_E37_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    assert protocol.transport.writeBufferLimit is None
    protocol.transport.writeBufferLimit = 1_000_000
    protocol.write(pattern(1_000_000 - 100 * OVERHEAD))
    assert protocol.transport.connected
    protocol.write(bytes(100 * OVERHEAD + 1))
    assert protocol.events == BEGUN
    protocol.write(b"dropped")
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="WriteBufferFull")
    error = protocol.reason.value
    assert isinstance(error, WriteBufferFull)
    assert error.limit == 1_000_000 < error.buffered
