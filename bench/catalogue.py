"""The benchmarks by name, with the columns of their tables. How each is measured is told in `measure`."""

from __future__ import annotations

from dataclasses import dataclass

from bench import measure, peers
from bench.native import compiled
from bench.table import Figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan import Plan
    from bench.rounds import Figures


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: what it is about, its columns, who can take part, and the function that measures one peer once.

    `conditions` says what was done, to stand above the table.
    """

    about: str
    figures: tuple[Figure, ...]
    peers: tuple[str, ...]
    measure: Callable[[str, Plan], Figures]
    conditions: Callable[[Plan], str]


LOOPS = tuple(peers.MODULES)
CPU = (Figure("user", "user", 2), Figure("system", "sys", 2))
ECHOED = (
    Figure("rate", "messages/s", 0, compared=True),
    Figure("cpu", "CPU us/message", 2, compared=True),
    *CPU,
    Figure("p50", "p50 us", 0),
    Figure("p99", "p99 us", 0),
    Figure("busy", "busy %", 0),
)


def framed(kind: str) -> Callable[[Plan], str]:
    """The conditions of a load with that kind of messages."""
    what = {"bytes": "bytes", "lines": "bytes and CR LF", "strings": "bytes behind their length"}[kind]

    def conditions(plan: Plan) -> str:
        load = "C" if compiled("load") else "Python, which may be the slower end: compare CPU time"
        about = f"{plan.size} {what}, {plan.connections} connections, {plan.depth} in flight on each"
        return f"{about}, {plan.seconds:g} s; load in {load}"

    return conditions


BENCHMARKS: dict[str, Benchmark] = {
    "echo": Benchmark(
        "an echo server under load",
        ECHOED,
        (*LOOPS, peers.C, peers.RAW),
        measure.echo,
        framed("bytes"),
    ),
    "lines": Benchmark(
        "an echo server for lines: LineOnlyReceiver, asyncio's streams",
        ECHOED,
        LOOPS,
        measure.frames("lines"),
        framed("lines"),
    ),
    "strings": Benchmark(
        "an echo server for strings behind 32 bits of length: Int32StringReceiver, asyncio's streams",
        ECHOED,
        LOOPS,
        measure.frames("strings"),
        framed("strings"),
    ),
    "connect": Benchmark(
        "a client that connects and closes again and again",
        (Figure("rate", "connections/s", 0, compared=True), Figure("cpu", "CPU us/connection", 1, compared=True), *CPU),
        (*LOOPS, peers.RAW),
        measure.connect,
        lambda plan: f"{plan.connections} at a time, {plan.size} bytes echoed on each, {plan.seconds:g} s",
    ),
    "timers": Benchmark(
        "delayed calls: cancelled, and waited for",
        (
            Figure("cancel", "schedule + cancel us", 3, compared=True),
            Figure("fire", "schedule + fire us", 3, compared=True),
        ),
        LOOPS,
        measure.operations("timers"),
        lambda plan: f"{plan.seconds:g} s each",
    ),
    "deferred": Benchmark(
        "Deferreds: callbacks, errors, generators, coroutines",
        (
            Figure("callbacks", "3 callbacks us", 3, compared=True),
            Figure("errback", "error, errback us", 3, compared=True),
            Figure("inline", "inlineCallbacks, 10 yields us", 2, compared=True),
            Figure("await", "coroutine, 10 awaits us", 2, compared=True),
        ),
        tuple(filter(peers.hasReactor, LOOPS)),
        measure.operations("deferred"),
        lambda plan: f"{plan.seconds:g} s each",
    ),
    "looping": Benchmark(
        "LoopingCalls that come again and again",
        (Figure("looping", "call us", 3, compared=True),),
        tuple(filter(peers.hasReactor, LOOPS)),
        measure.operations("looping", "bench.calls"),
        lambda plan: f"100 at a time, {plan.seconds:g} s",
    ),
    "threads": Benchmark(
        "calls from another thread, and work in one",
        (
            Figure("from", "callFromThread us", 3, compared=True),
            Figure("to", "deferToThread us", 1, compared=True),
        ),
        LOOPS,
        measure.operations("threads", "bench.calls"),
        lambda plan: f"{plan.seconds:g} s each",
    ),
    "irc": Benchmark(
        "the lines of an IRC channel, parsed",
        (
            Figure("split", "parsemsg us", 3, compared=True),
            Figure("message", "bytes to message us", 3, compared=True),
        ),
        tuple(filter(peers.hasReactor, LOOPS)),
        measure.operations("irc"),
        lambda plan: f"{plan.seconds:g} s each; ours: tags, source, text that is no UTF-8 and bad bytes too",
    ),
    "spawn": Benchmark(
        "child processes that end at once, one after another",
        (
            Figure("bare", "no pipes us", 0, compared=True),
            Figure("piped", "three pipes us", 0, compared=True),
        ),
        LOOPS,
        measure.operations("spawn", "bench.spawning"),
        lambda plan: f"true, {plan.seconds:g} s each",
    ),
    "import": Benchmark(
        "what a program waits for before it begins",
        (
            Figure("made", "loop made ms", 1, compared=True),
            Figure("import", "import alone ms", 1),
            Figure("cpu", "CPU ms, made", 1, compared=True),
        ),
        LOOPS,
        measure.imports,
        lambda plan: f"beyond the bare interpreter, best of {measure.STARTS} starts a round",
    ),
    "memory": Benchmark(
        "resident memory for each connection held",
        (
            Figure("client", "client KiB/connection", 2, compared=True),
            Figure("server", "server KiB/connection", 2, compared=True),
        ),
        (*LOOPS, peers.RAW),
        measure.memory,
        lambda plan: f"{plan.connections} connections held",
    ),
}
