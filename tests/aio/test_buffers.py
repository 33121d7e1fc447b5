"""What a `BufferedProtocol` may give for a buffer, and what becomes of a connection whose buffer is none."""

from __future__ import annotations

import array
import asyncio
from typing import Any

import pytest
from patience import PATIENCE

import reactor.aio


class Filled(asyncio.BufferedProtocol):
    """Echoes what came into `buffer`; `lost` is a future of the end."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer
        self.lost: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def get_buffer(self, sizehint: int) -> Any:
        if isinstance(self.buffer, BaseException):
            raise self.buffer
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.transport.write(memoryview(self.buffer).cast("B")[:nbytes])

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


def conversation(buffer: Any) -> tuple[bytes, BaseException | None, list[str]]:
    """What a server with that buffer answers to "hello", how its connection ends, and what was reported."""

    async def main() -> tuple[bytes, BaseException | None, list[str]]:
        loop = asyncio.get_running_loop()
        reported: list[str] = []
        loop.set_exception_handler(lambda _, context: reported.append(type(context["exception"]).__name__))
        made: list[Filled] = []

        def build() -> Filled:
            made.append(Filled(buffer))
            return made[-1]

        server = await loop.create_server(build, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        end = await made[0].lost
        server.close()
        return answer, end, reported

    return reactor.aio.run(asyncio.wait_for(main(), PATIENCE))


@pytest.mark.parametrize(
    "buffer",
    [bytearray(100), bytearray(2), memoryview(bytearray(100)), array.array("H", [0] * 50)],
    ids=["bytearray", "small", "memoryview", "array"],
)
def test_whatMayBeABuffer(buffer: Any) -> None:
    assert conversation(buffer) == (b"hello", None, [])


@pytest.mark.parametrize(
    ("buffer", "problem"),
    [
        (bytearray(), RuntimeError),
        (b"read-only", TypeError),
        (None, TypeError),
        (KeyError("none"), KeyError),
        (BlockingIOError(11, "own"), BlockingIOError),
    ],
    ids=["empty", "read-only", "none", "raises", "raises as the kernel does"],
)
def test_whatIsNoBufferEndsTheConnectionAndIsReportedOnce(buffer: Any, problem: type[Exception]) -> None:
    answer, end, reported = conversation(buffer)
    assert (answer, type(end), reported) == (b"", problem, [problem.__name__])
