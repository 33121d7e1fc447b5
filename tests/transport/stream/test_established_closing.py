"""Rows E10 to E13 and E40: how this end closes a connection, and what becomes of what is still queued then."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced, pattern

from reactor.error import ConnectionAborted, ConnectionLost

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

LARGE = 20_000_000


def test_E10_loseWithMuchQueuedAndASlowReader(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = pattern(10_000_000)
    protocol.write(data)
    protocol.lose()
    net.turn()
    assert protocol.transport.connected
    assert protocol.transport.disconnecting
    assert net.receive(peer, atOnce=60_001) == data
    assert net.reasonOf(protocol) == "ConnectionDone"
    assert not protocol.transport.disconnecting


@oneSelector
def test_E11_writeAfterLose(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(b"before")
    protocol.lose()
    protocol.write(b"after")
    protocol.ask("writeSequence", [b"after"])
    assert net.receive(peer) == b"before"
    assert net.reasonOf(protocol) == "ConnectionDone"


@oneSelector
def test_E11_writeAfterLoseWhileItIsStillSending(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(bytes(LARGE))
    protocol.lose()
    net.turn()
    protocol.write(b"after")
    assert net.receive(peer) == bytes(LARGE)


@oneSelector
def test_E11_writeAfterTheEnd(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.close()
    net.reasonOf(protocol)
    protocol.write(b"after")
    protocol.ask("writeSequence", [b"after"])
    protocol.lose()
    protocol.abort()
    protocol.ask("loseWriteConnection")
    net.turn()
    assert protocol.transport.buffered == 0


def stuck(net: Net) -> tuple[Traced, socket.socket]:
    """A connection that was asked to close, with a peer that does not read."""
    protocol, peer = net.socketPair()
    protocol.write(bytes(LARGE))
    protocol.lose()
    net.turn(10)
    net.assertIdle()
    assert not protocol.lost
    return protocol, peer


def test_E12_peerNeverReadsThenResets(net: Net) -> None:
    protocol, peer = stuck(net)
    net.reset(peer)
    assert net.reasonOf(protocol) == "ConnectionLost"


def test_E12_peerNeverReadsThenAbort(net: Net) -> None:
    protocol, _ = stuck(net)
    protocol.abort()
    assert not protocol.lost
    assert net.reasonOf(protocol) == "ConnectionAborted"


def test_E12_peerNeverReadsUntilCloseTimeout(net: Net) -> None:
    protocol, peer = net.socketPair()
    transport: Any = protocol.transport
    assert transport.closeTimeout is None
    transport.closeTimeout = 0.03
    protocol.write(bytes(LARGE))
    assert net.reactor.getDelayedCalls() == []
    begin = net.reactor.seconds()
    protocol.lose()
    protocol.lose()
    (call,) = net.reactor.getDelayedCalls()
    assert 0.03 <= call.getTime() - begin < 1
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert net.reactor.seconds() - begin >= 0.03
    assert "closeTimeout=0.03" in str(protocol.reason.value)
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


@oneSelector
def test_E12_closeTimeoutOfAConnectionThatClosesInTime(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.transport.closeTimeout = 30
    protocol.write(b"bye")
    protocol.lose()
    assert net.receive(peer) == b"bye"
    assert net.reasonOf(protocol) == "ConnectionDone"
    assert net.reactor.getDelayedCalls() == []


@oneSelector
def test_E12_closeTimeoutFromTheConnectionsFirstMoment(net: Net) -> None:
    # Seconds from loseConnection on, not from when it was set; an abort before that leaves no timer.
    protocol, _ = net.socketPair(made=lambda p: setattr(p.transport, "closeTimeout", 30))
    protocol.write(bytes(LARGE))
    protocol.lose()
    protocol.abort()
    assert net.reasonOf(protocol) == "ConnectionAborted"
    assert net.reactor.getDelayedCalls() == []


@oneSelector
def test_E13_abort(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(b"never sent")
    protocol.abort()
    protocol.abort()
    protocol.lose()
    protocol.write(b"never sent")
    assert protocol.transport.disconnecting
    assert not protocol.lost
    assert net.reasonOf(protocol) == "ConnectionAborted"
    with pytest.raises(ConnectionResetError):
        net.receive(peer)
    assert protocol.events[-3:] == ["CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"]
    assert issubclass(ConnectionAborted, ConnectionLost)


@oneSelector
def test_E13_abortInConnectionMade(net: Net) -> None:
    client, server = net.pair(server={"made": lambda p: p.write(b"x")}, made=lambda p: p.abort())
    net.until(lambda: client.lost and server.lost)
    assert client.short[-4:] == ["CM", "CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"]


@oneSelector
def test_E13_abortWhatIsClosing(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.lose()
    protocol.abort()
    assert net.reasonOf(protocol) == "ConnectionAborted"
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


@oneSelector
def test_E40_stopRightAfterWrite(net: Net) -> None:
    protocol, peer = net.socketPair()

    def last() -> None:
        protocol.write(b"famous last ")
        net.reactor.stop()
        protocol.write(b"words")

    net.reactor.callWhenRunning(last)
    net.reactor.run(installSignalHandlers=False)
    assert protocol.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]
    assert net.receive(peer) == b"famous last words"


@oneSelector
def test_E40_stopWithMoreThanTheKernelTakes(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = pattern(LARGE)

    def last() -> None:
        protocol.write(data)
        net.reactor.stop()

    net.reactor.callWhenRunning(last)
    net.reactor.run(installSignalHandlers=False)
    assert net.reasonOf(protocol) == "ConnectionLost"
    received = net.receive(peer)
    assert 0 < len(received) < LARGE
    assert data.startswith(received)


@oneSelector
def test_E40_writtenWhileItStops(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = pattern(300_000)

    def last() -> None:
        for begin in range(0, len(data), 50_000):
            protocol.write(data[begin : begin + 50_000])

    net.reactor.addSystemEventTrigger("before", "shutdown", last)
    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.run(installSignalHandlers=False)
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert net.receive(peer) == data


@oneSelector
def test_E40_stopWithSomethingUnread(net: Net) -> None:
    # What the peer sent and nobody read must not turn our last bytes into a reset.
    protocol, peer = net.socketPair(made=lambda p: p.ask("pauseProducing"))
    peer.sendall(b"never read")

    def last() -> None:
        protocol.write(b"last words")
        net.reactor.stop()

    net.reactor.callWhenRunning(last)
    net.reactor.run(installSignalHandlers=False)
    assert net.receive(peer) == b"last words"


@oneSelector
def test_E40_stopInConnectionLost(net: Net) -> None:
    other, peer = net.socketPair()

    def last(protocol: Traced, reason: Any) -> None:
        other.write(b"bye")
        net.reactor.stop()

    client, server = net.pair(lost=last)
    net.reactor.callWhenRunning(server.lose)
    net.reactor.run(installSignalHandlers=False)
    assert client.lost == 1
    assert other.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]
    assert net.receive(peer) == b"bye"


@oneSelector
@pytest.mark.parametrize("when", ["startup", "shutdown"])
def test_E40_stopAndAbort(net: Net, when: str) -> None:
    protocol, peer = net.socketPair()

    def last() -> None:
        protocol.write(b"never sent")
        protocol.abort()

    net.reactor.callWhenRunning(net.reactor.stop)
    net.reactor.addSystemEventTrigger("before", when, last)
    net.reactor.run(installSignalHandlers=False)
    assert protocol.lost == 1
    with pytest.raises(ConnectionResetError):
        net.receive(peer)
