"""A web server and its client, both by aiohttp, on our loop: the server is asked for a few things, and that is all.

    pip install '.[asyncio-examples]'
    python aiohttp_on_reactor.py

aiohttp knows nothing of a reactor, and ``main`` is a program of asyncio's like any other; ours is the last line. The
second question is answered with the help of a Deferred, which a task may await.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientSession, WSMsgType, web

import reactor.aio
from reactor.task import deferLater


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello, {request.match_info['name']}")


async def later(request: web.Request) -> web.Response:
    from reactor import reactor  # the one that carries the loop

    total = sum(await request.json())
    return web.json_response(await deferLater(reactor, 0.01, lambda: {"sum": total}))


async def shout(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data.upper())
    return socket


async def ask(url: str) -> None:
    async with ClientSession(url) as session:

        async def greeted(name: str) -> str:
            async with session.get(f"/hello/{name}") as response:
                return await response.text()

        print(await asyncio.gather(*map(greeted, ("you", "world"))), flush=True)
        async with session.post("/later", json=[1, 2, 3]) as response:
            print(await response.json(), flush=True)
        async with session.ws_connect("/shout") as socket:
            await socket.send_str("is there anybody?")
            print(await socket.receive_str(timeout=10), flush=True)


async def main() -> None:
    application = web.Application()
    application.add_routes([web.get("/hello/{name}", hello), web.post("/later", later), web.get("/shout", shout)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        print("listening on port", port, flush=True)
        await ask(f"http://{host}:{port}")
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    reactor.aio.run(main())
