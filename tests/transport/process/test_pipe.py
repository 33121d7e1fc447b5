"""What a pipe's two ends do when something goes wrong, and when the reactor stops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from net import Net, descriptors, pattern

from reactor._transport.process.pipe import PipeReader, PipeWriter
from reactor.failure import Failure

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: list[tuple[str, str]] = []
        self.problems: list[BaseException] = []

    def pipeReceived(self, name: str, data: bytes) -> None:
        self.received += data

    def pipeLost(self, name: str, reason: Failure) -> None:
        self.lost.append((name, type(reason.value).__name__))

    def raised(self, problem: BaseException) -> Failure:
        self.problems.append(problem)
        return Failure(problem)


class Producer:
    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.calls: list[str] = []

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.bad:
            raise RuntimeError(name)

    def pauseProducing(self) -> None:
        self._called("pause")

    def resumeProducing(self) -> None:
        self._called("resume")

    def stopProducing(self) -> None:
        self._called("stop")


@pytest.fixture
def both(net: Net) -> Iterator[tuple[Owner, PipeReader, PipeWriter]]:
    before = descriptors()
    reads, writes = os.pipe()
    owner, loop = Owner(), net.reactor._loop
    reader, writer = PipeReader(loop, reads, "r", owner), PipeWriter(loop, writes, "w", owner)
    reader.start()
    writer.start(hears=True)
    yield owner, reader, writer
    reader.close()
    writer.close()
    assert descriptors() == before


Both = tuple[Owner, PipeReader, PipeWriter]


def test_backAndForth(net: Net, both: Both) -> None:
    owner, reader, writer = both
    data = pattern(300_000)
    writer.write(data)
    assert writer.buffered == len(data)
    writer.lose()
    writer.write(b"dropped")
    net.until(lambda: len(owner.lost) == 2)
    assert owner.received == data
    assert sorted(owner.lost) == [("r", "ConnectionDone"), ("w", "ConnectionDone")]
    assert writer.public() is owner and reader.fd == -1


@pytest.mark.parametrize("bad", ["pause", "resume"])
def test_aProducerThatRaises(net: Net, both: Both, bad: str) -> None:
    owner, reader, writer = both
    producer = Producer(bad)
    writer.register(producer, True)
    writer.write(pattern(200_000))
    net.until(lambda: ("w", "RuntimeError") in owner.lost)
    assert [str(problem) for problem in owner.problems] == [bad]
    assert producer.calls[-2:] == [bad, "stop"]


def test_aProducerThatRaisesWhenItIsStopped(net: Net, both: Both) -> None:
    owner, reader, writer = both
    writer.register(Producer("stop"), True)
    reader.lose()
    net.until(lambda: len(owner.lost) == 2)
    assert [str(problem) for problem in owner.problems] == ["stop"]
    assert owner.lost == [("r", "ConnectionDone"), ("w", "ConnectionLost")]


def test_theReactorStops(net: Net, both: Both) -> None:
    """What fits is sent."""
    owner, reader, writer = both
    reader.pause()
    writer.write(b"a")
    writer.write(b"b")
    os.set_blocking(reader.fd, False)
    writer.disconnect(Failure(RuntimeError("stopped")))
    assert os.read(reader.fd, 99) == b"ab"
    assert owner.lost == [("w", "RuntimeError")]
    writer.disconnect(Failure(RuntimeError("again")))
    assert len(owner.lost) == 1


def test_theReactorStopsAndNotEverythingFits(net: Net, both: Both) -> None:
    owner, reader, writer = both
    reader.pause()
    for _ in range(3):
        writer.write(pattern(200_000))
    writer.disconnect(Failure(RuntimeError("stopped")))
    assert owner.lost == [("w", "RuntimeError")]


def test_closedElsewhere(net: Net, both: Both) -> None:
    owner, reader, writer = both
    writer.write(b"x")
    # Somebody has put something else there that cannot be written.
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, writer.fd)
    os.close(null)
    net.until(lambda: ("w", "ConnectionLost") in owner.lost)


def test_aDirectoryIsNoStream(net: Net) -> None:
    owner: Any = Owner()
    reader = PipeReader(net.reactor._loop, os.open("/", os.O_RDONLY), "r", owner)
    reader.start()
    net.until(lambda: owner.lost)
    assert owner.lost == [("r", "ConnectionLost")]
