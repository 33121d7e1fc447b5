"""Cookies: what of Set-Cookie is taken (RFC 6265, section 5.3), what goes back where (5.4), and the public suffixes."""

from __future__ import annotations

import sys

import pytest

from protocols.http.client import cookies as module
from protocols.http.client.cookies import CookieJar, dateOf
from protocols.http.client.urls import parse

NOW = 1_800_000_000.0


def sent(jar: CookieJar, url: str, now: float = NOW) -> str | None:
    return jar.header(parse(url), now)


def stored(url: str, *lines: str) -> CookieJar:
    jar = CookieJar()
    jar.store(parse(url), lines, NOW)
    return jar


def test_a_cookie_goes_back_to_its_host_only() -> None:
    jar = stored("http://a.example/", "k=v")
    assert sent(jar, "http://a.example/x") == "k=v"
    for other in ("http://b.a.example/", "http://example/", "http://xa.example/"):
        assert sent(jar, other) is None


def test_a_cookie_for_a_domain_goes_to_all_its_hosts() -> None:
    jar = stored("http://a.example.co.uk/", "k=v; Domain=.Example.co.uk")
    assert sent(jar, "http://example.co.uk/") == sent(jar, "http://x.y.example.co.uk/") == "k=v"
    assert sent(jar, "http://badexample.co.uk/") is None


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("http://a.co.uk/", "co.uk"),
        ("http://me.github.io/", "github.io"),
        ("http://a.example/", "example"),
        ("http://a.example/", "b.example"),
        ("http://a.example/", "x.a.example"),
        ("http://1.2.3.4/", "3.4"),
    ],
)
def test_nobody_sets_cookies_for_others(url: str, domain: str) -> None:
    assert len(stored(url, f"k=v; Domain={domain}")) == 0


def test_a_public_suffix_and_an_address_have_their_own() -> None:
    for url, domain in (("http://github.io/", "github.io"), ("http://1.2.3.4/", "1.2.3.4"), ("http://[::1]/", "::1")):
        jar = stored(url, f"k=v; Domain={domain}")
        assert sent(jar, url) == "k=v"
        assert [cookie.hostOnly for cookie in jar] == [True]
    assert sent(stored("http://github.io/", "k=v; Domain=github.io"), "http://me.github.io/") is None


def test_without_the_list_a_cookie_is_its_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_list", [])
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    jar = stored("http://a.example.com/", "k=v; Domain=example.com")
    assert sent(jar, "http://a.example.com/") == "k=v"
    assert sent(jar, "http://example.com/") is None


def test_paths() -> None:
    jar = stored("http://a/x/y", "default=1", "root=2; Path=/", "deep=3; Path=/x/y/z", "odd=4; Path=nothing")
    assert sent(jar, "http://a/x/y/z") == "deep=3; default=1; odd=4; root=2"
    assert sent(jar, "http://a/x") == "default=1; odd=4; root=2"
    assert sent(jar, "http://a/xy") == "root=2"
    assert sent(jar, "http://a/x/y/zz?Path=/x/y/z") == "default=1; odd=4; root=2"


def test_secure_ones_need_tls_to_be_sent_set_and_replaced() -> None:
    jar = stored("https://a/", "k=v; Secure")
    assert sent(jar, "https://a/") == "k=v" and sent(jar, "http://a/") is None
    jar.store(parse("http://a/"), ["k=evil", "k=; Max-Age=0"], NOW)
    assert sent(jar, "https://a/") == "k=v"
    assert len(stored("http://a/", "k=v; Secure")) == 0


def test_prefixes_are_kept() -> None:
    good = ["__Host-k=v; Secure; Path=/", "__Secure-k=v; Secure"]
    assert len(stored("https://a.example.com/", *good)) == 2
    bad = [
        "__Host-k=v; Secure",
        "__Host-k=v; Path=/",
        "__Host-k=v; Secure; Path=/; Domain=example.com",
        "__Secure-k=v",
        "=__Host-k=v",
        "__secure-k",
    ]
    for line in bad:
        assert len(stored("https://a.example.com/x/", line)) == 0, line


def test_cookies_end() -> None:
    jar = stored("http://a/", "k=v; Max-Age=10; Expires=Wed, 01 Jan 2020 00:00:00 GMT", "s=1", "d=2; max-age=x")
    assert sent(jar, "http://a/", NOW + 9) == "k=v; s=1; d=2"
    assert sent(jar, "http://a/", NOW + 10) == "s=1; d=2"
    assert len(jar) == 2
    jar.store(parse("http://a/"), ["s=; Max-Age=0", "d=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], NOW)
    assert len(jar) == 0 and sent(jar, "http://a/") is None
    assert len(stored("http://a/", "k=v; max-age=" + "9" * 900)) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Wed, 09 Jun 2021 10:18:14 GMT", 1623233894),
        ("Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894),
        ("Wed Jun  9 10:18:14 2021", 1623233894),
        ("9 june 2021 10:18:14", 1623233894),
        ("09-Jun-70 10:18:14", 13774694),
        ("09 Jun 2021 24:00:00 GMT", None),
        ("32 Jun 2021 10:18:14", None),
        ("09 Xxx 2021 10:18:14", None),
        ("09 Jun 1600 10:18:14", None),
        ("", None),
    ],
)
def test_dates_in_whatever_spelling(text: str, seconds: float | None) -> None:
    assert dateOf(text) == seconds


def test_what_is_not_right_is_left_out() -> None:
    for line in ("", "=", "k=a\0b", "k=a\rb", "k=" + "x" * 4096):
        assert len(stored("http://a/", line)) == 0, line
    assert sent(stored("http://a/", 'k="a b"; x; ;y=;'), "http://a/") == 'k="a b"'
    assert sent(stored("http://a/", "novalue"), "http://a/") == "novalue"


def test_a_new_one_replaces_and_keeps_its_place() -> None:
    jar = stored("http://a/", "a=1", "b=2", "a=3")
    assert sent(jar, "http://a/") == "a=3; b=2"


def test_there_is_a_bound() -> None:
    jar = CookieJar()
    jar.store(parse("http://a/"), [f"k{number}=v" for number in range(100)], NOW)
    assert len(jar) == 50 and "k99=v" in (sent(jar, "http://a/") or "") and "k0=" not in (sent(jar, "http://a/") or "")
    for number in range(100):
        jar.store(parse(f"http://h{number}/"), [f"k{each}=v" for each in range(40)], NOW)
    assert len(jar) == 3000
    jar.clear()
    assert len(jar) == 0 and list(jar) == []


def test_a_program_puts_its_own() -> None:
    jar = CookieJar()
    jar.set(parse("http://a.example/"), "k", "v")
    assert sent(jar, "http://a.example/x") == "k=v" and sent(jar, "http://b.a.example/") is None
    for name, value in (("k", "a;b"), ("k", "a\r\nb"), ("k ", "v"), ("", "v")):
        with pytest.raises(ValueError, match="cookie"):
            jar.set(parse("http://a.example/"), name, value)
    assert "v" not in repr(next(iter(jar))).replace("example", "")
