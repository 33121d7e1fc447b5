"""Calls again and again, and calls between threads: `python -m bench.calls PEER looping|threads SECONDS`.

Prints microseconds per call as JSON: the median of as many batches as SECONDS allow, all in one run of the loop.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from statistics import median
from threading import Thread
from time import perf_counter, process_time

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# How many LoopingCalls run at a time, and how often all of them together are called in a batch.
LOOPS, CALLS = 100, 20_000
FROM_THREAD = 100_000
TO_THREAD = 1000
_FEWEST = 3


def nothing() -> None:
    """The call that does nothing."""


def looping(name: str, seconds: float) -> dict[str, float]:
    """LoopingCalls with an interval of 0, on the reactor: CPU time of a call."""
    reactor, _ = peers.reactorOf(name)
    LoopingCall = import_module(peers.MODULES[name] + ".task").LoopingCall
    took: list[float] = []
    count, began, end = 0, 0.0, perf_counter() + seconds

    def tick() -> None:
        nonlocal count, began
        count += 1
        if count == CALLS:
            took.append(process_time() - began)
            count, began = 0, process_time()
            if len(took) >= _FEWEST and perf_counter() > end:
                reactor.stop()

    def start() -> None:
        nonlocal began
        began = process_time()
        for _ in range(LOOPS):
            LoopingCall(tick).start(0)

    reactor.callWhenRunning(start)
    reactor.run()
    return {"looping": median(took) / CALLS * 1e6}


def threads(name: str, seconds: float) -> dict[str, float]:
    """Calls into the loop from another thread, until the last has run; and work in a thread, one after another."""
    if peers.hasReactor(name):
        reactor, _ = peers.reactorOf(name)
        deferToThread = import_module(peers.MODULES[name] + ".threads").deferToThread
        defer = peers.deferOf(name)
        figures: dict[str, float] = {}

        async def measure() -> None:
            await _threads(reactor.callFromThread, deferToThread, defer.Deferred, "callback", seconds, figures)

        def start() -> None:
            defer.ensureDeferred(measure()).addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(start)
        reactor.run()
        return figures
    import asyncio

    async def main() -> dict[str, float]:
        loop = asyncio.get_running_loop()
        figures: dict[str, float] = {}
        future = loop.create_future
        await _threads(loop.call_soon_threadsafe, asyncio.to_thread, future, "set_result", seconds, figures)
        return figures

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        return runner.run(main())


async def _threads(
    fromThread: Callable[..., object],
    toThread: Callable[..., Any],
    promise: Callable[[], Any],
    keep: str,
    seconds: float,
    figures: dict[str, float],
) -> None:
    took: list[float] = []
    end = perf_counter() + seconds
    while len(took) < _FEWEST or perf_counter() < end:
        finished = promise()
        began = perf_counter()
        Thread(target=_calls, args=(fromThread, getattr(finished, keep))).start()
        await finished
        took.append(perf_counter() - began)
    figures["from"] = median(took) / FROM_THREAD * 1e6
    took.clear()
    end = perf_counter() + seconds
    while len(took) < _FEWEST or perf_counter() < end:
        began = perf_counter()
        for _ in range(TO_THREAD):
            await toThread(nothing)
        took.append(perf_counter() - began)
    figures["to"] = median(took) / TO_THREAD * 1e6


def _calls(fromThread: Callable[..., object], last: Callable[[Any], object]) -> None:
    for _ in range(FROM_THREAD - 1):
        fromThread(nothing)
    fromThread(last, None)


def main() -> None:
    """Measure what the command line names."""
    name, kind, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) * 8 + 60)
    figures = {"looping": looping, "threads": threads}[kind](name, float(seconds))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
