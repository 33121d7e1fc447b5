"""What must be true of the server after the rounds of a scenario, and the table that shows it.

Descriptors are flat when after every round, its connections closed, the server has as many as before the first.
Resident memory is flat when it has grown by no more than `growth` KiB and `growth-percent` between the end of the
middle round and the end of the last. The rounds before have stretched what can be stretched: the C library gives back
little of what OpenSSL had, and finds all of it again only after some rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.soak.pinger import percentile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from bench.soak.crowd import Crowd, Tally
    from bench.soak.target import State


@dataclass(frozen=True, slots=True)
class Round:
    """What was seen of one round: the crowd's side, the server with all connections and afterwards, and how it was for
    the old connection meanwhile.
    """

    tally: Tally
    roundTrips: list[float]
    lives: list[float]
    full: State
    after: State
    latency: dict[str, float]
    seconds: float


def problems(name: str, before: State, rounds: list[Round], given: Namespace) -> list[str]:
    """What is wrong, in words; empty when nothing is."""
    found = []
    for number, each in enumerate(rounds, 1):
        tally = each.tally
        if tally.lost or tally.wrong or tally.good != tally.begun:
            found.append(f"round {number}: {tally}")
        if each.after.descriptors != before.descriptors:
            found.append(f"round {number}: {each.after.descriptors} descriptors, {before.descriptors} at the beginning")
    middle, last = rounds[(len(rounds) - 1) // 2].after.memory, rounds[-1].after.memory
    bearable = given.growth + middle * given.growth_percent / 100
    if last - middle > bearable:
        found.append(f"resident memory grew by {last - middle:,.0f} KiB, more than {bearable:,.0f}")
    slowest = median([each.latency["max"] for each in rounds])
    if name == "burst" and slowest > given.latency:
        found.append(f"an old connection waited {slowest:.1f} ms, more than latency={given.latency}")
    for number, each in enumerate(rounds, 1):
        if name == "handshakes":
            soonest, latest = min(each.lives, default=0.0), max(each.lives, default=0.0)
            if soonest < given.handshake_timeout * 0.9 or latest > given.handshake_timeout + given.handshake_late:
                found.append(f"round {number}: dropped after {soonest:.2f} to {latest:.2f} s")
    return found


HEAD = (
    "",
    "rounds",
    "clients",
    "MB echoed",
    "lost",
    "clients/s",
    "p50 ms",
    "p99 ms",
    "max ms",
    "old: p99 ms",
    "old: max ms",
    "files",
    "files after",
    "RSS MiB",
    "middle",
    "last",
)


def row(name: str, before: State, rounds: list[Round]) -> list[str]:
    """The scenario's line in the table; see doc/benchmarks.rst."""
    times = sorted(1000 * time for each in rounds for time in (each.roundTrips or each.lives))
    clients = sum(each.tally.begun for each in rounds)
    shown = [f"{percentile(times, share):,.1f}" if times else "-" for share in (0.5, 0.99, 1.0)]
    return [
        name,
        str(len(rounds)),
        f"{clients:,}",
        f"{sum(each.tally.echoed for each in rounds) / 1e6:,.1f}",
        str(sum(each.tally.lost for each in rounds)),
        f"{clients / sum(each.seconds for each in rounds):,.0f}",
        *shown,
        f"{median([each.latency['p99'] for each in rounds]):.1f}",
        f"{median([each.latency['max'] for each in rounds]):.1f}",
        str(max(each.full.descriptors for each in rounds)),
        f"{before.descriptors} -> {rounds[-1].after.descriptors}",
        f"{max(each.full.memory for each in rounds) / 1024:,.1f}",
        f"{rounds[(len(rounds) - 1) // 2].after.memory / 1024:,.1f}",
        f"{rounds[-1].after.memory / 1024:,.1f}",
    ]


def seen(crowd: Crowd, full: State, after: State, latency: dict[str, float], seconds: float) -> Round:
    """A round that is over."""
    return Round(crowd.tally, crowd.roundTrips, crowd.lives, full, after, latency, seconds)
