"""WebSocket servers that echo: `python -m bench.wsservers PEER LIFETIME`.

"ours" is `protocols.websocket` in callbacks, "uvloop" and "asyncio" are the library websockets on these, "aiohttp" is
that on uvloop where it is installed, "tornado" its own, "twisted" autobahn. None compresses, or sends pings. Apart from
that they are what `bench.servers` tells.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from importlib.util import find_spec

from bench import peers
from bench.aioapps import onWebsockets
from bench.guests import listener
from bench.servers import BACKLOG, HOST, TCP, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AIOHTTP = "aiohttp"
# What each needs beside its loop.
_LIBRARIES = {
    peers.OURS: "websockets",
    "uvloop": "websockets",
    "asyncio": "websockets",
    AIOHTTP: "aiohttp",
    "tornado": "tornado",
    "twisted": "autobahn",
}
#: Those whose libraries are here.
PEERS = tuple(name for name, library in _LIBRARIES.items() if find_spec(library) is not None)


def ours(name: str) -> None:
    """`protocols.websocket`."""
    websocket = import_module("protocols.websocket")
    reactor, _ = peers.reactorOf(name)

    class Echo(websocket.WebSocketProtocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        def messageReceived(self, message: str | bytes) -> None:
            self.sendMessage(message)

    factory = websocket.WebSocketFactory.forProtocol(Echo, pingInterval=None)
    port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onTwisted(name: str) -> None:
    """autobahn's protocol on Twisted's reactor."""
    autobahn = import_module("autobahn.twisted.websocket")
    reactor, _ = peers.reactorOf(name)

    class Echo(autobahn.WebSocketServerProtocol):  # type: ignore[misc, name-defined]
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            self.sendMessage(payload, isBinary)

    factory = autobahn.WebSocketServerFactory(reactor=reactor)
    factory.protocol = Echo
    port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


async def onAiohttp() -> None:
    """aiohttp's server."""
    import asyncio

    web = import_module("aiohttp.web")

    async def echo(request: Any) -> Any:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data)
        return socket

    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, backlog=BACKLOG).start()
    ready(runner.addresses[0][1])
    await asyncio.Event().wait()


async def onTornado() -> None:
    """tornado's handler."""
    import asyncio

    web, websocket = import_module("tornado.web"), import_module("tornado.websocket")

    class Echo(websocket.WebSocketHandler):  # type: ignore[misc, name-defined]
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message, binary=True)

    listening = listener(TCP, "")
    import_module("tornado.httpserver").HTTPServer(web.Application([("/", Echo)])).add_sockets([listening])
    ready(listening.getsockname()[1])
    await asyncio.Event().wait()


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime = sys.argv[1:]
    signal.alarm(int(lifetime))
    if name == peers.OURS:
        ours(name)
    elif name == "twisted":
        onTwisted(name)
    else:
        import asyncio

        serve = {AIOHTTP: onAiohttp, "tornado": onTornado}.get(name, onWebsockets)
        loop = "uvloop" if name == AIOHTTP and peers.isInstalled("uvloop") else name
        factory = peers.loopFactoryOf(loop if loop in ("uvloop", "asyncio") else "asyncio")
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve())


if __name__ == "__main__":
    main()
