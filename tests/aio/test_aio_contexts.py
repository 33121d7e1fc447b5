"""Context variables of asyncio's connections: each has a context of its own, made where it was asked for."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import reactor.aio as aio

who: ContextVar[str] = ContextVar("who", default="nobody")


class Recording(asyncio.Protocol):
    def __init__(self, told: list[tuple[str, str]], over: asyncio.Future[None]) -> None:
        self.told, self.over = told, over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append(("made", who.get()))
        who.set(who.get() + "+")

    def data_received(self, data: bytes) -> None:
        self.told.append(("data", who.get()))

    def connection_lost(self, exc: BaseException | None) -> None:
        self.told.append(("lost", who.get()))
        self.over.set_result(None)


def test_callbacksRunWhereTheConnectionWasAskedFor() -> None:
    async def main() -> list[tuple[str, str]]:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            await writer.drain()
            writer.close()

        told: list[tuple[str, str]] = []
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        who.set("client")
        await loop.create_connection(lambda: Recording(told, over), *server.sockets[0].getsockname()[:2])
        who.set("somebody else")
        await over
        assert who.get() == "somebody else"
        server.close()
        await server.wait_closed()
        return told

    assert aio.run(main()) == [("made", "client"), ("data", "client+"), ("lost", "client+")]


def test_aServersConnectionsDoNotSeeEachOthers() -> None:
    async def main() -> list[tuple[str, str]]:
        loop = asyncio.get_running_loop()
        told: list[tuple[str, str]] = []
        overs = [loop.create_future(), loop.create_future()]
        waiting = list(overs)
        who.set("server")
        server = await loop.create_server(lambda: Recording(told, waiting.pop()), "127.0.0.1", 0)
        who.set("later")
        for _ in overs:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"x")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        await asyncio.gather(*overs)
        server.close()
        await server.wait_closed()
        return sorted(told)

    assert aio.run(main()) == sorted([("made", "server"), ("data", "server+"), ("lost", "server+")] * 2)
