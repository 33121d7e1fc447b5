"""States get as many bytes as they ask for, however the bytes are cut."""

from __future__ import annotations

import time
from typing import Any

import pytest

from protocols.stateful import StatefulProtocol


class Pipe:
    disconnecting = False

    def loseConnection(self) -> None:
        self.disconnecting = True


class Strings(StatefulProtocol):
    """A byte that says how many follow, and those."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def getInitialState(self) -> Any:
        return self.length, 1

    def length(self, data: bytes) -> Any:
        return self.string, data[0]

    def string(self, data: bytes) -> Any:
        self.got.append(data)
        if data == b"end":
            self.transport.loseConnection()
        return self.length, 1


def connected(protocol: Any) -> Any:
    protocol.makeConnection(Pipe())
    return protocol


@pytest.mark.parametrize("size", range(1, 12))
def test_cutAnywhere(size: int) -> None:
    protocol = connected(Strings())
    data = b"\x03abc\x00\x02de\x03end\x01x"
    for at in range(0, len(data), size):
        protocol.dataReceived(data[at : at + size])
    assert protocol.got == [b"abc", b"", b"de", b"end"]


def test_theSameStateAgain() -> None:
    got: list[bytes] = []

    class Pairs(StatefulProtocol):
        def getInitialState(self) -> Any:
            return got.append, 2

    connected(Pairs()).dataReceived(b"abcde")
    assert got == [b"ab", b"cd"]


@pytest.mark.parametrize("length, error", [(0, "0 bytes for ever"), (-1, "asks for -1 bytes")])
def test_aStateThatWouldNeverEnd(length: int, error: str) -> None:
    class Bad(StatefulProtocol):
        def getInitialState(self) -> Any:
            return (lambda data: None), length

    with pytest.raises(ValueError, match=error):
        connected(Bad()).dataReceived(b"x")


def test_tooMuch() -> None:
    asked: list[int] = []

    class Announced(Strings):
        def length(self, data: bytes) -> Any:
            return self.string, 0xFFFFFFFF

        def lengthLimitExceeded(self, length: int) -> None:
            asked.append(length)
            super().lengthLimitExceeded(length)

    protocol = connected(Announced())
    protocol.dataReceived(b"\x01abc")
    protocol.dataReceived(b"def")
    assert (asked, protocol.got, protocol.transport.disconnecting) == ([0xFFFFFFFF], [], True)


def test_noInitialState() -> None:
    with pytest.raises(NotImplementedError, match="StatefulProtocol has no getInitialState"):
        connected(StatefulProtocol())


def test_oneByteAtATimeIsNotQuadratic() -> None:
    class Large(StatefulProtocol):
        MAX_LENGTH = 1 << 30
        got = 0

        def getInitialState(self) -> Any:
            return self.take, 400_000

        def take(self, data: bytes) -> None:
            self.got += len(data)

    def seconds(size: int) -> float:
        protocol = connected(Large())
        protocol.MAX_LENGTH = 1 << 30
        began = time.process_time()
        for _ in range(size):
            protocol.dataReceived(b"x")
        return time.process_time() - began

    seconds(10_000)
    assert seconds(400_000) <= 40 * max(seconds(40_000), 0.005)
