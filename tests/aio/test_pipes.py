"""Pipes of asyncio: who is told what, and when."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from bothloops import Told, Trace, everyLoop, fails, traceOf

import reactor.aio as aio

Factory = Callable[[], asyncio.AbstractEventLoop]
MUCH = 300_000


async def writing(trace: Trace, **does: Callable[[Told], object]) -> tuple[Any, Told, int]:
    r, w = os.pipe()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(lambda: Told(trace, **does), os.fdopen(w, "wb", 0))
    os.set_blocking(r, False)
    return transport, protocol, r


async def taken(r: int, size: int) -> None:
    """Take `size` bytes out of a pipe."""
    while size:
        try:
            size -= len(os.read(r, min(size, 65536)))
        except BlockingIOError:
            await asyncio.sleep(0)


@everyLoop
def test_abortedWithSomethingToSend(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        transport, protocol, r = await writing(trace)
        transport.write(bytes(MUCH))
        transport.abort()
        trace("closing", transport.is_closing())
        await protocol.over
        os.close(r)

    assert traceOf(factory, program) == [("made",), ("pause",), ("closing", True), ("lost", None)]


@everyLoop
@pytest.mark.parametrize("where", ["made", "pause", "resume", "lost"])
def test_aProtocolOfAWriterThatRaises(factory: Factory, where: str) -> None:
    async def program(trace: Trace) -> None:
        transport, protocol, r = await writing(trace, **{where: fails})
        transport.write(bytes(MUCH))
        await taken(r, MUCH)
        transport.close()
        await protocol.over
        await asyncio.sleep(0)
        os.close(r)

    expected: list[tuple[Any, ...]] = [("made",), ("pause",), ("resume",), ("lost", None)]
    expected.insert([each[0] for each in expected].index(where) + 1, ("reported", "ZeroDivisionError"))
    assert traceOf(factory, program) == expected


@everyLoop
def test_closedInACallbackThatRaises(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        def closesAndFails(told: Told) -> None:
            told.transport.close()
            fails(told)

        r, w = os.pipe()
        loop = asyncio.get_running_loop()
        _, protocol = await loop.connect_read_pipe(lambda: Told(trace, data=closesAndFails), os.fdopen(r, "rb", 0))
        os.write(w, b"x")
        await protocol.over
        os.close(w)

    assert traceOf(factory, program) == [("made",), ("data", b"x"), ("reported", "ZeroDivisionError"), ("lost", None)]


def test_whatIsNoPipe() -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        with open(__file__, "rb") as file:
            for connect in (loop.connect_read_pipe, loop.connect_write_pipe):
                with pytest.raises(ValueError, match=f"{connect.__name__}.*character device"):
                    await connect(lambda: Told(trace), file)
            assert not file.closed

    assert traceOf(aio.EventLoop, program) == []
