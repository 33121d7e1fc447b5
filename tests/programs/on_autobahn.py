"""A program with Autobahn, for Twisted: a WebSocket server and its clients, plain and with TLS, and clients by another.

`on_autobahn.py CHAIN KEY ROOT`: the files of a certificate for localhost, of its key, and of who signed it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
    connectWS,
)
from twisted.internet import defer, endpoints, reactor, ssl, task, utils

CHAIN, KEY, ROOT = sys.argv[1:]
# Seconds: a busy machine takes longer than what is usual.
PATIENCE = 90.0
PATIENT = {"openHandshakeTimeout": PATIENCE, "closeHandshakeTimeout": PATIENCE}
BIG = bytes(range(256)) * 4000

# In one thread: a connection that is read in one and written in another has an SSL object in both at a time.
ANOTHER = """
import asyncio, ssl, sys
from websockets.asyncio.client import connect

url, root = sys.argv[1:]
context = ssl.create_default_context(cafile=root) if url.startswith("wss") else None

async def main():
    async with connect(url, ssl=context, max_size=None, open_timeout=90, close_timeout=90) as socket:
        await socket.send("hello")
        print(await socket.recv(), end=" ")
        await socket.send(["in ", "pieces"])
        print(await socket.recv(), end=" ")
        await socket.send(bytes(1_000_000))
        print(len(await socket.recv()), end=" ")
        print(await asyncio.wait_for(await socket.ping(), 90) >= 0, end=" ")
    print(socket.close_code, socket.close_reason)

asyncio.run(main())
"""


class Echo(WebSocketServerProtocol):
    """Says everything again."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class Asking(WebSocketClientProtocol):
    """Says three things, one after another, and leaves."""

    def onOpen(self) -> None:
        self.heard: list[int] = []
        self.rest = [(b"text", False), (BIG, True), (b"", False)]
        self.say()

    def say(self) -> None:
        if self.rest:
            self.sendMessage(*self.rest.pop(0))
        else:
            self.sendClose(1000, "done")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        assert not isBinary or payload == BIG
        self.heard.append(len(payload))
        self.say()

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        self.factory.done.callback((self.heard, wasClean, code))


def ask(url: str) -> Any:
    factory = WebSocketClientFactory(url)
    factory.protocol = Asking
    factory.setProtocolOptions(**PATIENT)
    factory.done = defer.Deferred()
    trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(Path(ROOT).read_bytes())])
    options = ssl.optionsForClientTLS("localhost", trusted) if factory.isSecure else None
    connectWS(factory, options, timeout=PATIENCE)
    return factory.done


async def visited(scheme: str, where: str) -> None:
    factory = WebSocketServerFactory()
    factory.protocol = Echo
    factory.setProtocolOptions(**PATIENT)
    port = await endpoints.serverFromString(reactor, where).listen(factory)
    url = f"{scheme}://localhost:{port.getHost().port}"
    outcomes = await defer.gatherResults([ask(url) for _ in range(20)])
    print(scheme, len(outcomes), outcomes[0], all(outcome == outcomes[0] for outcome in outcomes))
    output, errors, status = await utils.getProcessOutputAndValue(sys.executable, ["-c", ANOTHER, url, ROOT])
    print(status, errors.decode() + output.decode().strip())
    await port.stopListening()


async def program(clock: Any) -> None:
    assert clock is reactor
    await visited("ws", "tcp:0:interface=127.0.0.1")
    await visited("wss", f"ssl:0:interface=127.0.0.1:certKey={CHAIN}:privateKey={KEY}")


task.react(lambda clock: defer.ensureDeferred(program(clock)))
