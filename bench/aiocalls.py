"""What an asyncio loop does without system calls: `python -m bench.aiocalls PEER calls SECONDS`.

"ours" is `reactor.aio.EventLoop` here. Prints microseconds of CPU time per operation as JSON: the median of as many
batches as SECONDS allow for each operation, all in one run of the loop, the turns that a batch takes included.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from statistics import median
from time import perf_counter, process_time

from bench import peers
from bench.ops import nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BATCH = 1000
# Those that wait for the clock want a batch beside which their one wait is nothing.
FIRED = 10_000
_FEWEST = 3


async def perOperation(batch: Callable[[int], Awaitable[object]], count: int, seconds: float) -> float:
    """The microseconds of CPU time for each of the `count` operations of `await batch(count)`."""
    took: list[float] = []
    end = perf_counter() + seconds
    while len(took) < _FEWEST or perf_counter() < end:
        began = process_time()
        await batch(count)
        took.append(process_time() - began)
    return median(took) / count * 1e6


async def soon(count: int) -> None:
    """That many calls of the next turn."""
    call = asyncio.get_running_loop().call_soon
    for _ in range(count):
        call(nothing)
    await asyncio.sleep(0)


async def cancelled(count: int) -> None:
    """Delayed calls that are taken back."""
    later = asyncio.get_running_loop().call_later
    for _ in range(count):
        later(60, nothing).cancel()
    await asyncio.sleep(0)


async def fired(count: int) -> None:
    """Delayed calls that come. They are that late because uvloop counts in milliseconds, and makes no timer of none."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    for _ in range(count):
        loop.call_later(0.002, nothing)
    loop.call_later(0.003, over.set_result, None)
    await over


async def slept(count: int) -> None:
    """A task that lets the others go first, again and again."""
    sleep = asyncio.sleep
    for _ in range(count):
        await sleep(0)


async def made(count: int) -> None:
    """Tasks of a single step."""
    create = asyncio.get_running_loop().create_task
    for _ in range(count):
        create(_nothing())
    await asyncio.sleep(0)


async def _nothing() -> None:
    pass


async def calls(seconds: float) -> dict[str, float]:
    """The figures of the loop that runs."""
    return {
        "soon": await perOperation(soon, BATCH, seconds),
        "cancel": await perOperation(cancelled, BATCH, seconds),
        "fire": await perOperation(fired, FIRED, seconds),
        "sleep": await perOperation(slept, BATCH, seconds),
        "task": await perOperation(made, BATCH, seconds),
    }


def main() -> None:
    """Measure what the command line names."""
    name, _, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) * 8 + 60)
    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        print(json.dumps(runner.run(calls(float(seconds)))))


if __name__ == "__main__":
    main()
