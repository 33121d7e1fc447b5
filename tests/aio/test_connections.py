"""Connections that asyncio's programs ask for, as the libraries of others ask for them."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest
from bothloops import Trace, everyLoop, traceOf
from patience import PATIENCE

import reactor.aio as aio


@pytest.fixture
def loop() -> Generator[aio.EventLoop]:
    loop = aio.EventLoop()
    yield loop
    loop.close()


def test_aBlockingSocketIsTakenOver(loop: aio.EventLoop) -> None:
    async def main() -> None:
        a, b = socket.socketpair()
        with b:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=a)
            assert a.gettimeout() == 0
            transport.close()
            await loop.run_in_executor(None, b.recv, 1)

    for debug in (False, True):
        loop.set_debug(debug)
        loop.run_until_complete(main())


async def refused(loop: aio.EventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        address = port.getsockname()
    await loop.create_connection(asyncio.Protocol, *address)


async def unanswered(loop: aio.EventLoop) -> None:
    a, b = socket.socketpair()
    b.close()
    await loop.create_connection(asyncio.Protocol, sock=a, ssl=ssl.create_default_context(), server_hostname="a.test")


async def unansweredLater(loop: aio.EventLoop) -> None:
    a, b = socket.socketpair()
    transport, protocol = await loop.create_connection(asyncio.Protocol, sock=a)
    b.close()
    await loop.start_tls(transport, protocol, ssl.create_default_context(), server_hostname="a.test")


async def notSpawned(loop: aio.EventLoop) -> None:
    await loop.subprocess_exec(asyncio.SubprocessProtocol, "/nowhere/nothing")


@pytest.mark.parametrize("fails", [refused, unanswered, unansweredLater, notSpawned])
def test_anErrorIsFreedWithItsLastReference(
    loop: aio.EventLoop, fails: Callable[[aio.EventLoop], Coroutine[Any, Any, None]]
) -> None:
    errors: list[OSError] = []

    async def main() -> None:
        try:
            await fails(loop)
        except OSError as e:
            errors.append(e)

    loop.run_until_complete(main())
    (error,) = errors
    # A future that failed, and that a frame of the traceback has, would keep both until the collector comes.
    assert [each for each in gc.get_referrers(error) if isinstance(each, asyncio.Future)] == []


class Told(asyncio.StreamReaderProtocol):
    """A stream's protocol that says when it heard of the end of the peer's half, and of the end of all."""

    def __init__(self, reader: asyncio.StreamReader, loop: aio.EventLoop) -> None:
        super().__init__(reader, loop=loop)
        self.ended: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[Exception | None] = loop.create_future()

    def eof_received(self) -> bool:
        self.ended.set_result(None)
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set_result(exc)


@pytest.mark.parametrize("kind", ["unix", "reset"])
def test_whatCameBeforeTheEndIsReadAfterThePeerIsGone(loop: aio.EventLoop, kind: str) -> None:
    async def main() -> None:
        a, b = socket.socketpair() if kind == "unix" else tcpPair()
        reader = asyncio.StreamReader()
        with b:
            transport, protocol = await loop.create_connection(lambda: Told(reader, loop), sock=a)
            b.sendall(b"all of it")
            b.shutdown(socket.SHUT_WR)
            await protocol.ended
            if kind == "reset":
                b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert await asyncio.wait_for(protocol.lost, PATIENCE) is None
        assert await reader.read() == b"all of it"
        transport.close()

    loop.run_until_complete(main())


def tcpPair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as port:
        a = socket.create_connection(port.getsockname())
        return a, port.accept()[0]


@everyLoop
def test_whatWasWrittenJustBeforeAnAbortIsSent(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        a, b = tcpPair()
        with b:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=a)
            transport.write(b"the last word")
            transport.abort()
            trace(await loop.run_in_executor(None, b.recv, 100))
            trace(await loop.run_in_executor(None, b.recv, 100))

    assert traceOf(factory, program) == [(b"the last word",), (b"",)]


@everyLoop
def test_noTlsOnAConnectionThatWasClosed(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        a, b = tcpPair()
        with b:
            transport, protocol = await loop.create_connection(asyncio.Protocol, sock=a)
            transport.close()
            trace(await loop.start_tls(transport, protocol, ssl.create_default_context(), server_hostname="a.test"))

    assert traceOf(factory, program) == [(None,)]
