"""Servers measured beyond plain echo: other transports, clients that come and go, latency at a given rate, TLS held.

As in `measure`, one call of a benchmark's function measures one peer in one round.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace

from bench.certificate import certificate
from bench.child import BenchError, Child, python
from bench.holders import FIRST
from bench.load import dial
from bench.machine import cores, cpuTime, residentKiB
from bench.measure import PATIENCE, Load, costs, loaded, server
from bench.native import compiled
from bench.questions import HTTP, WEBSOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bench.plan import Plan
    from bench.rounds import Figures


def unix(name: str, plan: Plan) -> Figures:
    """An echo server at a path."""
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder:
        path = f"{folder}/socket"
        return loaded(server(name, plan, cores().measured, "unix", path), plan, "bytes", f"unix:{path}")


def tls(name: str, plan: Plan) -> Figures:
    """An echo server that speaks TLS."""
    return loaded(server(name, plan, cores().measured, "tls", certificate()), plan, "bytes", "tls:{}")


def udp(name: str, plan: Plan) -> Figures:
    """An echo server for datagrams."""
    started = Child(python("bench.datagrams", name, int(plan.seconds) + 2 * PATIENCE), cores().measured)
    return loaded(started, plan, "bytes", "udp:{}")


# By the key of the figure: the bytes of a message, and how many are in flight.
_MESSAGES = {"small": (16, 16), "one": (1024, 1), "large": (65536, 1)}


def webSocket(name: str, plan: Plan) -> Figures:
    """What CPU time a message costs a WebSocket server that echoes; its `size` and `depth` are the figure's."""
    figures = {}
    for key, (size, depth) in _MESSAGES.items():
        started = Child(python("bench.wsservers", name, int(plan.seconds) + 2 * PATIENCE), cores().measured)
        figures[key] = loaded(started, replace(plan, size=size, depth=depth), WEBSOCKET)["cpu"]
    return figures


# By the key of the figure: the bytes of an answer, and how many requests are in flight on a connection.
_PAGES = {"hello": (13, 1), "large": (16384, 1), "pipelined": (13, 16)}


def web(name: str, plan: Plan) -> Figures:
    """What CPU time a request costs a server of HTTP."""
    figures = {}
    for key, (size, depth) in _PAGES.items():
        started = Child(python("bench.httpservers", name, int(plan.seconds) + 2 * PATIENCE, size), cores().measured)
        figures[key] = loaded(started, replace(plan, size=size, depth=depth), HTTP)["cpu"]
    return figures


def accept(name: str, plan: Plan) -> Figures:
    """A server whose clients connect, have a message echoed and close: what each costs it."""
    return visited(server(name, plan, cores().measured), plan, "{}")


def handshakes(name: str, plan: Plan) -> Figures:
    """The same with TLS: nothing is resumed, so that every one is a whole handshake."""
    return visited(server(name, plan, cores().measured, "tls", certificate()), plan, "tls:{}")


def visited(started: Child, plan: Plan, where: str) -> Figures:
    """The figures of an echo server that was started, whose clients come and go; it is ended."""
    program = compiled("dial", where.startswith("tls:"))
    with started as measured:
        arguments = (where.format(measured.port()), plan.connections, plan.size, plan.seconds)
        command = [str(program), *map(str, arguments)] if program else python("bench.visits", *arguments)
        return counted(measured, command, plan)


def counted(measured: Child, command: list[str], plan: Plan) -> Figures:
    """The figures of that server under one load process, which says "warm" and reports as load.c does."""
    try:
        with Child(command, cores().load[0]) as load:
            patience = plan.seconds + PATIENCE
            if load.line(patience) != "warm":
                raise BenchError("the load ended before it began to count; take more --seconds")
            before, began = cpuTime(measured.pid), time.perf_counter()
            report = load.line(patience)
            after, ended = cpuTime(measured.pid), time.perf_counter()
    except BenchError as error:
        raise BenchError(f"{error}{measured.complaint()}") from None
    return costs(Load.figures([report]), before, after, ended - began)


def latency(name: str, plan: Plan) -> Figures:
    """As many messages a second as asked for, or half of what the server can do in a closed loop, at an even rate; then
    the same beside one slow client.

    The first figure is that rate. BenchError without a C compiler: what sends a message at its
    microsecond is not Python.
    """
    pace = compiled("pace")
    if pace is None:
        raise BenchError("to send at an even rate takes a C compiler")
    half = float(plan.rate)
    if not half:
        half = loaded(server(name, plan, cores().measured), replace(plan, depth=1), "bytes")["rate"] / 2
    figures = {"half": half}
    for isSlow, prefix in ((0, ""), (1, "slow ")):
        with server(name, plan, cores().measured) as measured:
            arguments = (measured.port(), plan.connections, plan.size, plan.seconds, half, isSlow)
            taken = counted(measured, [str(pace), *map(str, arguments)], plan)
        figures |= {prefix + key: taken[key] for key in ("p50", "p99", "cpu")}
    return figures


def memory(name: str, plan: Plan) -> Figures:
    """KiB of resident memory for each TLS connection held: by a server; each has echoed a byte."""
    with ExitStack() as held, server(name, plan, cores().measured, "tls", certificate()) as measured:
        port = measured.port()
        for _ in range(FIRST):
            held.enter_context(echoed(port))
        before = residentKiB(measured.pid)
        for _ in range(plan.connections):
            held.enter_context(echoed(port))
        return {"server": (residentKiB(measured.pid) - before) / plan.connections}


def echoed(port: int) -> Any:
    """A TLS connection over which one byte went and came back."""
    connection = dial(f"tls:{port}")
    connection.settimeout(PATIENCE)
    connection.sendall(b"x")
    if connection.recv(1) != b"x":
        raise BenchError("the server closed a connection that was to be held")
    return connection
