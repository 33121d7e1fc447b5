"""Rows E29 to E33, and E11 with a producer: who makes what is sent is told when to go on, to wait and to stop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from net import Net, Traced

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

CLOSED = ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


class Producer:
    """Keeps what it is told in the trace of its protocol. `on[what]`, if given, is called with the protocol."""

    def __init__(self, protocol: Traced, streaming: bool, **on: Callable[[Traced], Any]) -> None:
        self.protocol = protocol
        self.on = on
        self.told: list[str] = []
        protocol.transport.registerProducer(self, streaming)

    def _told(self, what: str) -> None:
        self.told.append(what)
        self.protocol.events.append(what)
        call = self.on.get(what)
        if call is not None:
            call(self.protocol)

    def pauseProducing(self) -> None:
        self._told("pause")

    def resumeProducing(self) -> None:
        self._told("resume")

    def stopProducing(self) -> None:
        self._told("stop")


def unregister(protocol: Traced) -> None:
    protocol.ask("unregisterProducer")


def fail(protocol: Traced) -> None:
    raise ValueError("of the producer")


class Countdown:
    """A pull producer's answer: `count` pieces of `size` bytes, then the end."""

    def __init__(self, count: int, size: int) -> None:
        self.count = count
        self.size = size

    def __call__(self, protocol: Traced) -> None:
        if self.count:
            self.count -= 1
            protocol.write(bytes([self.count % 251]) * self.size)
        else:
            unregister(protocol)

    def all(self) -> bytes:
        return b"".join(bytes([left % 251]) * self.size for left in reversed(range(self.count)))


@oneSelector
@pytest.mark.parametrize("streaming", [True, False])
def test_E29_registerTwice(net: Net, streaming: bool) -> None:
    protocol, _ = net.socketPair()
    producer = Producer(protocol, True)
    assert protocol.transport.producer is producer
    with pytest.raises(RuntimeError, match=r"cannot register .*Producer.*Producer.* is registered"):
        Producer(protocol, streaming)
    unregister(protocol)
    assert protocol.transport.producer is None
    unregister(protocol)
    again = Producer(protocol, True)
    protocol.abort()
    net.until(lambda: protocol.lost)
    assert (producer.told, again.told) == ([], ["stop"])


def test_E30_pushProducer(net: Net) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, True)
    protocol.write(bytes(65_536))
    assert producer.told == []
    protocol.write(b"x")
    assert producer.told == ["pause"]
    protocol.write(b"x")
    assert producer.told == ["pause"]
    assert len(net.receive(peer, 65_538)) == 65_538
    assert producer.told == ["pause", "resume"]
    # All is sent: there is nothing to be told.
    net.assertIdle()
    protocol.write(b"x")
    assert net.receive(peer, 1) == b"x"
    assert producer.told == ["pause", "resume"]
    unregister(protocol)


def test_E30_resumedOnlyWhenAllIsSent(net: Net) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, True)
    protocol.write(bytes(10_000_000))
    total = 0
    while total < 10_000_000:
        assert producer.told == ["pause"] or protocol.transport.buffered == 0
        total += len(net.receive(peer, 1, atOnce=500_000))
        # Long before all is sent there is less than the mark in our own queue, but never a resume before there is none.
    net.until(lambda: producer.told == ["pause", "resume"])
    unregister(protocol)


def test_E30_aProducerThatWritesWhenResumed(net: Net) -> None:
    protocol, peer = net.socketPair()
    pieces = Countdown(20, 100_000)
    expected = pieces.all()
    producer = Producer(protocol, True, resume=pieces)
    pieces(protocol)
    protocol.ask("loseConnection")
    assert net.receive(peer) == expected
    assert producer.told == ["pause", "resume"] * 20
    net.until(lambda: protocol.lost)
    assert protocol.events[-3:] == CLOSED


@oneSelector
def test_E30_unregisteredWhilePaused(net: Net) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, True)
    protocol.write(bytes(100_000))
    unregister(protocol)
    assert len(net.receive(peer, 100_000)) == 100_000
    net.turn()
    assert producer.told == ["pause"]


def test_E30_pullProducer(net: Net) -> None:
    protocol, peer = net.socketPair()
    pieces = Countdown(50, 30_000)
    expected = pieces.all()
    producer = Producer(protocol, False, resume=pieces)
    # The first piece is asked for at once.
    assert producer.told == ["resume"]
    assert net.receive(peer, len(expected)) == expected
    net.until(lambda: protocol.transport.producer is None)
    assert producer.told == ["resume"] * 51
    net.assertIdle()


@oneSelector
def test_E30_pullProducerThatAnswersLater(net: Net) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, False)
    net.assertIdle()
    assert producer.told == ["resume"]
    protocol.write(b"at last")
    assert net.receive(peer, 7) == b"at last"
    assert producer.told == ["resume", "resume"]
    unregister(protocol)


def test_E30_anEndlessPullProducerStarvesNobody(net: Net) -> None:
    protocol, server = net.pair()
    other, echo = net.pair(server={"data": lambda p, data: p.write(data)})
    producer = Producer(protocol, False, resume=lambda p: p.write(bytes(1000)))
    turns, asked = net.turns, len(producer.told)
    other.write(b"?")
    net.until(lambda: other.received == b"?")
    assert net.turns - turns < 10
    # Once a turn, and once for what was written before the first.
    assert len(producer.told) - asked <= net.turns - turns + 1
    net.until(lambda: len(server.received) > 100_000)
    unregister(protocol)


@oneSelector
def test_E31_registerAfterTheEnd(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.close()
    net.until(lambda: protocol.lost)
    for streaming in (True, False):
        assert Producer(protocol, streaming).told == ["stop"]
    assert protocol.transport.producer is None


@oneSelector
@pytest.mark.parametrize("streaming", [True, False])
def test_E31_registerInConnectionLost(net: Net, streaming: bool) -> None:
    producers: list[Producer] = []
    protocol, peer = net.socketPair(lost=lambda p, reason: producers.append(Producer(p, streaming)))
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert producers[0].told == ["stop"]


@oneSelector
@pytest.mark.parametrize("asked", ["loseConnection", "abortConnection", "loseWriteConnection"])
def test_E31_registerWhenNothingMoreIsSent(net: Net, asked: str) -> None:
    protocol, peer = net.socketPair()
    protocol.ask(asked)
    assert Producer(protocol, False).told == ["stop"]
    net.turn()
    peer.close()
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("end", ["fin", "reset", "abort", "lose and reset", "raised", "stop"])
def test_E32_connectionLostWithAProducer(net: Net, end: str, streaming: bool) -> None:
    def raiseIt(protocol: Traced, data: bytes) -> None:
        raise ValueError

    protocol, peer = net.socketPair(data=raiseIt)
    protocol.write(bytes(10_000_000))
    producer = Producer(protocol, streaming, stop=unregister)
    net.turn()
    if end == "fin":
        peer.close()
    elif end == "reset":
        net.reset(peer)
    elif end == "abort":
        protocol.abort()
        assert producer.told[-1:] != ["stop"]
    elif end == "lose and reset":
        protocol.lose()
        net.turn()
        net.reset(peer)
    elif end == "stop":
        net.stopReactor()
    else:
        peer.sendall(b"x")
        net.expectErrors(1)
    net.until(lambda: net.clients[0].over)
    assert producer.told.count("stop") == 1
    assert protocol.events[-4] == "stop"
    assert protocol.events[-3].startswith("CL(")


@oneSelector
@pytest.mark.parametrize("streaming", [True, False])
def test_E33_resumeProducingRaises(net: Net, streaming: bool) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, streaming)
    producer.on["resume"] = fail
    protocol.write(bytes(70_000))
    net.until(lambda: net.clients[0].over)
    assert protocol.events[-5:] == ["resume", "stop", "CL(ValueError)", "CCL(ValueError)", "doStop"]
    assert producer.told.count("stop") == 1
    net.expectErrors(1)


@oneSelector
def test_E33_resumeProducingRaisesAtRegistration(net: Net) -> None:
    # The caller's own call: it gets the exception, and the connection stands.
    protocol, _ = net.socketPair()
    with pytest.raises(ValueError, match="of the producer"):
        Producer(protocol, False, resume=fail)
    assert protocol.transport.connected
    # Nothing is registered, so a close has nobody to wait for.
    assert protocol.transport.producer is None
    unregister(protocol)
    protocol.lose()
    net.until(lambda: net.clients[0].over)


@oneSelector
def test_E33_pauseProducingRaises(net: Net) -> None:
    protocol, peer = net.socketPair()
    producer = Producer(protocol, True, pause=fail)
    protocol.write(bytes(70_000))
    # The caller of write is not to blame, and hears of it in connectionLost only.
    assert not protocol.lost
    net.until(lambda: net.clients[0].over)
    assert protocol.events[-5:] == ["pause", "stop", "CL(ValueError)", "CCL(ValueError)", "doStop"]
    assert producer.told == ["pause", "stop"]
    net.expectErrors(1)


@oneSelector
def test_E33_stopProducingRaises(net: Net) -> None:
    protocol, peer = net.socketPair()
    Producer(protocol, True, stop=fail)
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.events[-4:] == ["stop", *CLOSED]
    net.expectErrors(1)


@oneSelector
def test_E33_keyboardInterruptInResumeProducing(net: Net) -> None:
    def interrupt(protocol: Traced) -> None:
        raise KeyboardInterrupt

    protocol, peer = net.socketPair()
    producer = Producer(protocol, True, resume=interrupt)
    net.reactor.callWhenRunning(protocol.write, bytes(70_000))
    with pytest.raises(KeyboardInterrupt):
        net.reactor.run(installSignalHandlers=False)
    assert producer.told == ["pause", "resume", "stop"]
    assert protocol.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]


@oneSelector
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("method", ["loseConnection", "loseWriteConnection"])
def test_E11_aProducerFinishesWhatItBegan(net: Net, method: str, streaming: bool) -> None:
    protocol, peer = net.socketPair()
    pieces = Countdown(10, 70_000)
    expected = pieces.all()
    Producer(protocol, streaming, resume=pieces)
    protocol.ask(method)
    if streaming:
        pieces(protocol)
    assert net.receive(peer) == expected
    peer.close()
    net.until(lambda: protocol.lost)
    assert protocol.events[-3:] == CLOSED


@oneSelector
def test_E11_theCloseWaitsForAnIdleProducer(net: Net) -> None:
    protocol, peer = net.socketPair()
    Producer(protocol, True)
    protocol.write(b"begun, ")
    protocol.lose()
    net.assertIdle()
    assert not protocol.lost
    protocol.write(b"done")
    net.assertIdle()
    assert not protocol.lost
    unregister(protocol)
    protocol.write(b"dropped")
    assert net.receive(peer) == b"begun, done"
    net.until(lambda: protocol.lost)
    assert protocol.events[-3:] == CLOSED


def test_E11_aTransportAsTheProducerOfAnother(net: Net) -> None:
    # A relay: what comes in here goes out there no faster than it is taken.
    total = 20_000_000
    outgoing, sink = net.socketPair()
    peak: list[int] = []

    def relay(protocol: Traced, data: bytes) -> None:
        outgoing.write(data)
        peak.append(outgoing.transport.buffered)

    incoming, source = net.pair(data=relay)
    outgoing.ask("registerProducer", incoming.transport, True)
    source.write(b"0123456789" * (total // 10))
    assert net.receive(sink, total) == b"0123456789" * (total // 10)
    assert max(peak) <= 65_536 + 262_144
    outgoing.ask("unregisterProducer")


def send(sock: socket.socket, data: bytes) -> None:
    """All of `data`, then the end."""
    sock.sendall(data)
    sock.close()


@oneSelector
@pytest.mark.parametrize("end", ["one side's peer closes", "both are asked to close", "one after the other", "reset"])
def test_E11_theEndOfARelay(net: Net, end: str) -> None:
    # Each is the other's producer and neither unregisters, as relays are written.
    sides: list[Traced] = []

    def other(side: Traced) -> Traced:
        return sides[1 - sides.index(side)]

    hooks: dict[str, Any] = {
        "data": lambda side, data: other(side).write(data),
        "lost": lambda side, reason: other(side).lose(),
    }
    left, leftPeer = net.socketPair(**hooks)
    right, rightPeer = net.socketPair(**hooks)
    sides += [left, right]
    left.ask("registerProducer", right.transport, True)
    right.ask("registerProducer", left.transport, True)
    data = b"0123456789" * 500_000
    if end == "one side's peer closes":
        sender = threading.Thread(target=send, args=(leftPeer, data))
        sender.start()
        # What it sent comes through.
        assert net.receive(rightPeer) == data
        sender.join()
    elif end == "reset":
        net.reset(leftPeer)
    else:
        left.lose()
        if end == "one after the other":
            net.turn()
            assert not left.lost
        right.lose()
    net.until(lambda: left.lost and right.lost)
    assert left.events[-3:] == (CLOSED if end != "reset" else ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"])
    assert right.events[-3:] == CLOSED
