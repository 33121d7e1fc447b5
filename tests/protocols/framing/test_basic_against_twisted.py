"""Twisted's receivers and ours are given the same bytes in the same pieces, and tell the same.

Both stand on a transport in memory that keeps what is asked of it: what is compared is what a program sees.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import basic as ours

theirs: Any = pytest.importorskip("twisted.protocols.basic")


class Transport:
    """Stops when it is told to, as a connection does."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.disconnecting = self.paused = False

    def write(self, data: bytes) -> None:
        self.events.append(("write", data))

    def writeSequence(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:
        self.events.append("lose")
        self.disconnecting = True

    def pauseProducing(self) -> None:
        self.events.append("pause")
        self.paused = True

    def resumeProducing(self) -> None:
        self.events.append("resume")
        self.paused = False

    stopProducing = loseConnection


class Program:
    """Does what the frame says: pauses, switches, sends, feeds, loses."""

    transport: Any

    def lineReceived(self, line: bytes) -> None:
        self.transport.events.append(line)
        this: Any = self
        if b"P" in line:
            this.pauseProducing()
        if b"R" in line:
            this.setRawMode()
        if b"S" in line:
            this.sendLine(line)
        if b"C" in line:
            self.transport.events.append(("cleared", this.clearLineBuffer()))
        if b"L" in line:
            self.transport.loseConnection()
        if b"D" in line:
            this.delimiter = b"\n"

    def rawDataReceived(self, data: bytes) -> None:
        self.transport.events.append(("raw", data))
        if len(data) > 2:
            this: Any = self
            this.setLineMode(data[2:])

    def stringReceived(self, string: bytes) -> None:
        self.transport.events.append(string)
        this: Any = self
        if b"S" in string:
            this.sendString(string)
        if b"P" in string and hasattr(theirs.IntNStringReceiver, "pauseProducing"):
            this.pauseProducing()

    def lengthLimitExceeded(self, length: int) -> None:
        self.transport.events.append(("exceeded", length))
        self.transport.loseConnection()


def trace(module: Any, name: str, limit: int, pieces: list[bytes]) -> list[Any]:
    """What the receiver of that name tells; each piece is delivered when it is not paused, as by a transport."""
    kind = type("Tested", (Program, getattr(module, name)), {"MAX_LENGTH": limit})
    protocol, transport = kind(), Transport()
    protocol.makeConnection(transport)
    for piece in pieces:
        for _ in range(1000):
            if not transport.paused or transport.disconnecting:
                break
            protocol.resumeProducing()
        if transport.disconnecting:
            break
        protocol.dataReceived(piece)
    return transport.events


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges) if b > a]


PLACES = st.lists(st.integers(0, 300), max_size=8)
LIMITS = st.sampled_from([3, 10, 50, 99])
WORDS = st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bb", b"ccccc\r\n", b"12345678\r\n", b"S\r\n"])
ACTS = st.sampled_from([b"P\r\n", b"R\r\n", b"C\r\n", b"L\r\n", b"D\r\n", b"PR\r\n", b"PS\r\n", b"x"])


@given(words=st.lists(WORDS | ACTS, max_size=16), limit=LIMITS, places=PLACES)
@settings(max_examples=300)
def test_LineReceiver(words: list[bytes], limit: int, places: list[int]) -> None:
    pieces = cut(b"".join(words), places)
    assert trace(ours, "LineReceiver", limit, pieces) == trace(theirs, "LineReceiver", limit, pieces)


@given(words=st.lists(WORDS | st.just(b"L\r\n"), max_size=16), limit=LIMITS, places=PLACES)
@settings(max_examples=200)
def test_LineOnlyReceiver(words: list[bytes], limit: int, places: list[int]) -> None:
    pieces = cut(b"".join(words), places)
    here, there = (trace(module, "LineOnlyReceiver", limit, pieces) for module in (ours, theirs))
    if here != there:
        # The difference on purpose: a line of the greatest length whose delimiter is cut in two.
        assert there[-1] == "lose" and here[: len(there) - 1] == there[:-1]
        assert any(b"\r" in piece[-1:] for piece in pieces) or len(b"".join(pieces)) > limit


NETSTRINGS = st.binary(max_size=14).map(lambda data: b"%d:%b," % (len(data), data))
NOISE = st.sampled_from([b"1:a,", b"0:,", b"1", b"0", b":", b"a", b",", b"2:", b"00", b" ", b"1:S,", b"-", b"99999"])


@given(words=st.lists(NETSTRINGS, max_size=8), noise=st.lists(NOISE, max_size=4), limit=LIMITS, places=PLACES)
@settings(max_examples=300)
def test_NetstringReceiver(words: list[bytes], noise: list[bytes], limit: int, places: list[int]) -> None:
    pieces = cut(b"".join(word for word in words if b"P" not in word) + b"".join(noise), places)
    assert trace(ours, "NetstringReceiver", limit, pieces) == trace(theirs, "NetstringReceiver", limit, pieces)


@pytest.mark.parametrize("size", [1, 2, 4])
@given(
    strings=st.lists(st.binary(max_size=14) | st.sampled_from([b"P", b"S", b"PS"]), max_size=8),
    noise=st.binary(max_size=5),
    limit=LIMITS,
    places=PLACES,
)
@settings(max_examples=150)
def test_IntNStringReceiver(size: int, strings: list[bytes], noise: bytes, limit: int, places: list[int]) -> None:
    name = f"Int{8 * size}StringReceiver"
    pieces = cut(b"".join(len(string).to_bytes(size, "big") + string for string in strings) + noise, places)
    assert trace(ours, name, limit, pieces) == trace(theirs, name, limit, pieces)


def test_namesAndDefaults() -> None:
    for name in ours.__all__:
        here, there = getattr(ours, name), getattr(theirs, name)
        public = {key for key in dir(there) if not key.startswith("_")}
        assert public <= set(dir(here)), name
        for constant in ("MAX_LENGTH", "delimiter", "structFormat", "prefixLength", "state", "line_mode", "CHUNK_SIZE"):
            if name != "IntNStringReceiver":
                assert getattr(here, constant, None) == getattr(there, constant, None), (name, constant)
