"""The same program on asyncio's own loop and on ours: what it writes down is to be the same.

`everyLoop` has a test run once on each. A program is a coroutine function that is given a `Trace` and the tests' own
ends of connections; what reaches the loop's exception handler is written down too.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from patience import PATIENCE

import reactor.aio as aio

everyLoop = pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, aio.EventLoop], ids=["asyncio's", "ours"])


class Trace(list[tuple[Any, ...]]):
    """What happened, in order."""

    def __call__(self, *what: Any) -> None:
        self.append(what)


def named(problem: BaseException | None) -> str | None:
    return None if problem is None else type(problem).__name__


def traceOf(
    factory: Callable[[], asyncio.AbstractEventLoop], program: Callable[[Trace], Coroutine[Any, Any, None]]
) -> Trace:
    """Run `program` on a loop of `factory`; what it wrote down."""
    trace = Trace()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: trace("reported", named(context.get("exception"))))
        await asyncio.wait_for(program(trace), PATIENCE)

    # What asyncio logs of the same is not the subject.
    logger = logging.getLogger("asyncio")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())
    finally:
        logger.setLevel(before)
    return trace


class Told(asyncio.Protocol):
    """Writes down what it is told; `does` has what it does then, by the name of the method."""

    def __init__(self, trace: Trace, **does: Callable[[Told], object]) -> None:
        self.trace, self.does = trace, does
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def _do(self, what: str) -> Any:
        does = self.does.get(what)
        return None if does is None else does(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.trace("made")
        self._do("made")

    def data_received(self, data: bytes) -> None:
        self.trace("data", data)
        self._do("data")

    def eof_received(self) -> Any:
        self.trace("eof")
        return self._do("eof")

    def pause_writing(self) -> None:
        self.trace("pause")
        self._do("pause")

    def resume_writing(self) -> None:
        self.trace("resume")
        self._do("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.trace("lost", named(exc))
        self.over.set_result(None)
        self._do("lost")


class ToldBuffered(Told, asyncio.BufferedProtocol):
    """The same with a buffer of its own, or what `does["buffer"]` gives."""

    def get_buffer(self, hint: int) -> Any:
        if "buffer" in self.does:
            return self._do("buffer")
        self.buffer = bytearray(100)
        return self.buffer

    def buffer_updated(self, count: int) -> None:
        self.data_received(bytes(self.buffer[:count]))


async def connected(trace: Trace, kind: type[Told] = Told, **does: Callable[[Told], object]) -> tuple[Told, Peer]:
    """A protocol of `kind`, and the other end of its connection."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        _, protocol = await loop.create_connection(lambda: kind(trace, **does), *listening.getsockname())
        sock, _ = listening.accept()
    return protocol, Peer(sock)


class Peer:
    """The other end of a connection: a plain socket, which waits for nobody but while it is awaited."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    async def all(self) -> bytes:
        """All that comes, up to the end; then it is closed."""
        loop = asyncio.get_running_loop()
        got = b""
        while data := await loop.sock_recv(self.sock, 1 << 20):
            got += data
        self.sock.close()
        return got

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def fails(_: Told) -> None:
    raise ZeroDivisionError("for the test")


async def until(ready: Callable[[], bool]) -> None:
    """Wait until `ready()`."""
    while not ready():
        await asyncio.sleep(0.001)
