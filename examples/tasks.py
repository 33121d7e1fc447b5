"""Tasks: something every tenth of a second, long work a bit at a time beside it, and an exit status for the program.

python tasks.py [HOW_MANY]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from reactor.base import Reactor
from reactor.task import LoopingCall, cooperate, deferLater, react


def primes(most: int, found: list[int]) -> Iterator[None]:
    """The prime numbers below `most`, found one number a step: whoever else has something to do comes in between."""
    for number in range(2, most):
        if all(number % prime for prime in found):
            found.append(number)
        yield


async def main(reactor: Reactor, most: str = "3000") -> None:
    found: list[int] = []
    ticks: list[int] = []
    looping = LoopingCall.withCount(ticks.append)
    looping.start(0.01)

    await cooperate(primes(int(most), found)).whenDone()
    print(f"{len(found)} primes below {most}, the last one is {found[-1]}", flush=True)

    await deferLater(reactor, 0.03)
    looping.stop()
    print("ticked meanwhile:", len(ticks) > 1, flush=True)


react(main, sys.argv[1:])
