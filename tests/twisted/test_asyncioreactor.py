"""A reactor for Twisted's programs that carries a loop of asyncio's: who takes it for one, and what runs on it."""

from __future__ import annotations

import asyncio
import selectors
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted.internet")

from onframe import madeFor, runOn
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

import reactor.aio
from reactor import defer as ourDefer
from reactor._ground.current import currentReactor
from reactor.task import deferLater as ourDeferLater
from reactor.twisted import AsyncioTwistedReactor

FOLDER = str(Path(reactor.aio.__file__).parents[2])


@pytest.fixture
def frame() -> Iterator[Any]:
    with madeFor(AsyncioTwistedReactor) as made:
        yield made


def test_itIsTakenForTwistedsOwn(frame: Any) -> None:
    assert isinstance(frame, AsyncioSelectorReactor)
    assert isinstance(frame._asyncioEventloop, reactor.aio.EventLoop)
    assert frame._asyncioEventloop.reactor is frame.engine
    # None of that class's own books.
    assert not {"_readers", "_writers", "_continuousPolling", "_timerHandle"} & set(vars(frame))
    inherited = [
        name
        for name in ("run", "stop", "crash", "iterate", "callLater", "callFromThread", "addReader", "removeAll")
        if getattr(frame, name).__module__.startswith("twisted")
    ]
    assert inherited == []


def test_theLoopRunsInEveryCallback(frame: Any) -> None:
    loop = frame._asyncioEventloop
    seen: list[Any] = []

    def look(where: str) -> None:
        seen.append((where, asyncio.get_running_loop() is loop))

    frame.addSystemEventTrigger("before", "startup", look, "startup")
    frame.callLater(0, look, "timer")
    frame.callFromThread(look, "thread")
    frame.addSystemEventTrigger("after", "shutdown", look, "shutdown")
    frame.callLater(0.001, frame.stop)
    frame.run(installSignalHandlers=False)
    assert seen == [("startup", True), ("thread", True), ("timer", True), ("shutdown", True)]
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_theLoopRunsWhenOthersTurnTheReactor(frame: Any) -> None:
    loop = frame._asyncioEventloop
    told: list[Any] = []

    async def task(name: str) -> None:
        await asyncio.sleep(0)
        told.append((name, asyncio.get_running_loop() is loop))

    tasks = [loop.create_task(task("iterated"))]
    while not told:
        frame.iterate()
    frame.startRunning(installSignalHandlers=False)
    tasks.append(loop.create_task(task("until current")))
    while len(told) < 2:
        frame.runUntilCurrent()
    tasks.append(loop.create_task(task("iteration")))
    while len(told) < 3:
        frame.doIteration(frame.timeout())
    assert told == [("iterated", True), ("until current", True), ("iteration", True)]
    assert not loop.is_running()


def test_futuresAndDeferreds(frame: Any) -> None:
    loop = frame._asyncioEventloop

    async def library(value: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            await asyncio.sleep(0.001)
        if isinstance(value, Exception):
            raise value
        return value

    @inlineCallbacks
    def old() -> Any:
        got = yield Deferred.fromFuture(loop.create_task(library("yielded")))
        return got

    async def program() -> list[Any]:
        got = [await Deferred.fromFuture(asyncio.ensure_future(library("future"))), await old()]
        with pytest.raises(KeyError):
            await Deferred.fromFuture(loop.create_task(library(KeyError("x"))))

        async def task() -> Any:
            return await deferLater(frame, 0.001, lambda: "deferred").asFuture(loop)

        return [*got, await Deferred.fromFuture(loop.create_task(task()))]

    assert runOn(frame, program()) == ["future", "yielded", "deferred"]


def test_cancellingGoesBothWays(frame: Any) -> None:
    loop = frame._asyncioEventloop
    told: list[str] = []

    async def program() -> None:
        async def task() -> None:
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                told.append("task")
                raise

        d = Deferred.fromFuture(loop.create_task(task()))
        await deferLater(frame, 0)
        d.cancel()
        with pytest.raises((CancelledError, asyncio.CancelledError)):
            await d
        waited: Deferred[None] = Deferred(lambda _: told.append("deferred"))
        future = waited.asFuture(loop)
        future.cancel()
        await deferLater(frame, 0.001)

    runOn(frame, program())
    assert sorted(told) == ["deferred", "task"]


def test_aChainOfAllThree(frame: Any) -> None:
    """A task waits for a coroutine of Twisted's, that for one of ours, and that for a task."""
    loop = frame._asyncioEventloop

    async def innermost() -> str:
        await asyncio.sleep(0.001)
        return "innermost"

    async def ours() -> str:
        got = [await loop.create_task(innermost()), await deferLater(frame, 0.001, lambda: "ours")]
        return " ".join(got)

    async def twisteds() -> str:
        # Begun in the step of a task, which is the current one meanwhile.
        with pytest.raises(KeyError):
            await ourDefer.ensureDeferred(failing())
        later = ourDeferLater(frame.engine, 0.001)
        await later
        return await ourDefer.ensureDeferred(ours())

    async def failing() -> None:
        await ourDeferLater(frame.engine, 0.001)
        raise KeyError

    async def task() -> Any:
        return await ensureDeferred(twisteds()).asFuture(loop)

    async def program() -> Any:
        return await Deferred.fromFuture(loop.create_task(task()))

    assert runOn(frame, program()) == "innermost ours"


def test_streamsOfOneAndEndpointsOfTheOther(frame: Any) -> None:
    class Upper(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data.upper())  # type: ignore[union-attr]

    class Client(Protocol):
        def __init__(self) -> None:
            self.got: Deferred[bytes] = Deferred()

        def connectionMade(self) -> None:
            self.transport.write(b"from twisted")  # type: ignore[union-attr]

        def dataReceived(self, data: bytes) -> None:
            self.got.callback(data)

    async def client(number: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"from asyncio")
        got = await reader.readexactly(12)
        writer.close()
        await writer.wait_closed()
        return got

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(12)).title())
        await writer.drain()
        writer.close()

    async def program() -> list[bytes]:
        port = await TCP4ServerEndpoint(frame, 0, interface="127.0.0.1").listen(Factory.forProtocol(Upper))
        got = [await Deferred.fromFuture(asyncio.ensure_future(client(port.getHost().port)))]
        await port.stopListening()
        server = await Deferred.fromFuture(asyncio.ensure_future(asyncio.start_server(answer, "127.0.0.1", 0)))
        number = server.sockets[0].getsockname()[1]
        made = await TCP4ClientEndpoint(frame, "127.0.0.1", number).connect(Factory.forProtocol(Client))
        got.append(await made.got)
        server.close()
        return got

    assert runOn(frame, program()) == [b"FROM ASYNCIO", b"From Twisted"]


def test_tasksEndByThemselvesInTriggersAndWhatIsLeftIsEnded(frame: Any) -> None:
    loop = frame._asyncioEventloop
    told: list[str] = []
    enough = asyncio.Event()

    async def work() -> None:
        await enough.wait()
        await asyncio.sleep(0.01)
        told.append("finished")

    async def left() -> None:
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            await asyncio.sleep(0.001)
            told.append("ended")

    def tidy() -> Deferred[Any]:
        enough.set()
        return Deferred.fromFuture(worker)

    frame.addSystemEventTrigger("before", "shutdown", tidy)
    frame.addSystemEventTrigger("after", "shutdown", told.append, "shut down")
    worker, other = loop.create_task(work()), loop.create_task(left())
    frame.callLater(0.001, frame.stop)
    frame.run(installSignalHandlers=False)
    assert told == ["finished", "shut down", "ended"]
    assert other.cancelled() and not asyncio.all_tasks(loop)


def test_crashedItLeavesTasksToTheNextRun(frame: Any) -> None:
    loop = frame._asyncioEventloop

    going = asyncio.Event()

    async def work() -> str:
        # A timer that is due in any of the runs.
        await asyncio.sleep(0.001)
        await going.wait()
        return "done"

    task = loop.create_task(work())
    for _ in range(3):
        frame.callLater(0.001, frame.crash)
        frame.run(installSignalHandlers=False)
    assert not task.done()
    going.set()
    task.add_done_callback(lambda _: frame.crash())
    frame.run(installSignalHandlers=False)
    assert task.result() == "done"


def test_theLoopIsRunByItself(frame: Any) -> None:
    """As programs do before and after the reactor's run."""
    loop = frame._asyncioEventloop

    async def main() -> str:
        assert currentReactor() is frame.engine
        return await deferLater(frame, 0.001, lambda: "one").asFuture(loop)  # type: ignore[no-any-return]

    assert loop.run_until_complete(main()) == "one"

    async def program() -> Any:
        return await Deferred.fromFuture(loop.create_task(asyncio.sleep(0.001, "two")))

    assert runOn(frame, program()) == "two"
    assert loop.run_until_complete(asyncio.sleep(0.001, "three")) == "three"


def test_turnsAreMeasured(frame: Any) -> None:
    """As Synapse does it, by private names."""

    class Around:
        waits = 0

        def __init__(self, wrapped: Any) -> None:
            self.wrapped = wrapped

        def poll(self, *arguments: Any) -> Any:
            self.waits += 1
            return self.wrapped.poll(*arguments)

    selector = frame._asyncioEventloop._selector
    assert isinstance(selector, selectors.EpollSelector)
    wrapped = selector._selector
    around = Around(type("", (), {"poll": staticmethod(wrapped.poll)}))
    selector._selector = around
    assert selector._selector is around

    def again(left: int) -> None:
        frame.callLater(0, again, left - 1) if left else frame.stop()

    again(5)
    frame.run(installSignalHandlers=False)
    assert around.waits >= 5


def test_notInsideARunningLoop() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="a loop of its own"):
            AsyncioTwistedReactor()

    reactor.aio.run(main())


def ran(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_installed() -> None:
    program = (
        "import asyncio, sys, reactor.twisted\n"
        "frame = reactor.twisted.installAsyncio()\n"
        "import reactor\n"
        "from twisted.internet import reactor as theirs\n"
        "print(theirs is frame, reactor.reactor is frame.engine, type(frame).__module__, type(frame).__name__)\n"
        "print(asyncio.get_event_loop_policy().get_event_loop() is frame._asyncioEventloop)\n"
        "try: reactor.twisted.installAsyncio()\n"
        "except Exception as e: print(type(e).__name__)\n"
    )
    if sys.version_info >= (3, 14):
        program = program.replace("get_event_loop_policy().", "")
    assert ran(program) == ("True True reactor.twisted AsyncioTwistedReactor\nTrue\nReactorAlreadyInstalledError\n")


@pytest.mark.parametrize("name", ["TwistedReactor", "AsyncioTwistedReactor"])
def test_installPutsInTheClassThatWasNamed(name: str) -> None:
    """As Scrapy does by a path in its settings."""
    program = (
        "from importlib import import_module\n"
        f"named = getattr(import_module('reactor.twisted'), {name!r})\n"
        "import_module('reactor.twisted').install()\n"
        "from twisted.internet import reactor\n"
        "print(type(reactor) == named)\n"
    )
    assert ran(program) == "True\n"


FORKING = """
import asyncio, os
import reactor.twisted
frame = reactor.twisted.installAsyncio()
loop = frame._asyncioEventloop

async def task():
    print("begun", flush=True)
    await asyncio.sleep(0.01)
    print("over", asyncio.get_running_loop() is loop, os.getpid() != parent, flush=True)
    frame.stop()

parent = os.getpid()
begun = loop.create_task(task())
loop.call_soon(print, "called")
# As twistd does, twice, between making the reactor and running it.
for _ in range(2):
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
frame.run()
"""


def test_whatWaitsGoesOnInTheChildOfAForkBeforeTheRun() -> None:
    assert ran(FORKING) == "begun\ncalled\nover True True\n"


STUBBORN = """
import asyncio, os, signal
import reactor.twisted
frame = reactor.twisted.installAsyncio()
loop = frame._asyncioEventloop
loop.stopTimeout = 1000

async def stubborn():
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            print("not yet", flush=True)
            os.kill(os.getpid(), signal.SIGINT)

task = loop.create_task(stubborn())
frame.callLater(0.01, os.kill, os.getpid(), signal.SIGINT)
frame.run()
print(task.done(), flush=True)
os._exit(0)
"""


def test_aSecondSignalEndsTheWaitForTasksThatDoNotEnd() -> None:
    assert ran(STUBBORN) == "not yet\nFalse\n"


def test_withoutTwisted(tmp_path: Path) -> None:
    """A folder of that name, which other distributions' plugins are in, is not it; nor is an old one."""
    (tmp_path / "twisted" / "plugins").mkdir(parents=True)
    # Where ours is installed, Twisted is too.
    (tmp_path / "reactor").symlink_to(Path(FOLDER) / "reactor")
    bare = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import reactor.twisted"]
    done = subprocess.run(bare, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "ImportError: reactor.twisted needs Twisted: pip install" in done.stderr
    (tmp_path / "twisted" / "__init__.py").write_text(
        "class version:\n    major, minor = 24, 7\n    public = staticmethod(lambda: '24.7.0')\n"
    )
    done = subprocess.run(bare, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "ImportError: reactor.twisted needs Twisted 24.11 or newer; this is 24.7.0" in done.stderr
