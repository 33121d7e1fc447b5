"""Rows E8, E9 and E34 to E37: what may be written, in which order it leaves, and how much of it may wait."""

from __future__ import annotations

import resource
import socket
import sys
import time
from typing import Any

import pytest
from net import Net, Traced, pattern

from reactor.error import WriteBufferFull

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

LARGE = 20_000_000


def test_E8_partialSends(net: Net) -> None:
    # A buffer of a few KiB in the kernel: no send takes all, many take a part of a piece.
    protocol, peer = net.socketPair()
    protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    data = pattern(400_000)
    for begin in range(0, len(data), 30_001):
        protocol.write(data[begin : begin + 30_001])
    protocol.lose()
    assert net.receive(peer, atOnce=10_007) == data
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_E9_peerClosesWhileMuchIsQueued(net: Net) -> None:
    protocol, peer = net.socketPair()
    data = bytes(LARGE)
    # How many that is differs: from 3.14 on a function's own variable may be borrowed where it is named.
    alone = sys.getrefcount(data)
    protocol.write(data)
    protocol.write(b"more")
    net.turn()
    assert protocol.transport.buffered > 0 and sys.getrefcount(data) > alone
    peer.close()
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert protocol.transport.buffered == 0
    # Nobody but this function holds it any more.
    assert sys.getrefcount(data) == alone


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
    assert net.reasonOf(protocol) == "ConnectionAborted"


def overflow(net: Net, protocol: Traced, peer: socket.socket, limit: int) -> None:
    protocol.write(bytes(limit))
    assert protocol.transport.connected
    protocol.write(b"x")
    assert not protocol.lost
    protocol.write(b"dropped")
    assert protocol.transport.buffered == 0
    assert net.reasonOf(protocol) == "WriteBufferFull"
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
