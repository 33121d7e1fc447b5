"""Deadlines, and giving up: at every moment of a request, nothing that it held is held any longer."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from webbing import Script, Web, reply

from protocols.http.client.client import ClientClosed
from protocols.http.error import Incomplete, Timeout
from reactor.defer import CancelledError, Deferred, ensureDeferred
from reactor.error import ConnectionRefusedError, DNSLookupError
from reactor.failure import Failure
from reactor.task import Clock


def silent(connection: Script, request: Any) -> None:
    """Says nothing."""


def half(connection: Script, request: Any) -> None:
    connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


class Moments:
    """A request that has got as far as a phase, and what tells that it was let go of."""

    def __init__(self, web: Web, phase: str, clock: Clock | None = None) -> None:
        self.web = web
        self.client = client = web.client(maxPerHost=1, timeout=10, clock=clock)
        self.server: Any = None
        self.other: Any = None
        if phase == "connect":
            self.waiting = client.get(f"http://127.0.0.1:{web.net.silentPort()}/")
            web.net.turn(5)
        elif phase == "pool":
            self.server = web.serve(silent)
            self.other = client.get(self.server.url("/first"), timeout=1000)
            self.waiting = client.get(self.server.url())
            web.net.until(lambda: self.server.requests)
        elif phase == "tls":
            listening = web.net.plainListener()
            self.waiting = client.get(f"https://127.0.0.1:{listening.getsockname()[1]}/")
            self.peer = web.net.keep(listening.accept()[0])
            web.net.turn(5)
        elif phase == "send":
            # Nobody reads.
            listening = web.net.plainListener()
            self.waiting = client.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", body=bytes(32 << 20))
            self.peer = web.net.keep(listening.accept()[0])
            web.net.turn(20)
        elif phase == "wait":
            self.server = web.serve(silent)
            self.waiting = client.get(self.server.url())
            web.net.until(lambda: self.server.requests)
        else:
            self.server = web.serve(half)
            response = web.run(client.get(self.server.url()))
            self.waiting = response.content()

    def assertLetGo(self) -> None:
        if self.other is not None:
            assert self.client.connections == 1 and self.client.keeper.pool.waiting == 0
            found: list[Any] = []
            self.other.addErrback(found.append)
            self.other.cancel()
            assert isinstance(found[0], Failure) and found[0].check(CancelledError)
        self.web.net.until(lambda: self.client.connections == 0)
        if self.server is not None:
            self.web.net.until(lambda: not self.server.open)


PHASES = ["pool", "connect", "tls", "send", "wait", "body"]


@pytest.mark.parametrize("phase", PHASES)
def test_cancelling_lets_go_of_everything(web: Web, phase: str) -> None:
    moment = Moments(web, phase)
    found: list[Any] = []
    moment.waiting.addErrback(found.append)
    moment.waiting.cancel()
    assert found[0].check(CancelledError)
    moment.assertLetGo()


@pytest.mark.parametrize("phase", PHASES)
def test_the_deadline_is_for_all_of_it_and_says_in_which_phase_it_passed(web: Web, phase: str) -> None:
    clock = Clock()
    moment = Moments(web, phase, clock)
    found: list[Any] = []
    moment.waiting.addErrback(found.append)
    clock.advance(9.9)
    web.net.turn()
    assert found == []
    clock.advance(0.1)
    error = found[0].value
    assert isinstance(error, Timeout) and (error.phase, error.seconds) == (phase, 10)
    assert error.host == "127.0.0.1" and error.port and error.elapsed == pytest.approx(10)
    moment.assertLetGo()


@pytest.mark.parametrize("phase", PHASES)
def test_a_client_that_is_closed_lets_go_of_everything(web: Web, phase: str) -> None:
    moment = Moments(web, phase)
    found: list[Any] = []
    moment.waiting.addErrback(found.append)
    if moment.other is not None:
        moment.other.addErrback(found.append)
    web.net.result(moment.client.close())
    assert all(each.check(ClientClosed) for each in found) and len(found) == (1 if moment.other is None else 2)
    with pytest.raises(ClientClosed):
        web.run(moment.client.get("http://127.0.0.1:1/"))


def test_a_name_that_does_not_answer_and_one_that_is_none(web: Web) -> None:
    with pytest.raises(DNSLookupError) as raised:
        web.run(web.client().get("http://x.invalid/"))
    assert (raised.value.host, raised.value.phase) == ("x.invalid", "resolve")
    with pytest.raises(ConnectionRefusedError) as refused:
        web.run(web.client().get(f"http://127.0.0.1:{web.net.closedPort()}/"))
    assert refused.value.host == "127.0.0.1" and refused.value.port and refused.value.elapsed is not None


@pytest.mark.parametrize("way", ["deadline", "connectTimeout"])
def test_a_name_that_is_looked_up_for_ever(web: Web, way: str) -> None:
    class Silent:
        def getHostByName(self, name: str, timeout: Any = None) -> Deferred[str]:
            return Deferred()

    web.net.reactor.installResolver(Silent())
    if way == "deadline":
        clock = Clock()
        waiting = web.client(timeout=10, clock=clock).get("http://a.example/")
        found: list[Any] = []
        waiting.addErrback(found.append)
        web.net.turn(5)
        clock.advance(10)
        error = found[0].value
        assert error.seconds == 10
    else:
        with pytest.raises(Timeout) as raised:
            web.run(web.client(connectTimeout=0.01).get("http://a.example/"))
        error = raised.value
        assert error.seconds == 0.01
    assert isinstance(error, Timeout) and (error.phase, error.host) == ("resolve", "a.example")


def test_a_reader_that_does_not_read_holds_an_upload_back(web: Web) -> None:
    listening = web.net.plainListener()
    client = web.client()
    given = 0

    async def body() -> Any:
        nonlocal given
        while True:
            given += 65536
            yield bytes(65536)

    waiting = client.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", body=body())
    web.net.keep(listening.accept()[0])
    last = -1
    while given != last:
        last = given
        web.net.turn(50)
    (connection,) = client.keeper.open
    assert connection.transport.buffered <= 1 << 18 and 0 < given < 64 << 20
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    web.net.until(lambda: client.connections == 0)


def test_an_answer_that_drips_has_a_deadline_too(web: Web) -> None:
    clock = Clock()

    def drip(connection: Script, request: Any) -> None:
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.server.dripping = connection  # type: ignore[attr-defined]

    server = web.serve(drip)
    got: list[bytes] = []

    async def read() -> None:
        async for piece in await web.client(timeout=10, clock=clock).get(server.url()):
            got.append(piece)

    found: list[Any] = []
    ensureDeferred(read()).addErrback(found.append)
    web.net.until(lambda: hasattr(server, "dripping"))
    while not found:
        server.dripping.say(b"x")  # type: ignore[attr-defined]
        web.net.turn(5)
        clock.advance(1)
    assert found[0].check(Timeout) and found[0].value.phase == "body" and 5 < len(got) <= 11


def test_a_large_answer_that_nobody_reads_is_aborted_with_a_warning(web: Web) -> None:
    clock = Clock()
    server = web.serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + bytes(5_000_000))
    client = web.client(timeout=10, clock=clock)
    response = web.run(client.get(server.url()))
    web.net.turn(20)
    assert response._body.buffered < 1 << 20
    clock.advance(10)
    web.net.until(lambda: not server.open and client.connections == 0)
    assert ["was not read within 10 s" in record.getMessage() for record in web.net.logged()] == [True]
    with pytest.raises(Timeout):
        web.run(response.content())


def test_giving_up_a_response(web: Web) -> None:
    server = web.serve(half)
    client = web.client()

    async def leave() -> None:
        async with await client.get(server.url()) as response:
            async for _ in response:
                break
        response.abort()

    web.run(leave())
    web.net.until(lambda: client.connections == 0 and not server.open)


def test_a_cancelled_request_in_a_redirect_and_in_a_retry(web: Web) -> None:
    server = web.serve(
        lambda connection, request: (
            connection.say(reply(b"", "302 Found", "Location: /b")) if request.target == "/a" else None
        ),
    )
    client = web.client()
    waiting = client.get(server.url("/a"))
    found: list[Any] = []
    waiting.addErrback(found.append)
    web.net.until(lambda: len(server.requests) == 2)
    waiting.cancel()
    assert found[0].check(CancelledError)
    web.net.until(lambda: client.connections == 0)


def test_cancelling_inside_a_callback_of_another_request(web: Web) -> None:
    server = web.serve(reply())
    client = web.client(maxPerHost=1)
    found: list[Any] = []
    first, second, third = [client.get(server.url(f"/{number}")) for number in range(3)]
    first.addCallback(lambda _: second.cancel())
    second.addErrback(found.append)
    web.run(third)
    assert found[0].check(CancelledError)
    # It was on its way by then, or was never sent.
    assert len(server.requests) in (2, 3)


def test_an_error_in_a_callback_is_its_own(web: Web) -> None:
    server = web.serve(reply())
    client = web.client()
    failed = client.get(server.url()).addCallback(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        web.run(failed)
    assert web.run(client.get(server.url())).status == 200 and server.made == 1


def test_nothing_is_kept_of_what_is_over(web: Web) -> None:
    server = web.serve(reply())
    client = web.client()
    response, _ = web.fetch(client, server.url())
    gone = weakref.ref(response)
    gc.collect()
    gc.disable()
    try:
        del response
        assert gone() is None
    finally:
        gc.enable()


def test_a_reactor_that_stops_ends_what_is_on_its_way(web: Web) -> None:
    server = web.serve(silent)
    waiting: Deferred[Any] = web.client().get(server.url())
    found: list[Any] = []
    waiting.addErrback(found.append)
    web.net.until(lambda: server.requests)
    web.net.stopReactor()
    assert found[0].check(Incomplete)
