"""Small pieces that are written while something is delivered under TLS: one record, in order, and none is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import SecurePeer, meet
from tls import clientOptions

from reactor._transport.tls.encrypting import PIECES, TOGETHER

LINES = [b"line %d\r\n" % number for number in range(16)]
ALL = b"".join(LINES)


def records(peer: SecurePeer, size: int) -> list[bytes]:
    """The next `size` bytes as they were encrypted: OpenSSL gives out one record at a time."""
    found: list[bytes] = []
    while sum(map(len, found)) < size:
        found.append(peer._do(lambda: peer.tls.read(1 << 16)))
    return found


def answered(net: Net, answer: Any) -> tuple[Traced, SecurePeer]:
    """A connection on which `answer(protocol, data)` has something to answer."""
    protocol, peer = meet(net, "tls", data=answer)
    peer.send(b"?")
    return protocol, peer


def lines(protocol: Traced, _: bytes = b"") -> None:
    for line in LINES:
        protocol.write(line)


def test_oneRecordForAll(net: Net) -> None:
    _, peer = answered(net, lines)
    assert records(peer, len(ALL)) == [ALL]
    peer.send(b"?")
    assert records(peer, len(ALL)) == [ALL]


def test_oneForEachThatIsWrittenAnyOtherTime(net: Net) -> None:
    """Nobody says when it is over."""
    protocol, peer = meet(net, "tls")
    lines(protocol)
    assert records(peer, len(ALL)) == LINES


def test_inOrderWithLargeOnes(net: Net) -> None:
    large = bytes(TOGETHER)

    def answer(protocol: Traced, _: bytes) -> None:
        lines(protocol)
        protocol.write(large)
        lines(protocol)

    _, peer = answered(net, answer)
    assert records(peer, 2 * len(ALL) + TOGETHER) == [ALL, large, ALL]


def test_noMoreThanSoMany(net: Net) -> None:
    def answer(protocol: Traced, _: bytes) -> None:
        for _ in range(2 * PIECES + 5):
            protocol.write(b"x")
        assert protocol.transport.buffered > PIECES

    _, peer = answered(net, answer)
    assert [len(each) for each in records(peer, 2 * PIECES + 5)] == [PIECES, PIECES, 5]


def test_theyCountAsBuffered(net: Net) -> None:
    seen: list[int] = []

    def answer(protocol: Traced, _: bytes) -> None:
        protocol.write(b"1234")
        seen.append(protocol.transport.buffered)
        protocol.write(b"5678")
        seen.append(protocol.transport.buffered)

    _, peer = answered(net, answer)
    assert records(peer, 8) == [b"12345678"]
    assert seen == [4, 8]


@pytest.mark.parametrize("end", [None, "loseConnection", "loseWriteConnection", "startTLS"])
def test_largeOnesThatWaitTogether(net: Net, end: str | None) -> None:
    """More of them than there is room for, and what ends the connection right behind them."""
    pieces = [pattern(size) for size in (16384, 5000, 16384, 3, 30_000, 16384, 100_000, 4, 16384)]
    seen: list[int] = []

    def answer(protocol: Traced, _: bytes) -> None:
        for piece in pieces:
            protocol.write(piece)
            seen.append(protocol.transport.buffered)
        if end == "startTLS":
            protocol.ask("startTLS", clientOptions(), True)
        elif end is not None:
            protocol.ask(end)

    protocol, peer = answered(net, answer)
    expected = b"".join(pieces)
    assert peer.receive(len(expected)) == expected
    # Encrypted or not, each counts.
    assert all(sum(map(len, pieces[: number + 1])) <= count for number, count in enumerate(seen))
    if end == "loseConnection":
        assert peer.receive() == b""
        assert net.reasonOf(protocol) == "ConnectionDone"


@pytest.mark.parametrize("end", ["loseConnection", "loseWriteConnection"])
def test_closedBehindThem(net: Net, end: str) -> None:
    def answer(protocol: Traced, _: bytes) -> None:
        lines(protocol)
        protocol.ask(end)
        protocol.write(b"dropped")

    protocol, peer = answered(net, answer)
    assert peer.receive() == ALL
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_aFarewellBehindThem(net: Net) -> None:
    """The peer says that it is done together with what is answered."""
    protocol, peer = meet(net, "tls", data=lines)
    peer.tls.write(b"?")
    peer.finish()
    assert peer.receive() == ALL
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_abortedTheyAreDropped(net: Net) -> None:
    def answer(protocol: Traced, _: bytes) -> None:
        lines(protocol)
        protocol.abort()
        assert protocol.transport.buffered == 0

    protocol, peer = answered(net, answer)
    assert net.reasonOf(protocol) == "ConnectionAborted"
    with pytest.raises(ConnectionResetError):
        peer.receive()


def test_behindATurnInTheMiddle(net: Net) -> None:
    """What is written in a turn that a callback makes by itself leaves with what was written before."""

    def answer(protocol: Traced, data: bytes) -> None:
        protocol.write(data)
        if data == b"first":
            protocol.busy = False
            peer.send(b"second")
            while b"second" not in protocol.received:
                net.reactor.iterate(0.01)
            protocol.write(b"third")

    protocol, peer = meet(net, "tls", data=answer)
    peer.send(b"first")
    assert peer.receive(16) == b"firstsecondthird"


def test_pausedBehindTheFirst(net: Net) -> None:
    def answer(protocol: Traced, data: bytes) -> None:
        protocol.write(data)
        protocol.ask("pauseProducing")

    protocol, peer = meet(net, "tls", data=answer)
    peer.tls.write(b"one")
    peer.tls.write(b"two")
    peer._push()
    assert peer.receive(3) == b"one"
    protocol.ask("resumeProducing")
    assert peer.receive(3) == b"two"


def test_aProducerHearsOfEach(net: Net) -> None:
    paused: list[int] = []

    class Producer:
        def pauseProducing(self) -> None:
            paused.append(written)

        def resumeProducing(self) -> None: ...

        def stopProducing(self) -> None: ...

    written = 0

    def answer(protocol: Traced, _: bytes) -> None:
        nonlocal written
        lines(protocol)
        protocol.ask("registerProducer", Producer(), True)
        for _ in range(100):
            written += 1000
            protocol.write(bytes(1000))
        protocol.ask("unregisterProducer")

    _, peer = answered(net, answer)
    assert peer.receive(len(ALL) + 100_000) == ALL + bytes(100_000)
    # At 64 KiB, not when the callback is over.
    assert paused and 60_000 < paused[0] < 70_000


def test_interruptedTheyAreStillSent(net: Net) -> None:
    """A KeyboardInterrupt stops the reactor, not the connection; what was written is the last attempt of the stop."""

    def answer(protocol: Traced, _: bytes) -> None:
        lines(protocol)
        raise KeyboardInterrupt

    _, peer = meet(net, "tls", data=answer)
    peer.send(b"?")
    with pytest.raises(KeyboardInterrupt):
        net.reactor.run(installSignalHandlers=False)
    assert peer.receive() == ALL
