"""Libraries for asyncio inside programs for Twisted: each other's servers and clients, on one reactor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("twisted.web")

from onframe import madeFor, runOn
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.resource import Resource
from twisted.web.server import Site

from reactor.twisted import AsyncioTwistedReactor


@pytest.fixture
def frame() -> Iterator[Any]:
    with madeFor(AsyncioTwistedReactor) as made:
        yield made


class Hello(Resource):
    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        return b"hello from twisted.web, " + request.args[b"name"][0]  # type: ignore[no-any-return]


async def asTask(frame: Any, coroutine: Any) -> Any:
    return await Deferred.fromFuture(frame._asyncioEventloop.create_task(coroutine))


async def site(frame: Any) -> tuple[Any, str]:
    port = await TCP4ServerEndpoint(frame, 0, interface="127.0.0.1").listen(Site(Hello()))
    return port, f"http://127.0.0.1:{port.getHost().port}/?name=client"


# Whatever the reactor is.
@pytest.mark.filterwarnings("ignore:Using readBody with a transport that does not have an abortConnection")
def test_aiohttp(frame: Any) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    web = pytest.importorskip("aiohttp.web")

    async def hello(request: Any) -> Any:
        await asyncio.sleep(0.001)
        return web.Response(text="hello from aiohttp")

    async def serve() -> Any:
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    async def ask(url: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()  # type: ignore[no-any-return]

    async def program() -> list[Any]:
        port, url = await site(frame)
        said: list[Any] = [await asTask(frame, ask(url))]
        await port.stopListening()
        runner = await asTask(frame, serve())
        pool = HTTPConnectionPool(frame, persistent=False)
        host, number = runner.addresses[0]
        response = await Agent(frame, pool=pool).request(b"GET", f"http://{host}:{number}/".encode())
        said.append((response.code, await readBody(response)))
        await asTask(frame, runner.cleanup())
        return said

    assert runOn(frame, program()) == ["hello from twisted.web, client", (200, b"hello from aiohttp")]


def test_httpx(frame: Any) -> None:
    httpx = pytest.importorskip("httpx")

    async def ask(url: str) -> list[str]:
        async with httpx.AsyncClient(trust_env=False) as client:
            return [answer.text for answer in await asyncio.gather(client.get(url), client.get(url))]

    async def program() -> Any:
        port, url = await site(frame)
        said = await asTask(frame, ask(url))
        await port.stopListening()
        return said

    assert runOn(frame, program()) == ["hello from twisted.web, client"] * 2


def test_childrenOfBoth(frame: Any) -> None:
    """Who hears of the end of whose child."""
    from twisted.internet.utils import getProcessOutput

    async def child() -> bytes:
        process = await asyncio.create_subprocess_exec("echo", "asyncio's", stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        return out

    async def program() -> list[Any]:
        return [
            await asTask(frame, child()),
            await getProcessOutput("/bin/echo", ["twisted's"], reactor=frame),
            await asTask(frame, child()),
        ]

    def begin() -> None:
        d = ensureDeferred(program())
        d.addBoth(results.append)
        d.addBoth(lambda _: frame.stop())

    results: list[Any] = []
    frame.callWhenRunning(begin)
    # With signals, by which Twisted hears of children.
    frame.run()
    assert results == [[b"asyncio's\n", b"twisted's\n", b"asyncio's\n"]]
