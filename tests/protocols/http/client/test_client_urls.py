"""URLs: what is read, what is refused since two readers could take it for two places, and how references are joined."""

from __future__ import annotations

import pytest

from protocols.http.client.urls import URL, parse


@pytest.mark.parametrize(
    ("text", "shown", "authority", "origin", "target"),
    [
        ("http://a", "http://a/", "a", ("http", "a", 80), "/"),
        ("HTTPS://A.Example:443/x", "https://a.example/x", "a.example", ("https", "a.example", 443), "/x"),
        ("http://a:8080?q", "http://a:8080/?q", "a:8080", ("http", "a", 8080), "/?q"),
        ("http://a:/", "http://a/", "a", ("http", "a", 80), "/"),
        ("http://[::0001]:80/", "http://[::1]/", "[::1]", ("http", "::1", 80), "/"),
        ("http://[fe80::1%25eth0]:8/", "http://[fe80::1]:8/", "[fe80::1]:8", ("http", "fe80::1%eth0", 8), "/"),
        ("http://127.0.0.1/", "http://127.0.0.1/", "127.0.0.1", ("http", "127.0.0.1", 80), "/"),
        ("http://a./", "http://a./", "a.", ("http", "a.", 80), "/"),
        ("http://a_b-c.example/", "http://a_b-c.example/", "a_b-c.example", ("http", "a_b-c.example", 80), "/"),
        ("http://a/ä b?ö c#f", "http://a/%C3%A4%20b?%C3%B6%20c#f", "a", ("http", "a", 80), "/%C3%A4%20b?%C3%B6%20c"),
        ("http://a/%2e%2E/b/./c/..", "http://a/b/", "a", ("http", "a", 80), "/b/"),
        ("http://a/%zz'\"<>`{}", "http://a/%zz'%22%3C%3E%60%7B%7D", "a", ("http", "a", 80), "/%zz'%22%3C%3E%60%7B%7D"),
        ("http://a/?'\"<>", "http://a/?%27%22%3C%3E", "a", ("http", "a", 80), "/?%27%22%3C%3E"),
    ],
)
def test_a_url_is_read(text: str, shown: str, authority: str, origin: tuple[str, str, int], target: str) -> None:
    url = parse(text)
    assert (str(url), url.authority, url.origin, url.target) == (shown, authority, origin, target)


@pytest.mark.parametrize(
    ("host", "ascii"),
    [("Bücher.example", "xn--bcher-kva.example"), ("faß.de", "xn--fa-hia.de"), ("例え。jp", "xn--r8jz45g.jp")],
)
def test_names_are_international(host: str, ascii: str) -> None:
    assert parse(f"http://{host}/").host == ascii


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must begin with http"),
        ("//a/", "must begin with http"),
        ("a.example/x", "must begin with http"),
        ("ftp://a/", "of http or https"),
        ("javascript:x", "of http or https"),
        ("http:/a", "must have //"),
        ("http:a", "must have //"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://:80/", "no host"),
        ("http://0x7f.1/", "could be read as an address"),
        ("http://127.1/", "could be read as an address"),
        ("http://1.2.3.4.5/", "could be read as an address"),
        ("http://0177.0.0.1/", "could be read as an address"),
        ("http://1.2.3.256/", "could be read as an address"),
        ("http://2130706433/", "could be read as an address"),
        ("http://a b/", "no name"),
        ("http://a%00b/", "no name"),
        ("http://%61/", "no name"),
        ("http://a..b/", "no name"),
        ("http://-a/", "no name"),
        ("http://a\\b/", "no name"),
        ("http://good\\@evil/", "backslash"),
        ("http://a@b@c/", "percent-encoded"),
        ("http://a/\\..\\b", "backslash"),
        ("http://" + "a" * 64 + "/", "no name"),
        ("http://ab\N{SOFT HYPHEN}\N{ZERO WIDTH JOINER}c/", "no name"),
        ("http://[::1/", "bracket"),
        ("http://[::1]x/", "bracket"),
        ("http://[1.2.3.4]/", "no IPv6 address"),
        ("http://[::g]/", "no IPv6 address"),
        ("http://[fe80::1%]/", "zone"),
        ("http://[fe80::1%a/b]/", "bracket"),
        ("http://::1/", "brackets"),
        ("http://a:0/", "port"),
        ("http://a:65536/", "port"),
        ("http://a:-1/", "port"),
        ("http://a:+80/", "port"),
        ("http://a:8 0/", "port"),
        ("http://a/\r\nX: y", "control"),
        ("http://a\t/", "control"),
        ("http://a/\0", "control"),
        ("http://a/\ud800", "is none"),
        ("http://" + "a/" * 40000, "too long"),
    ],
)
def test_a_url_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="url") as raised:
        parse(text)
    assert why in str(raised.value)


def test_what_is_no_text_is_no_url() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        parse(b"http://a/")  # type: ignore[arg-type]


def test_credentials_are_read_and_never_shown() -> None:
    url = parse("http://us%40er:p%3Ass@a/x")
    assert url.credentials == ("us@er", "p:ss")
    assert "p:ss" not in f"{url} {url!r}" and "p%3Ass" not in f"{url} {url!r}"
    assert url.withoutCredentials().credentials is None and url.withoutCredentials() != url
    with pytest.raises(ValueError, match="port") as raised:
        parse("http://user:secret@a:x/")
    assert "secret" not in str(raised.value)


# RFC 3986, section 5.4, and its abnormal examples, as far as they are of http.
@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"), ("g?y", "/b/c/g?y"),
        ("", "/b/c/d;p?q"), (";x", "/b/c/;x"), ("g;x=1/../y", "/b/c/y"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"),
        ("../g", "/b/g"), ("../..", "/"), ("../../g", "/g"), ("../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"),
        ("g.", "/b/c/g."), (".g", "/b/c/.g"), ("./g/.", "/b/c/g/"), ("g?y/../x", "/b/c/g?y/../x"),
    ],
)  # fmt: skip
def test_references_are_joined(reference: str, target: str) -> None:
    assert parse("http://a/b/c/d;p?q").join(reference).target == target


def test_a_reference_may_name_another_host_and_scheme() -> None:
    base = parse("https://a/b#here")
    assert str(base.join("//c/d")) == "https://c/d#here"
    assert str(base.join("http://c/d#there")) == "http://c/d#there"
    with pytest.raises(ValueError, match="of http or https"):
        base.join("ftp://c/")


def test_params_go_behind_the_query() -> None:
    url = parse("http://a/x?a=1#f")
    assert str(url.withParams({"b": "ü &", "c": ["1", 2]})) == "http://a/x?a=1&b=%C3%BC+%26&c=1&c=2#f"
    assert str(parse("http://a/x").withParams([("q", "~*-._")])) == "http://a/x?q=%7E*-._"
    assert parse("http://a/x?").withParams({"q": b"\xff"}).target == "/x?q=%FF"
    assert url.withParams({}) is url
    for bad in ({"q": None}, {"q": True}, "q=1"):
        with pytest.raises(TypeError, match="params"):
            url.withParams(bad)  # type: ignore[arg-type]


def test_urls_are_values() -> None:
    assert parse("http://a/x") == parse("HTTP://A:80/x") != parse("http://a/y")
    assert len({parse("http://a/x"), parse("http://A/x")}) == 1
    assert parse("http://[fe80::1%25a]/") != parse("http://[fe80::1%25b]/")
    assert isinstance(parse(parse("http://a/")), URL)
