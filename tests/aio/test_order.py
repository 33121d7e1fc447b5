"""The end of a connection takes its turn among other calls, in the order in which it was asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from bothloops import Told, Trace, connected, everyLoop, traceOf

Factory = Callable[[], asyncio.AbstractEventLoop]


def close(transport: Any) -> None:
    transport.close()


def writeAndClose(transport: Any) -> None:
    transport.write(b"bye")
    transport.close()


def abort(transport: Any) -> None:
    transport.abort()


def between(transport: Any, end: Callable[[Any], None], trace: Trace) -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(trace, "asked for before")
    end(transport)
    loop.call_soon(trace, "asked for after")


EXPECTED = [("asked for before",), ("lost", None), ("asked for after",)]


@everyLoop
@pytest.mark.parametrize("end", [close, writeAndClose, abort])
def test_inATask(factory: Factory, end: Callable[[Any], None]) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace)
        between(protocol.transport, end, trace)
        await protocol.over
        await asyncio.sleep(0)
        peer.sock.close()

    assert traceOf(factory, program)[1:] == EXPECTED


@everyLoop
@pytest.mark.parametrize("end", [close, writeAndClose, abort])
def test_inACallbackOfIts(factory: Factory, end: Callable[[Any], None]) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace, data=lambda told: between(told.transport, end, trace))
        peer.send(b"x")
        await protocol.over
        await asyncio.sleep(0)
        peer.sock.close()

    assert traceOf(factory, program)[2:] == EXPECTED


@everyLoop
@pytest.mark.parametrize("end", [close, abort])
@pytest.mark.parametrize("reading", [True, False], ids=["reading", "writing"])
def test_ofAPipe(factory: Factory, end: Callable[[Any], None], reading: bool) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        r, w = os.pipe()
        ours, theirs = (r, w) if reading else (w, r)
        connect: Any = loop.connect_read_pipe if reading else loop.connect_write_pipe
        transport, protocol = await connect(lambda: Told(trace), os.fdopen(ours, "rb" if reading else "wb", 0))
        # A reader has no abort in asyncio.
        between(transport, close if reading else end, trace)
        await protocol.over
        await asyncio.sleep(0)
        os.close(theirs)

    assert traceOf(factory, program)[1:] == EXPECTED


@everyLoop
def test_whatIsWrittenAfterOurEnd(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        protocol, peer = await connected(trace)
        protocol.transport.write_eof()
        for data in (b"x", b""):
            with pytest.raises(RuntimeError):
                protocol.transport.write(data)
        protocol.transport.close()
        await protocol.over
        peer.sock.close()

    assert traceOf(factory, program) == [("made",), ("lost", None)]


@everyLoop
def test_aTimerThatIsDueWaitsForWhatIsInLine(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()

        def first() -> None:
            trace("first timer")
            loop.call_soon(trace, "asked for by it")

        now = loop.time()
        loop.call_at(now - 2, first)
        loop.call_at(now - 1, trace, "second timer")
        loop.call_soon(trace, "in line")
        for _ in range(4):
            await asyncio.sleep(0)

    assert traceOf(factory, program) == [("in line",), ("first timer",), ("second timer",), ("asked for by it",)]
