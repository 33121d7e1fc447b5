"""For any bytes: how they are cut does not matter, a strict reading comes to the same, and time is linear."""

from __future__ import annotations

import time

import strictly
from httphostile import CHUNKED, FIVE, get, post
from httpread import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.http.error import TooLarge

PARTS = (
    *(get(), post(b"Content-Length: 5", body=b"hello"), post(CHUNKED, body=FIVE), b"\r\n", b"\n", b"\r", b"\0"),
    *(b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Connection: close\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n", b"A: b\r\n", b"HTTP/1.0", b"\r\n\r\n"),
    *(b";a=b", b"\xff", b",", b" ", b":"),
)
mixed = st.lists(st.sampled_from(PARTS) | st.binary(max_size=3), max_size=8).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(data=mixed, step=st.integers(1, 9))
def test_how_it_is_cut_does_not_matter_whatever_it_is(data: bytes, step: int) -> None:
    assert requests(data, step).summary() == requests(data).summary()


@settings(max_examples=300, deadline=None)
@given(data=mixed)
def test_a_strict_reading_comes_to_the_same_whatever_it_is(data: bytes) -> None:
    out = requests(data)
    if isinstance(out.error, TooLarge) or out.status == 501:
        return
    messages, end = strictly.read(data)
    assert [(head.method.encode(), body) for head, body in zip(out.heads, out.bodies, strict=True)] == [
        (each.method, each.body) for each in messages
    ]
    assert (out.error is not None) == (end == "refused") or end == "more"


def seconds(data: bytes, step: int = 0) -> float:
    def once() -> float:
        began = time.process_time()
        requests(data, step)
        return time.process_time() - began

    return min(once() for _ in range(3))


def test_four_times_as_much_takes_about_four_times_as_long() -> None:
    for make, step in (
        (lambda n: get() * n, 0),
        (lambda n: get() * n, 1000),
        (lambda n: post(CHUNKED, body=b"1\r\na\r\n" * n), 0),
        (lambda n: get()[:-2] + b"A: " + b"b" * (n * 5), 1),
    ):
        small, large = make(700), make(2800)
        assert seconds(large, step) < 10 * seconds(small, step) + 0.01
