"""When a producer is told to go on or to wait, by the number of bytes that are queued."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reactor._transport.stream.producers import HIGH, Source


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


def test_aPushProducerIsPausedAboveTheMark() -> None:
    assert HIGH == 65536
    producer = Producer()
    source = Source(producer, True)
    source.fill(HIGH)
    assert producer.told == []
    source.fill(HIGH + 1)
    assert producer.told == ["pause"]
    source.fill(HIGH + 2)
    assert producer.told == ["pause"]


def test_aPushProducerIsResumedWhenAllIsSentAndIfItWasPaused() -> None:
    producer = Producer()
    source = Source(producer, True)
    source.drained()
    assert producer.told == []
    source.fill(HIGH + 1)
    source.drained()
    source.drained()
    assert producer.told == ["pause", "resume"]


def test_aPushProducerThatWritesTooMuchWhileItIsResumedIsPausedAgain() -> None:
    class Eager(Producer):
        def resumeProducing(self) -> None:
            super().resumeProducing()
            source.fill(HIGH + 1)

    producer = Eager()
    source = Source(producer, True)
    source.fill(HIGH + 1)
    source.drained()
    assert producer.told == ["pause", "resume", "pause"]
    assert source.paused


def test_aPullProducerIsAskedEachTimeAllIsSentAndNeverPaused() -> None:
    producer = Producer()
    source = Source(producer, False)
    source.fill(HIGH * 2)
    source.drained()
    source.fill(HIGH * 2)
    source.drained()
    assert producer.told == ["resume", "resume"]


def test_stop() -> None:
    for streaming in (True, False):
        producer = Producer()
        Source(producer, streaming).stop()
        assert producer.told == ["stop"]


def test_over() -> None:
    producer: Any = Producer()
    source = Source(producer, True)
    assert source.over is False
    producer.disconnecting = producer.disconnected = False
    assert source.over is False
    producer.disconnecting = True
    assert source.over is True
    producer.disconnecting, producer.disconnected = 0, 1
    assert source.over is True


@given(st.lists(st.integers(0, 2 * HIGH)), st.booleans())
def test_pausesAndResumesTakeTurns(sizes: list[int], streaming: bool) -> None:
    producer = Producer()
    source = Source(producer, streaming)
    for size in sizes:
        if size:
            source.fill(size)
        else:
            source.drained()
        if streaming:
            assert source.paused == (producer.told[-1:] == ["pause"])
    if streaming:
        assert producer.told == ["pause", "resume"] * (len(producer.told) // 2) + ["pause"] * (len(producer.told) % 2)
    else:
        assert producer.told == ["resume"] * sizes.count(0)
