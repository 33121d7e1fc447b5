"""Descriptors that a program watches, and closes without a word."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from bothloops import Trace, everyLoop, traceOf

Factory = Callable[[], asyncio.AbstractEventLoop]


@everyLoop
def test_removedTwiceAfterItWasClosed(factory: Factory) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        number = one.fileno()
        loop.add_reader(number, int)
        one.close()
        other.close()
        await asyncio.sleep(0)
        trace(loop.remove_reader(number), loop.remove_reader(number), loop.remove_writer(number))

    assert traceOf(factory, program) == [(True, False, False)]


@everyLoop
@pytest.mark.parametrize("port", [-1, 65536])
def test_aPortThatIsNone(factory: Factory, port: int) -> None:
    async def program(trace: Trace) -> None:
        with pytest.raises(OverflowError, match="0-65535"):
            await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)

    assert traceOf(factory, program) == []
