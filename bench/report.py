"""`python -m bench report --out FOLDER`: every benchmark at the sizes that matter, on a page that the run writes.

FOLDER gets report.md (all tables, with the machine and the versions), the same as report.inc for a page of the
documentation to include, report.json (every figure of every round) and, where matplotlib is installed, report.svg (what
each case costs, as a multiple of ours). The texts are written anew after each case: a run that is stopped leaves what
it has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench import plots, results, table
from bench.catalogue import BENCHMARKS
from bench.plan import planOf

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from bench.plan import Plan

DEFAULT_FOLDER = "build/bench"
KIB, MIB = 1 << 10, 1 << 20
_SIZES = {"64 B x 16": (64, 16), "1 KiB": (KIB, 1), "16 KiB": (16 * KIB, 1), "1 MB": (MIB, 1)}


@dataclass(frozen=True, slots=True)
class Case:
    """One table of the page: a title, a benchmark, and the options that differ from its defaults.

    `plotted` is the key of the figure in the plot; when it is empty, the first compared one that is a cost.
    """

    title: str
    benchmark: str
    options: dict[str, float]
    plotted: str = ""


def _echoes() -> list[Case]:
    cases = []
    for connections in (1, 50, 1000):
        for size, (length, depth) in _SIZES.items():
            # A thousand of the largest would measure how fast memory can be filled.
            if (length, connections) != (MIB, 1000):
                options: dict[str, float] = {"size": length, "depth": depth, "connections": connections}
                cases.append(Case(f"TCP echo, {size}, {connections} connections", "echo", options))
    return cases


CASES: tuple[Case, ...] = (
    *_echoes(),
    Case("Unix socket echo, 1 KiB", "unix", {}),
    Case("TLS echo, 1 KiB", "tls", {"size": KIB}),
    Case("TLS echo, 16 KiB", "tls", {"size": 16 * KIB}),
    Case("TLS echo, 1 MB", "tls", {"size": MIB, "connections": 10}),
    Case("TLS handshakes", "handshakes", {}),
    Case("UDP echo, 1 KiB", "udp", {}),
    Case("asyncio's programs", "aio", {}),
    Case("libraries of asyncio's world", "aioapps", {}),
    Case("WebSocket servers", "websocket", {}),
    Case("asyncio's calls and tasks", "aiocalls", {}),
    Case("servers of HTTP", "webserver", {}),
    Case("clients of HTTP", "webclient", {}),
    Case("Twisted's programs, on our engine", "twisted", {}),
    Case("connections made by a client", "connect", {}),
    Case("connections accepted by a server", "accept", {}),
    Case("lines", "lines", {}),
    Case("strings behind their length", "strings", {}),
    Case("latency at half load", "latency", {}, "p99"),
    Case("timers", "timers", {}),
    Case("a million timers", "million", {}),
    Case("Deferreds", "deferred", {}),
    Case("LoopingCall", "looping", {}),
    Case("threads", "threads", {}),
    Case("IRC lines", "irc", {}),
    Case("child processes", "spawn", {}),
    Case("import", "import", {}),
    Case("memory of a connection", "memory", {}),
    Case("memory of a TLS connection", "tlsmemory", {}),
)


def addOptions(command: argparse.ArgumentParser) -> None:
    """Give the subcommand its options."""
    command.add_argument("--out", type=Path, default=Path(DEFAULT_FOLDER), help="folder (default: %(default)s)")
    command.add_argument("--benchmarks", metavar="NAMES", help="these benchmarks only, separated by commas")
    command.add_argument("--only", metavar="NAMES", help="these peers only, separated by commas")
    command.add_argument("--seconds", type=float, help="how long one round of one peer takes")
    command.add_argument("--rounds", type=int, help="how often every peer has its turn")
    command.add_argument("--quick", action="store_true", help="shorter, for a look: do not quote the figures")


def planned(
    options: argparse.Namespace, chosen: Callable[[tuple[str, ...]], tuple[str, ...]], files: int
) -> Callable[[], bool]:
    """What makes the report that the command line asks for; ValueError for a benchmark or a peer that there is not.

    `chosen` picks from the peers that there are. What is returned says whether every peer could be measured.
    """
    names = [name.strip() for name in options.benchmarks.split(",")] if options.benchmarks else list(BENCHMARKS)
    for name in names:
        if name not in BENCHMARKS:
            raise ValueError(f"no benchmark is called {name!r}: there are {', '.join(BENCHMARKS)}")
    given = {key: value for key in ("seconds", "rounds") if (value := getattr(options, key)) is not None}
    if any(value <= 0 for value in given.values()):
        raise ValueError("--seconds and --rounds must be above 0")
    asked = chosen(tuple(dict.fromkeys(peer for benchmark in BENCHMARKS.values() for peer in benchmark.peers)))
    todo: list[tuple[Case, Plan]] = []
    for case in CASES:
        takingPart = tuple(peer for peer in asked if peer in BENCHMARKS[case.benchmark].peers)
        if case.benchmark in names and takingPart:
            todo.append((case, planOf(case.benchmark, takingPart, {**case.options, **given}, options.quick)))
    return lambda: make(todo, options.out, files)


def make(todo: list[tuple[Case, Plan]], folder: Path, files: int) -> bool:
    """Make the cases one after another, print and write what comes of them."""
    folder.mkdir(parents=True, exist_ok=True)
    done: list[tuple[Case, results.Result]] = []
    complete = True
    for case, plan in todo:
        result = results.made(case.benchmark, plan, files)
        complete &= results.show(result, markdown=True)
        done.append((case, result))
        (folder / "report.md").write_text(page(done))
        (folder / "report.inc").write_text(included(done))
        (folder / "report.json").write_text(json.dumps({case.title: each.rounds for case, each in done}, indent=1))
    if plots.isInstalled():
        plots.comparison(costs(done), folder / "report.svg")
    print(f"written to {folder}" + ("" if plots.isInstalled() else "; no plot: matplotlib is not installed"))
    return complete


def page(done: list[tuple[Case, results.Result]]) -> str:
    """The page in Markdown."""
    parts = ["# Benchmarks", f"{results.here()}.", "Written by `python -m bench report`."]
    for case, result in done:
        parts += [f"## {case.title}", result.headline(), table.markdown(result.rows())]
        if warning := result.warning():
            parts.append(warning)
        parts += [f"{peer} could not be measured." for peer in result.failures]
    return "\n\n".join(parts) + "\n"


def included(done: list[tuple[Case, results.Result]]) -> str:
    """The tables in reStructuredText, to be included below a page's own title."""
    parts = [f"{results.here()}."]
    for case, result in done:
        parts += [f"**{case.title}**: {result.headline()}", table.listTable(result.rows())]
        if warning := result.warning():
            parts.append(warning)
    return "\n\n".join(parts) + "\n"


def costs(done: list[tuple[Case, results.Result]]) -> dict[str, dict[str, float]]:
    """For the plot: by case and peer, the cost as a multiple of ours; see `Case.plotted`."""
    rows: dict[str, dict[str, float]] = {}
    for case, result in done:
        # A rate grows as the cost falls, and says as much about the load: CPU time stands beside it.
        compared = [each for each in BENCHMARKS[case.benchmark].figures if each.compared]
        figure = next(e for e in compared if (e.key == case.plotted if case.plotted else e.key != "rate"))
        ratios = {peer: table.ratioToOurs(result.rounds, peer, figure.key) for peer in result.rounds}
        if kept := {peer: ratio for peer, ratio in ratios.items() if ratio}:
            rows[f"{case.title}: {figure.title}"] = kept
    return rows
