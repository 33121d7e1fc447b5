"""`transport.sendFile`: order, both ways of sending, every end, and no descriptor left behind."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced

from reactor.defer import CancelledError, Deferred
from reactor.error import ConnectionLost, WriteBufferFull

CONTENT = os.urandom(1 << 16) * 48  # 3 MiB: more than a socket takes at once


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


def inMemory(path: Path) -> Any:
    return io.BytesIO(path.read_bytes())


def onDisk(path: Path) -> Any:
    return open(path, "rb")


def unbuffered(path: Path) -> Any:
    return open(path, "rb", buffering=0)


KINDS = pytest.mark.parametrize("opened", [onDisk, unbuffered, inMemory])
Opened = Callable[[Path], Any]


@pytest.fixture
def kernelSent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What each os.sendfile of the test sent."""
    counts: list[int] = []
    sendfile = os.sendfile

    def counted(*args: Any) -> int:
        counts.append(sendfile(*args))
        return counts[-1]

    monkeypatch.setattr(os, "sendfile", counted)
    yield counts


def heard(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


def send(protocol: Traced, *args: Any) -> list[Any]:
    """sendFile, as the protocol would call it: nothing is told from inside."""
    protocol.busy = True
    try:
        return heard(protocol.transport.sendFile(*args))
    finally:
        protocol.busy = False


@KINDS
def test_in_order_with_what_is_written(net: Net, path: Path, opened: Opened) -> None:
    protocol, peer = net.socketPair()
    with opened(path) as file:
        protocol.write(b"before,")
        done = send(protocol, file)
        protocol.write(b",between,")
        again = send(protocol, file, 10, 20)
        protocol.write(b",after")
        protocol.write(b"wards")
        protocol.lose()
        protocol.write(b"dropped")
        expected = b"before," + CONTENT + b",between," + CONTENT[10:30] + b",afterwards"
        assert net.receive(peer) == expected
    assert (done, again) == ([len(CONTENT)], [20])
    net.until(lambda: protocol.lost)
    assert protocol.events[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


def test_the_kernel_sends_nearly_all(net: Net, path: Path, kernelSent: list[int]) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        done = send(protocol, file)
    # The file is closed already, and its descriptor may be another file's.
    with open(path.parent / "other", "wb+"):
        assert net.receive(peer, len(CONTENT)) == CONTENT
        net.until(lambda: done)
    assert done == [len(CONTENT)]
    assert sum(kernelSent) > len(CONTENT) * 0.8
    assert protocol.transport.producer is None  # type: ignore[attr-defined]
    protocol.abort()
    net.until(lambda: protocol.lost)


def test_a_small_file_leaves_with_what_was_written_before(net: Net, tmp_path: Path, kernelSent: list[int]) -> None:
    protocol, peer = net.socketPair()
    (tmp_path / "small").write_bytes(b"small file")
    with open(tmp_path / "small", "rb") as file:
        protocol.write(b"header ")
        done = send(protocol, file)
        net.until(lambda: done)
    assert peer.recv(100) == b"header small file"
    assert sum(kernelSent) == 0
    protocol.abort()
    net.until(lambda: protocol.lost)


@KINDS
@pytest.mark.parametrize(
    ("offset", "count", "sent"),
    [
        (0, 0, 0),
        (0, 1, 1),
        (5, None, len(CONTENT) - 5),
        (5, 100_000, 100_000),
        (len(CONTENT) - 3, 100, 3),
        (len(CONTENT) + 1, None, 0),
        (0, len(CONTENT), len(CONTENT)),
    ],
)
@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_a_part(net: Net, path: Path, opened: Opened, offset: int, count: int | None, sent: int) -> None:
    protocol, peer = net.socketPair()
    with opened(path) as file:
        done = send(protocol, file, offset, count)
        protocol.lose()
        assert net.receive(peer) == CONTENT[offset : offset + sent]
    assert done == [sent]
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_files_that_are_not_what_their_descriptor_says(net: Net, tmp_path: Path) -> None:
    """A compressed file's reader has the descriptor of the compressed file."""
    protocol, peer = net.socketPair()
    with gzip.open(tmp_path / "packed", "wb") as packed:
        packed.write(b"unpacked" * 1000)
    reading, writing = os.pipe()
    os.write(writing, b", piped")
    os.close(writing)
    with gzip.open(tmp_path / "packed", "rb") as packed, open(reading, "rb") as pipe, tempfile.TemporaryFile() as new:
        new.write(b", new")
        done = [send(protocol, file) for file in (packed, pipe, new)]
        protocol.lose()
        assert net.receive(peer) == b"unpacked" * 1000 + b", piped" + b", new"
    assert done == [[8000], [7], [5]]
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_the_kernel_refuses_this_kind(net: Net, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[int] = []

    def refusing(*_: Any) -> int:
        refused.append(1)
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refusing)
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        done = send(protocol, file)
        protocol.lose()
        assert net.receive(peer) == CONTENT
    assert (done, refused) == ([len(CONTENT)], [1])
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_a_system_without_sendfile(net: Net, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sendfile")
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        done = send(protocol, file)
        protocol.lose()
        assert net.receive(peer) == CONTENT
    assert done == [len(CONTENT)]
    net.until(lambda: protocol.lost)


def test_it_waits_for_the_reader_and_keeps_nothing(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        done = [send(protocol, file) for _ in range(20)]
        net.turn(100)
        assert done[-1] == []
        assert protocol.transport.buffered <= 16384  # type: ignore[attr-defined]
        net.assertIdle()
        assert net.receive(peer, len(CONTENT) * 20) == CONTENT * 20
        net.until(lambda: done[-1])
    protocol.abort()
    net.until(lambda: protocol.lost)


def test_what_is_done_when_it_fires_comes_behind(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:

        def again(sent: int) -> None:
            protocol.transport.write(b"one,")
            second = protocol.transport.sendFile(file, 0, 5)
            second.addCallback(lambda _: protocol.transport.write(b",two"))
            second.addCallback(lambda _: protocol.transport.loseConnection())

        protocol.transport.sendFile(file).addCallback(again)
        assert net.receive(peer) == CONTENT + b"one," + CONTENT[:5] + b",two"
    net.until(lambda: protocol.lost)


def test_a_write_from_one_files_callback_waits_for_the_next_file(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        protocol.transport.sendFile(file, 0, 100_000).addCallback(lambda _: protocol.transport.write(b"after"))
        protocol.transport.sendFile(file, 0, 100_000)
        protocol.transport.write(b"!")
        received = net.receive(peer, 200_006)
    assert received == CONTENT[:100_000] * 2 + b"!after"
    protocol.abort()
    net.until(lambda: protocol.lost)


def test_loseWriteConnection_waits(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        done = send(protocol, file)
        protocol.ask("loseWriteConnection")
        assert net.receive(peer) == CONTENT
    assert done == [len(CONTENT)]
    peer.close()
    net.until(lambda: protocol.lost)


@KINDS
@pytest.mark.parametrize("end", ["peer", "abort"])
def test_the_connection_ends_in_the_middle(net: Net, path: Path, opened: Opened, end: str) -> None:
    protocol, peer = net.socketPair()
    with opened(path) as file:
        done = [send(protocol, file) for _ in range(5)]
        net.turn(20)
        if end == "peer":
            net.reset(peer)
        else:
            protocol.abort()
        net.until(lambda: protocol.lost)
    last = done[-1][0]
    assert last.type is ConnectionLost
    assert last.value.host == "127.0.0.1"
    assert "0 bytes of the file were sent" in str(last.value)


def test_after_the_end(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        protocol.lose()
        assert send(protocol, file)[0].type is ConnectionLost
        net.until(lambda: protocol.lost)
        assert heard(protocol.transport.sendFile(file))[0].type is ConnectionLost
    assert peer.recv(1) == b""


def test_cancelled(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    with open(path, "rb") as file:
        sending = [protocol.transport.sendFile(file) for _ in range(10)]
        results = [heard(each) for each in sending]
        protocol.write(b"the end")
        net.turn(50)
        waiting = [index for index in range(10) if not results[index]]
        assert 0 < len(waiting)
        for index in reversed(waiting):
            sending[index].cancel()
        assert all(results[index][0].type is CancelledError for index in waiting)
        protocol.lose()
        received = net.receive(peer)
    assert received.endswith(b"the end")
    assert (CONTENT * 10).startswith(received[:-7])
    assert len(received) < len(CONTENT) * 10
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_a_file_that_cannot_be_read(net: Net) -> None:
    protocol, peer = net.socketPair()

    class Broken:
        pieces = [b"first", b"second"]

        def read(self, size: int) -> bytes:
            return self.pieces.pop(0) if self.pieces else bytes(1 // 0)

    done = [send(protocol, each) for each in (Broken(), io.StringIO("text"), io.BytesIO(b",next"))]
    protocol.lose()
    assert net.receive(peer) == b"firstsecond,next"
    assert [done[0][0].type, done[1][0].type, done[2]] == [ZeroDivisionError, TypeError, [5]]
    assert "must give bytes, not str" in str(done[1][0].value)
    net.until(lambda: protocol.lost)


class Producer:
    def stopProducing(self) -> None:
        pass


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_with_producers(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    transport: Any = protocol.transport
    with open(path, "rb") as file:
        producer = Producer()
        transport.registerProducer(producer, True)
        with pytest.raises(RuntimeError, match=r"cannot send .*content.*Producer"):
            transport.sendFile(file)
        transport.unregisterProducer()
        done = send(protocol, file)
        with pytest.raises(RuntimeError, match="a file is being sent"):
            transport.registerProducer(producer, True)
        transport.unregisterProducer()
        protocol.write(b"end")
        assert net.receive(peer, len(CONTENT) + 3) == CONTENT + b"end"
    assert done == [len(CONTENT)]
    transport.registerProducer(producer, True)
    transport.unregisterProducer()
    protocol.abort()
    net.until(lambda: protocol.lost)


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_the_limit_holds_for_what_waits_behind_a_file(net: Net, path: Path) -> None:
    protocol, peer = net.socketPair()
    protocol.transport.writeBufferLimit = 5000  # type: ignore[attr-defined]
    with open(path, "rb") as file:
        done = send(protocol, file, 0, 50_000)
        assert net.receive(peer, 50_000) == CONTENT[:50_000]
        net.until(lambda: done)
        again = send(protocol, file)
        for _ in range(6):
            protocol.write(bytes(1000))
        net.until(lambda: protocol.lost)
    assert protocol.reason is not None and protocol.reason.type is WriteBufferFull
    assert again[0].type is ConnectionLost


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((-1,), ValueError), ((0, -1), ValueError), (("0",), TypeError), ((0, 1.5), TypeError), ((True,), TypeError)],
)
@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_arguments_that_are_none(net: Net, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    protocol, _ = net.socketPair()
    with pytest.raises(error, match=r"sendFile\(\): (offset|count) must"):
        protocol.transport.sendFile(io.BytesIO(), *arguments)
    protocol.abort()
    net.until(lambda: protocol.lost)


class Layer:
    """What TLS is to a transport: somebody between the protocol and its wire."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol

    def dataReceived(self, data: bytes) -> None:
        self.protocol.dataReceived(data)


@pytest.mark.parametrize("net", ["default"], indirect=True)
@pytest.mark.parametrize("end", ["all", "cancel", "lost", "broken"])
def test_over_what_is_no_plain_wire(net: Net, path: Path, end: str, kernelSent: list[int]) -> None:
    protocol, peer = net.socketPair()
    transport: Any = protocol.transport
    transport._wire.receiver = Layer(protocol)
    with open(path, "rb") as file:
        protocol.write(b"before,")
        sending = transport.sendFile(file) if end != "broken" else transport.sendFile(io.StringIO("text"))
        done = heard(sending)
        if end == "all":
            with pytest.raises(RuntimeError, match="registered"):
                transport.sendFile(file)
            assert net.receive(peer, len(CONTENT) + 7) == b"before," + CONTENT
            net.until(lambda: done)
            assert done == [len(CONTENT)]
        elif end == "cancel":
            sending.cancel()
            assert done[0].type is CancelledError
        elif end == "lost":
            protocol.abort()
            net.until(lambda: protocol.lost)
            assert done[0].type is ConnectionLost
        else:
            assert done[0].type is TypeError
    assert transport.producer is None
    protocol.abort()
    net.until(lambda: protocol.lost)
    assert kernelSent == []
