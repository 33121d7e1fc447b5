"""Servers of HTTP: `python -m bench.httpservers PEER LIFETIME SIZE`; each GET is answered with SIZE bytes of text.

"ours" is `protocols.http` with a function as handler, "ours-coroutine" with a coroutine function; "uvicorn" has
httptools, uvloop and the least of an ASGI application, "aiohttp" is on uvloop where that is installed, "tornado" and
"twisted" (twisted.web) are their own. Nothing is logged. Apart from that they are what `bench.servers` tells.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from importlib.util import find_spec

from bench import peers
from bench.guests import listener
from bench.servers import BACKLOG, HOST, TCP, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COROUTINE = "ours-coroutine"
# What each needs.
_LIBRARIES = {
    peers.OURS: ("httptools",),
    COROUTINE: ("httptools",),
    "uvicorn": ("uvicorn", "httptools", "uvloop"),
    "aiohttp": ("aiohttp",),
    "tornado": ("tornado",),
    "twisted": ("twisted",),
}
#: Those whose libraries are here.
PEERS = tuple(name for name, needed in _LIBRARIES.items() if all(find_spec(each) is not None for each in needed))


def ours(name: str, text: bytes) -> None:
    """`protocols.http`."""
    http = import_module("protocols.http")
    reactor, _ = peers.reactorOf(peers.OURS)

    def answer(request: Any) -> Any:
        return http.Response(text, contentType="text/plain")

    async def answerLater(request: Any) -> Any:
        return http.Response(text, contentType="text/plain")

    site = http.Site(answerLater if name == COROUTINE else answer, maxRequests=1 << 30)
    port = reactor.listenTCP(0, site, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onTwisted(name: str, text: bytes) -> None:
    """twisted.web."""
    reactor, _ = peers.reactorOf(name)
    resource = import_module("twisted.web.resource")

    class Page(resource.Resource):  # type: ignore[misc, name-defined]  # imported by name: see peers
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            request.setHeader(b"content-type", b"text/plain")
            return text

    site = import_module("twisted.web.server").Site(Page())
    site.noisy = False
    port = reactor.listenTCP(0, site, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


async def onUvicorn(text: bytes) -> None:
    """uvicorn."""
    uvicorn = import_module("uvicorn")
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    config = uvicorn.Config(answer, http="httptools", ws="none", lifespan="off", access_log=False, log_level="error")
    listening = listener(TCP, "")
    ready(listening.getsockname()[1])
    await uvicorn.Server(config).serve(sockets=[listening])


async def onAiohttp(text: bytes) -> None:
    """aiohttp's server."""
    import asyncio

    web = import_module("aiohttp.web")

    async def answer(request: Any) -> Any:
        return web.Response(body=text, content_type="text/plain")

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, backlog=BACKLOG).start()
    ready(runner.addresses[0][1])
    await asyncio.Event().wait()


async def onTornado(text: bytes) -> None:
    """tornado's handler."""
    import asyncio

    web = import_module("tornado.web")

    class Page(web.RequestHandler):  # type: ignore[misc, name-defined]
        def get(self) -> None:
            self.write(text)

    listening = listener(TCP, "")
    application = web.Application([("/", Page)], log_function=lambda handler: None)
    import_module("tornado.httpserver").HTTPServer(application).add_sockets([listening])
    ready(listening.getsockname()[1])
    await asyncio.Event().wait()


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime, size = sys.argv[1:]
    signal.alarm(int(lifetime))
    text = (b"hello, world\n" * (int(size) // 13 + 1))[: int(size)]
    if name in (peers.OURS, COROUTINE):
        ours(name, text)
    elif name == "twisted":
        onTwisted(name, text)
    else:
        import asyncio

        serve = {"uvicorn": onUvicorn, "aiohttp": onAiohttp}.get(name, onTornado)
        loop = "uvloop" if name != "tornado" and peers.isInstalled("uvloop") else "asyncio"
        with asyncio.Runner(loop_factory=peers.loopFactoryOf(loop)) as runner:
            runner.run(serve(text))


if __name__ == "__main__":
    main()
