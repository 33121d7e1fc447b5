"""Many simulations, one a seed, in one process or several."""

from __future__ import annotations

import random
from collections import Counter

from reactor.testing.simulation.plans import draw
from reactor.testing.simulation.running import simulate
from reactor.testing.simulation.shrinking import shrunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Seeds that a process is given at a time.
_PIECE = 50


def tried(seed: int) -> tuple[str | None, Counter[str]]:
    """What is to be told of a simulation that failed, None of one that did not; and what happened in it."""
    try:
        return None, simulate(seed).happened
    except AssertionError as e:
        return f"{e}\n{_again(seed)}", Counter()


def _again(seed: int) -> str:
    """How to run that one again."""
    plan = shrunk(draw(random.Random(seed)), seed)
    return (
        f"again: python -m reactor.testing.simulation --seeds 1 --start {seed}\n"
        f"or, smaller:\n"
        f"from reactor.testing.simulation.plans import Plan, Step\n"
        f"from reactor.testing.simulation.running import simulatePlan\n"
        f"simulatePlan({plan!r}, {seed})\n"
    )


def simulated(seeds: range, jobs: int = 1) -> Iterable[tuple[str | None, Counter[str]]]:
    """What `tried` says of each of `seeds`, in `jobs` processes."""
    if jobs <= 1:
        yield from map(tried, seeds)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Processes that inherit nothing of this one's.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(tried, seeds, chunksize=_PIECE)
