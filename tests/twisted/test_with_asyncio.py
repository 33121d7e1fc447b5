"""Programs for Twisted that want a loop of asyncio's beside it, unchanged on our reactor: Scrapy, daphne and what
pytest-twisted runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE
from unchanged import PROGRAMS

pytest.importorskip("twisted.internet")

import reactor as package

FOLDER = Path(package.__file__).parents[1]


def printed(*command: object, folder: Path | None = None, status: int = 0) -> list[str]:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")])},
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("path", "asyncio"),
    [
        ("reactor.twisted.TwistedReactor", False),
        ("reactor.twisted.AsyncioTwistedReactor", True),
        ("reactor.twisted.asyncioreactor.AsyncioTwistedReactor", True),
    ],
)
def test_scrapy(path: str, asyncio: bool) -> None:
    pytest.importorskip("scrapy", minversion="2.13")
    said = printed(PROGRAMS / "on_scrapy.py", path)
    # Of 41 pages one is moved and one is not there; each of these two would have led to three more.
    assert said == [f"{path.rpartition('.')[2]} {asyncio}", "finished 33 1"]


SPIDER = """
import scrapy

class Nothing(scrapy.Spider):
    name = "nothing"

    async def start(self):
        from twisted.internet import reactor
        print(type(reactor).__name__, type(reactor._asyncioEventloop).__name__)
        for each in ():
            yield each
"""


def test_scrapysCommand(tmp_path: Path) -> None:
    pytest.importorskip("scrapy", minversion="2.13")
    (tmp_path / "nothing.py").write_text(SPIDER)
    settings = ("LOG_LEVEL=ERROR", "TWISTED_REACTOR=reactor.twisted.AsyncioTwistedReactor")
    settings += ("ASYNCIO_EVENT_LOOP=reactor.aio.EventLoop",)
    options = [option for each in settings for option in ("-s", each)]
    assert printed("-m", "scrapy", "runspider", "nothing.py", *options, folder=tmp_path) == [
        "AsyncioTwistedReactor CarriedLoop"
    ]


def test_daphne() -> None:
    pytest.importorskip("daphne")
    assert printed(PROGRAMS / "on_daphne.py") == [
        "200 reactor.twisted.asyncioreactor 50017 is what you said",
        "OVER A WEBSOCKET",
        "the WebSocket is closed",
    ]


ASYNCIO = """
import reactor.twisted

reactor.twisted.installAsyncio()
"""
PLAIN = """
import pytest_twisted
import reactor.twisted

pytest_twisted.reactor_installers["default"] = lambda: pytest_twisted._install_reactor(
    reactor.twisted.install, reactor.twisted.TwistedReactor
)
"""
TESTS = """
import asyncio
import pytest
import pytest_twisted
from twisted.internet import defer, reactor, task, threads

@pytest_twisted.async_yield_fixture
async def fixture():
    yield await task.deferLater(reactor, 0, lambda: "made")
    await task.deferLater(reactor, 0)

@pytest_twisted.inlineCallbacks
def test_generator(fixture):
    assert fixture == "made"
    assert (yield threads.deferToThread(lambda: 1)) == 1

@pytest_twisted.ensureDeferred
async def test_coroutine():
    await task.deferLater(reactor, 0.01)
    assert type(reactor).__name__ == {made!r}
    if hasattr(reactor, "_asyncioEventloop"):
        await defer.Deferred.fromFuture(asyncio.ensure_future(asyncio.sleep(0.001)))

@pytest_twisted.ensureDeferred
async def test_failing():
    await task.deferLater(reactor, 0)
    with pytest.raises(ZeroDivisionError):
        await task.deferLater(reactor, 0, lambda: 1 // 0)
"""


@pytest.mark.parametrize(
    ("conftest", "name", "made"),
    [(ASYNCIO, "asyncio", "AsyncioTwistedReactor"), (PLAIN, "default", "TwistedReactor")],
    ids=["asyncio", "plain"],
)
def test_pytestTwisted(conftest: str, name: str, made: str, tmp_path: Path) -> None:
    """Not in the extra `test`: where it is installed, it takes all tests for its own."""
    pytest.importorskip("pytest_twisted", reason="pytest-twisted is not installed (tox -e pytest-twisted)")
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_some.py").write_text(TESTS.replace("{made!r}", repr(made)))
    said = printed("-m", "pytest", "-q", f"--reactor={name}", "-p", "no:cacheprovider", folder=tmp_path)
    assert any("3 passed" in line for line in said)
