"""Calls from threads and signal handlers take their place in the line of calls, and leave nothing behind there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from bothloops import Trace, everyLoop, traceOf

Factory = Callable[[], asyncio.AbstractEventLoop]


@everyLoop
def test_aBusyLoopLooksAtItsSocketsAsOftenAfterMany(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(100):
            loop.call_soon_threadsafe(int)
        one, other = socket.socketpair()
        one.send(b"never taken: it is readable in every turn")
        looks = 0

        def look() -> None:
            nonlocal looks
            looks += 1

        loop.add_reader(other, look)
        for _ in range(300):
            # Busy: there is always something in the line.
            await asyncio.sleep(0)
        loop.remove_reader(other)
        one.close()
        other.close()
        trace("looked often", looks > 200)

    assert traceOf(factory, program) == [("looked often", True)]


@everyLoop
def test_whatACallAsksForWaitsForTheNextTurn(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        one, other = socket.socketpair()
        one.send(b"readable")
        loop.add_reader(other, lambda: (trace("looked"), loop.remove_reader(other)))

        def first() -> None:
            loop.call_soon(second)

        def second() -> None:
            trace("second")
            done.set_result(None)

        loop.call_soon_threadsafe(first)
        loop.call_soon_threadsafe(int)
        loop.call_soon_threadsafe(int)
        await done
        one.close()
        other.close()

    assert traceOf(factory, program) == [("looked",), ("second",)]
