"""Copying from one connection to another: each transport is the other's producer, so no more is read than is taken."""

from __future__ import annotations

from typing import Any

from net import Net, Traced

TOTAL = 20_000_000
PATTERN = b"0123456789" * (TOTAL // 10)


class Relay:
    """What two protocols share: the ends, and how much ever waited in either."""

    def __init__(self, net: Net) -> None:
        self.peak = 0
        self.one, self.onePeer = net.socketPair(data=self.copy, lost=self.lost)
        self.two, self.twoPeer = net.socketPair(data=self.copy, lost=self.lost)
        for end in self.one, self.two:
            end.ask("registerProducer", self.other(end).transport, True)

    def other(self, end: Traced) -> Any:
        return self.two if end is self.one else self.one

    def copy(self, end: Traced, data: bytes) -> None:
        transport = self.other(end).transport
        transport.write(data)
        self.peak = max(self.peak, transport.buffered)

    def lost(self, end: Traced, reason: Any) -> None:
        # Nothing is unregistered: that the connection is over is enough.
        self.other(end).transport.loseConnection()


def feed(net: Net, source: Any, sink: Any) -> bytes:
    """Write PATTERN to `source` as it takes it, and read `sink`."""
    source.setblocking(False)
    sink.setblocking(False)
    rest, received = memoryview(PATTERN), bytearray()

    def step() -> bool:
        nonlocal rest
        try:
            rest = rest[source.send(rest[: 1 << 20]) :] if rest else rest
        except BlockingIOError:
            pass
        try:
            received.extend(sink.recv(1 << 20))
        except BlockingIOError:
            pass
        return len(received) == TOTAL

    net.until(step)
    return bytes(received)


def test_a_fast_source_and_both_directions(net: Net) -> None:
    relay = Relay(net)
    assert feed(net, relay.onePeer, relay.twoPeer) == PATTERN
    assert feed(net, relay.twoPeer, relay.onePeer) == PATTERN
    assert relay.peak <= 65_536 + 262_144
    relay.onePeer.close()
    net.until(lambda: relay.two.lost and relay.one.lost)


def test_a_sink_that_reads_nothing_stops_the_source(net: Net) -> None:
    relay = Relay(net)
    relay.onePeer.setblocking(False)
    sent = 0
    for _ in range(500):
        try:
            sent += relay.onePeer.send(bytes(1 << 20))
        except BlockingIOError:
            pass
        net.turn(1)
    assert relay.peak <= 65_536 + 262_144
    assert sent < 400 << 20
    net.assertIdle()
    net.reset(relay.twoPeer)
    net.until(lambda: relay.two.lost and relay.one.lost)


def test_the_end_of_one_is_the_end_of_the_other(net: Net) -> None:
    relay = Relay(net)
    relay.onePeer.sendall(b"last words")
    relay.onePeer.close()
    assert net.receive(relay.twoPeer) == b"last words"
    relay.twoPeer.close()
    net.until(lambda: relay.two.lost and relay.one.lost)
    assert "CL(ConnectionDone)" in relay.one.events
