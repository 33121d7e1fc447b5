"""asyncio programs on our loop and on others: every kind of echo server, or every library, in one turn, so that one
table has them all.

As in `measure`, one call of a benchmark's function measures one peer in one round.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace

from bench.aioapps import AIOHTTP, UVICORN, WEBSOCKETS, isInstalled
from bench.aioservers import BUFFERED, SOCKETS, STREAMS, UDP
from bench.certificate import certificate
from bench.child import Child, python
from bench.machine import cores
from bench.measure import PATIENCE, loaded
from bench.questions import HTTP, WEBSOCKET
from bench.servers import TCP, TLS, UNIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.rounds import Figures

KIB = 1 << 10
# By the key of the figure: the kind of server, the bytes of a message, and how many of them are in flight.
ECHOES: dict[str, tuple[str, int, int]] = {
    "protocol": (TCP, KIB, 1),
    "small": (TCP, 64, 16),
    "large": (TCP, 16 * KIB, 1),
    "buffered": (BUFFERED, KIB, 1),
    "unix": (UNIX, KIB, 1),
    "udp": (UDP, KIB, 1),
    "tls": (TLS, KIB, 1),
    "tls large": (TLS, 16 * KIB, 1),
    "streams": (STREAMS, KIB, 1),
    "sockets": (SOCKETS, KIB, 1),
}


def echoes(name: str, plan: Plan) -> Figures:
    """What CPU time a message costs each kind of echo server; its `size` and `depth` are the kind's."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder:
        for key, (kind, size, depth) in ECHOES.items():
            where = {UNIX: f"{folder}/{key}", TLS: certificate() if kind == TLS else ""}.get(kind, "")
            server = Child(
                python("bench.aioservers", name, int(plan.seconds) + 2 * PATIENCE, kind, where), cores().measured
            )
            address = {UNIX: f"unix:{where}", TLS: "tls:{}", UDP: "udp:{}"}.get(kind, "{}")
            taken = loaded(server, replace(plan, size=size, depth=depth), "bytes", address)
            figures[key] = taken["cpu"]
    return figures


# By the library: what it is asked.
QUESTIONS = {AIOHTTP: HTTP, UVICORN: HTTP, WEBSOCKETS: WEBSOCKET}


def libraries(name: str, plan: Plan) -> Figures:
    """What CPU time an answer costs a server by each library that is installed."""
    figures = {}
    for library, kind in QUESTIONS.items():
        if isInstalled(library):
            lifetime = int(plan.seconds) + 2 * PATIENCE
            server = Child(python("bench.aioapps", name, lifetime, library), cores().measured)
            figures[library] = loaded(server, replace(plan, depth=1), kind)["cpu"]
    return figures
