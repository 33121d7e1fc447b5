"""HTTP/2 from end to end over TLS: our client with our server, and with the library h2 as a server that misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
import trustme
from test_client_ways import certified, trusting
from webbing import Web

from protocols import http
from protocols.http.h2 import Bounds, GoneAway, StreamReset
from protocols.http.h2.frames import GOAWAY, frame
from reactor.defer import CancelledError, Deferred, ensureDeferred, gatherResults
from reactor.error import NetworkError
from reactor.protocol import Factory, Protocol


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class Served:
    """A site of ours, and a client that offers HTTP/2."""

    def __init__(self, web: Web, authority: trustme.CA, handler: Callable[[Any], Any], **limits: Any) -> None:
        self.site = http.Site(handler, **{"http2": True, **limits})
        port = web.net.reactor.listenSSL(0, self.site, certified(authority, "localhost"), interface="127.0.0.1")
        web.net.ports.append(port)
        self.url = f"https://localhost:{port.getHost().port}"
        self.client = web.client(tls=trusting(authority), http2=True)


def hello(request: Any) -> http.Response:
    return http.Response(f"{request.version} {request.method} {request.path} {request.host.partition(':')[0]}")


def test_one_connection_carries_all_requests(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, hello)

    async def one(number: int) -> bytes:
        response = await served.client.get(f"{served.url}/{number}")
        assert response.version == 2
        return bytes(await response.content())

    found = web.run(gatherResults([ensureDeferred(one(n)) for n in range(300)]))
    assert found == [f"2 GET /{n} localhost".encode() for n in range(300)]
    assert len(served.site.channels) == 1 and served.client.connections == 1
    assert web.fetch(served.client, served.url + "/again")[1] == b"2 GET /again localhost"
    assert len(served.site.channels) == 1


def test_who_speaks_only_the_older_one_is_spoken_to_so(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, hello, http2=False)
    calls = [ensureDeferred(_content(served.client.get(served.url + "/"))) for _ in range(30)]
    assert set(web.run(gatherResults(calls))) == {b"1.1 GET / localhost"}
    older = web.client(tls=trusting(authority))
    both = Served(web, authority, hello)
    assert web.fetch(older, both.url + "/")[1] == b"1.1 GET / localhost"


async def _content(response: Any) -> bytes:
    return bytes(await (await response).content())


def test_bodies_go_both_ways_with_back_pressure(web: Web, authority: trustme.CA, tmp_path: Path) -> None:
    async def echo(request: Any) -> http.Response:
        async def pieces() -> Any:
            async for piece in request:
                yield piece

        return http.Response(pieces())

    served = Served(web, authority, echo, maxBody=None)
    data = bytes(range(256)) * 8000
    path = tmp_path / "file"
    path.write_bytes(data)

    async def some() -> Any:
        for at in range(0, len(data), 50000):
            yield data[at : at + 50000]

    async def both(body: Any) -> bytes:
        response = await served.client.post(served.url + "/", body=body)
        return b"".join([piece async for piece in response])

    with path.open("rb") as file:
        for body in (data, some(), file):
            assert web.run(both(body)) == data


def test_forms_json_heads_files_and_errors(web: Web, authority: trustme.CA, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"abc" * 300000)

    async def handler(request: Any) -> http.Response:
        if request.path == "/file":
            return http.Response(file=str(path))
        if request.path == "/raise":
            raise http.BadMessage("no", 422)
        if request.path == "/late":

            async def pieces() -> Any:
                yield b"some"
                await Deferred().addTimeout(0.01, web.net.reactor)

            return http.Response(pieces())
        return http.Response(json=await request.json())

    served = Served(web, authority, handler)
    client, url = served.client, served.url
    assert web.run(web.run(client.post(url + "/", json={"a": [1]})).json()) == {"a": [1]}
    assert web.fetch(client, url + "/file")[1] == b"abc" * 300000
    response = web.run(client.request("HEAD", url + "/file"))
    assert response.headers["content-length"] == "900000" and web.run(response.content()) == b""
    assert web.run(client.get(url + "/raise")).status == 422
    with pytest.raises(StreamReset, match="INTERNAL_ERROR"):
        web.fetch(client, url + "/late")
    # The connection is none the worse.
    assert len(served.site.channels) == 1
    logged = web.net.caplog if hasattr(web.net, "caplog") else None
    if logged is not None:
        logged.clear()


def test_asking_before_a_body_is_sent(web: Web, authority: trustme.CA) -> None:
    async def handler(request: Any) -> http.Response:
        if request.path == "/no":
            return http.Response(status=413)
        return http.Response(str(len(await request.read())))

    served = Served(web, authority, handler)
    client = served.client
    body = b"x" * 100000
    assert web.run(client.post(served.url + "/no", body=body, expectContinue=True)).status == 413
    yes = web.run(client.post(served.url + "/", body=body, expectContinue=True))
    assert web.run(yes.content()) == b"100000"


def test_giving_one_up_resets_its_stream_only(web: Web, authority: trustme.CA) -> None:
    cancelled: list[str] = []

    def handler(request: Any) -> Any:
        if request.path == "/wait":
            return Deferred(lambda _: cancelled.append(request.path))
        return http.Response("x" * 1000000)

    served = Served(web, authority, handler)
    client = served.client
    assert web.fetch(client, served.url + "/")[1] == b"x" * 1000000
    waiting = client.get(served.url + "/wait")
    web.net.until(lambda: any(channel.session.streams for channel in served.site.channels))  # type: ignore[union-attr]
    waiting.cancel()
    with pytest.raises(CancelledError):
        web.run(waiting)
    with pytest.raises(http.Timeout) as late:
        web.run(client.get(served.url + "/wait", timeout=0.2))
    assert late.value.phase == "wait"
    web.net.until(lambda: cancelled == ["/wait", "/wait"])
    response = web.run(client.get(served.url + "/"))
    response.abort()
    assert web.fetch(client, served.url + "/")[1] == b"x" * 1000000
    assert len(served.site.channels) == 1


def test_more_requests_than_streams_wait_in_line(web: Web, authority: trustme.CA) -> None:
    at = [0, 0]

    async def handler(request: Any) -> http.Response:
        at[0] += 1
        at[1] = max(at)
        waits: Deferred[None] = Deferred()
        web.net.reactor.callLater(0.002, waits.callback, None)
        await waits
        at[0] -= 1
        return http.Response("hello")

    served = Served(web, authority, handler, bounds=Bounds(maxStreams=5))
    calls = [ensureDeferred(_content(served.client.get(served.url + "/"))) for _ in range(50)]
    assert web.run(gatherResults(calls)) == [b"hello"] * 50
    assert at[1] <= 5 and len(served.site.channels) == 1


def test_a_site_that_stops_answers_what_is_asked(web: Web, authority: trustme.CA) -> None:
    waiting: list[Deferred[Any]] = []

    def handler(request: Any) -> Any:
        waiting.append(Deferred())
        return waiting[-1]

    served = Served(web, authority, handler)
    calls = [ensureDeferred(_content(served.client.get(served.url + "/"))) for _ in range(5)]
    web.net.until(lambda: len(waiting) == 5)
    stopped = served.site.stop()
    for each in waiting:
        each.callback(http.Response("still"))
    assert web.run(gatherResults(calls)) == [b"still"] * 5
    web.run(stopped)
    assert not served.site.channels


def test_a_connection_of_so_many_requests_gives_way_to_another(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, hello, maxRequests=7)
    served.client.retries = 3
    for n in range(30):
        assert web.fetch(served.client, f"{served.url}/{n}")[1] == f"2 GET /{n} localhost".encode()


# ---- A server that is the library's ----


class Library(Protocol):
    """The library h2, and what a test does with its events."""

    transport: Any

    def __init__(self, server: Libraries) -> None:
        self.server = server
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))

    def connectionMade(self) -> None:
        self.server.made.append(self)
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def dataReceived(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.server.asked.append(dict(event.headers))  # type: ignore[arg-type]
                self.server.answer(self, event.stream_id)
        self.flush()

    def say(self, stream: int, body: bytes, *fields: tuple[str, str]) -> None:
        self.h2.send_headers(stream, [(":status", "200"), *fields])
        self.h2.send_data(stream, body, True)


class Libraries(Factory):
    noisy = False

    def __init__(self, web: Web, authority: trustme.CA, answer: Callable[[Library, int], Any]) -> None:
        self.answer = answer
        self.made: list[Library] = []
        self.asked: list[dict[str, str]] = []
        port = web.net.reactor.listenSSL(0, self, certified(authority, "localhost"), interface="127.0.0.1")
        web.net.ports.append(port)
        self.url = f"https://localhost:{port.getHost().port}/"
        self.client = web.client(tls=trusting(authority), http2=True)

    def acceptableProtocols(self) -> list[bytes]:
        return [b"h2"]

    def buildProtocol(self, addr: Any) -> Library:
        return Library(self)


def goAway(last: int, code: int = 0) -> bytes:
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big"))


def test_the_library_understands_what_is_asked(web: Web, authority: trustme.CA) -> None:
    served = Libraries(web, authority, lambda library, stream: library.say(stream, b"hi", ("x-a", "1")))
    response, content = web.fetch(served.client, served.url + "?q=1", headers={"X-B": "2"})
    assert content == b"hi" and response.headers["x-a"] == "1" and response.ok
    (asked,) = served.asked
    assert asked[":path"] == "/?q=1" and asked[":scheme"] == "https" and asked["x-b"] == "2"
    assert asked[":authority"].startswith("localhost:") and "host" not in asked


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_surely_not_looked_at_is_asked_again(web: Web, authority: trustme.CA, method: str) -> None:
    def answer(library: Library, stream: int) -> None:
        if len(served.made) == 1:
            library.transport.write(goAway(0))
        else:
            library.say(stream, b"later")

    served = Libraries(web, authority, answer)
    response = web.run(served.client.request(method, served.url, body=None if method == "GET" else b"x"))
    assert web.run(response.content()) == b"later" and len(served.made) == 2


def test_a_stream_that_is_refused_is_asked_again_on_the_same_connection(web: Web, authority: trustme.CA) -> None:
    def answer(library: Library, stream: int) -> None:
        if stream == 1:
            library.h2.reset_stream(stream, 7)
        else:
            library.say(stream, b"now")

    served = Libraries(web, authority, answer)
    assert web.run(_content(served.client.post(served.url, body=b"x"))) == b"now" and len(served.made) == 1


def test_what_was_at_work_when_the_server_left_is_answered(web: Web, authority: trustme.CA) -> None:
    def answer(library: Library, stream: int) -> None:
        if len(served.made) == 1 and stream == 1:
            library.transport.write(goAway(1))
        library.say(stream, b"connection %d" % len(served.made))

    served = Libraries(web, authority, answer)
    assert web.fetch(served.client, served.url)[1] == b"connection 1"
    assert web.fetch(served.client, served.url)[1] == b"connection 2"


@pytest.mark.parametrize(
    ("does", "error", "text"),
    [
        (lambda library, stream: library.h2.reset_stream(stream, 2), StreamReset, "INTERNAL_ERROR"),
        (lambda library, stream: library.transport.write(goAway(stream, 11)), GoneAway, "ENHANCE_YOUR_CALM"),
        (lambda library, stream: library.transport.abortConnection(), http.Incomplete, "0 bytes of the head"),
        (lambda library, stream: library.transport.write(b"HTTP/1.1 200 OK\r\n\r\n"), http.BadResponse, "a frame of"),
        (
            lambda library, stream: library.transport.write(b"\0\0\5\1\5\0\0\0\1\x08\x032x0"),
            http.BadResponse,
            ":status",
        ),
        (lambda library, stream: library.transport.write(b"\0\0\1\1\5\0\0\0\1\xff"), http.BadResponse, "HPACK"),
    ],
)
def test_what_is_no_answer_says_why(web: Web, authority: trustme.CA, does: Any, error: Any, text: str) -> None:
    served = Libraries(web, authority, does)
    with pytest.raises(error, match=text) as raised:
        web.run(served.client.post(served.url, body=b"x"))
    assert raised.value.host == "localhost"


@pytest.mark.parametrize(
    "end",
    [
        lambda library: library.h2.reset_stream(1, 8),
        lambda library: library.transport.abortConnection(),
        lambda library: library.transport.write(goAway(1, 1)),
        lambda library: library.h2.end_stream(1),
    ],
)
def test_a_body_that_is_cut_off_is_not_whole(web: Web, authority: trustme.CA, end: Any) -> None:
    def answer(library: Library, stream: int) -> None:
        library.h2.send_headers(stream, [(":status", "200"), ("content-length", "10")])
        library.h2.send_data(stream, b"four", False)

    served = Libraries(web, authority, answer)
    response = web.run(served.client.get(served.url))

    async def read() -> None:
        seen = b""
        with pytest.raises(http.HTTPError):
            async for piece in response:
                seen += piece
        assert seen == b"four"

    reading = ensureDeferred(read())
    end(served.made[0])
    if served.made[0].transport.connected:
        served.made[0].flush()
    web.run(reading)


def test_a_client_that_closes_ends_what_is_asked(web: Web, authority: trustme.CA) -> None:
    served = Libraries(web, authority, lambda library, stream: None)
    call = served.client.get(served.url)
    web.net.until(lambda: bool(served.asked))
    web.run(served.client.close())
    with pytest.raises(http.ClientClosed):
        web.run(call)


def test_a_context_of_the_programs_own_offers_what_it_offers(web: Web, authority: trustme.CA) -> None:
    import ssl

    served = Served(web, authority, hello)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    assert web.fetch(web.client(tls=context, http2=True), served.url + "/")[1] == b"1.1 GET / localhost"
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert web.fetch(web.client(tls=context, http2=True), served.url + "/")[1] == b"2 GET / localhost"


def test_an_idle_connection_gives_way_and_is_closed_after_its_time(web: Web, authority: trustme.CA) -> None:
    first, second = Served(web, authority, hello), Served(web, authority, hello)
    client = web.client(tls=trusting(authority), http2=True, maxConnections=1, idleTimeout=0.3)
    assert web.fetch(client, first.url + "/")[1] == b"2 GET / localhost"
    assert web.fetch(client, second.url + "/")[1] == b"2 GET / localhost"
    web.net.until(lambda: not first.site.channels)
    assert client.connections == 1
    web.net.until(lambda: not second.site.channels and client.connections == 0)


def test_a_connection_is_used_so_often(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, lambda request: http.Response(str(request.peer.port)))
    client = web.client(tls=trusting(authority), http2=True, maxUses=2)
    found = [web.fetch(client, served.url + "/")[1] for _ in range(6)]
    assert found[0::2] == found[1::2] and len(set(found)) == 3


def test_who_finds_out_and_gives_up_leaves_it_to_the_next(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, hello)
    first, others = served.client.get(served.url + "/"), [served.client.get(served.url + "/") for _ in range(5)]
    others[1].cancel()
    first.cancel()
    for cancelled in (first, others.pop(1)):
        with pytest.raises(CancelledError):
            web.run(cancelled)
    assert [each.status for each in web.run(gatherResults(others))] == [200] * 4
    assert len(served.site.channels) == 1


def test_where_nobody_listens_all_are_told(web: Web, authority: trustme.CA) -> None:
    served = Served(web, authority, hello)
    web.net.result(web.net.ports.pop().stopListening())
    calls = [served.client.get(served.url + "/") for _ in range(4)]
    for call in calls:
        with pytest.raises(NetworkError):
            web.run(call)
