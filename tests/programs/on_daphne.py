"""An application for ASGI served by daphne, which is asked over HTTP and by a WebSocket."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from typing import Any

import reactor.twisted

if __name__ == "__main__":
    # Ahead of daphne, which takes the reactor that is there if it has a loop of asyncio's.
    frame = reactor.twisted.installAsyncio()

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from daphne.server import Server


async def application(scope: Any, receive: Any, send: Any) -> None:
    loop = type(asyncio.get_running_loop()).__module__
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0.001)
            await send({"type": "websocket.send", "text": event["text"].upper()})
        said.append("the WebSocket is closed")
        frame.callLater(0, server.stop)
        return
    body = b""
    while (event := await receive())["type"] == "http.request":
        body += event["body"]
        if not event.get("more_body"):
            break
    await asyncio.sleep(0.001)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-loop", loop.encode())]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b" is what you said"})


class Client(WebSocketClientProtocol):
    def onOpen(self) -> None:
        self.sendMessage(b"over a websocket")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        said.append(payload.decode())
        self.sendClose()


def ask() -> None:
    _, number = server.listening_addresses[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{number}/", b"hello" * 10000, timeout=100) as answer:
        text = answer.read()
        said.append(f"{answer.status} {answer.headers['x-loop']} {len(text)} {text[-16:].decode()}")
    frame.callFromThread(connect, number)


def connect(number: int) -> None:
    factory = WebSocketClientFactory(f"ws://127.0.0.1:{number}/")
    factory.protocol = Client
    frame.connectTCP("127.0.0.1", number, factory)


if __name__ == "__main__":
    said: list[str] = []
    server = Server(application, endpoints=["tcp:0:interface=127.0.0.1"], signal_handlers=False)
    frame.callWhenRunning(threading.Thread(target=ask).start)
    server.run()
    print(*said, sep="\n")
