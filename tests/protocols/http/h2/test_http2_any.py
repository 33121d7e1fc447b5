"""Any bytes, any frames, any cuts: a session ends with an error of its own or goes on, and says the same however the
bytes come; and two sessions that talk to each other say what was said.
"""

from __future__ import annotations

from typing import Any

from http2serving import ACK, GET, POST, block
from http2serving import settings as said
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.http import Limits
from protocols.http.error import HTTPError
from protocols.http.h2 import Bounds, ConnectionFailed, Session, Stream
from protocols.http.h2.frames import PREFACE, frame
from protocols.http.h2.messages import listOf


class Owner:
    """Takes all, answers each request that is whole with its body, and writes down what it hears."""

    def __init__(self, isServer: bool, bounds: Bounds | None = None) -> None:
        self.heard: list[Any] = []
        self.session = Session(self, isServer, bounds or Bounds(), Limits())
        self.refused = 0

    def requestReceived(self, stream: Stream, head: Any) -> None:
        stream.user = User(self, stream)
        self.heard.append((stream.id, head.method, head.target))

    def requestRefused(self, stream: Stream, problem: HTTPError) -> None:
        stream.user = User(self, stream)
        self.heard.append((stream.id, problem.status))

    def responseReceived(self, stream: Stream, head: Any) -> None:
        self.heard.append((stream.id, head.status))

    def streamBroken(self, stream: Stream, problem: HTTPError) -> None:
        self.heard.append((stream.id, "broken", str(problem)))

    def goneAway(self, last: int, code: int) -> None:
        self.heard.append(("gone", last, code))

    def settingsChanged(self) -> None:
        pass

    def touched(self) -> None:
        pass


class User:
    def __init__(self, owner: Owner, stream: Stream) -> None:
        self.owner = owner
        self.stream = stream
        self.body = b""

    def bodyReceived(self, data: bytes) -> None:
        self.body += data

    def messageReceived(self, trailers: Any) -> None:
        self.owner.heard.append((self.stream.id, self.body, trailers))
        if self.owner.session._isServer:
            self.stream.sendHead([(b":status", b"200")])
            self.stream.write(self.body)
            self.stream.end()

    def streamFailed(self, problem: HTTPError) -> None:
        self.owner.heard.append((self.stream.id, "failed", str(problem)))

    def room(self) -> None:
        pass

    def allSent(self) -> None:
        pass


def feed(owner: Owner, pieces: list[bytes]) -> bytes:
    """What the session says to these, and GOAWAY at its end if it failed."""
    out = b""
    for piece in pieces:
        try:
            owner.session.receive(piece, 1.0)
        except ConnectionFailed as e:
            owner.heard.append(str(e))
            owner.session.failStreams(e)
    while True:
        owner.session.fill(1.0)
        data = owner.session.take()
        if not data:
            break
        out += data
    # Nothing that is over is kept.
    assert all(stream.isOpen for stream in owner.session.streams.values())
    assert owner.session.unsent == sum([each.unsent for each in owner.session.streams.values()])
    return out


LISTS: list[Any] = [GET, POST, [*POST, ("content-length", "3")], [(":status", "200")], [("x", "y")], [*GET, ("X", "y")]]
HEADS = st.sampled_from([*map(block, LISTS), b"\xff", b""])
FRAMES = st.builds(
    frame,
    st.sampled_from([0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 200]),
    st.integers(0, 255) | st.sampled_from([0, 1, 4, 5, 5, 5]),
    st.sampled_from([0, 1, 1, 3, 3, 5, 2, 7, (1 << 31) - 1]),
    HEADS | st.binary(max_size=12) | st.sampled_from([b"\0\0\0\1", b"abc", bytes(8)]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAMES, max_size=12), st.integers(1, 40))
def test_any_frames_however_they_are_cut(frames: list[bytes], size: int) -> None:
    data = PREFACE + said() + ACK + b"".join(frames)
    whole, cut = Owner(True), Owner(True)
    first = feed(whole, [data])
    second = feed(cut, [data[at : at + size] for at in range(0, len(data), size)])
    assert whole.heard == cut.heard
    assert first == second


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAMES, max_size=8), st.binary(max_size=40), st.booleans())
def test_any_bytes_to_a_client_that_has_asked(frames: list[bytes], data: bytes, asks: bool) -> None:
    owner = Owner(False)
    if asks:
        user = User(owner, None)  # type: ignore[arg-type]
        user.stream = owner.session.begin(user, "GET")
        user.stream.sendHead(listOf([(b":method", b"GET"), (b":path", b"/")], []), True)
    feed(owner, [said() + ACK, b"".join(frames) + data])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=300), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 5000),
    st.sampled_from([65535, 70000, 1 << 20]),
)
def test_two_ends_of_ours_say_what_was_said(bodies: list[tuple[bytes, bool]], size: int, window: int) -> None:
    bounds = Bounds(streamWindow=window, connectionWindow=window)
    client, server = Owner(False, bounds), Owner(True, bounds)
    users = []
    for body, isLarge in bodies:
        user = User(client, None)  # type: ignore[arg-type]
        stream = user.stream = client.session.begin(user, "POST")
        stream.sendHead(
            [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")], end=False
        )
        stream.write(body * 300 if isLarge else body)
        stream.end([(b"x-sum", b"%d" % len(body))] if isLarge else ())
        users.append((user, body * 300 if isLarge else body))
    for _ in range(200):
        data = feed(client, [])
        answer = feed(server, [data[at : at + size] for at in range(0, len(data), size)])
        feed_back = [answer[at : at + size] for at in range(0, len(answer), size)]
        for piece in feed_back:
            client.session.receive(piece, 1.0)
        if not (data or answer or client.session.streams):
            break
    assert [user.body for user, _ in users] == [body for _, body in users]
    assert not client.session.streams and not server.session.streams
    assert client.session.failed is None and server.session.failed is None
