"""Both worlds in one program: a reactor that carries a loop, a loop that owns a reactor, and what waits for what."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

import reactor as package
import reactor.aio as aio
from reactor import currentReactor
from reactor.base import Reactor
from reactor.defer import CancelledError, Deferred, ensureDeferred, inlineCallbacks
from reactor.task import deferLater


def runOn(reactor: Reactor, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What `coroutine`, driven by a Deferred, comes to while `reactor` runs."""
    results: list[Any] = []

    def begin() -> None:
        d = ensureDeferred(coroutine)
        d.addBoth(results.append)
        d.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    (result,) = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


@pytest.fixture
def carrying() -> Generator[Reactor]:
    reactor = Reactor()
    loop = aio.install(reactor)
    yield reactor
    loop.close()
    reactor.close()


async def soon(value: Any) -> Any:
    await asyncio.sleep(0.001)
    return value


def test_theLoopIsTheRunningOneInEveryCallback(carrying: Reactor) -> None:
    loop = aio.install(carrying)
    seen: list[object] = []
    carrying.callLater(0, lambda: seen.append(asyncio.get_running_loop()))
    carrying.callFromThread(lambda: seen.append(asyncio.get_running_loop()))
    carrying.callLater(0.001, carrying.stop)
    carrying.run(installSignalHandlers=False)
    assert seen == [loop, loop]
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_theLoopIsTheRunningOneInAnIteration(carrying: Reactor) -> None:
    loop = aio.install(carrying)
    seen: list[object] = []
    task = loop.create_task(soon("done"))
    task.add_done_callback(lambda _: seen.append(asyncio.get_running_loop()))
    # One inside of another one, too.
    carrying.callLater(0, carrying.iterate)
    carrying.callLater(0.0001, lambda: seen.append(asyncio.get_running_loop()))
    while not task.done() or len(seen) < 2:
        carrying.iterate(0.01)
    assert seen == [loop, loop]
    assert not loop.is_running()


def test_stoppedByItsOwnStopTheLoopRunsAgain(carrying: Reactor) -> None:
    loop = aio.install(carrying)
    carrying.callLater(0, loop.stop)
    carrying.run(installSignalHandlers=False)
    assert loop.run_until_complete(soon("again")) == "again"


def test_installingWhileItRuns() -> None:
    reactor = Reactor()
    seen: list[object] = []

    def begin() -> None:
        seen.append(aio.install())
        seen.append(asyncio.get_running_loop())
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    assert seen[0] is seen[1] is aio.install(reactor)
    aio.install(reactor).close()
    reactor.close()


def test_startRunsATask(carrying: Reactor) -> None:
    async def library() -> str:
        async with asyncio.timeout(100):
            assert asyncio.current_task() is not None
            return await soon("done")  # type: ignore[no-any-return]

    async def ours() -> str:
        return await aio.start(library())

    assert runOn(carrying, ours()) == "done"


def test_whatWasStartedIsKeptThoughNobodyElseHoldsIt(carrying: Reactor) -> None:
    told: list[str] = []

    async def serving() -> None:
        # A cycle that nothing else knows of: the task waits for a future that only its own frame holds.
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("stopped")

    def begin() -> None:
        aio.start(serving())
        carrying.callLater(0, collect)

    def collect() -> None:
        carrying.callLater(0, carrying.stop)
        gc.collect()
        told.append("collected")

    carrying.callWhenRunning(begin)
    carrying.run(installSignalHandlers=False)
    assert told == ["collected", "stopped"]
    loop = aio.install(carrying)
    assert not loop._started


def test_aCoroutineOfADeferredWaitsForFuturesAndTasks(carrying: Reactor) -> None:
    async def ours() -> list[object]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_later(0.001, future.set_result, 1)
        task = loop.create_task(soon(2))
        failing = loop.create_future()
        loop.call_later(0.001, failing.set_exception, KeyError("x"))
        got: list[object] = [await future, await task, await soon(3), await asyncio.gather(soon(4), soon(5))]
        with pytest.raises(KeyError):
            await failing
        return got

    assert runOn(carrying, ours()) == [1, 2, 3, [4, 5]]


def test_inlineCallbacksMayYieldAFuture(carrying: Reactor) -> None:
    @inlineCallbacks
    def generator() -> Generator[Any, Any, int]:
        got = yield asyncio.get_running_loop().create_task(soon(7))
        return got  # type: ignore[no-any-return]

    async def ours() -> int:
        return await generator()

    assert runOn(carrying, ours()) == 7


def test_aTaskWaitsForDeferreds() -> None:
    async def main() -> list[object]:
        from reactor import reactor as mine

        late: Deferred[str] = Deferred()
        mine.callLater(0.001, late.callback, "late")
        failing: Deferred[str] = Deferred()
        mine.callLater(0.001, failing.errback, KeyError("x"))
        got: list[object] = [await late, await deferLater(mine, 0.001, lambda: "later")]
        with pytest.raises(KeyError):
            await failing
        return got

    assert aio.run(main()) == ["late", "later"]


def test_noTaskIsCurrentInACoroutineThatADeferredDrives() -> None:
    async def driven() -> object:
        before = asyncio.current_task()
        with pytest.raises(RuntimeError):
            async with asyncio.timeout(1):
                pass
        await soon(None)
        return before, asyncio.current_task()

    async def main() -> object:
        mine = asyncio.current_task()
        got = await ensureDeferred(driven())
        assert asyncio.current_task() is mine
        return got

    assert aio.run(main()) == (None, None)


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("outermost", ["task", "deferred"])
def test_cancellingGoesThroughAChainThatAlternates(depth: int, outermost: str) -> None:
    told: list[str] = []
    innermost: list[Any] = []

    async def asTask(left: int) -> None:
        try:
            await (wait() if not left else ensureDeferred(asDeferred(left - 1)))
        except BaseException as e:
            told.append(f"task {type(e).__name__}")
            raise

    async def asDeferred(left: int) -> None:
        try:
            await (wait() if not left else asyncio.get_running_loop().create_task(asTask(left - 1)))
        except BaseException as e:
            told.append(f"deferred {type(e).__name__}")
            raise

    def wait() -> Deferred[None]:
        innermost.append(Deferred(lambda _: told.append("cancelled")))
        return innermost[0]  # type: ignore[no-any-return]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        if outermost == "task":
            task = loop.create_task(asTask(depth))
            await deferLater(currentReactor(), 0.01)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, CancelledError)):
                await task
        else:
            d = ensureDeferred(asDeferred(depth))
            await deferLater(currentReactor(), 0.01)
            d.cancel()
            with pytest.raises((asyncio.CancelledError, CancelledError)):
                await d
        # What was cancelled through a future is so in a turn of its own.
        await deferLater(currentReactor(), 0.01)

    aio.run(main())
    assert told.count("cancelled") == 1
    assert len(told) == depth + 2


def test_theCarryingReactorIsTheOneThatIsImported() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        from reactor import reactor as mine

        assert mine is loop.reactor is currentReactor() is package.reactor  # type: ignore[attr-defined]
        assert mine.running

    aio.run(main())


def test_stopCancelsTasksAndLetsThemFinish(carrying: Reactor) -> None:
    told: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.001)
            told.append("tidied up")

    async def counting() -> Any:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            told.append("generator closed")

    async def first() -> None:
        async for _ in counting():
            await asyncio.sleep(1000)

    ended: list[object] = []
    carrying.addSystemEventTrigger("during", "shutdown", told.append, "shutdown")
    for coroutine in (long(), first()):
        aio.start(coroutine, reactor=carrying).addErrback(lambda failure: ended.append(failure.type))
    carrying.callLater(0.01, carrying.stop)
    carrying.run(installSignalHandlers=False)
    assert sorted(told[:2]) == ["generator closed", "tidied up"] and told[2:] == ["shutdown"]
    assert ended == [asyncio.CancelledError] * 2


def test_aTaskThatDoesNotEndIsWaitedForSoLong(carrying: Reactor, caplog: pytest.LogCaptureFixture) -> None:
    loop = aio.install(carrying)
    loop.stopTimeout = 0.02

    yielding: list[bool] = []

    async def stubborn() -> None:
        while not yielding:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass

    task = loop.create_task(stubborn(), name="stubborn")
    carrying.callLater(0.001, carrying.stop)
    carrying.run(installSignalHandlers=False)
    assert "stubborn" in caplog.text and not task.done()
    yielding.append(True)
    task.cancel()
    loop.run_until_complete(task)


def test_aLoopInsideARunningReactorSaysWhatToCall() -> None:
    reactor = Reactor()
    said: list[str] = []

    def begin() -> None:
        loop = aio.EventLoop()
        coroutine = soon(1)
        with pytest.raises(RuntimeError) as raised:
            loop.run_until_complete(coroutine)
        said.append(str(raised.value))
        coroutine.close()
        loop.close()
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    reactor.close()
    assert "reactor.aio.start(coroutine)" in said[0]


def test_reactorStopEndsTheMainTask() -> None:
    async def main() -> None:
        from reactor import reactor as mine

        mine.callLater(0.001, mine.stop)
        await asyncio.sleep(1000)

    with pytest.raises(asyncio.CancelledError):
        aio.run(main())


def test_threadsHaveLoopsOfTheirOwn() -> None:
    results: list[object] = []

    def work(number: int) -> None:
        async def main() -> object:
            from reactor import reactor as mine

            await deferLater(mine, 0.001)
            return number, mine is asyncio.get_running_loop().reactor  # type: ignore[attr-defined]

        results.append(aio.run(main()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(number, True) for number in range(4)]  # type: ignore[type-var]


def test_fiveHundredLoopsLeaveNothingBehind() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    for _ in range(3):
        aio.run(main())
    gc.collect()
    before, threads, objects = descriptors(), threading.active_count(), len(gc.get_objects())
    for _ in range(500):
        aio.run(main())
    gc.collect()
    assert (descriptors(), threading.active_count()) == (before, threads)
    assert len(gc.get_objects()) < objects + 500


def test_arguments() -> None:
    with pytest.raises(TypeError, match="EventLoop"):
        aio.EventLoop("reactor")  # type: ignore[arg-type]
    reactor = Reactor()
    loop = aio.install(reactor)
    with pytest.raises(RuntimeError, match="carries"):
        aio.EventLoop(reactor)
    loop.close()
    reactor.close()
