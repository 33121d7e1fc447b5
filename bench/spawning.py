"""Child processes, one after another: `python -m bench.spawning PEER spawn SECONDS`.

Prints microseconds for each as JSON: from the call that starts `true` until its end is told. `bare`: it has our own
standard input and output; `piped`: it has three pipes, read to their ends.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from shutil import which
from statistics import median
from time import perf_counter

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

# How many make a batch.
CHILDREN = 100
_FEWEST = 3


def spawn(name: str, seconds: float) -> dict[str, float]:
    """`true`, started and waited for."""
    program = which("true") or "/bin/true"
    figures: dict[str, float] = {}
    if peers.hasReactor(name):
        reactor, protocol = peers.reactorOf(name)
        Deferred = peers.deferOf(name).Deferred

        class Ends(protocol.ProcessProtocol):  # type: ignore[name-defined,misc]
            """Tells of its end."""

            def __init__(self) -> None:
                self.ended = Deferred()

            def processEnded(self, reason: object) -> None:
                self.ended.callback(None)

        def child(fds: dict[int, int] | None) -> Any:
            told = Ends()
            reactor.spawnProcess(told, program, ["true"], childFDs=fds)
            return told.ended

        async def measure() -> None:
            await _measured(lambda: child({0: 0, 1: 1, 2: 2}), lambda: child(None), seconds, figures)

        def start() -> None:
            import_module(peers.MODULES[name] + ".defer").ensureDeferred(measure()).addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(start)
        reactor.run()
        return figures
    import asyncio
    from subprocess import PIPE

    async def bare() -> None:
        await (await asyncio.create_subprocess_exec(program, env={})).wait()

    async def piped() -> None:
        await (
            await asyncio.create_subprocess_exec(program, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={})
        ).communicate()

    async def main() -> dict[str, float]:
        await _measured(bare, piped, seconds, figures)
        return figures

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        return runner.run(main())


async def _measured(
    bare: Callable[[], Awaitable[object]],
    piped: Callable[[], Awaitable[object]],
    seconds: float,
    figures: dict[str, float],
) -> None:
    for what, child in (("bare", bare), ("piped", piped)):
        # The first loads what it is made of.
        await child()
        took: list[float] = []
        end = perf_counter() + seconds
        while len(took) < _FEWEST or perf_counter() < end:
            began = perf_counter()
            for _ in range(CHILDREN):
                await child()
            took.append(perf_counter() - began)
        figures[what] = median(took) / CHILDREN * 1e6


def main() -> None:
    """Measure what the command line names."""
    name, kind, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) * 8 + 60)
    print(json.dumps({"spawn": spawn}[kind](name, float(seconds))))


if __name__ == "__main__":
    main()
