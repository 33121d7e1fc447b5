"""`Body`: what has come is taken in order, by one reader, no faster than it is read."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.http.body.streams import HELD, Body
from protocols.http.error import Incomplete, TooLarge
from reactor.defer import CancelledError, ensureDeferred
from reactor.error import ConnectionLost
from reactor.failure import Failure
from reactor.testing import StringTransport


class Fed(Body):
    """A body that writes down when it pauses and resumes who feeds it, and that may be fed when it resumes."""

    def __init__(self, more: list[bytes] | None = None) -> None:
        self.said: list[str] = []
        self.more = more or []
        super().__init__(lambda: self.said.append("pause"), self.resumed, lambda: self.said.append("begin"))

    def resumed(self) -> None:
        self.said.append("resume")
        while self.more and not self.isPaused:
            self.bodyReceived(self.more.pop(0))


def ended(*pieces: bytes) -> Fed:
    body = Fed()
    for piece in pieces:
        body.bodyReceived(piece)
    body.bodyEnded([])
    return body


def resultOf(deferred: Any) -> Any:
    """What it has fired with; a Failure is not left for the log."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    assert found, "it has not fired"
    return found[0]


def errorOf(deferred: Any) -> BaseException:
    result = resultOf(deferred)
    assert isinstance(result, Failure)
    value: BaseException = result.value
    return value


def test_what_came_before_and_behind_the_reader_is_read_in_order() -> None:
    body = Fed()
    seen: list[bytes] = []

    async def reads() -> str:
        async for piece in body:
            seen.append(piece)
        return "over"

    body.bodyReceived(b"one")
    reading = ensureDeferred(reads())
    assert seen == [b"one"]
    body.bodyReceived(b"two")
    body.bodyReceived(b"three")
    body.bodyEnded([(b"digest", b"x")])
    assert b"".join(seen) == b"onetwothree"
    assert resultOf(reading) == "over"
    assert body.trailers == [(b"digest", b"x")]
    assert body.isWhole
    assert body.received == 11


def test_read_gives_what_was_not_taken() -> None:
    assert resultOf(ended(b"one", b"two").read()) == b"onetwo"
    assert resultOf(ended().read()) == b""
    body = Fed()
    body.bodyReceived(b"one")
    assert resultOf(body.__anext__()) == b"one"
    reading = body.read()
    body.bodyReceived(b"two")
    assert not reading.called
    body.bodyEnded([])
    assert resultOf(reading) == b"two"
    assert resultOf(body.read()) == b""


def test_begin_is_called_once_and_only_when_somebody_waits() -> None:
    body = Fed()
    body.bodyReceived(b"x")
    resultOf(body.__anext__())
    assert body.said == []
    waiting = body.__anext__()
    assert body.said == ["begin"]
    body.bodyReceived(b"y")
    assert resultOf(waiting) == b"y"
    body.__anext__()
    assert body.said == ["begin"]
    assert ended(b"x").said == []


def test_the_connection_is_paused_while_more_waits_than_may() -> None:
    body = Fed()
    body.bodyReceived(b"x" * (HELD - 100))
    assert body.said == []
    body.bodyReceived(b"x" * 100)
    body.bodyReceived(b"x" * 100)
    assert body.said == ["pause"]
    assert body.isPaused
    assert len(resultOf(body.__anext__())) == HELD + 100
    assert body.said == ["pause", "resume"]


def test_tiny_pieces_weigh_more_than_their_bytes() -> None:
    body = Fed()
    count = 0
    while not body.isPaused:
        body.bodyReceived(b"xy")
        count += 1
    assert count <= HELD // 64
    assert body.buffered == 2 * count


def test_who_feeds_may_do_so_from_inside_resume() -> None:
    body = Fed([b"c" * HELD, b"d"])
    body.bodyReceived(b"a" * HELD)
    assert resultOf(body.__anext__()) == b"a" * HELD
    # The next came from inside, and made it pause again.
    assert body.said == ["pause", "resume", "pause"]
    assert resultOf(body.__anext__()) == b"c" * HELD
    assert resultOf(body.__anext__()) == b"d"


def test_reading_it_whole_does_not_pause() -> None:
    body = Fed()
    reading = body.read(4 * HELD)
    for _ in range(3):
        body.bodyReceived(b"x" * HELD)
    assert body.said == ["begin"]
    body.bodyEnded([])
    assert len(resultOf(reading)) == 3 * HELD


@pytest.mark.parametrize("before", [True, False])
def test_more_than_the_limit_is_an_error_and_forgotten(before: bool) -> None:
    body = Fed()
    if before:
        body.bodyReceived(b"x" * 11)
    reading = body.read(10)
    if not before:
        body.bodyReceived(b"x" * 5)
        body.bodyReceived(b"x" * 6)
    problem = errorOf(reading)
    assert isinstance(problem, TooLarge)
    assert problem.limit == 10
    body.bodyReceived(b"x" * HELD * 2)
    assert body.buffered == 0
    assert "pause" not in body.said


def test_what_broke_it_off_is_raised_behind_what_came() -> None:
    body = Fed()
    body.bodyReceived(b"half")
    body.bodyFailed(Failure(Incomplete(4, 8)))
    assert resultOf(body.__anext__()) == b"half"
    assert isinstance(errorOf(body.__anext__()), Incomplete)
    assert isinstance(errorOf(body.read()), Incomplete)
    assert body.isOver
    assert not body.isWhole


@pytest.mark.parametrize("whole", [True, False])
def test_who_waits_hears_what_broke_it_off(whole: bool) -> None:
    body = Fed()
    waiting = body.read() if whole else body.__anext__()
    body.bodyFailed(Incomplete(0, 8))
    assert isinstance(errorOf(waiting), Incomplete)


def test_cancelling_leaves_what_has_come_to_the_next_reader() -> None:
    body = Fed()
    reading = body.read()
    body.bodyReceived(b"one")
    reading.cancel()
    assert isinstance(errorOf(reading), CancelledError)
    waiting = body.__anext__()
    assert resultOf(waiting) == b"one"


def test_two_readers_at_a_time_are_an_error() -> None:
    body = Fed()
    body.read()
    with pytest.raises(RuntimeError, match="somebody else"):
        body.read()
    with pytest.raises(RuntimeError, match="somebody else"):
        body.__anext__()


def test_discarding_lets_the_connection_go_on() -> None:
    body = Fed()
    body.bodyReceived(b"x" * 2 * HELD)
    body.discard()
    assert body.said == ["pause", "resume"]
    body.bodyReceived(b"x" * 2 * HELD)
    assert body.said == ["pause", "resume"]
    assert body.buffered == 0
    assert body.received == 4 * HELD


class TestDeliver:
    def test_all_of_it_is_written_as_it_comes(self) -> None:
        body, consumer = Fed(), StringTransport()
        body.bodyReceived(b"one")
        delivered = body.deliver(consumer)
        body.bodyReceived(b"two")
        assert consumer.value() == b"onetwo"
        body.bodyEnded([])
        assert resultOf(delivered) == 6
        assert consumer.producer is None

    def test_no_faster_than_it_is_taken(self) -> None:
        body, consumer = Fed(), StringTransport()
        delivered = body.deliver(consumer)
        consumer.producer.pauseProducing()
        body.bodyReceived(b"waited for")
        body.bodyReceived(b"x" * 2 * HELD)
        assert consumer.value() == b"waited for"
        assert body.said == ["begin", "pause"]
        consumer.producer.resumeProducing()
        assert len(consumer.value()) == 10 + 2 * HELD
        assert body.said[-1] == "resume"
        body.bodyEnded([])
        assert resultOf(delivered) == 10 + 2 * HELD

    def test_of_what_broke_off(self) -> None:
        body, consumer = Fed(), StringTransport()
        delivered = body.deliver(consumer)
        body.bodyFailed(Incomplete(0, 8))
        assert isinstance(errorOf(delivered), Incomplete)
        assert consumer.producer is None

    def test_whose_consumer_goes(self) -> None:
        body, consumer = Fed(), StringTransport()
        delivered = body.deliver(consumer)
        consumer.producer.stopProducing()
        assert isinstance(errorOf(delivered), ConnectionLost)
        assert not body.isAwaited

    def test_which_is_cancelled(self) -> None:
        body, consumer = Fed(), StringTransport()
        delivered = body.deliver(consumer)
        delivered.cancel()
        assert isinstance(errorOf(delivered), CancelledError)
        assert consumer.producer is None
        assert not body.isAwaited

    def test_a_million_pieces_need_no_stack(self) -> None:
        body, consumer = Fed([b"x" * 100] * 5000), StringTransport()
        body.bodyReceived(b"y" * 2 * HELD)
        delivered = body.deliver(consumer)
        body.bodyEnded([])
        assert resultOf(delivered) == 5000 * 100 + 2 * HELD
