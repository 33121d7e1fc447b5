"""Idle connections are closed, others are not; and one whose peer takes nothing is aborted."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced

from protocols.policies import TimeoutFactory, TimeoutMixin, TimeoutProtocol
from reactor.protocol import Factory, Protocol
from reactor.task import Clock

once = pytest.mark.parametrize("net", ["default"], indirect=True)


def connected(net: Net, clock: Clock, protocol: Any, period: float | None = 10) -> tuple[socket.socket, TimeoutFactory]:
    inner = Factory.forProtocol(lambda: protocol)
    factory: Any = TimeoutFactory(inner, period)
    factory.callLater = clock.callLater
    inner.noisy = factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    peer = net.keep(socket.create_connection(("127.0.0.1", port.getHost().port), 5))
    net.until(lambda: protocol.events)
    return peer, factory


def test_S_connections_idleOnesAreClosed(net: Net) -> None:
    clock, protocol = Clock(), Traced()
    peer, _ = connected(net, clock, protocol)
    clock.advance(9)
    peer.sendall(b"x")
    net.until(lambda: protocol.received)
    clock.advance(9)
    protocol.write(b"y")
    clock.advance(9)
    protocol.transport.writeSequence([b"z"])
    clock.advance(9)
    net.turn()
    assert not protocol.lost
    clock.advance(1)
    assert net.receive(peer) == b"yz"
    net.until(lambda: protocol.lost)
    assert protocol.events[-1] == "CL(ConnectionDone)"
    assert clock.getDelayedCalls() == []


@once
def test_S_connections_idleByDefaultAfterHalfAnHour(net: Net) -> None:
    assert TimeoutFactory(Factory()).timeoutPeriod == 1800
    with pytest.raises(ValueError, match="timeoutPeriod must be above 0 seconds, or None, not 0"):
        TimeoutFactory(Factory(), 0)


@once
def test_aPeerThatTakesNothingIsAborted(net: Net) -> None:
    clock, protocol = Clock(), Traced()
    peer, _ = connected(net, clock, protocol)
    protocol.write(bytes(20_000_000))
    net.turn()
    clock.advance(10)
    net.turn()
    assert protocol.transport.disconnecting and not protocol.lost
    clock.advance(TimeoutProtocol.abortAfter or 0)
    net.until(lambda: protocol.lost)
    assert protocol.events == ["CM", "CL(ConnectionAborted)"]
    assert clock.getDelayedCalls() == []


@once
def test_aPeerThatTakesSomethingIsWaitedFor(net: Net) -> None:
    clock, protocol = Clock(), Traced()
    peer, _ = connected(net, clock, protocol)
    protocol.write(bytes(20_000_000))
    net.turn()
    clock.advance(10)
    received = 0
    while received < 8_000_000:
        received += len(net.receive(peer, 2_000_000))
        net.turn()
        clock.advance(30)
    assert not protocol.lost
    received += len(net.receive(peer))
    assert received == 20_000_000
    net.until(lambda: protocol.lost)
    assert protocol.events == ["CM", "CL(ConnectionDone)"]


@once
def test_theTimeoutCanBeChanged(net: Net) -> None:
    clock, protocol = Clock(), Traced()
    _, _ = connected(net, clock, protocol)
    protocol.transport.setTimeout(100)
    clock.advance(99)
    assert not protocol.transport.disconnecting
    protocol.transport.cancelTimeout()
    clock.advance(1000)
    assert not protocol.transport.disconnecting and clock.getDelayedCalls() == []
    protocol.transport.setTimeout(1)
    clock.advance(1)
    net.until(lambda: protocol.lost)


def test_whatIsNeverConnectedHasNoTimer() -> None:
    clock = Clock()
    factory: Any = TimeoutFactory(Factory.forProtocol(Traced))
    factory.callLater = clock.callLater
    factory.buildProtocol(None)
    assert clock.getDelayedCalls() == []


class Patient(TimeoutMixin, Protocol):
    def __init__(self, clock: Clock) -> None:
        self.callLater = clock.callLater  # type: ignore[method-assign,assignment]
        self.timedOut = 0

    def timeoutConnection(self) -> None:
        self.timedOut += 1


def test_mixin() -> None:
    clock = Clock()
    protocol = Patient(clock)
    protocol.resetTimeout()
    assert protocol.setTimeout(5) is None
    clock.advance(4)
    protocol.resetTimeout()
    clock.advance(4)
    assert protocol.setTimeout(2) == 5
    clock.advance(1.9)
    assert protocol.timedOut == 0
    clock.advance(0.1)
    assert protocol.timedOut == 1
    protocol.resetTimeout()
    assert clock.getDelayedCalls() == []
    assert protocol.setTimeout(3) == 2
    assert protocol.setTimeout(None) == 3
    assert (protocol.timeOut, clock.getDelayedCalls()) == (None, [])


@once
def test_mixinClosesByDefault(net: Net) -> None:
    class Idle(TimeoutMixin, Traced):
        pass

    protocol = Idle(made=lambda self: self.setTimeout(0.01))
    factory = Factory.forProtocol(lambda: protocol)
    factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    peer = net.keep(socket.create_connection(("127.0.0.1", port.getHost().port), 5))
    # The mixin asks for the reactor that runs in this thread.
    protocol.callLater = net.reactor.callLater  # type: ignore[method-assign]
    assert net.receive(peer) == b""
    net.until(lambda: protocol.lost)
