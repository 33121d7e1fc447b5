"""The other end written by somebody else: the libraries websockets, aiohttp and autobahn, each as server and client,
with and without compression. They run in a child with asyncio's loop.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
from net import Net
from patience import PATIENCE
from wsnet import serve

from protocols.websocket import WebSocketClosed, connect
from reactor.defer import ensureDeferred

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

MESSAGES: list[Any] = ["héllo", b"\0\xff" * 10, "x" * 200_000, bytes(100_000), ""]

BOTH = """
import asyncio, sys
role, compress, url = sys.argv[1], sys.argv[2] == "deflate", sys.argv[3]
MESSAGES = ["h\\u00e9llo", b"\\0\\xff" * 10, "x" * 200_000, bytes(100_000), ""]
"""

PROGRAMS = {
    "websockets": """
import websockets.asyncio.client, websockets.asyncio.server
compression = "deflate" if compress else None

async def echo(connection):
    async for message in connection:
        await connection.send(message)

async def main():
    if role == "server":
        async with websockets.asyncio.server.serve(echo, "127.0.0.1", 0, compression=compression) as server:
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.Event().wait()
    async with websockets.asyncio.client.connect(url, compression=compression, proxy=None) as connection:
        for message in MESSAGES:
            await connection.send(message)
            assert await connection.recv() == message
        await (await connection.ping())
        await connection.close(4000, "done")
        print(connection.close_code, connection.close_reason)
""",
    "aiohttp": """
import aiohttp, aiohttp.web

async def echo(request):
    socket = aiohttp.web.WebSocketResponse(compress=compress)
    await socket.prepare(request)
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket

async def main():
    if role == "server":
        application = aiohttp.web.Application()
        application.router.add_get("/", echo)
        runner = aiohttp.web.AppRunner(application)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, compress=15 if compress else 0) as socket:
            for message in MESSAGES:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
                assert (await socket.receive()).data == message
            await socket.close(code=4000, message=b"done")
            print(socket.close_code, "done")
""",
    "autobahn": """
from autobahn.asyncio.websocket import *
from autobahn.websocket.compress import *

class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)

class Client(WebSocketClientProtocol):
    def onOpen(self):
        self.left = list(MESSAGES)
        self.one()
    def one(self):
        if self.left:
            message = self.left[0]
            text = isinstance(message, str)
            self.sendMessage(message.encode() if text else message, not text)
        else:
            self.sendClose(4000, "done")
    def onMessage(self, payload, isBinary):
        expected = self.left.pop(0)
        assert payload == (expected.encode() if isinstance(expected, str) else expected)
        self.one()
    def onClose(self, wasClean, code, reason):
        print(code, reason)
        over.set()

async def main():
    global over
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    def accept(offers):
        return next((PerMessageDeflateOfferAccept(o) for o in offers if isinstance(o, PerMessageDeflateOffer)), None)

    if role == "server":
        factory = WebSocketServerFactory(loop=loop)
        factory.protocol = Echo
        if compress:
            factory.setProtocolOptions(perMessageCompressionAccept=accept)
        server = await loop.create_server(factory, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()
    factory = WebSocketClientFactory(url, loop=loop)
    factory.protocol = Client
    if compress:
        factory.setProtocolOptions(
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=lambda response: PerMessageDeflateResponseAccept(response),
        )
    await loop.create_connection(factory, "127.0.0.1", int(url.rsplit(":", 1)[1].strip("/")))
    await over.wait()
""",
}


def child(library: str, role: str, compress: str, url: str) -> subprocess.Popen[str]:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    program = BOTH + PROGRAMS[library] + "\nasyncio.run(main())\n"
    command = [sys.executable, "-W", "ignore", "-c", program, role, compress, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("compress", ["plain", "deflate"])
@pytest.mark.parametrize("library", sorted(PROGRAMS))
def test_theirClient(net: Net, library: str, compress: str) -> None:
    server = serve(net, compression=compress == "deflate")
    with child(library, "client", compress, f"ws://127.0.0.1:{server.port}/") as process:
        try:
            net.until(lambda: server.built and server.built[0].reason, PATIENCE)
            printed, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0 and printed == "4000 done\n"
    (end,) = server.built
    assert end.messages == MESSAGES and isinstance(end.reason, WebSocketClosed) and end.reason.code == 4000
    assert (end.transport._session._deflate is not None) == (compress == "deflate")


@pytest.mark.parametrize("compress", ["plain", "deflate"])
@pytest.mark.parametrize("library", sorted(PROGRAMS))
def test_theirServer(net: Net, library: str, compress: str) -> None:
    async def talk(url: str) -> Any:
        async with await connect(url, reactor=net.reactor, compression=compress == "deflate") as socket:
            got = []
            for message in MESSAGES:
                await socket.send(message)
                got.append(await socket.receive())
            await socket.ping()
            assert (socket.transport._session._deflate is not None) == (compress == "deflate")
        return got, socket.closed.value

    with child(library, "server", compress, "") as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            got, reason = net.result(ensureDeferred(talk(f"ws://127.0.0.1:{port}/")))
        finally:
            process.kill()
    assert got == MESSAGES and isinstance(reason, WebSocketClosed) and reason.code == 1000
