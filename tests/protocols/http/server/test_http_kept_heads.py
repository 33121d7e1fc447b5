"""Heads of answers that are kept for a second: which are, and that none is sent where another one belongs."""

from __future__ import annotations

import pytest
from httpserving import Served, get

from protocols.http import Response
from protocols.http.server import Request
from protocols.http.server.heads import Heads


def test_the_head_of_an_answer_with_fields_of_its_own_is_made_once_a_second() -> None:
    served = Served(lambda request: Response("hello", headers=[("X-One", "1"), ("x-one", "2")], reason="Fine"))
    # At the beginning of a second of the wall's.
    served.site.heads = Heads(lambda: 1_000_000_000.0)
    served.send(get())
    (kept,) = served.site.heads.given.values()
    first, served.client.got = served.client.got, b""
    served.site.heads.given = {key: kept.replace(b"Fine", b"Kept") for key in served.site.heads.given}
    served.send(get())
    # Of the same second: it is that one which is sent.
    assert served.client.got == first.replace(b"Fine", b"Kept")
    served.client.got = b""
    served.advance(3)
    served.send(get())
    assert served.client.got.startswith(b"HTTP/1.1 200 Fine\r\n")
    assert b"X-One: 1\r\nx-one: 2\r\n" in served.client.got


def test_a_kept_head_is_of_those_fields_only() -> None:
    served = Served(lambda request: Response("hello", headers={"X-Target": request.target}))
    served.send(get("/a") + get("/b") + get("/a"))
    assert [each.fields["x-target"] for each in served.answers()] == ["/a", "/b", "/a"]
    assert len(served.site.heads.given) == 2


def test_what_never_repeats_pushes_out_no_head_and_is_bounded() -> None:
    def handler(request: Request) -> Response:
        return Response("hello", headers={"Set-Cookie": f"session={request.target[1:]}"})

    served = Served(handler)
    heads = served.site.heads
    served.send(get("/first"))
    heads.stale = float("inf")
    (first,) = heads.given
    served.send(b"".join(get(f"/{n}") for n in range(400)))
    assert [each.fields["set-cookie"] for each in served.answers()][1:] == [f"session={n}" for n in range(400)]
    assert len(heads.given) == 256
    assert first in heads.given


def test_a_long_head_is_not_kept() -> None:
    served = Served(lambda request: Response("hello", headers={"X-Long": "a" * 2000}))
    served.send(get() + get())
    assert [each.fields["x-long"] for each in served.answers()] == ["a" * 2000] * 2
    assert not served.site.heads.given


@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_kept_head_serves_no_request_that_needs_another(status: int) -> None:
    def handler(request: Request) -> Response:
        return Response("" if status != 200 else "hello", status, headers={"X-One": "1"})

    served = Served(handler)
    served.site.heads.stale = float("inf")
    served.send(get() + get(method="HEAD") + get() + get("/", "Connection: close"))
    answers = served.answers("GET", "HEAD", "GET", "GET")
    body = b"hello" if status == 200 else b""
    assert [each.body for each in answers] == [body, b"", body, body]
    assert ["connection" in each.fields for each in answers] == [False, False, False, True]
    assert len(served.site.heads.given) == (status == 200)
    assert not served.isOpen


def test_a_kept_head_is_none_for_HTTP_1_0_and_none_for_an_answer_that_closes() -> None:
    served = Served(lambda request: Response("hello", headers={"Connection": "close"}))
    served.send(get())
    assert not served.site.heads.given
    assert not served.isOpen
    served = Served(lambda request: Response("hello", headers={"X-One": "1"}))
    served.send(get() + get("/", "Connection: keep-alive", version="1.0"))
    assert [each.fields.get("connection") for each in served.answers()] == [None, "keep-alive"]
