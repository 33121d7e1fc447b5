"""The ways in which programs and other people's programs are told which loop to use."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor
import reactor.aio as aio


async def name() -> str:
    await asyncio.sleep(0)
    return type(asyncio.get_running_loop()).__name__


def test_runners() -> None:
    with asyncio.Runner(loop_factory=aio.EventLoop) as runner:
        assert runner.run(name()) == "EventLoop"
    assert aio.run(name()) == "EventLoop"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio.run takes a factory from Python 3.12 on")
def test_asyncioRun() -> None:
    assert asyncio.run(name(), loop_factory=aio.EventLoop) == "EventLoop"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="unittest takes a factory from Python 3.13 on")
def test_unittest() -> None:
    class Test(unittest.IsolatedAsyncioTestCase):
        loop_factory = aio.EventLoop

        async def test(self) -> None:
            self.assertEqual(await name(), "EventLoop")

    result = unittest.TestResult()
    Test("test").run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="there are no policies from Python 3.16 on")
def test_policy() -> None:
    program = """
import asyncio, warnings
import reactor.aio
warnings.simplefilter("ignore", DeprecationWarning)
asyncio.set_event_loop_policy(reactor.aio.EventLoopPolicy())
async def name():
    return type(asyncio.get_running_loop()).__name__
print(asyncio.run(name()))
"""
    assert run([sys.executable, "-c", program]) == "EventLoop\n"


def test_anyio() -> None:
    anyio = pytest.importorskip("anyio")

    async def main() -> str:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001)
        return await name()

    assert anyio.run(main, backend_options={"loop_factory": aio.EventLoop}) == "EventLoop"


def test_uvicorn(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    (tmp_path / "app.py").write_text(
        """
import asyncio
async def app(scope, receive, send):
    if scope["type"] == "http":
        body = type(asyncio.get_running_loop()).__name__.encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
"""
    )
    command = [sys.executable, "-m", "uvicorn", "--loop", "reactor.aio:EventLoop", "--port", "0", "app:app"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                found = re.search(r"running on (http://\S+)", line)
                if found:
                    break
            assert found
            with urllib.request.urlopen(found[1], timeout=PATIENCE) as answer:
                assert answer.read() == b"EventLoop"
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}


def run(command: list[str]) -> str:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
