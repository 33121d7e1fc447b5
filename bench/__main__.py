"""The command line, `python -m bench BENCHMARK [options]`: measures ours and every other installed loop.

doc/benchmarks.rst says what the figures mean. Exits with 1 when a peer could not be measured, with 2 for a mistake in
the command line.
"""

from __future__ import annotations

import argparse
import os
import sys

from bench import machine, peers, report, results, scaling
from bench.catalogue import BENCHMARKS
from bench.native import compiled
from bench.plan import DEFAULTS, planOf
from bench.results import made, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.plan import Plan

ALL, REPORT, SCALING = "all", "report", "scaling"


def positive(text: str) -> int:
    """The number of an option that counts something; ValueError, which argparse reports, when it is below 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def natural(text: str) -> int:
    """The number of an option that may be none; ValueError, which argparse reports, when it is below 0."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def duration(text: str) -> float:
    """The number of seconds of an option; ValueError, which argparse reports, when it is no time."""
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise ValueError(text)
    return seconds


OPTIONS = {
    "size": (positive, "bytes of a message"),
    "connections": (positive, "connections open at a time"),
    "depth": (positive, "messages in flight on each connection"),
    "idle": (natural, "connections more that are held and say nothing"),
    "live": (positive, "delayed calls alive at a time"),
    "rate": (natural, "messages a second; 0: half of what each server can do"),
    "seconds": (duration, "how long one round of one peer takes (of each operation, where there are several)"),
    "rounds": (positive, "how often every peer has its turn; medians are printed"),
}


def parser() -> argparse.ArgumentParser:
    """The command line: a subcommand for each benchmark, with the options that it has, and one for all of them."""
    top = argparse.ArgumentParser(
        prog="python -m bench", description="Our loop beside asyncio, uvloop, Twisted and others."
    )
    commands = top.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for name, benchmark in BENCHMARKS.items():
        command = commands.add_parser(name, help=benchmark.about)
        for option, default in DEFAULTS[name].items():
            kind, text = OPTIONS[option]
            command.add_argument(f"--{option}", type=kind, help=f"{text} (default: {default:g})")
        addCommonOptions(command, benchmark.peers)
    command = commands.add_parser(ALL, help="all of them, one after another")
    for option in ("seconds", "rounds"):
        kind, text = OPTIONS[option]
        command.add_argument(f"--{option}", type=kind, help=text)
    addCommonOptions(command, everybody(BENCHMARKS))
    report.addOptions(commands.add_parser(REPORT, help="all of them at several sizes, as a page with a plot"))
    scaling.addOptions(commands.add_parser(SCALING, help="how the cost grows with connections and timers, with plots"))
    return top


def addCommonOptions(command: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    """Give a subcommand the options that all have."""
    command.add_argument("--only", metavar="NAMES", help=f"these peers, separated by commas; of {', '.join(names)}")
    command.add_argument("--quick", action="store_true", help="shorter, for a look: do not quote the figures")
    command.add_argument("--markdown", action="store_true", help="print the table in Markdown")


def chosen(only: str | None, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """The peers that take part: those asked for, else all that are installed but "raw", which is there on request.

    ValueError says which of those asked for is none, or is not here.
    """
    if only is None:
        return tuple(name for name in candidates if name != peers.RAW and isHere(name))
    names = tuple(dict.fromkeys(name.strip() for name in only.split(",")))
    for name in names:
        if name not in candidates:
            raise ValueError(f"no peer is called {name!r}: there are {', '.join(candidates)}")
        if not isHere(name):
            raise ValueError(f"{name} is not here: " + ("no C compiler" if name == peers.C else "not installed"))
    return names


def isHere(name: str) -> bool:
    """Whether the peer can be started on this machine."""
    return compiled("limit") is not None if name == peers.C else peers.isInstalled(name)


def plansOf(options: argparse.Namespace) -> dict[str, Plan]:
    """The plan of each benchmark that the command line asks for; ValueError when no such peer takes part in any.

    Not every benchmark has every peer: one that has none of those asked for is left out.
    """
    names = list(BENCHMARKS) if options.benchmark == ALL else [options.benchmark]
    given = {option: value for option in OPTIONS if (value := getattr(options, option, None)) is not None}
    asked = chosen(options.only, everybody(names))
    plans = {}
    for name in names:
        if takingPart := tuple(peer for peer in asked if peer in BENCHMARKS[name].peers):
            plans[name] = planOf(name, takingPart, given, options.quick)
    return plans


def everybody(names: Iterable[str]) -> tuple[str, ...]:
    """The peers that can take part in at least one of the benchmarks by these names."""
    return tuple(dict.fromkeys(peer for name in names for peer in BENCHMARKS[name].peers))


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    if not os.path.exists("/proc/self/smaps_rollup"):
        print("bench reads time and memory from /proc as Linux has it: there is none here", file=sys.stderr)
        return 1
    commandLine = parser()
    options = commandLine.parse_args(arguments)
    files = machine.openManyFiles()
    try:
        if options.benchmark in (REPORT, SCALING):
            module = report if options.benchmark == REPORT else scaling
            plan = module.planned(options, lambda names: chosen(options.only, names), files)
        else:
            plans = plansOf(options)
    except ValueError as error:
        commandLine.error(str(error))
    measured, load = machine.cores()
    if measured is not None and load[0] is not None:
        os.sched_setaffinity(0, {load[0]})
    print(results.here(), end="\n\n", flush=True)
    if options.benchmark in (REPORT, SCALING):
        return 0 if plan() else 1
    complete = [show(made(name, plan, files), options.markdown) for name, plan in plans.items()]
    return 0 if all(complete) else 1


if __name__ == "__main__":
    sys.exit(main())
