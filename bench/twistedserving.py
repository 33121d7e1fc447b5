"""Twisted's programs on our engine and on its own: every kind of server, and the rest, in one turn, for one table.

As in `measure`, one call of a benchmark's function measures one peer in one round.
"""

from __future__ import annotations

import socket
import tempfile
from dataclasses import replace

from bench import peers
from bench.certificate import certificate
from bench.child import BenchError, Child, python
from bench.machine import cores
from bench.measure import HOST, PATIENCE, floor, loaded, server
from bench.servers import CONTEXT, TLS
from bench.serving import visited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.rounds import Figures

KIB = 1 << 10
# By the key of the figure: the program and its transport, the kind of messages, the bytes of one, how many in flight.
ECHOES: dict[str, tuple[tuple[str, ...], str, int, int]] = {
    "echo": (("servers", "tcp"), "bytes", KIB, 1),
    "small": (("servers", "tcp"), "bytes", 64, 16),
    "lines": (("frameservers", "lines"), "lines", 64, 16),
    "tls": (("servers", TLS), "bytes", KIB, 1),
    # Which Twisted's reactors do not take: what a program has there is pyOpenSSL.
    "context": (("servers", CONTEXT), "bytes", KIB, 1),
    "udp": (("datagrams",), "bytes", KIB, 1),
    "unix": (("servers", "unix"), "bytes", KIB, 1),
}


def started(name: str, plan: Plan, module: str, *arguments: object) -> Child:
    """That program of the benchmarks, on the reactor that is measured."""
    lifetime = int(plan.seconds) + 2 * PATIENCE
    return Child(python("bench.undertwisted", name, module, lifetime, *arguments), cores().measured)


def under(name: str, plan: Plan) -> Figures:
    """What CPU time everything costs: a message of each kind of server, a request, a connection, a delayed call."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder:
        for key, ((module, *options), kind, size, depth) in ECHOES.items():
            path = f"{folder}/{key}"
            secure = key in ("tls", "context")
            where = "tls:{}" if secure else {"udp": "udp:{}", "unix": f"unix:{path}"}.get(key, "{}")
            more = [certificate() if secure else path] if module == "servers" else []
            if key == "context" and name != peers.OURS:
                options = [TLS]
            measured = started(name, plan, module, *options, *more)
            figures[key] = loaded(measured, replace(plan, size=size, depth=depth), kind, where)["cpu"]
    figures["web"] = web(name, plan)
    figures["accept"] = visited(started(name, plan, "servers"), replace(plan, size=64), "{}")["cpu"]
    figures["connect"] = connected(name, plan)
    with Child(python("bench.undertwisted", name, "twistedcalls", "calls", plan.seconds), cores().measured) as calls:
        figures |= calls.figures(plan.seconds * 8 + PATIENCE)
    return figures


def connected(name: str, plan: Plan) -> float:
    """The CPU time of a client's connection: made, used for 64 bytes, and closed."""
    with server(floor(), plan, cores().load[0]) as echoing:
        arguments = ("clients", echoing.port(), plan.seconds, plan.connections, 64)
        with Child(python("bench.undertwisted", name, *arguments), cores().measured) as client:
            return client.figures(plan.seconds + PATIENCE)["cpu"]


def web(name: str, plan: Plan) -> float:
    """The CPU time of a request to a website, on connections that are kept."""
    with started(name, plan, "webserver") as measured:
        size = answered(measured.port())
        return loaded(measured, replace(plan, size=size, depth=1), "requests")["cpu"]


def answered(port: int) -> int:
    """The bytes of the server's answer, which is the same each time but for the date.

    The load takes a message for answered when as many bytes have come as it has: it makes its request as long.
    """
    with socket.create_connection((HOST, port), timeout=PATIENCE) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = [answer.readline()]
        while head[-1].strip():
            head.append(answer.readline())
    if not head[0].startswith(b"HTTP/1.1 200 "):
        raise BenchError(f"the website answers {head[0]!r}")
    (body,) = (int(line.split()[1]) for line in head if line.lower().startswith(b"content-length:"))
    return sum(map(len, head)) + body
