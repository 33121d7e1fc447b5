"""A session of HTTP/2, either end, whatever comes: the first byte says which end, the second how it is cut."""

from __future__ import annotations

from typing import Any

import harness

from protocols.http import Limits
from protocols.http.error import HTTPError
from protocols.http.h2 import Bounds, ConnectionFailed, Session, Stream
from protocols.http.h2.frames import PREFACE

SETTINGS = b"\0\0\0\4\0\0\0\0\0"


class Owner:
    """Takes all, and answers each request that is whole."""

    def __init__(self, isServer: bool) -> None:
        self.session = Session(self, isServer, Bounds(), Limits())

    def requestReceived(self, stream: Stream, head: Any) -> None:
        stream.user = User(stream, True)

    def requestRefused(self, stream: Stream, problem: HTTPError) -> None:
        stream.user = User(stream, True)

    def responseReceived(self, stream: Stream, head: Any) -> None:
        assert 100 <= head.status <= 999

    def streamBroken(self, stream: Stream, problem: HTTPError) -> None:
        assert str(problem)

    def goneAway(self, last: int, code: int) -> None: ...

    def settingsChanged(self) -> None: ...

    def touched(self) -> None: ...


class User:
    def __init__(self, stream: Stream, answers: bool) -> None:
        self.stream = stream
        self.answers = answers
        self.size = 0

    def bodyReceived(self, data: bytes) -> None:
        assert data
        self.size += len(data)

    def messageReceived(self, trailers: Any) -> None:
        assert self.stream.expected in (None, self.size) or self.stream.method == "HEAD"
        if self.answers:
            self.stream.sendHead([(b":status", b"200")])
            self.stream.write(b"x" * self.size)
            self.stream.end()

    def streamFailed(self, problem: HTTPError) -> None:
        assert str(problem)

    def room(self) -> None: ...

    def allSent(self) -> None: ...


def one(data: bytes) -> None:
    isServer = not (data and data[0] & 1)
    owner = Owner(isServer)
    session = owner.session
    session.take()
    if isServer:
        session.receive(PREFACE + SETTINGS, 0.0)
    else:
        stream = session.begin(None, "GET")
        stream.user = User(stream, False)
        stream.sendHead([(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")], True)
        session.receive(SETTINGS, 0.0)
    try:
        for piece in harness.cuts(data[1:]):
            session.receive(piece, 0.0)
            session.fill(0.0)
            session.take()
    except ConnectionFailed as e:
        assert e.code and session.take()
        session.failStreams(e)
    assert session.unsent == sum([stream.unsent for stream in session.streams.values()])


if __name__ == "__main__":
    harness.main(one)
