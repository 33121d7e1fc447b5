"""Debug mode: protocols that take long are named in the log."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from bothloops import Told, Trace, connected, traceOf

import reactor.aio as aio


def test_aSlowProtocolIsLogged(caplog: pytest.LogCaptureFixture) -> None:
    def takesLong(told: Told) -> None:
        time.sleep(0.002)
        told.transport.close()

    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.002
        protocol, peer = await connected(trace, data=takesLong)
        with caplog.at_level(logging.WARNING, "asyncio"):
            peer.send(b"x")
            await protocol.over
        peer.sock.close()

    traceOf(aio.EventLoop, program)
    assert [text for text in caplog.messages if "data_received" in text and " took " in text]
