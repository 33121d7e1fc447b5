"""The splitters alone: however the bytes are cut, the frames are the same, and the time is in proportion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from struct import Struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols._framing.lengths import LengthSplitter, LengthTooLarge
from protocols._framing.lines import LineSplitter, LineTooLong
from protocols._framing.netstrings import NetstringParseError, NetstringSplitter
from protocols._framing.splitter import WINDOW, FrameError

MILLION = 1_000_000


class Case:
    """A splitter, how a frame of it looks in the stream, and how it is asked."""

    def __init__(self, make: Callable[[], Any], frame: Callable[[bytes], bytes], *before: Any) -> None:
        self.make, self.frame, self.before = make, frame, before

    def batch(self, splitter: Any, limit: int) -> list[bytes]:
        return splitter.batch(*self.before, limit)

    def all(self, splitter: Any, limit: int = 1 << 30) -> Iterator[bytes]:
        while batch := self.batch(splitter, limit):
            splitter.advance()
            yield from batch


CASES = {
    "lines": Case(LineSplitter, lambda frame: frame + b"\r\n", b"\r\n"),
    "netstrings": Case(NetstringSplitter, lambda frame: b"%d:%b," % (len(frame), frame)),
    "int32": Case(lambda: LengthSplitter(Struct("!I")), lambda frame: Struct("!I").pack(len(frame)) + frame),
    "int8": Case(lambda: LengthSplitter(Struct("!B")), lambda frame: bytes([len(frame)]) + frame),
}
LONG = {name: case for name, case in CASES.items() if name != "int8"}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
eachLong = pytest.mark.parametrize("case", LONG.values(), ids=LONG)
FRAMES = st.lists(st.binary(max_size=40).map(lambda frame: frame.replace(b"\r\n", b"..")), max_size=12)
DELIMITERS = st.sampled_from([b"\n", b"\r\n", b"aa", b"aba", b"ab"])


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges) if b > a]


@each
@given(frames=FRAMES, places=st.lists(st.integers(0, 1 << 16)), takes=st.lists(st.integers(0, 3)))
@settings(max_examples=60)
def test_cutAnywhereAndGivenBackAnyFrames(case: Case, frames: list[bytes], places: list[int], takes: list[int]) -> None:
    # A line that ends with CR would end one byte later.
    frames = [frame.rstrip(b"\r") for frame in frames]
    splitter, found, take = case.make(), [], iter(takes)
    for piece in cut(b"".join(map(case.frame, frames)), places):
        splitter.feed(piece)
        while batch := case.batch(splitter, 100):
            count = max(1, min(len(batch), next(take, len(batch))))
            splitter.advance(batch[count:])
            found += batch[:count]
    assert found == frames
    assert len(splitter) == 0 and not splitter and splitter.take() == b""


@each
def test_everySplitInTwo(case: Case) -> None:
    frames = [b"", b"a", b"hello", b"\r", b"\n", b"x" * 100, b"\0\0"]
    stream = b"".join(map(case.frame, frames)) + b"1"
    for place in range(len(stream) + 1):
        splitter = case.make()
        found = []
        for piece in (stream[:place], stream[place:]):
            splitter.feed(piece)
            found += case.all(splitter)
        assert found == frames
        assert splitter.waiting() == splitter.take() == b"1"


@given(st.binary(max_size=60), DELIMITERS, st.lists(st.integers(0, 100)), st.integers(0, 30))
@settings(max_examples=200)
def test_linesAreWhatSplitGives(stream: bytes, delimiter: bytes, places: list[int], limit: int) -> None:
    stream = stream.translate(bytes(b"ab\r\n"[i % 4] for i in range(256)))
    *lines, rest = stream.split(delimiter)
    splitter, found = LineSplitter(), list[bytes]()
    try:
        for piece in cut(stream, places):
            splitter.feed(piece)
            while batch := splitter.batch(delimiter, limit):
                splitter.advance()
                found += batch
    except LineTooLong as e:
        assert e.limit == limit < e.length
        assert found == lines[: len(found)]
        assert len([*lines, rest][len(found)]) > limit
    else:
        assert found == lines and max(map(len, found), default=0) <= limit
        assert splitter.take() == rest and len(rest) < limit + len(delimiter)


@each
@given(stream=st.binary(max_size=60), places=st.lists(st.integers(0, 100)))
@settings(max_examples=100)
def test_onlyItsOwnErrorEscapes(case: Case, stream: bytes, places: list[int]) -> None:
    def frames(pieces: list[bytes]) -> tuple[list[bytes], bool]:
        splitter, found = case.make(), list[bytes]()
        try:
            for piece in pieces:
                splitter.feed(piece)
                found += case.all(splitter, 10)
        except FrameError as e:
            assert isinstance(e, LineTooLong | LengthTooLarge | NetstringParseError)
            return found, True
        return found, False

    assert frames(cut(stream, places)) == frames([stream])


def test_aLineAsLongAsTheLimitWithItsDelimiterCutInTwo() -> None:
    splitter = LineSplitter()
    splitter.feed(b"12345\r")
    assert splitter.batch(b"\r\n", 5) == []
    splitter.feed(b"\n")
    assert splitter.batch(b"\r\n", 5) == [b"12345"]


def test_linesBeforeOneThatIsTooLong() -> None:
    splitter = LineSplitter()
    splitter.feed(b"1\n22\n666666\n3\n")
    assert splitter.batch(b"\n", 5) == [b"1", b"22"]
    splitter.advance()
    with pytest.raises(LineTooLong, match="a line of 6 bytes; the limit is 5") as caught:
        splitter.batch(b"\n", 5)
    assert caught.value.complete
    assert splitter.takeLine() == b"666666"
    assert splitter.batch(b"\n", 5) == [b"3"]


def test_aDelimiterChangedBetweenBatches() -> None:
    splitter = LineSplitter()
    splitter.feed(b"a;b")
    assert splitter.batch(b"\n", 99) == []
    assert splitter.batch(b";", 99) == [b"a"]
    splitter.advance()
    splitter.feed(b"\nc;")
    assert splitter.batch(b"\n", 99) == [b"b"]


@eachLong
def test_framesLargerThanAWindow(case: Case) -> None:
    frames = [b"x" * size for size in (WINDOW - 3, WINDOW, WINDOW + 1, 5 * WINDOW, 1)] * 2
    for size in (1000, WINDOW, 3 * WINDOW, 1 << 30):
        stream, splitter, found = b"".join(map(case.frame, frames)), case.make(), list[bytes]()
        for at in range(0, len(stream), size):
            splitter.feed(stream[at : at + size])
            found += case.all(splitter)
        assert found == frames


def seconds(case: Case, pieces: list[bytes], frames: int) -> float:
    """The CPU time of feeding `pieces`, which make so many frames: the best of two."""
    best = 1e9
    for _ in range(2):
        splitter, found, began = case.make(), 0, time.process_time()
        for piece in pieces:
            splitter.feed(piece)
            while batch := case.batch(splitter, 1 << 30):
                splitter.advance()
                found += len(batch)
        best = min(best, time.process_time() - began)
        assert found == frames
    return best


@eachLong
def test_S_parsers_linearInTheBytesHoweverCut(case: Case) -> None:
    """parsers | quadratic guard: a long frame that comes byte by byte costs at most five times what as many feeds
    cost that are a whole frame each.
    """
    size = MILLION // 8
    stream = case.frame(b"x" * size)
    pieces = [stream[at : at + 1] for at in range(len(stream))]
    one = case.frame(b"x")
    assert seconds(case, pieces, 1) <= 5 * seconds(case, [one] * len(pieces), len(pieces))


@eachLong
def test_linearInTheFramesOfAChunk(case: Case) -> None:
    """A chunk with 125 000 frames costs at most five times what the same frames cost in small chunks."""
    count = MILLION // 8
    one = case.frame(b"x")
    assert seconds(case, [one * count], count) <= 5 * seconds(case, [one * 100] * (count // 100), count)


@each
def test_givingBackAfterEachFrameCostsAWindowAtMost(case: Case) -> None:
    one = case.frame(b"x" * 60)

    def oneByOne(count: int) -> float:
        splitter, began = case.make(), time.process_time()
        splitter.feed(one * count)
        for _ in range(count):
            batch = case.batch(splitter, 99)
            splitter.advance(batch[1:])
        assert not splitter
        return time.process_time() - began

    small = min(oneByOne(500) for _ in range(3))
    assert min(oneByOne(2000) for _ in range(3)) <= 5 * 4 * small


def test_aLengthAboveTheLimitIsRefusedAtTheHeader() -> None:
    splitter = LengthSplitter(Struct("!I"))
    splitter.feed(b"\0\0\0\1a\xff\xff\xff\xff")
    assert splitter.batch(99999) == [b"a"]
    splitter.advance()
    with pytest.raises(LengthTooLarge, match="a string of 4294967295 bytes was announced; the limit is 99999"):
        splitter.batch(99999)
    assert splitter.take() == b""
