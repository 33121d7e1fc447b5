"""Children of asyncio: the end is told last, however early it comes."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from bothloops import Trace, everyLoop, traceOf

Factory = Callable[[], asyncio.AbstractEventLoop]


class Ended(subprocess.Popen[bytes]):
    """A child that has ended before anybody looks."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)


class Watching(asyncio.SubprocessProtocol):
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.trace("made")

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.trace("data", fd, data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.trace("lost")
        self.over.set_result(None)


@everyLoop
def test_oneThatEndsBeforeItsPipesAreTakenOver(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def program(trace: Trace) -> None:
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", Ended)
            transport, protocol = await loop.subprocess_exec(
                lambda: Watching(trace), "sh", "-c", "echo problem >&2", stdin=None
            )
        await protocol.over
        transport.close()

    assert traceOf(factory, program) == [("made",), ("data", 2, b"problem\n"), ("lost",)]
