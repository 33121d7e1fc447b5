"""What readers of HTTP/1.1 are tested with: a sink that writes down what it is told, and ways to cut the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from protocols.http.error import BadMessage, HTTPError, TooLarge
from protocols.http.h1 import RequestHead, RequestReader, ResponseHead, ResponseReader
from protocols.http.limits import Limits


class Told:
    """A sink: messages in order, each with its head, body, and trailers once it is whole."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.heads: list[Any] = []
        self.bodies: list[bytes] = []
        self.trailers: list[list[tuple[bytes, bytes]]] = []
        self.information: list[ResponseHead] = []

    def headReceived(self, head: RequestHead | ResponseHead) -> None:
        assert len(self.heads) == len(self.trailers), "a head in the middle of a message"
        self.heads.append(head)
        self.bodies.append(b"")
        self.events.append(("head", head))

    def informationReceived(self, head: ResponseHead) -> None:
        self.information.append(head)
        self.events.append(("information", head))

    def bodyReceived(self, data: bytes) -> None:
        assert type(data) is bytes and data
        assert len(self.heads) == len(self.trailers) + 1
        self.bodies[-1] += data
        if self.events[-1][0] == "body":
            self.events[-1] = ("body", self.events[-1][1] + data)
        else:
            self.events.append(("body", data))

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        assert len(self.heads) == len(self.trailers) + 1
        self.trailers.append(trailers)
        self.events.append(("message", trailers))


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(data), step):
        yield data[at : at + step]


class Outcome:
    """What came of some bytes: what was told, the error that ended it or None, and the reader."""

    def __init__(self, told: Told, error: HTTPError | None, reader: RequestReader | ResponseReader) -> None:
        self.told = told
        self.error = error
        self.reader = reader
        self.heads = told.heads
        self.bodies = told.bodies

    @property
    def status(self) -> int | None:
        return None if self.error is None else self.error.status

    def summary(self) -> tuple[Any, ...]:
        """All of it that must not depend on how the bytes were cut."""
        error = self.error
        what = None if error is None else (type(error), error.status, getattr(error, "what", None))
        return self.told.events, what, self.reader.state, self.reader.buffered


def fed(reader: RequestReader | ResponseReader, told: Told, data: Iterable[bytes], end: bool = False) -> Outcome:
    error: HTTPError | None = None
    try:
        for each in data:
            reader.receive(each)
        if end:
            reader.ended()
    except HTTPError as e:
        error = e
        count = len(told.events)
        # After an error nothing is read.
        reader.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        reader.ended()
        assert len(told.events) == count
    return Outcome(told, error, reader)


def requests(data: bytes, step: int = 0, limits: Limits | None = None, end: bool = False) -> Outcome:
    """What a server reads of `data`, given in pieces of `step` bytes, or whole."""
    told = Told()
    return fed(RequestReader(told, limits), told, pieces(data, step or len(data) or 1), end)


def responses(
    data: bytes,
    methods: Iterable[str] = ("GET",),
    step: int = 0,
    limits: Limits | None = None,
    end: bool = False,
    upgrade: bool = False,
) -> Outcome:
    """What a client that has sent requests with `methods` reads of `data`."""
    told = Told()
    reader = ResponseReader(told, limits)
    for method in methods:
        reader.expect(method, upgrade)
    return fed(reader, told, pieces(data, step or len(data) or 1), end)


def everyCut(data: bytes) -> Iterator[list[bytes]]:
    """`data` in two pieces, at every place; and byte by byte."""
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield list(pieces(data, 1))


__all__ = ["BadMessage", "Outcome", "Told", "TooLarge", "everyCut", "fed", "pieces", "requests", "responses"]
