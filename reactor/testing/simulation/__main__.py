"""``python -m reactor.testing.simulation --seeds 100000 --jobs 2``: as many simulations, one a seed, in that many
processes. Prints of each that fails why, the smallest plan that was found to fail too, and how to run both again; ends
with status 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from time import monotonic

from reactor.testing.simulation.many import simulated


def main() -> int:
    """What the command does; its status."""
    parser = argparse.ArgumentParser(prog="python -m reactor.testing.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes")
    parser.add_argument("--quiet", action="store_true", help="print one line for a seed that fails")
    parser.add_argument("--count", action="store_true", help="print how often each thing was done or broke")
    options = parser.parse_args()
    failed, began = [], monotonic()
    counts: Counter[str] = Counter()
    seeds = range(options.start, options.start + options.seeds)
    for seed, (problem, happened) in zip(seeds, simulated(seeds, options.jobs), strict=True):
        counts += happened
        if problem is not None:
            failed.append(seed)
            sys.stdout.write(f"{problem.partition(chr(10))[0] if options.quiet else problem}\n")
            sys.stdout.flush()
    if options.count:
        for what, number in sorted(counts.items()):
            sys.stdout.write(f"{number:9} {what}\n")
    seconds = monotonic() - began
    sys.stdout.write(f"{options.seeds} seeds from {options.start} in {seconds:.1f} s, {len(failed)} failed: {failed}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
