"""What a reactor under Twisted does without system calls: `python -m bench.twistedcalls PEER calls SECONDS`.

PEER can only be "twisted": whose reactor that is, `bench.undertwisted` decides. Prints microseconds of CPU time per
operation as JSON: the median of as many batches as SECONDS allow for each operation, all in one run of the reactor, the
turns that a batch takes included.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module

from bench import peers
from bench.aiocalls import BATCH, FIRED, perOperation
from bench.ops import nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


async def calls(reactor: Any, seconds: float) -> dict[str, float]:
    """The figures of the reactor that runs."""
    Deferred = peers.deferOf("twisted").Deferred
    deferLater = import_module("twisted.internet.task").deferLater

    async def cancelled(count: int) -> None:
        for _ in range(count):
            reactor.callLater(60, nothing).cancel()
        await deferLater(reactor, 0)

    async def reset(count: int) -> None:
        call = reactor.callLater(60, nothing)
        for _ in range(count):
            call.reset(60)
        call.cancel()
        await deferLater(reactor, 0)

    async def fired(count: int) -> None:
        over = Deferred()
        for _ in range(count):
            reactor.callLater(0.002, nothing)
        reactor.callLater(0.003, over.callback, None)
        await over

    async def chained(count: int) -> None:
        for _ in range(count):
            await deferLater(reactor, 0, nothing)

    return {
        "cancel": await perOperation(cancelled, BATCH, seconds),
        "reset": await perOperation(reset, BATCH, seconds),
        "fire": await perOperation(fired, FIRED, seconds),
        "deferLater": await perOperation(chained, BATCH, seconds),
    }


def main() -> None:
    """Measure what the command line names."""
    name, _, seconds = sys.argv[1:]
    signal.alarm(int(float(seconds)) * 8 + 60)
    reactor, _ = peers.reactorOf(name)

    async def measure() -> None:
        print(json.dumps(await calls(reactor, float(seconds))), flush=True)

    def start() -> None:
        peers.deferOf(name).ensureDeferred(measure()).addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(start)
    reactor.run()


if __name__ == "__main__":
    main()
