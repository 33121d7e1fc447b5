"""Applications of WSGI: the environ, bodies both ways, and what comes of those that go wrong; between the two stands
`wsgiref.validate` wherever it can.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
from hosting import Hosted
from httpserving import get, post
from net import Net

from protocols.http.server.wrappers import forwarded
from protocols.wsgi import WSGI

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def hosted(net: Net, application: Any, rootPath: str = "", **limits: Any) -> Hosted:
    return Hosted(net, WSGI(application, rootPath=rootPath, reactor=net.reactor), **limits)


def hello(environ: Any, start: Any) -> Any:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def test_an_application_answers(net: Net) -> None:
    answer = hosted(net, validator(hello)).ask(get() + get(), count=2)
    assert (answer.status, answer.body, answer.fields["content-type"]) == (200, b"hello", "text/plain")


def test_the_environ_tells_what_was_asked(net: Net) -> None:
    seen: list[Any] = []

    def application(environ: Any, start: Any) -> Any:
        seen.append(dict(environ, thread=threading.current_thread()))
        return hello(environ, start)

    served = hosted(net, validator(application), "/old")
    served.ask(
        get("/old/a%20b/%C3%A9?x=%31", "X-Two: a", "X-Two: b", "X_Two: c", "Proxy: evil", "Cookie: a=1", "Cookie: b")
    )
    [environ] = seen
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == "/old"
    assert environ["PATH_INFO"] == "/a b/é".encode().decode("latin-1")
    assert environ["QUERY_STRING"] == "x=%31"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example.org", "80")
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_X_TWO"] == "a,b"
    assert environ["HTTP_COOKIE"] == "a=1; b"
    assert "HTTP_PROXY" not in environ
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["thread"] is not threading.main_thread()


def test_a_proxy_that_is_trusted_tells_who_asks(net: Net) -> None:
    seen: list[Any] = []

    def application(environ: Any, start: Any) -> Any:
        seen.append(environ)
        return hello(environ, start)

    handler = forwarded(WSGI(application, reactor=net.reactor), ["127.0.0.1"])
    Hosted(net, handler).ask(get("/", "Forwarded: for=192.0.2.7;proto=https;host=a.example"))
    assert seen[0]["REMOTE_ADDR"] == "192.0.2.7"
    assert seen[0]["wsgi.url_scheme"] == "https"
    assert (seen[0]["SERVER_NAME"], seen[0]["SERVER_PORT"]) == ("a.example", "443")


def echo(environ: Any, start: Any) -> Iterator[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    while data := environ["wsgi.input"].read(50_000):
        yield data


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_go_both_ways_in_pieces(net: Net, chunked: bool) -> None:
    data = bytes(range(256)) * 4000
    request = post(data)
    if chunked:
        head = get("/", "Transfer-Encoding: chunked", method="POST")
        request = head + b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n"
    application = echo if chunked else validator(echo)
    assert hosted(net, application).ask(request, "POST").body == data


def test_lines_of_a_body(net: Net) -> None:
    def application(environ: Any, start: Any) -> Any:
        lines = [environ["wsgi.input"].readline(), *environ["wsgi.input"]]
        start("200 OK", [("Content-Type", "text/plain")])
        return [repr(lines).encode()]

    assert hosted(net, application).ask(post(b"a\nb\nc"), "POST").body == b"[b'a\\n', b'b\\n', b'c']"


def test_an_application_goes_no_faster_than_its_client_reads(net: Net) -> None:
    sent: list[int] = []

    def application(environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        for number in range(400):
            yield b"x" * 65536
            sent.append(number)

    asking = hosted(net, application).connect()
    asking.send(get())
    before = -1
    net.until(lambda: sent)
    while before != len(sent):
        before = len(sent)
        net.until(iter([False] * 20 + [True]).__next__)
    assert len(sent) < 300
    asking.until(lambda: asking.got.endswith(b"0\r\n\r\n"))
    # By its length: h11 would take seconds.
    assert asking.got.count(b"x" * 65536) == 400


def test_write(net: Net) -> None:
    def application(environ: Any, start: Any) -> Any:
        write = start("200 OK", [("Content-Type", "text/plain")])
        write(b"one ")
        write(b"two ")
        return [b"three"]

    assert hosted(net, validator(application)).ask(get()).body == b"one two three"


def test_a_file_is_sent(net: Net) -> None:
    closed: list[bool] = []

    def application(environ: Any, start: Any) -> Any:
        file: Any = tempfile.TemporaryFile()
        file.write(b"0123456789" * 50_000)
        file.seek(10)
        start("200 OK", [("Content-Type", "text/plain")])
        wrapper = environ["wsgi.file_wrapper"](file)
        close = wrapper.close
        wrapper.close = lambda: (closed.append(file.closed), close())
        return wrapper

    answer = hosted(net, application).ask(get())
    assert answer.body == b"0123456789" * 49_999
    assert answer.fields["content-length"] == "499990"
    net.until(lambda: closed == [False])


class Closing:
    """An iterable that knows whether it was closed."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        for each in self.pieces:
            if isinstance(each, Exception):
                raise each
            yield each

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"a", b"b"], [ValueError("x")], [b"a", ValueError("x")], ["text"]])
def test_what_it_returns_is_closed(net: Net, pieces: list[Any]) -> None:
    result = Closing(*pieces)

    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Type", "text/plain")])
        return result

    asking = hosted(net, application).connect()
    asking.send(get())
    if pieces in ([], [b"a"], [b"a", b"b"]):
        assert asking.answers(1)[0].body == b"".join(pieces)
    else:
        net.expectErrors()
        if pieces[0] == b"a":
            asking.until(lambda: asking.ended)
        else:
            assert asking.answers(1)[0].status == 500
    net.until(lambda: result.closed)
    assert result.closed == 1


def test_it_is_closed_when_the_client_is_gone(net: Net) -> None:
    result = Closing(*[b"x" * 65536] * 2000)

    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Type", "text/plain")])
        return result

    asking = hosted(net, application).connect()
    asking.send(get())
    asking.until(lambda: asking.got)
    asking.close()
    net.until(lambda: result.closed)


def test_exc_info_replaces_what_is_not_sent(net: Net) -> None:
    def application(environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Type", "text/plain")])
        try:
            raise ValueError("x")
        except ValueError:
            start("503 Later", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    answer = hosted(net, validator(application)).ask(get())
    assert (answer.status, answer.body) == (503, b"sorry")


def test_exc_info_is_raised_when_it_is_too_late(net: Net) -> None:
    def application(environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        yield b"some"
        try:
            raise ValueError("too late")
        except ValueError:
            start("503 Later", [("Content-Type", "text/plain")], sys.exc_info())
        raise AssertionError

    asking = hosted(net, application).connect()
    asking.send(get())
    asking.until(lambda: asking.ended)
    net.expectErrors()
    assert "too late" in "".join(str(r.exc_info) for r in net.logged())


def again(environ: Any, start: Any) -> Any:
    start("200 OK", [])
    start("200 OK", [])


def never(environ: Any, start: Any) -> Any:
    return [b"body"]


def badStatus(environ: Any, start: Any) -> Any:
    start("OK", [])


def badField(environ: Any, start: Any) -> Any:
    start("200 OK", [("X", "a\r\nb: c")])


def raises(environ: Any, start: Any) -> Any:
    raise ValueError("secret")


@pytest.mark.parametrize("application", [again, never, badStatus, badField, raises])
def test_what_is_wrong_is_a_500(net: Net, application: Any) -> None:
    answer = hosted(net, application).ask(get())
    assert answer.status == 500
    assert b"secret" not in answer.body
    net.expectErrors()


def test_a_body_that_is_too_large_or_breaks_off(net: Net) -> None:
    raised: list[OSError] = []

    def application(environ: Any, start: Any) -> Any:
        try:
            environ["wsgi.input"].read()
        except OSError as e:
            raised.append(e)
        return hello(environ, start)

    served = hosted(net, application, maxBody=10)
    served.ask(post(b"x" * 100), "POST")
    assert "maxBody" in str(raised[0])
    asking = served.connect()
    asking.send(post(b"12345678")[:-4])
    net.turn(10)
    asking.close()
    net.until(lambda: len(raised) == 2)
