"""Fields as a multi-mapping, and what may be put into it."""

from __future__ import annotations

from typing import Any

import pytest

from protocols import http
from protocols.http import Headers, Limits


def test_names_compare_without_case_and_keep_it() -> None:
    h = Headers([("Content-Type", "text/plain"), ("x-a", "1")])
    assert h["content-type"] == h["CONTENT-TYPE"] == h[b"Content-Type"] == "text/plain"
    assert "X-A" in h and b"x-A" in h and "x-b" not in h and 3 not in h
    assert h.raw == [(b"Content-Type", b"text/plain"), (b"x-a", b"1")]
    assert list(h) == ["Content-Type", "x-a"] and len(h) == 2 and bool(h) and not Headers()
    with pytest.raises(KeyError):
        h["x-b"]
    assert h.get("x-b") is None and h.get("x-b", "no") == "no"


def test_several_of_one_name() -> None:
    h = Headers([("Accept", "a"), ("Set-Cookie", "x=1"), ("accept", "b")])
    assert h["accept"] == "a, b" and h.getAll("ACCEPT") == ["a", "b"] and h.getAll("no") == []
    assert h.items() == [("Accept", "a"), ("Set-Cookie", "x=1"), ("accept", "b")]
    assert list(h) == ["Accept", "Set-Cookie"] and h.values() == ["a", "x=1", "b"]
    h["ACCEPT"] = "c"
    assert h.items() == [("ACCEPT", "c"), ("Set-Cookie", "x=1")]
    h.add("accept", b"d")
    assert h["accept"] == "c, d"
    del h["Accept"]
    assert h.items() == [("Set-Cookie", "x=1")]
    with pytest.raises(KeyError):
        del h["Accept"]
    assert Headers([("Cookie", "a=1"), ("cookie", "b=2")])["Cookie"] == "a=1; b=2"


def test_as_a_mapping() -> None:
    h = Headers({"A": "1"})
    assert h.setdefault("a", "2") == "1" and h.setdefault("b", "2") == "2"
    other = h.copy()
    other["a"] = "3"
    assert h["a"] == "1"
    h.update([("A", "4"), ("a", "5"), ("c", "6")])
    assert h.items() == [("b", "2"), ("A", "4"), ("a", "5"), ("c", "6")]
    assert h.pop("a") == "4, 5" and h.pop("a", None) is None and "a" not in h
    assert dict(h) == {"b": "2", "c": "6"}
    assert repr(Headers({"A": "1"})) == "Headers([('A', '1')])"


def test_equality_is_of_values_by_name() -> None:
    assert Headers([("A", "1"), ("b", "2")]) == Headers([("B", "2"), ("a", "1")])
    assert Headers([("a", "1"), ("a", "2")]) != Headers([("a", "2"), ("a", "1")])
    assert Headers() != {} and Headers() == Headers()
    with pytest.raises(TypeError):
        hash(Headers())


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ä", b"\x80", "a\0"])
def test_a_name_is_a_token(name: str | bytes) -> None:
    for put in (lambda: Headers([(name, "x")]), lambda: Headers().add(name, "x"), lambda: set_(Headers(), name, "x")):
        with pytest.raises(ValueError, match="name of a field is no token: "):
            put()


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\n", "\0", "a\rb", b"\x7f", "\x1b[0m"])
def test_a_value_ends_no_line(value: str | bytes) -> None:
    for put in (lambda: Headers({"A": value}), lambda: Headers().add("A", value), lambda: set_(Headers(), "A", value)):
        # type: ignore[dict-item]
        with pytest.raises(ValueError, match="value of field 'A' has a control character: "):
            put()


def set_(headers: Headers, name: str | bytes, value: str | bytes) -> None:
    headers[name] = value


def test_values_are_latin_1() -> None:
    h = Headers({"a": " \té "})
    assert h.raw == [(b"a", b"\xe9")] and h["a"] == "é"
    with pytest.raises(ValueError, match="value of field 'a' is not Latin-1: '€'"):
        h["a"] = "€"
    with pytest.raises(TypeError, match="value of field 'a' is str or bytes, not 3"):
        h["a"] = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match="name of a field is str or bytes, not 3"):
        h[3] = "a"  # type: ignore[index]
    # What nobody can have is not there.
    assert "€" not in h and h.get("€") is None


def test_what_a_parser_has_read_is_taken_as_it_is() -> None:
    pairs = [(b"A", b"1"), (b"a", b"\xff")]
    h = Headers.fromRaw(pairs)
    assert h.raw is pairs and h["a"] == "1, ÿ"


def test_the_package_has_its_names() -> None:
    for name in ("Headers", "Limits", "HTTPError", "BadMessage", "TooLarge", "Incomplete", "Timeout"):
        assert getattr(http, name).__name__ == name and name in http.__all__


def test_limits_are_named_and_stay_as_they_are() -> None:
    limits = Limits(head=1000)
    assert limits.head == 1000 and limits.line == Limits().line
    assert limits == Limits().replace(head=1000) != Limits() and hash(limits) == hash(Limits(head=1000))
    assert limits != 3 and repr(limits).startswith("Limits(") and "head=1000" in repr(limits)
    with pytest.raises(AttributeError, match="limits cannot be changed"):
        limits.head = 3
    for bad, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="fields="):
            Limits(fields=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", [5, "a: b", b"ab", ["ab"], [("a",)], [("a", "b", "c")], [5]])
def test_what_is_no_mapping_and_no_pairs_is_said(what: Any) -> None:
    with pytest.raises(TypeError, match="headers must be a mapping, or pairs of a name and a value, not"):
        Headers(what)
    with pytest.raises(TypeError, match="headers must be a mapping"):
        Headers().update(what)


def test_pairs_may_be_lists() -> None:
    assert Headers([["a", "b"]]).items() == [("a", "b")]  # type: ignore[list-item]
