"""One benchmark made, and its table shown: what every command that measures does with a plan."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from bench import machine, peers, table
from bench.catalogue import BENCHMARKS
from bench.rounds import alternate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.rounds import Rounds

# Open files that the benchmark's processes need besides connections.
SPARE_FILES = 100
# Percent of a core that other programs may use while something is measured, before the table says so.
_BEARABLE = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a benchmark: the rounds of each peer that got through, why others did not.

    `strangers` is what other programs used meanwhile, in percent of a core.
    """

    name: str
    plan: Plan
    rounds: Rounds
    failures: dict[str, Exception]
    strangers: float

    def headline(self) -> str:
        """What was done, in one line."""
        return f"{self.name}: {BENCHMARKS[self.name].conditions(self.plan)}, medians of {self.plan.rounds} rounds"

    def rows(self) -> list[list[str]]:
        """The table as rows of text."""
        return table.cells(BENCHMARKS[self.name].figures, self.rounds)

    def warning(self) -> str | None:
        """What is to be said under the table when other programs were in the way."""
        if self.strangers <= _BEARABLE:
            return None
        return (
            f"Other programs used {self.strangers:.0f} % of a core meanwhile: measure again when the machine is quiet."
        )


def here() -> str:
    """The machine, and the versions of the peers, in one line."""
    versions = [f"{name} {version}" for name in peers.MODULES if (version := peers.versionOf(name))]
    return "; ".join([machine.description(), *versions])


def permitted(name: str, plan: Plan, files: int) -> Plan:
    """The plan with no more connections than `files` can be open at a time; a line on standard error says so."""
    most = max(1, files - SPARE_FILES)
    if plan.connections > most:
        print(f"{name}: not {plan.connections} connections: {files} open files are permitted", file=sys.stderr)
        plan = replace(plan, connections=most)
    if plan.connections + plan.idle > most:
        print(f"{name}: not {plan.idle} idle ones beside: {files} open files are permitted", file=sys.stderr)
        plan = replace(plan, idle=most - plan.connections)
    return plan


def made(name: str, plan: Plan, files: int) -> Result:
    """Make one benchmark; `files` can be open at a time."""
    benchmark = BENCHMARKS[name]
    plan = permitted(name, plan, files)

    def progress(number: int, peer: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}: round {number} of {plan.rounds}, {peer}", end="", file=sys.stderr, flush=True)

    others = machine.Others()
    rounds, failures = alternate(plan.peers, plan.rounds, lambda peer: benchmark.measure(peer, plan), progress)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return Result(name, plan, rounds, failures, others.percent())


def show(result: Result, markdown: bool) -> bool:
    """Print the table of a result, and its failures; whether every peer could be measured."""
    rows = result.rows()
    print(f"{'### ' if markdown else ''}{result.headline()}\n")
    print(table.markdown(rows) if markdown else table.plain(rows))
    if warning := result.warning():
        print(f"\n{warning}")
    print(flush=True)
    for peer, error in result.failures.items():
        print(f"{result.name}: {peer} could not be measured: {error}", file=sys.stderr)
    return not result.failures
