"""Libraries that speak asyncio, server and client of ours on either loop, in short; all of their own tests are run by
``tox -e asyncio-libraries``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest
import trustme
from bothloops import Trace, everyLoop, traceOf

Factory = Callable[[], asyncio.AbstractEventLoop]


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server on localhost, and for its client."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@everyLoop
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_websockets(factory: Factory, secure: bool) -> None:
    websockets = pytest.importorskip("websockets.asyncio.client")
    serving = pytest.importorskip("websockets.asyncio.server")
    ours, theirs = contexts() if secure else (None, None)

    async def program(trace: Trace) -> None:
        async def echo(connection: object) -> None:
            async for message in connection:  # type: ignore[attr-defined]
                await connection.send(message)  # type: ignore[attr-defined]

        async with serving.serve(echo, "127.0.0.1", 0, ssl=ours) as server:
            port = server.sockets[0].getsockname()[1]
            more = {"ssl": theirs, "server_hostname": "localhost"} if secure else {}
            uri = f"{'wss' if secure else 'ws'}://127.0.0.1:{port}"
            async with websockets.connect(uri, **more) as client:
                for message in ("a text", b"\x00\xff", "x" * 300_000):
                    await client.send(message)
                    trace(await client.recv() == message)
                await (await client.ping())
                await client.close(4000, "enough")
            trace(client.close_code, client.close_reason)
        await server.wait_closed()
        trace("closed")

    assert traceOf(factory, program) == [(True,), (True,), (True,), (4000, "enough"), ("closed",)]


@everyLoop
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_aiohttp(factory: Factory, secure: bool) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    web = pytest.importorskip("aiohttp.web")
    ours, theirs = contexts() if secure else (None, None)

    async def program(trace: Trace) -> None:
        async def count(request: object) -> object:
            body = await request.read()  # type: ignore[attr-defined]
            return web.json_response({"bytes": len(body)})

        application = web.Application(client_max_size=1 << 22)
        application.router.add_post("/count", count)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ours).start()
        port = runner.addresses[0][1]
        url = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
        more = {"ssl": theirs, "server_hostname": "localhost"} if secure else {}
        async with aiohttp.ClientSession() as session:
            for size in (0, 10, 1 << 20):
                async with session.post(f"{url}/count", data=bytes(size), **more) as answer:
                    trace(answer.status, await answer.json())
            async with session.get(f"{url}/nothing", **more) as answer:
                trace(answer.status)
        await runner.cleanup()
        trace("closed")

    sizes = [(200, {"bytes": 0}), (200, {"bytes": 10}), (200, {"bytes": 1 << 20})]
    assert traceOf(factory, program) == [*sizes, (404,), ("closed",)]
