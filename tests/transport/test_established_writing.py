"""Rows E9 to E13, E34 to E37 and E40: what is written, how much of it may wait, and what becomes of it at the end."""

from __future__ import annotations

import random
import resource
import socket
import sys
import time
from typing import Any

import pytest
from net import Net, Traced

from reactor.error import ConnectionAborted, ConnectionLost, WriteBufferFull

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

LARGE = 20_000_000


def pattern(size: int) -> bytes:
    """Bytes in which a piece that is missing, doubled or misplaced shows."""
    return random.Random(size).randbytes(size)


def untilOver(net: Net, protocol: Traced) -> str:
    """The class of the reason that `protocol`'s connection ended with."""
    net.until(lambda: protocol.lost)
    return type(protocol.reason.value).__name__


def test_E8_partialSends(net: Net) -> None:
    # A buffer of a few KiB in the kernel: no send takes all, many take a part of a piece.
    protocol, peer = net.socketPair()
    protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    data = pattern(400_000)
    for begin in range(0, len(data), 30_001):
        protocol.write(data[begin : begin + 30_001])
    protocol.lose()
    assert net.receive(peer, atOnce=10_007) == data
    assert untilOver(net, protocol) == "ConnectionDone"


def test_E9_peerClosesWhileMuchIsQueued(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = bytes(LARGE)
    protocol.write(data)
    protocol.write(b"more")
    net.turn()
    assert protocol.transport.buffered > 0
    peer.close()
    assert untilOver(net, protocol) == "ConnectionLost"
    assert protocol.transport.buffered == 0
    # Nobody but this function holds it any more.
    assert sys.getrefcount(data) == 2


def test_E10_loseWithMuchQueuedAndASlowReader(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = pattern(10_000_000)
    protocol.write(data)
    protocol.lose()
    net.turn()
    assert protocol.transport.connected
    assert protocol.transport.disconnecting
    assert net.receive(peer, atOnce=60_001) == data
    assert untilOver(net, protocol) == "ConnectionDone"
    assert not protocol.transport.disconnecting


@oneSelector
def test_E11_writeAfterLose(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(b"before")
    protocol.lose()
    protocol.write(b"after")
    protocol.ask("writeSequence", [b"after"])
    assert net.receive(peer) == b"before"
    assert untilOver(net, protocol) == "ConnectionDone"


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
    untilOver(net, protocol)
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
    assert untilOver(net, protocol) == "ConnectionLost"


def test_E12_peerNeverReadsThenAbort(net: Net) -> None:
    protocol, _ = stuck(net)
    protocol.abort()
    assert not protocol.lost
    assert untilOver(net, protocol) == "ConnectionAborted"


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
    assert untilOver(net, protocol) == "ConnectionLost"
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
    assert untilOver(net, protocol) == "ConnectionDone"
    assert net.reactor.getDelayedCalls() == []


@oneSelector
def test_E12_closeTimeoutFromTheConnectionsFirstMoment(net: Net) -> None:
    # Seconds from loseConnection on, not from when it was set; an abort before that leaves no timer.
    protocol, _ = net.socketPair(made=lambda p: setattr(p.transport, "closeTimeout", 30))
    protocol.write(bytes(LARGE))
    protocol.lose()
    protocol.abort()
    assert untilOver(net, protocol) == "ConnectionAborted"
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
    assert untilOver(net, protocol) == "ConnectionAborted"
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
    assert untilOver(net, protocol) == "ConnectionAborted"
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


WRONG = [
    ("text", "str ('text'); encode the text first: transport.write(data.encode())"),
    (None, "NoneType (None)"),
    (7, "int (7)"),
    ([b"x"], "list ([b'x'])"),
]


@oneSelector
@pytest.mark.parametrize(("wrong", "named"), WRONG)
def test_E34_writeOfWhatIsNotBytes(net: Net, wrong: Any, named: str) -> None:
    protocol, peer = net.socketPair()
    with pytest.raises(TypeError) as caught:
        protocol.write(wrong)
    assert str(caught.value) == f"transport.write(): data must be bytes, not {named}"
    protocol.write(b"the connection stands")
    assert net.receive(peer, 21) == b"the connection stands"


@oneSelector
def test_E34_strInACallbackEndsTheConnection(net: Net) -> None:
    client, server = net.pair(data=lambda p, data: p.write("text"))
    server.write(b"?")
    net.until(lambda: client.lost)
    assert net.clients[0].events[-2:] == ["CCL(TypeError)", "doStop"]
    net.expectErrors(1)


@oneSelector
def test_E34_allKindsOfBytes(net: Net) -> None:
    class Own(bytes):
        pass

    protocol, peer = net.socketPair()
    changing = bytearray(b"array,")
    protocol.write(b"bytes,")
    protocol.write(changing)
    protocol.write(memoryview(changing)[:5])
    protocol.write(Own(b",own,"))
    protocol.write(b"")
    # Copied at the call.
    changing[:] = b"xxxxxx"
    protocol.write(memoryview(b"abcdef")[::2])
    assert net.receive(peer, 25) == b"bytes,array,array,own,ace"


@oneSelector
def test_E35_writeSequence(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.ask("writeSequence", (b"%d" % number for number in range(5)))
    protocol.ask("writeSequence", [b"a", bytearray(b"b"), memoryview(b"c"), b""])
    protocol.ask("writeSequence", [])
    protocol.write(b"!")
    assert net.receive(peer, 9) == b"01234abc!"


@oneSelector
def test_E35_writeSequenceOfWhatIsNotBytes(net: Net) -> None:
    protocol, peer = net.socketPair()
    for wrong in ("text", b"one piece", bytearray(b"one piece"), memoryview(b"one piece")):
        with pytest.raises(TypeError, match=f"iterable of bytes, not {type(wrong).__name__}; .* use transport.write"):
            protocol.ask("writeSequence", wrong)
    with pytest.raises(TypeError, match=r"transport\.writeSequence\(\): data must be bytes, not str .*encode"):
        protocol.ask("writeSequence", [b"not sent either", "text"])
    with pytest.raises(TypeError):
        protocol.ask("writeSequence", None)
    protocol.write(b"!")
    assert net.receive(peer, 1) == b"!"


def test_E36_manyTinyWrites(net: Net) -> None:
    protocol, peer = net.socketPair()
    turns, begin = net.turns, time.process_time()
    for _ in range(200_000):
        protocol.transport.write(b"x")
    assert net.receive(peer, 200_000) == b"x" * 200_000
    assert time.process_time() - begin < 2
    # A turn sends once.
    assert net.turns - turns < 100


@oneSelector
def test_E37_muchQueued(net: Net) -> None:
    protocol, _ = net.socketPair()
    piece, before = bytes(1_000_000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        protocol.write(piece)
    net.turn()
    assert 190_000_000 < protocol.transport.buffered <= 200_000_000
    # KiB: two hundred references to one piece, and no copy of any.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    protocol.abort()
    assert untilOver(net, protocol) == "ConnectionAborted"


def overflow(net: Net, protocol: Traced, peer: socket.socket, limit: int) -> None:
    protocol.write(bytes(limit))
    assert protocol.transport.connected
    protocol.write(b"x")
    assert not protocol.lost
    protocol.write(b"dropped")
    assert protocol.transport.buffered == 0
    assert untilOver(net, protocol) == "WriteBufferFull"
    error = protocol.reason.value
    assert isinstance(error, WriteBufferFull)
    assert (error.limit, error.buffered) == (limit, limit + 1)
    assert str(limit) in str(error)
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


@oneSelector
def test_E37_limitOfOneConnection(net: Net) -> None:
    protocol, peer = net.socketPair()
    transport: Any = protocol.transport
    assert transport.writeBufferLimit is None
    transport.writeBufferLimit = 1000
    overflow(net, protocol, peer, 1000)


@oneSelector
def test_E37_limitOfAFactory(net: Net) -> None:
    server = net.listen()
    server.writeBufferLimit = 500_000  # type: ignore[attr-defined]
    peer = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    net.until(lambda: server.built and server.built[0].transport)
    protocol = server.built[0]
    assert protocol.transport.writeBufferLimit == 500_000
    overflow(net, protocol, peer, 500_000)


@oneSelector
def test_E37_whatWasSentDoesNotCount(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.transport.writeBufferLimit = 1000
    for _ in range(10):
        protocol.write(bytes(1000))
        net.turn()
    assert len(net.receive(peer, 10_000)) == 10_000


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
    assert untilOver(net, protocol) == "ConnectionLost"
    received = net.receive(peer)
    assert 0 < len(received) < LARGE
    assert data.startswith(received)


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
