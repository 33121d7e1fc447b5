"""The benchmarks, seen from outside: what is started on which core, and which figures come of it.

One call of a benchmark's function measures one peer in one round.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

from bench import peers
from bench.child import ROOT, BenchError, Child, python
from bench.holders import FIRST
from bench.machine import CpuTime, cores, cpuTime, pinnedTo, residentKiB
from bench.native import cacheFolder, compiled
from bench.questions import QUESTIONS, WEBSOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan import Plan
    from bench.rounds import Figures

HOST = "127.0.0.1"
# Seconds given to a process beyond those it was asked to take.
PATIENCE = 50
# Kinds of messages, and the bytes that each adds to what a message says: nothing, CR LF, 32 bits of length. A request's
# are all counted.
FRAMING = {"bytes": 0, "lines": 2, "strings": 4, "requests": 0}


def server(name: str, plan: Plan, core: int | None, *transport: object) -> Child:
    """An echo server by that name, on the transport that `bench.servers` names; the C one is the one in limit.c."""
    lifetime = int(plan.seconds) + 2 * PATIENCE
    program = compiled("limit") if name == peers.C else None
    command = [str(program), str(lifetime)] if program else python("bench.servers", name, lifetime, *transport)
    return Child(command, core)


def floor() -> str:
    """The leanest server there is here, for the end that is not measured."""
    return peers.C if compiled("limit") else peers.RAW


class Load:
    """The load on an echo server: one process in C, or one in Python for each core that there is for them.

    `where` is told in net.h, `kind` is that of the messages. One of `questions` is asked by a single process in Python:
    who answers those is slower than that. WebSocket is only where there is no C.
    """

    def __init__(self, stack: ExitStack, where: str, plan: Plan, kind: str) -> None:
        asked = kind in QUESTIONS and (kind != WEBSOCKET or not compiled("load"))
        program = None if asked else compiled("load", where.startswith("tls:"))
        on = cores().load[:1] if program or asked else cores().load[: plan.connections]
        command = [str(program)] if program else python("bench.load")
        self._patience = plan.seconds + PATIENCE
        self._children = []
        for number, core in enumerate(on):
            share = len(range(number, plan.connections, len(on)))
            idle = plan.idle if not number else 0
            arguments = (where, share, plan.size + FRAMING.get(kind, 0), plan.seconds, plan.depth, kind, idle)
            self._children.append(stack.enter_context(Child([*command, *map(str, arguments)], core)))

    def awaitWarm(self) -> None:
        """Wait until every process counts."""
        for child in self._children:
            if child.line(self._patience) != "warm":
                raise BenchError("the load ended before it began to count; take more --seconds")

    def end(self) -> list[str]:
        """Wait until every process is done; what each reports."""
        return [child.line(self._patience) for child in self._children]

    @staticmethod
    def figures(reports: list[str]) -> Figures:
        """Messages counted, messages a second, and the latency in microseconds of the batches at 50 and 99 percent."""
        messages, rate, took = 0, 0.0, dict[int, int]()
        for report in map(json.loads, reports):
            messages += report["messages"]
            rate += report["messages"] / report["seconds"]
            for us, count in report["took"].items():
                took[int(us)] = took.get(int(us), 0) + count
        return {"messages": messages, "rate": rate, "p50": percentile(took, 50), "p99": percentile(took, 99)}


def percentile(counts: dict[int, int], percent: float) -> int:
    """The smallest value that `percent` of all values do not exceed, given how often each occurs (nearest rank)."""
    rank = sum(counts.values()) * percent / 100
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    raise ValueError("no values")


def echo(name: str, plan: Plan) -> Figures:
    """An echo server under load: what it serves, what CPU time that takes it, how long the messages wait."""
    return loaded(server(name, plan, cores().measured), plan, "bytes")


def frames(kind: str) -> Callable[[str, Plan], Figures]:
    """What measures an echo server for that kind of messages, "lines" or "strings"."""

    def measure(name: str, plan: Plan) -> Figures:
        lifetime = int(plan.seconds) + 2 * PATIENCE
        measured = Child(python("bench.frameservers", name, lifetime, kind), cores().measured)
        return loaded(measured, plan, kind)

    return measure


def loaded(started: Child, plan: Plan, kind: str, where: str = "{}") -> Figures:
    """The figures of an echo server that was started, under load; it is ended. `where`: with its port for {}."""
    with ExitStack() as stack:
        measured = stack.enter_context(started)
        try:
            load = Load(stack, where.format(measured.port()), plan, kind)
            load.awaitWarm()
            before, began = cpuTime(measured.pid), time.perf_counter()
            reports = load.end()
            after, ended = cpuTime(measured.pid), time.perf_counter()
        except BenchError as error:
            # The load sees that something is wrong, the server may have said what.
            raise BenchError(f"{error}{measured.complaint()}") from None
    return costs(load.figures(reports), before, after, ended - began)


def costs(figures: Figures, before: CpuTime, after: CpuTime, seconds: float) -> Figures:
    """The figures of a load, with what the server used of CPU time in these seconds."""
    each = 1e6 / figures["messages"]
    user, system = after.since(before)
    used = {"cpu": (user + system) * each, "user": user * each, "system": system * each}
    return figures | used | {"busy": (user + system) / seconds * 100}


def connect(name: str, plan: Plan) -> Figures:
    """A client that connects, has one message echoed and closes, again and again: what that takes it."""
    load = cores().load[0]
    with server(floor(), plan, load) as echoing:
        arguments = (name, echoing.port(), plan.seconds, plan.connections, plan.size)
        with Child(python("bench.clients", *arguments), cores().measured) as measured:
            return measured.figures(plan.seconds + PATIENCE)


def webClients(name: str, plan: Plan) -> Figures:
    """A client of HTTP: what a request costs it, over one connection and over a pool."""
    with Child(python("bench.webpages", int(3 * plan.seconds) + 2 * PATIENCE), cores().load[0]) as pages:
        arguments = (name, pages.port(), plan.seconds, plan.connections)
        with Child(python("bench.webclients", *arguments), cores().measured) as measured:
            return measured.figures(3 * plan.seconds + PATIENCE)


def operations(kind: str, module: str = "bench.ops") -> Callable[[str, Plan], Figures]:
    """What measures operations of that kind, one of those that the module knows."""

    def measure(name: str, plan: Plan) -> Figures:
        with Child(python(module, name, kind, plan.seconds), cores().measured) as measured:
            return measured.figures(plan.seconds * 8 + PATIENCE)

    return measure


def many(name: str, plan: Plan) -> Figures:
    """Many timers that are alive at a time."""
    with Child(python("bench.many", name, plan.live), cores().measured) as measured:
        return measured.figures(100)


# What a program of the loop's begins with: the import alone, where that makes nothing yet, and with the loop made.
IMPORTS: dict[str, dict[str, str]] = {
    peers.OURS: {"import": "import reactor", "made": "from reactor import reactor"},
    "uvloop": {"import": "import uvloop", "made": "import uvloop; uvloop.new_event_loop()"},
    "asyncio": {"import": "import asyncio", "made": "import asyncio; asyncio.new_event_loop()"},
    "twisted": {"made": "from twisted.internet import reactor"},
    "aiofastnet": {"import": "import aiofastnet", "made": "import aiofastnet, asyncio; asyncio.new_event_loop()"},
    "tornado": {
        "import": "import tornado.ioloop",
        "made": "import tornado.ioloop, tornado.tcpserver; tornado.ioloop.IOLoop(make_current=False)",
    },
    "gevent": {"import": "import gevent", "made": "import gevent; gevent.get_hub().loop"},
    "trio": {"import": "import trio", "made": "import trio; trio.run(trio.sleep, 0)"},
}
# How often a program is started in a round. The fastest counts: what happens to the others by chance makes them slower.
STARTS = 5


def imports(name: str, plan: Plan) -> Figures:
    """Starting a program that imports the loop, less one that imports nothing: milliseconds, also of CPU time."""
    codes = {"bare": "pass", **IMPORTS[name]}
    for code in codes.values():
        start(code)  # the first one compiles what it imports
    wall: dict[str, list[float]] = {key: [] for key in codes}
    cpu: dict[str, list[float]] = {key: [] for key in codes}
    for _ in range(STARTS):
        for key, code in codes.items():
            seconds, used = start(code)
            wall[key].append(seconds * 1e3)
            cpu[key].append(used * 1e3)
    figures = {key: min(wall[key]) - min(wall["bare"]) for key in IMPORTS[name]}
    return figures | {"cpu": min(cpu["made"]) - min(cpu["bare"])}


def start(code: str) -> tuple[float, float]:
    """Run Python on `code`: the seconds that took, and those of CPU time."""
    # With bytecode, as an installed package has it, whatever was decided about that here; and not in the source tree.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cacheFolder() / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with pinnedTo(cores().measured):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        )
        ended, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        raise BenchError(f"{code}: ended with {result.returncode}\n{result.stderr.decode(errors='replace')[-2000:]}")
    return ended - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def memory(name: str, plan: Plan) -> Figures:
    """KiB of resident memory for each connection held: by a client (idle), by a server (each has echoed one byte)."""
    load = cores().load[0]
    with server(floor(), plan, load) as echoing:
        arguments = (name, echoing.port(), plan.connections)
        with Child(python("bench.holders", *arguments), cores().measured) as measured:
            client = measured.figures(PATIENCE)["memory"]
    with server(name, plan, cores().measured) as measured, ExitStack() as held:
        port = measured.port()
        for _ in range(FIRST):
            held.enter_context(echoed(port))
        before = residentKiB(measured.pid)
        for _ in range(plan.connections):
            held.enter_context(echoed(port))
        return {"client": client, "server": (residentKiB(measured.pid) - before) / plan.connections}


def echoed(port: int) -> socket.socket:
    """A connection over which one byte went and came back: so the server has accepted it."""
    connection = socket.create_connection((HOST, port), timeout=PATIENCE)
    connection.sendall(b"x")
    if connection.recv(1) != b"x":
        raise BenchError("the server closed a connection that was to be held")
    return connection
