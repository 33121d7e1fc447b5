"""The command line, `python -m bench.soak [SCENARIO ...] [options]`.

Exits with 1 when the server broke a promise or something did not happen in time, with 2 for a mistake in the command
line.
"""

from __future__ import annotations

import argparse
import sys
from random import Random
from time import perf_counter

from bench import machine, table
from bench.child import BenchError
from bench.soak.numbers import NUMBERS, fieldOf, value
from bench.soak.scenarios import ROUNDS, SCENARIOS, TooSlow
from bench.soak.target import Target
from bench.soak.verdict import HEAD, Round, problems, row, seen

# Open files that the processes need besides connections.
_SPARE_FILES = 100
# Seconds after which the server ends by itself, whatever becomes of us.
_LIFETIME = 7200


def parser() -> argparse.ArgumentParser:
    """The command line: every number is an option."""
    made = argparse.ArgumentParser(prog="python -m bench.soak", description="Load that lasts, on a server of ours.")
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; none: all")
    made.add_argument("--short", action="store_true", help="a few seconds: to see that it works")
    for name, (default, short, text) in NUMBERS.items():
        made.add_argument(f"--{name}", type=value, help=f"{text} (default: {default:g}, short: {short:g})")
    return made


def given(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line says, with a value for each number."""
    commandLine = parser()
    options = commandLine.parse_args(arguments)
    for name in options.scenarios:
        if name not in SCENARIOS:
            commandLine.error(f"no scenario is called {name!r}: there are {', '.join(SCENARIOS)}")
    options.scenarios = options.scenarios or list(SCENARIOS)
    for name, (default, short, _) in NUMBERS.items():
        if getattr(options, fieldOf(name)) is None:
            setattr(options, fieldOf(name), short if options.short else default)
    if any(getattr(options, field) < 1 for field in ROUNDS.values()):
        commandLine.error("there is nothing to compare without a round")
    if options.mixed_reset + options.mixed_half_close + options.mixed_stalled > 100:
        commandLine.error("more than 100 % of the mixed clients behave badly")
    return options


def limit(options: argparse.Namespace) -> None:
    """No more connections than may be open; says so."""
    most = machine.openManyFiles() - _SPARE_FILES
    for field in ("held", "burst", "cycle_at_once", "mixed_at_once", "handshakes"):
        # Of unfinished handshakes the server holds no more than half of its descriptors.
        here = most // 2 if field == "handshakes" else most
        if getattr(options, field) > here:
            print(f"not {getattr(options, field)} connections ({field}): {here} are possible", file=sys.stderr)
            setattr(options, field, here)


def play(name: str, target: Target, options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """All rounds of a scenario: its line in the table, and what was wrong."""
    before = target.state()
    rounds: list[Round] = []
    random = Random(options.seed)
    for number in range(getattr(options, ROUNDS[name])):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}: round {number + 1}", end="", file=sys.stderr, flush=True)
        target.latency()
        began = perf_counter()
        crowd = SCENARIOS[name](target, options, random)
        seconds = perf_counter() - began
        latency, full = target.latency(), target.state()
        crowd.close()
        crowd.until(lambda: target.state().descriptors <= before.descriptors, min(options.patience, 20))
        rounds.append(seen(crowd, full, target.state(), latency, seconds))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return row(name, before, rounds), problems(name, before, rounds, options)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    options = given(arguments)
    limit(options)
    print(machine.description(), end="\n\n", flush=True)
    rows, wrong = [list(HEAD)], []
    for name in options.scenarios:
        # A server of its own each, so that the memory is that of the scenario.
        try:
            with Target(_LIFETIME, options.handshake_timeout, options.interval) as target:
                cells, found = play(name, target, options)
                rows.append(cells)
                wrong += [f"{name}: {each}" for each in found]
                if complaint := target.complaint():
                    wrong.append(f"{name}: the server said\n{complaint}")
        except (BenchError, TooSlow) as e:
            wrong.append(f"{name}: {e}")
    print(table.plain(rows))
    print("\n".join(["", *wrong]) if wrong else "\nNothing lost; descriptors and memory flat.", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
