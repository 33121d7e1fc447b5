"""Heads of responses that were read before are known again, and mean what they mean for this request."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.http.error import TooLarge
from protocols.http.h1 import ResponseReader, responses
from protocols.http.limits import Limits

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test: known\r\n\r\n"


class Sink:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def headReceived(self, head: Any) -> None:
        self.events.append(head)

    informationReceived = headReceived

    def bodyReceived(self, data: bytes) -> None:
        self.events.append(data)

    def messageReceived(self, trailers: Any) -> None:
        self.events.append(trailers)


def read(method: str, data: bytes, limits: Limits | None = None) -> list[Any]:
    sink = Sink()
    reader = ResponseReader(sink, limits)
    reader.expect(method)
    reader.receive(data)
    return sink.events


@pytest.fixture(autouse=True)
def nothingKnown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_known", {})


def test_the_same_head_is_read_once() -> None:
    first, second = read("GET", HEAD + b"hello"), read("POST", HEAD + b"HELLO")
    assert first[0] is second[0] and first[1:] == [b"hello", []] and second[1:] == [b"HELLO", []]


def test_the_method_has_its_say() -> None:
    read("GET", HEAD + b"hello")
    head, end = read("HEAD", HEAD)
    assert not head.hasBody and end == []
    responses._known.clear()
    read("HEAD", HEAD)
    assert read("GET", HEAD + b"hello")[1] == b"hello"


def test_limits_of_ones_own_have_theirs() -> None:
    read("GET", HEAD + b"hello")
    with pytest.raises(TooLarge):
        read("GET", HEAD + b"hello", Limits(fields=1))


def test_heads_that_are_secret_long_or_not_the_last_are_not_kept() -> None:
    for head in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nset-Cookie: secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"x" * 1100 + b"\r\n\r\n",
    ):
        read("GET", head)
    read("GET", b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"hello")
    assert list(responses._known) == [HEAD]
    for number in range(1000):
        read("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %d\r\n\r\n" % number)
    assert len(responses._known) <= 128
