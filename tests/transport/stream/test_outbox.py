"""Bytes on their way out: whatever is written and however little is taken at a time, it is those, in that order."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from reactor._transport.stream.outbox import JOINED, Outbox


def take(outbox: Outbox, most: int) -> bytes:
    """What a kernel does that takes at most `most` bytes."""
    head = outbox.head()
    assert len(head) > 0
    taken = bytes(head[:most])
    assert outbox.sent(len(taken)) == (outbox.size == 0)
    return taken


def check(outbox: Outbox) -> None:
    assert outbox.size == sum(len(piece) for piece in outbox.pieces)
    assert all(len(piece) for piece in outbox.pieces)


# Sizes around what matters: one byte, what is joined, and one off.
SIZES = st.one_of(st.integers(1, 20), st.sampled_from([JOINED // 2, JOINED - 1, JOINED, JOINED + 1, 2 * JOINED + 1]))
PIECES = st.builds(lambda size, value: bytes([value]) * size, SIZES, st.integers(0, 255))


@given(st.lists(st.one_of(PIECES, st.one_of(st.integers(0, 20), st.integers(0, 2 * JOINED))), max_size=40))
def test_anyWritesAndPartialSends(program: list[bytes | int]) -> None:
    outbox, written, sent = Outbox(), bytearray(), bytearray()
    for each in program:
        if isinstance(each, bytes):
            outbox.append(each)
            written += each
        elif outbox.pieces:
            sent += take(outbox, each)
        check(outbox)
        assert outbox.size == len(written) - len(sent)
    while outbox.pieces:
        sent += take(outbox, JOINED)
        check(outbox)
    assert sent == written


@given(st.lists(PIECES, min_size=1, max_size=40))
def test_aHeadIsOnePieceOrNoLongerThanAJoin(pieces: list[bytes]) -> None:
    outbox = Outbox()
    for piece in pieces:
        outbox.append(piece)
    longest = max(len(piece) for piece in pieces)
    while outbox.pieces:
        head = outbox.head()
        assert len(head) <= max(JOINED, longest)
        # Asking again, as after a send that took nothing, gives the same or more of the same.
        assert bytes(outbox.head()[: len(head)]) == bytes(head)
        outbox.sent(len(head))


def test_aLargePieceIsNotCopied() -> None:
    outbox, large = Outbox(), bytes(4 * JOINED)
    outbox.append(large)
    outbox.append(b"more")
    assert outbox.head() is large
    outbox.sent(JOINED)
    head = outbox.head()
    assert isinstance(head, memoryview)
    assert head.obj is large
    assert len(head) == 3 * JOINED


def test_smallPiecesAreJoinedInOrder() -> None:
    outbox = Outbox()
    for text in (b"a", b"bc", b"def"):
        outbox.append(text)
    assert outbox.head() == b"abcdef"
    assert len(outbox.pieces) == 1
    outbox.sent(4)
    outbox.append(b"g")
    assert outbox.head() == b"efg"
    check(outbox)


def test_aSmallPieceBeforeALargeOneIsSentAlone() -> None:
    outbox = Outbox()
    outbox.append(b"small")
    outbox.append(bytes(JOINED))
    assert outbox.head() == b"small"


def test_beginningWithPieces() -> None:
    outbox = Outbox(memoryview(b"rest"), b"and more")
    check(outbox)
    assert outbox.size == 12
    assert take(outbox, 100) == b"restand more"
    check(outbox)
    outbox.append(b"again")
    assert take(outbox, 100) == b"again"


def test_manySmallPiecesAreNotQuadratic() -> None:
    def seconds(count: int) -> float:
        outbox = Outbox()
        for _ in range(count):
            outbox.append(b"x")
        begin = time.thread_time()
        total = 0
        while outbox.pieces:
            total += len(take(outbox, JOINED))
        assert total == count
        return time.thread_time() - begin

    seconds(1000)
    few, many = (min(seconds(count) for _ in range(3)) for count in (20_000, 160_000))
    # Eight times as many; moving the rest of the list at each send makes it a little more than eight.
    assert many < 40 * max(few, 0.001)
