"""`python -m bench scaling --out FOLDER`: how the cost grows with what there is of connections and timers.

CPU time of a message with 1 to 10 000 connections that are busy and 0 to 10 000 that are idle beside; time of a timer
with a thousand to a million that wait. FOLDER gets scaling.md, and with matplotlib connections.svg and timers.svg.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench import peers, plots, results, table
from bench.plan import Plan
from bench.report import DEFAULT_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

CONNECTIONS, IDLE, LIVE = "1,10,100,1000,10000", "0,1000,10000", "1000,10000,100000,1000000"
_SIZE = 64
_TIMERS = {"schedule": "schedule", "beside": "schedule + cancel beside", "fire": "schedule + fire"}
# By panel, by peer: what it costs in microseconds, by how much there is.
Panels = dict[str, dict[str, dict[float, float]]]


def addOptions(command: argparse.ArgumentParser) -> None:
    """Give the subcommand its options."""
    command.add_argument("--out", type=Path, default=Path(DEFAULT_FOLDER), help="folder (default: %(default)s)")
    command.add_argument("--connections", default=CONNECTIONS, help="busy ones (default: %(default)s)")
    command.add_argument("--idle", default=IDLE, help="idle ones beside (default: %(default)s)")
    command.add_argument("--live", default=LIVE, help="timers that wait (default: %(default)s)")
    command.add_argument("--only", metavar="NAMES", default="ours,asyncio", help="peers (default: %(default)s)")
    command.add_argument("--seconds", type=float, default=2.0, help="of one round of one peer (default: %(default)s)")
    command.add_argument("--rounds", type=int, default=3, help="turns of every peer (default: %(default)s)")


def numbers(text: str, least: int) -> list[int]:
    """The numbers in `text`, separated by commas; ValueError when one is below `least`."""
    found = [int(number) for number in text.split(",")]
    if min(found) < least:
        raise ValueError(f"{text}: each must be {least} or more")
    return found


def planned(
    options: argparse.Namespace, chosen: Callable[[tuple[str, ...]], tuple[str, ...]], files: int
) -> Callable[[], bool]:
    """What makes the measurements that the command line asks for; ValueError for a number or a peer that there is not.

    `chosen` picks from the peers that there are. What is returned says whether every peer could be measured.
    """
    asked = chosen((*peers.MODULES, peers.C, peers.RAW))
    connections, idle, live = (
        numbers(options.connections, 1),
        numbers(options.idle, 0),
        numbers(options.live, 1),
    )
    if not options.seconds > 0 or options.rounds < 1:
        raise ValueError("--seconds and --rounds must be above 0")

    def make() -> bool:
        options.out.mkdir(parents=True, exist_ok=True)
        busy, echoed = overConnections(asked, connections, idle, options, files)
        timers, waited = overTimers(tuple(peer for peer in asked if peer in peers.LOOPS), live, options, files)
        parts = [f"# How the cost grows\n\n{results.here()}."]
        parts += [tableOf(f"CPU us/message, {title}", lines, "connections") for title, lines in busy.items()]
        parts += [tableOf(f"us/timer, {title}", lines, "alive") for title, lines in timers.items()]
        text = "\n\n".join(parts) + "\n"
        print(text)
        (options.out / "scaling.md").write_text(text)
        if plots.isInstalled():
            if busy:
                plots.growth(busy, "busy connections", "CPU us/message", options.out / "connections.svg")
            if timers:
                plots.growth(timers, "timers alive", "us/timer", options.out / "timers.svg")
        print(f"written to {options.out}" + ("" if plots.isInstalled() else "; no plot: matplotlib is not installed"))
        return echoed and waited

    return make


def overConnections(
    names: tuple[str, ...], connections: list[int], idle: list[int], options: argparse.Namespace, files: int
) -> tuple[Panels, bool]:
    """CPU time of a message: a panel for each number of idle connections. And whether every peer could be measured."""
    panels: Panels = {}
    complete = True
    most = files - results.SPARE_FILES
    for beside in idle:
        panel = panels.setdefault(f"{beside:,} idle beside", {})
        for busy in connections:
            if busy + beside > most:
                # With fewer it would be another point than the panel's title says.
                print(f"left out: {busy} connections and {beside} idle: {files} open files are permitted", flush=True)
                continue
            plan = Plan(names, options.rounds, options.seconds, busy, _SIZE, 1, idle=beside)
            result = results.made("echo", plan, files)
            complete &= told(result)
            for peer, rounds in result.rounds.items():
                panel.setdefault(peer, {})[result.plan.connections] = median(one["cpu"] for one in rounds)
    return {title: lines for title, lines in panels.items() if lines}, complete


def overTimers(names: tuple[str, ...], live: list[int], options: argparse.Namespace, files: int) -> tuple[Panels, bool]:
    """Time of a timer: a panel for each of what can be done with it. And whether every peer could be measured."""
    panels: Panels = {}
    complete = True
    for count in live if names else ():
        result = results.made("million", Plan(names, options.rounds, options.seconds, 0, 0, 0, live=count), files)
        complete &= told(result)
        for key, title in _TIMERS.items():
            for peer, rounds in result.rounds.items():
                panel = panels.setdefault(title, {})
                panel.setdefault(peer, {})[count] = median(one[key] for one in rounds)
    return panels, complete


def told(result: results.Result) -> bool:
    """Print what was measured as it comes; whether every peer could be."""
    return results.show(result, markdown=False)


def tableOf(title: str, lines: dict[str, dict[float, float]], along: str) -> str:
    """The table of one panel in Markdown, under a title."""
    columns = list(dict.fromkeys(count for points in lines.values() for count in points))
    rows = [[along, *(f"{count:,}" for count in columns)]]
    for peer, points in lines.items():
        rows.append([peer, *(f"{points[count]:.2f}" if count in points else table.MISSING for count in columns)])
    return f"## {title}\n\n{table.markdown(rows)}"
