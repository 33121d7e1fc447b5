"""Servers by libraries of asyncio's world: `python -m bench.aioapps PEER LIFETIME LIBRARY`.

LIBRARY is "aiohttp" or "uvicorn" (with httptools), which say hello to every GET, or "websockets", which echoes. "ours"
is `reactor.aio.EventLoop`: all loops run the same program. Nothing is logged. The first line printed is `ready PORT`;
after LIFETIME seconds the process is gone, whatever happens.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from importlib import import_module
from importlib.util import find_spec

from bench import peers, servers
from bench.guests import listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

AIOHTTP, UVICORN, WEBSOCKETS = "aiohttp", "uvicorn", "websockets"
# What each needs to be installed.
_MODULES = {AIOHTTP: ("aiohttp",), UVICORN: ("uvicorn", "httptools"), WEBSOCKETS: ("websockets",)}
_HELLO = b"hello, world"


def isInstalled(library: str) -> bool:
    """Whether that server can be had here."""
    return all(find_spec(module) is not None for module in _MODULES[library])


async def onAiohttp() -> None:
    """aiohttp's server."""
    web = import_module("aiohttp.web")

    async def hello(request: Any) -> Any:
        return web.Response(body=_HELLO)

    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, servers.HOST, 0, backlog=servers.BACKLOG).start()
    servers.ready(runner.addresses[0][1])
    await asyncio.Event().wait()


async def onUvicorn() -> None:
    """uvicorn, with the parser in C, and the least of an ASGI application."""
    uvicorn = import_module("uvicorn")
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_HELLO)).encode())]

    async def hello(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _HELLO})

    config = uvicorn.Config(hello, http="httptools", ws="none", lifespan="off", access_log=False, log_level="error")
    listening = listener(servers.TCP, "")
    servers.ready(listening.getsockname()[1])
    await uvicorn.Server(config).serve(sockets=[listening])


async def onWebsockets() -> None:
    """websockets' server, without compression."""
    serve = import_module("websockets.asyncio.server").serve
    ConnectionClosed = import_module("websockets.exceptions").ConnectionClosed

    async def echo(connection: Any) -> None:
        try:
            async for message in connection:
                await connection.send(message)
        except ConnectionClosed:
            # The load is over.
            pass

    async with serve(echo, servers.HOST, 0, compression=None, backlog=servers.BACKLOG) as server:
        servers.ready(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()


LIBRARIES: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    AIOHTTP: onAiohttp,
    UVICORN: onUvicorn,
    WEBSOCKETS: onWebsockets,
}


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime, library = sys.argv[1:]
    signal.alarm(int(lifetime))
    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(LIBRARIES[library]())


if __name__ == "__main__":
    main()
