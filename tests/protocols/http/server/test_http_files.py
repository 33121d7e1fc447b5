"""A folder that is served: types, ranges, conditions; and no way out of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from httpserving import Answer, Served, get, post

from protocols.http import Router, files
from protocols.http.server.conditions import timeOf

TEXT = "".join(f"line {n}\n" for n in range(100))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    public = tmp_path / "public"
    (public / "sub" / "with index").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "public-too").mkdir()
    (tmp_path / "public-too" / "x").write_text("secret")
    (public / "a.txt").write_text(TEXT)
    (public / "empty.css").write_text("")
    (public / "data").write_bytes(b"\0\1")
    (public / "sub" / "page.html").write_text("<p>page")
    (public / "sub" / "with index" / "index.html").write_text("<p>index")
    (public / "pack.tar.gz").write_bytes(b"x")
    (public / ".hidden").write_text("secret")
    (public / ".git").mkdir()
    (public / ".git" / "config").write_text("secret")
    (public / "inside.html").symlink_to("a.txt")
    (public / "outside").symlink_to("../secret")
    (public / "folder outside").symlink_to("..")
    (public / "sibling").symlink_to("../public-too")
    (public / "loop").symlink_to("loop")
    os.mkfifo(public / "pipe")
    (public / "<b>&").write_text("x")
    return public


def ask(folder: Path, path: str, *fields: str, method: str = "GET", **options: Any) -> Answer:
    served = Served(files(folder, **options))
    served.send(get(path, *fields, method=method))
    (answer,) = served.answers(method)
    assert b"secret" not in answer.body
    return answer


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/a.txt", "text/plain; charset=utf-8", TEXT.encode()),
        ("/a.txt?v=1", "text/plain; charset=utf-8", TEXT.encode()),
        ("/%61.txt", "text/plain; charset=utf-8", TEXT.encode()),
        ("/inside.html", "text/html; charset=utf-8", TEXT.encode()),
        ("/empty.css", "text/css; charset=utf-8", b""),
        ("/data", "application/octet-stream", b"\0\1"),
        ("/sub/page.html", "text/html; charset=utf-8", b"<p>page"),
        ("/sub/with%20index/", "text/html; charset=utf-8", b"<p>index"),
        ("/pack.tar.gz", "application/gzip", b"x"),
    ],
)
def test_files_and_their_types(folder: Path, path: str, kind: str, body: bytes) -> None:
    answer = ask(folder, path)
    assert (answer.status, answer.fields["content-type"], answer.body) == (200, kind, body)
    answer = ask(folder, path, method="HEAD")
    assert (answer.status, answer.fields["content-length"], answer.body) == (200, str(len(body)), b"")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/no",
            "/a.txt/",
            "/a.txt/x",
            "/sub/no",
            "/sub/",
            "/",
            "//a.txt",
            "/sub//page.html",
            "/./a.txt",
            "/sub/../a.txt",
        ),
        *("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/sub/..%2f..%2fsecret", "/%2fetc%2fpasswd", "//etc/passwd"),
        *("/..", "/sub/../../secret", "/.hidden", "/.git/config", "/%2ehidden", "/sub/..", "/..%00", "/a.txt%00.html"),
        *(
            "/outside",
            "/folder%20outside/secret",
            "/folder%20outside/",
            "/sibling/x",
            "/loop",
            "/pipe",
            "/" + "x" * 300,
        ),
        *("/" + "x" * 300, "/..%5csecret", "/%c0%ae%c0%ae/secret", "/%252e%252e/secret", "/a.txt%20", "*"),
    ],
)
def test_what_is_not_there_or_not_to_be_seen(folder: Path, path: str) -> None:
    assert ask(folder, path, method="OPTIONS" if path == "*" else "GET").status in (404, 405)


def test_a_folder_without_a_slash_is_sent_to_the_one_with(folder: Path) -> None:
    served = Served(app := Router())
    app.mount("/static", files(folder))
    served.send(get("/static/sub/with%20index?x=1"))
    (answer,) = served.answers()
    assert (answer.status, answer.fields["location"]) == (308, "/static/sub/with%20index/?x=1")
    # Never to another host, whatever it begins with.
    answer = ask(folder, "//sub")
    assert answer.status == 404


def test_a_list_when_it_is_wanted(folder: Path) -> None:
    answer = ask(folder, "/", listing=True)
    assert answer.status == 200
    text = answer.body.decode()
    assert 'href="./%3Cb%3E%26"' in text
    assert "&lt;b&gt;&amp;" in text
    assert 'href="./sub/"' in text
    assert "hidden" not in text
    assert ask(folder, "/sub/with%20index/", listing=True).body == b"<p>index"


def test_hidden_ones_when_they_are_wanted(folder: Path) -> None:
    served = Served(files(folder, hidden=True))
    served.send(get("/.hidden") + get("/../secret"))
    assert [each.status for each in served.answers()] == [200, 404]


@pytest.mark.parametrize(
    ("asked", "status", "part", "body"),
    [
        ("bytes=0-3", 206, "bytes 0-3/{}", TEXT[:4]),
        ("bytes=5-", 206, "bytes 5-{last}/{}", TEXT[5:]),
        ("bytes=-3", 206, "bytes {from3}-{last}/{}", TEXT[-3:]),
        ("bytes=0-99999", 206, "bytes 0-{last}/{}", TEXT),
        ("bytes=-99999", 206, "bytes 0-{last}/{}", TEXT),
        ("BYTES = 1 - 2", 206, "bytes 1-2/{}", TEXT[1:3]),
        ("bytes=99999-", 416, "bytes */{}", None),
        ("bytes=-0", 416, "bytes */{}", None),
        ("bytes=0-1,3-4", 200, None, TEXT),
        ("bytes=3-1", 200, None, TEXT),
        ("bytes=-", 200, None, TEXT),
        ("bytes=x-y", 200, None, TEXT),
        ("lines=0-3", 200, None, TEXT),
        ("bytes=0-" + "9" * 30, 200, None, TEXT),
    ],
)
def test_ranges(folder: Path, asked: str, status: int, part: str | None, body: str | None) -> None:
    answer = ask(folder, "/a.txt", f"Range: {asked}")
    size = len(TEXT)
    assert answer.status == status
    if part is not None:
        assert answer.fields["content-range"] == part.format(size, last=size - 1, from3=size - 3)
    if body is not None:
        assert answer.body.decode() == body


def test_conditions(folder: Path) -> None:
    first = ask(folder, "/a.txt")
    tag, date = first.fields["etag"], first.fields["last-modified"]
    earlier = "Thu, 01 Jan 1998 00:00:00 GMT"

    def status(*fields: str, method: str = "GET") -> int:
        return ask(folder, "/a.txt", *fields, method=method).status

    assert status(f"If-None-Match: {tag}") == 304
    assert status(f'If-None-Match: "x", W/{tag}') == 304
    assert status("If-None-Match: *") == 304
    assert status('If-None-Match: "x"') == 200
    assert status('If-None-Match: "x"', f"If-Modified-Since: {date}") == 200
    assert status(f"If-Modified-Since: {date}") == 304
    assert status(f"If-Modified-Since: {earlier}") == 200
    assert status("If-Modified-Since: nonsense") == 200
    assert status(f"If-Match: {tag}") == 200
    assert status(f"If-Match: W/{tag}") == 412
    assert status('If-Match: "x"') == 412
    assert status(f"If-Unmodified-Since: {earlier}") == 412
    assert status(f"If-Unmodified-Since: {date}") == 200
    assert status(f"If-None-Match: {tag}", method="HEAD") == 304
    assert status("Range: bytes=0-1", f"If-Range: {tag}") == 206
    assert status("Range: bytes=0-1", 'If-Range: "x"') == 200
    assert status("Range: bytes=0-1", f"If-Range: W/{tag}") == 200
    assert status("Range: bytes=0-1", f"If-Range: {date}") == 206
    assert status("Range: bytes=0-1", f"If-Range: {earlier}") == 200
    (folder / "a.txt").write_text("changed")
    assert ask(folder, "/a.txt").fields["etag"] != tag


def test_other_methods(folder: Path) -> None:
    served = Served(files(folder))
    served.send(post(b"x", path="/a.txt"))
    (answer,) = served.answers()
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")


def test_what_is_no_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="directory"):
        files(folder / "a.txt")


def test_more_fields(folder: Path) -> None:
    assert ask(folder, "/a.txt", headers={"Cache-Control": "no-cache"}).fields["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("", None),
        ("yesterday", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_dates(date: str, seconds: int | None) -> None:
    assert timeOf(date) == seconds or (seconds is None and timeOf(date) != 784111777)


@pytest.mark.parametrize(
    ("folder", "arguments", "problem", "words"),
    [
        ("", {}, ValueError, "folder must be a directory: ''"),
        (5, {}, TypeError, "folder must be a path, not 5"),
        (".", {"index": 5}, TypeError, "index must be a str or None, not 5"),
        (".", {"headers": {"a b": "x"}}, ValueError, "'a b'"),
        (".", {"headers": {"a": 5}}, TypeError, "'a'"),
        (".", {"headers": 5}, TypeError, "headers must be a mapping"),
    ],
)
def test_what_no_folder_can_be_served_with_is_said_at_once(
    folder: Any, arguments: Any, problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        files(folder, **arguments)


def test_a_folder_may_be_named_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    served = Served(files(bytes(tmp_path)))
    served.send(get("/file"))
    assert served.answers()[0].body == b"content"
