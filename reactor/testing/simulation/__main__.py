"""``python -m reactor.testing.simulation --seeds 100000 --start 0``: as many simulations, one a seed. Prints the seeds
that fail and why, and ends with status 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from time import monotonic

from reactor.testing.simulation.running import simulate


def main() -> int:
    """What the command does; its status."""
    parser = argparse.ArgumentParser(prog="python -m reactor.testing.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first one")
    parser.add_argument("--quiet", action="store_true", help="print one line for a seed that fails")
    options = parser.parse_args()
    failed, began = [], monotonic()
    for seed in range(options.start, options.start + options.seeds):
        try:
            simulate(seed)
        except AssertionError as e:
            failed.append(seed)
            sys.stdout.write(f"{str(e).partition(chr(10))[0] if options.quiet else e}\n")
            sys.stdout.flush()
    seconds = monotonic() - began
    sys.stdout.write(f"{options.seeds} seeds from {options.start} in {seconds:.1f} s, {len(failed)} failed: {failed}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
