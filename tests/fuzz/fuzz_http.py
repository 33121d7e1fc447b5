"""HTTP/1.1, whatever it is: the first byte says how it is cut, the second who reads it, the rest is what came."""

from __future__ import annotations

import harness

from protocols.http.error import HTTPError
from protocols.http.h1 import RequestReader, ResponseReader


class Told:
    """What a reader has told, pieces of a body joined."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def headReceived(self, head: object) -> None:
        self.events.append(("head", head))

    def informationReceived(self, head: object) -> None:
        self.events.append(("information", head))

    def bodyReceived(self, data: bytes) -> None:
        assert data
        kind, before = self.events[-1]
        if kind == "body":
            assert isinstance(before, bytes)
            self.events[-1] = ("body", before + data)
        else:
            self.events.append(("body", data))

    def messageReceived(self, trailers: object) -> None:
        self.events.append(("message", trailers))


def read(pieces: list[bytes], role: int) -> tuple[object, ...]:
    told = Told()
    reader: RequestReader | ResponseReader
    if role & 1:
        reader = ResponseReader(told)
        for method in ("GET", "HEAD", "CONNECT")[: role >> 1 & 3]:
            reader.expect(method, upgrade=bool(role & 8))
    else:
        reader = RequestReader(told)
    try:
        for piece in pieces:
            reader.receive(piece)
    except HTTPError as e:
        return told.events, type(e), e.status
    return told.events, reader.state, reader.buffered


def one(data: bytes) -> None:
    if len(data) < 3:
        return
    role, message = data[1], data[2:]
    assert read(list(harness.cuts(data[:1] + message)), role) == read([message], role), "how it is cut matters"


if __name__ == "__main__":
    harness.main(one)
