"""Many timers alive at a time: `python -m bench.many PEER COUNT`.

COUNT are scheduled for moments within a minute, in random order, and cancelled; COUNT are scheduled and run. Prints
microseconds for each as JSON ("schedule", "beside": made and cancelled again while all wait, "cancel", "fire": CPU time
from making the first until the last has run) and the "bytes" of resident memory for each that waits.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
from time import perf_counter, process_time

from bench.machine import residentKiB
from bench.ops import loopOf, nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BESIDE = 10_000
# Those that run are due within a time (seconds) in which no loop can run a million: it is never idle for long.
_WITHIN = 0.2
_EARLIEST = 0.002


def waiting(later: Callable[..., Any], delays: list[float]) -> dict[str, float]:
    """Timers that never run: what they cost to make, to hold and to cancel."""
    count = len(delays)
    # There before, so that what holds the timers is not counted as theirs.
    timers: list[Any] = [*delays]
    gc.collect()
    before, began = residentKiB(os.getpid()), perf_counter()
    for number, delay in enumerate(delays):
        timers[number] = later(delay, nothing)
    made = perf_counter() - began
    used = residentKiB(os.getpid()) - before
    began = perf_counter()
    for delay in delays[:BESIDE]:
        later(delay, nothing).cancel()
    beside = (perf_counter() - began) / min(count, BESIDE)
    began = perf_counter()
    for timer in timers:
        timer.cancel()
    cancelled = perf_counter() - began
    each = 1e6 / count
    return {
        "schedule": made * each,
        "beside": beside * 1e6,
        "cancel": cancelled * each,
        "bytes": max(used, 0.0) * 1024 / count,
    }


def measure(name: str, count: int) -> dict[str, float]:
    """All of it, in one run of the loop."""
    later, stop, run = loopOf(name)
    chance = random.Random(1)
    figures: dict[str, float] = {}
    left = count
    began = 0.0

    def start() -> None:
        nonlocal began
        figures.update(waiting(later, [60 + 60 * chance.random() for _ in range(count)]))
        delays = [_EARLIEST + _WITHIN * chance.random() for _ in range(count)]
        gc.collect()
        began = process_time()
        for delay in delays:
            later(delay, fired)

    def fired() -> None:
        nonlocal left
        left -= 1
        if not left:
            figures["fire"] = (process_time() - began) / count * 1e6
            stop()

    later(0, start)
    run()
    return figures


def main() -> None:
    """Measure what the command line names."""
    name, count = sys.argv[1:]
    signal.alarm(120)
    print(json.dumps(measure(name, int(count))))


if __name__ == "__main__":
    main()
