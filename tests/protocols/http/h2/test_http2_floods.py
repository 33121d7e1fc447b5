"""A peer that asks for nothing, or for more than it takes: each flood ends its connection after so many, and holds no
more memory than its bound says.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from http2serving import (
    ACK,
    END_HEADERS,
    GET,
    POST,
    Served2,
    block,
    body,
    head,
    hello,
    more,
    reset,
    settings,
    window,
)

from protocols.http import Response
from protocols.http.h2 import Bounds
from protocols.http.h2.bounds import Budget
from protocols.http.h2.frames import DATA, HEADERS, PING, PREFACE, PRIORITY, frame
from reactor.defer import Deferred

CALM, SETTINGS_TIMEOUT, CANCEL = 11, 4, 8
UPLOAD = head(1, POST, END_HEADERS)


def waits(request: Any) -> Deferred[Response]:
    return Deferred()


class Rapid:
    """Streams that are begun and reset; how many handlers were cancelled."""

    def __init__(self) -> None:
        self.cancelled = 0

    def __call__(self, request: Any) -> Deferred[Response]:
        return Deferred(self._cancel)

    def _cancel(self, deferred: Any) -> None:
        self.cancelled += 1


# Name: what comes first, what comes again and again, how often it may, and what the reason in the log says.
FLOODS: dict[str, tuple[bytes, Any, int, str]] = {
    "rapid reset": (b"", lambda n: head(2 * n + 1) + reset(2 * n + 1), 200, "given up"),
    "made to reset: window": (
        b"",
        lambda n: head(2 * n + 1) + window(2 * n + 1, (1 << 31) - 1),
        200,
        "given up",
    ),
    "made to reset: data behind the end": (b"", lambda n: head(2 * n + 1) + body(2 * n + 1, b"x"), 200, "given up"),
    "made to reset: malformed": (b"", lambda n: head(2 * n + 1, [*GET, ("te", "x")]), 200, "given up"),
    "made to reset: length": (
        b"",
        lambda n: head(2 * n + 1, [*POST, ("content-length", "1")], END_HEADERS) + body(2 * n + 1, b"xx"),
        200,
        "given up",
    ),
    "made to refuse": (b"".join([head(2 * n + 1) for n in range(100)]), lambda n: head(2 * n + 301), 200, "given up"),
    "SETTINGS": (b"", lambda n: settings(), 31, "SETTINGS"),
    "PING": (b"", lambda n: frame(PING, 0, 0, b"12345678"), 100, "PING"),
    "PING that answers": (b"", lambda n: frame(PING, 1, 0, b"12345678"), 100, "PING"),
    "PRIORITY": (b"", lambda n: frame(PRIORITY, 0, 2 * n + 1, b"\0\0\0\0\x10"), 500, "PRIORITY"),
    "unknown": (b"", lambda n: frame(0xBE, 0, 0, b""), 500, "unknown"),
    "empty DATA": (UPLOAD, lambda n: body(1, b"", 0), 100, "DATA"),
    "empty DATA, padded": (UPLOAD, lambda n: body(1, b"\x03\0\0\0", 8), 100, "DATA"),
    "WINDOW_UPDATE": (UPLOAD, lambda n: window(n % 2, 1), 1000, "WINDOW_UPDATE"),
    "CONTINUATION": (head(1, GET, 1), lambda n: more(1, b"", 0), 16, "a head of 18 frames"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_S_httpFlood_a_flood_ends_its_connection(name: str, caplog: pytest.LogCaptureFixture) -> None:
    first, again, most, why = FLOODS[name]
    # Not one of SETTINGS: the first is one, and its acknowledgement another.
    served = Served2(waits)
    served.send(first)
    served.send(b"".join([again(n) for n in range(most - (name == "SETTINGS"))]))
    assert served.goneAway is None
    with caplog.at_level(logging.INFO):
        served.send(b"".join([again(n) for n in range(most, most + 3)]))
    assert served.goneAway == CALM
    assert why in caplog.text
    served.advance(6)
    assert not served.isOpen
    assert not served.site.channels


def test_who_does_it_slowly_is_served() -> None:
    served = Served2(waits)
    for n in range(400):
        served.send(head(2 * n + 1) + reset(2 * n + 1) + frame(PING, 0, 0, b"12345678"))
        served.advance(0.2)
    assert served.goneAway is None


def test_resets_cancel_what_was_at_work() -> None:
    handler = Rapid()
    served = Served2(handler)
    served.send(b"".join([head(2 * n + 1) + reset(2 * n + 1) for n in range(150)]))
    assert handler.cancelled == 150
    (channel,) = served.site.channels
    assert not channel.session.streams  # type: ignore[union-attr]


def test_resets_of_answers_that_were_sent_are_free() -> None:
    served = Served2(hello)
    for n in range(500):
        served.send(head(2 * n + 1))
        served.send(reset(2 * n + 1))
    assert served.goneAway is None


def test_a_head_that_is_too_large_when_it_is_unpacked() -> None:
    # One entry of 4000 bytes in the table, referred to a thousand times: 4 MB of 5 kB.
    served = Served2(hello)
    entry = b"\x40\x01x" + b"\x7f\xa1\x1e" + b"a" * 4000
    served.send(frame(HEADERS, 5, 1, block(GET) + entry + b"\xbe" * 1000))
    assert served.goneAway == CALM


def test_a_table_larger_than_was_said_is_refused() -> None:
    served = Served2(hello)
    served.send(frame(HEADERS, 5, 1, b"\x3f\xe1\xff\x03" + block(GET)))
    assert served.goneAway == 9


def test_a_head_that_never_ends_is_not_held() -> None:
    served = Served2(hello)
    served.send(frame(HEADERS, 1, 1, b"x" * 16384) + more(1, b"x" * 16384, 0) + more(1, b"x", 0))
    assert served.goneAway == CALM


def test_answers_that_nobody_takes_are_bounded_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    made = []

    def handler(request: Any) -> Response:
        made.append(request)
        return Response(b"x" * 300000)

    served = Served2(handler, Bounds(unsent=1 << 20), writeTimeout=30)
    served.send(settings((4, 0)) + b"".join([head(2 * n + 1) for n in range(100)]))
    assert len(made) == 4
    (channel,) = served.site.channels
    assert channel.session.unsent == 1200000  # type: ignore[union-attr]
    # A client that takes some has the next ones.
    served.send(window(1, 300000) + window(0, 1 << 24))
    assert served.isWhole(1) and len(made) == 5
    with caplog.at_level(logging.INFO):
        served.advance(32)
    assert served.resetOf(3) == CANCEL
    assert "does not take an answer" in caplog.text
    for _ in range(30):
        served.advance(32)
    assert len(made) == 100 and channel.session.unsent == 0  # type: ignore[union-attr]


def test_an_answer_that_is_taken_byte_by_byte_costs_its_window_updates() -> None:
    served = Served2(lambda request: Response(b"x" * 100000))
    served.send(settings((4, 0)) + head(1))
    for _ in range(200):
        served.send(window(1, 1) * 10)
    assert served.goneAway == CALM


def test_bodies_that_nobody_reads_take_their_windows_at_most() -> None:
    requests: list[Any] = []

    def holds(request: Any) -> Deferred[Response]:
        requests.append(request)
        return Deferred()

    served = Served2(holds)
    served.send(UPLOAD)
    # In pieces of two bytes, each of which would be an object of its own.
    for _ in range(5):
        served.send(body(1, b"xx", 0) * 1000)
    assert served.goneAway is None
    (channel,) = served.site.channels
    (stream,) = channel.session.streams.values()  # type: ignore[union-attr]
    kept = requests[0]._body._pieces
    assert len(kept) < 1100
    assert stream.buffered + sum(map(len, kept)) == 10000
    # What waits there, and its window, is all that can come.
    assert not served.of(8, 1)


def test_an_upload_that_is_read_is_not_held_up_by_those_that_are_not() -> None:
    async def handler(request: Any) -> Response:
        if request.path == "/never":
            await Deferred()
        return Response(str(len(await request.read())))

    served = Served2(handler, Bounds(connectionWindow=100000))
    served.send(head(1, [*POST[:3], (":path", "/never")], END_HEADERS) + body(1, b"x" * 16000, 0) * 4)
    served.send(head(3, POST, END_HEADERS))
    for _ in range(30):
        served.send(body(3, b"x" * 16000, 0))
    served.send(body(3))
    assert served.data(3) == b"480000"


@pytest.mark.parametrize(
    ("sent", "seconds", "code"),
    [
        (PREFACE[:10], 10, None),
        (PREFACE + settings(), 10, SETTINGS_TIMEOUT),
        (PREFACE + settings() + ACK + head(1, GET, 1), 10, CALM),
        (PREFACE + settings() + ACK + head(1)[:20], 10, CALM),
        (PREFACE + settings() + ACK, 30, 0),
    ],
)
def test_who_says_nothing_more_is_not_waited_for(sent: bytes, seconds: float, code: int | None) -> None:
    served = Served2(hello, began=False)
    served.send(sent)
    served.advance(seconds - 1)
    assert served.isOpen
    served.advance(2.5)
    assert served.goneAway == code
    served.advance(6)
    assert not served.isOpen and not served.site.channels


def test_a_body_that_drips_is_answered_408() -> None:
    async def handler(request: Any) -> Response:
        return Response(str(len(await request.read())))

    served = Served2(handler)
    served.send(UPLOAD + head(3, POST, END_HEADERS))
    for _ in range(13):
        served.send(body(1, b"x", 0) + body(3, b"x" * 1000, 0))
        served.advance(1)
    assert served.heads(1)[0][":status"] == "408"
    served.send(body(3))
    assert served.data(3) == b"13000"


def test_a_budget_is_for_so_many_and_a_tenth_a_second() -> None:
    budget = Budget(10)
    assert [budget.spend(0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [budget.spend(4.0) for _ in range(3)] == [True, True, False]
    budget.earn(100)
    assert [budget.spend(4.0) for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.parametrize("name", Bounds.__slots__)
def test_bounds_are_checked(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        Bounds(**{name: "1"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=name):
        Bounds(**{name: -1})  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match=name):
        setattr(Bounds(), name, 1)
    assert name in repr(Bounds())


def test_the_data_frame_of_the_flood_is_one() -> None:
    assert body(1, b"", 0)[3] == DATA
