"""The benchmarks by name, with the columns of their tables. How each is measured is told in `measure`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from bench import aioserving, httpservers, measure, peers, serving, twistedserving, webclients, wsservers
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


LOOPS = peers.LOOPS
EVERYBODY = tuple(peers.MODULES)
# trio's streams are of bytes, and say so.
FRAMED = tuple(filter("trio".__ne__, EVERYBODY))
# Twisted has its TLS from pyOpenSSL.
SECURE = tuple(name for name in EVERYBODY if name != "twisted" or find_spec("OpenSSL"))
UNDER_TWISTED = peers.TWISTED if find_spec("twisted") and find_spec("OpenSSL") else ()
CPU = (Figure("user", "user", 2), Figure("system", "sys", 2))
ECHOED = (
    Figure("rate", "messages/s", 0, compared=True),
    Figure("cpu", "CPU us/message", 2, compared=True),
    *CPU,
    Figure("p50", "p50 us", 0),
    Figure("p99", "p99 us", 0),
    Figure("busy", "busy %", 0),
)
VISITED = (
    Figure("rate", "connections/s", 0, compared=True),
    Figure("cpu", "CPU us/connection", 1, compared=True),
    *CPU,
    Figure("busy", "busy %", 0),
)
PACED = (
    Figure("half", "messages/s", 0, compared=True),
    Figure("p50", "p50 us", 0, compared=True),
    Figure("p99", "p99 us", 0, compared=True),
    Figure("cpu", "CPU us/message", 2),
    Figure("slow p50", "p50 us beside a slow client", 0, compared=True),
    Figure("slow p99", "p99 us beside a slow client", 0, compared=True),
)


def framed(kind: str, tls: bool = False) -> Callable[[Plan], str]:
    """The conditions of a load with that kind of messages."""
    what = {
        "datagrams": "bytes a datagram",
        "bytes": "bytes",
        "lines": "bytes and CR LF",
        "strings": "bytes behind their length",
    }[kind]

    def conditions(plan: Plan) -> str:
        load = "C" if compiled("load", tls) else "Python, which may be the slower end: compare CPU time"
        about = f"{plan.size} {what}, {plan.connections} connections, {plan.depth} in flight on each"
        if plan.idle:
            about += f", {plan.idle} idle ones beside"
        return f"{about}, {plan.seconds:g} s; load in {load}"

    return conditions


def visited(plan: Plan) -> str:
    """The conditions of clients that come and go."""
    return f"{plan.connections} at a time, {plan.size} bytes echoed on each, {plan.seconds:g} s"


def paced(plan: Plan) -> str:
    """The conditions of an even rate."""
    rate = f"{plan.rate:,} messages a second" if plan.rate else "half of what each server does in a closed loop"
    return f"{rate}, evenly: {plan.size} bytes, {plan.connections} connections, {plan.seconds:g} s"


BENCHMARKS: dict[str, Benchmark] = {
    "echo": Benchmark(
        "an echo server under load",
        ECHOED,
        (*EVERYBODY, peers.C, peers.RAW),
        measure.echo,
        framed("bytes"),
    ),
    "unix": Benchmark(
        "an echo server on a Unix socket",
        ECHOED,
        EVERYBODY,
        serving.unix,
        framed("bytes"),
    ),
    "tls": Benchmark(
        "an echo server that speaks TLS 1.3",
        ECHOED,
        SECURE,
        serving.tls,
        framed("bytes", tls=True),
    ),
    "udp": Benchmark(
        "an echo server for datagrams",
        ECHOED,
        (*filter("tornado".__ne__, EVERYBODY), peers.RAW),
        serving.udp,
        framed("datagrams"),
    ),
    "aio": Benchmark(
        "echo servers of asyncio programs: protocols, buffers, streams, sockets",
        (
            Figure("protocol", "Protocol 1 KiB us", 2, compared=True),
            Figure("small", "64 B x 16 us", 2, compared=True),
            Figure("large", "16 KiB us", 2, compared=True),
            Figure("buffered", "BufferedProtocol us", 2, compared=True),
            Figure("unix", "Unix socket us", 2, compared=True),
            Figure("udp", "UDP us", 2, compared=True),
            Figure("tls", "TLS 1 KiB us", 2, compared=True),
            Figure("tls large", "TLS 16 KiB us", 2, compared=True),
            Figure("streams", "streams us", 2, compared=True),
            Figure("sockets", "sock_recv us", 2, compared=True),
        ),
        peers.ASYNCIO,
        aioserving.echoes,
        lambda plan: f"CPU time of a message, 1 KiB each, {plan.connections} connections, {plan.seconds:g} s each",
    ),
    "aioapps": Benchmark(
        "servers by libraries of asyncio's world: aiohttp, uvicorn, websockets",
        (
            Figure("aiohttp", "aiohttp hello us", 1, compared=True),
            Figure("uvicorn", "uvicorn (httptools) hello us", 1, compared=True),
            Figure("websockets", "websockets echo us", 1, compared=True),
        ),
        peers.ASYNCIO,
        aioserving.libraries,
        lambda plan: (
            f"CPU time of an answer, {plan.connections} connections, WebSocket messages of {plan.size} bytes, "
            f"{plan.seconds:g} s each; load in Python"
        ),
    ),
    "aiocalls": Benchmark(
        "calls and tasks on loops of asyncio's kind",
        (
            Figure("soon", "call_soon us", 3, compared=True),
            Figure("cancel", "call_later + cancel us", 3, compared=True),
            Figure("fire", "call_later + fire us", 3, compared=True),
            Figure("sleep", "sleep(0) us", 3, compared=True),
            Figure("task", "task made us", 3, compared=True),
        ),
        peers.ASYNCIO,
        measure.operations("calls", "bench.aiocalls"),
        lambda plan: f"batches of a thousand, CPU time, {plan.seconds:g} s each",
    ),
    "webserver": Benchmark(
        "servers of HTTP: ours, uvicorn on uvloop, aiohttp, tornado, twisted.web",
        (
            Figure("hello", "hello us/request", 1, compared=True),
            Figure("large", "16 KiB us/request", 1, compared=True),
            Figure("pipelined", "16 pipelined us/request", 1, compared=True),
        ),
        httpservers.PEERS,
        serving.web,
        lambda plan: (
            f"CPU time of a GET, 13 bytes, {plan.connections} connections, {plan.seconds:g} s each; load in Python"
        ),
    ),
    "webclient": Benchmark(
        "clients of HTTP, with nginx at the other end",
        (
            Figure("pool", "pool us/request", 1, compared=True),
            Figure("large", "pool, 16 KiB us/request", 1, compared=True),
            Figure("one", "one connection us/request", 1, compared=True),
        ),
        webclients.installed(),
        measure.webClients,
        lambda plan: f"CPU time of a GET, 13 bytes, a pool of {plan.connections}, {plan.seconds:g} s each",
    ),
    "twisted": Benchmark(
        "programs for Twisted, on our engine and on its epoll reactor",
        (
            Figure("echo", "TCP 1 KiB us", 2, compared=True),
            Figure("small", "64 B x 16 us", 2, compared=True),
            Figure("lines", "lines, 64 B x 16 us", 2, compared=True),
            Figure("tls", "TLS 1 KiB us", 2, compared=True),
            Figure("context", "TLS by ssl.SSLContext us", 2, compared=True),
            Figure("udp", "UDP us", 2, compared=True),
            Figure("unix", "Unix socket us", 2, compared=True),
            Figure("web", "twisted.web us", 1, compared=True),
            Figure("accept", "accepted and closed us", 1, compared=True),
            Figure("connect", "connected and closed us", 1, compared=True),
            Figure("cancel", "callLater + cancel us", 3, compared=True),
            Figure("reset", "reset us", 3, compared=True),
            Figure("fire", "callLater + fire us", 3, compared=True),
            Figure("deferLater", "await deferLater us", 3, compared=True),
        ),
        UNDER_TWISTED,
        twistedserving.under,
        lambda plan: (
            f"CPU time of a message, 1 KiB where nothing else is said, {plan.connections} connections, "
            f"{plan.seconds:g} s each"
        ),
    ),
    "websocket": Benchmark(
        "WebSocket servers that echo: ours, websockets on uvloop and asyncio, aiohttp, tornado, autobahn on Twisted",
        (
            Figure("small", "16 B x 16 us", 2, compared=True),
            Figure("one", "1 KiB us", 2, compared=True),
            Figure("large", "64 KiB us", 1, compared=True),
        ),
        wsservers.PEERS,
        serving.webSocket,
        lambda plan: f"CPU time of a message, {plan.connections} connections, {plan.seconds:g} s each",
    ),
    "latency": Benchmark(
        "how long a message waits at half load, and beside a slow client",
        PACED,
        (*EVERYBODY, peers.C),
        serving.latency,
        paced,
    ),
    "lines": Benchmark(
        "an echo server for lines: LineOnlyReceiver, streams, files",
        ECHOED,
        FRAMED,
        measure.frames("lines"),
        framed("lines"),
    ),
    "strings": Benchmark(
        "an echo server for strings behind 32 bits of length: Int32StringReceiver, streams, files",
        ECHOED,
        FRAMED,
        measure.frames("strings"),
        framed("strings"),
    ),
    "connect": Benchmark(
        "a client that connects and closes again and again",
        (Figure("rate", "connections/s", 0, compared=True), Figure("cpu", "CPU us/connection", 1, compared=True), *CPU),
        (*EVERYBODY, peers.RAW),
        measure.connect,
        visited,
    ),
    "accept": Benchmark(
        "a server whose clients connect and close again and again",
        VISITED,
        (*EVERYBODY, peers.C, peers.RAW),
        serving.accept,
        visited,
    ),
    "handshakes": Benchmark(
        "the same with a TLS handshake on each",
        VISITED,
        SECURE,
        serving.handshakes,
        visited,
    ),
    "timers": Benchmark(
        "delayed calls: cancelled, put off, and waited for",
        (
            Figure("cancel", "schedule + cancel us", 3, compared=True),
            Figure("fire", "schedule + fire us", 3, compared=True),
            Figure("reset", "reset us", 3, compared=True),
        ),
        (*LOOPS, "tornado"),
        measure.operations("timers"),
        lambda plan: f"{plan.seconds:g} s each",
    ),
    "million": Benchmark(
        "as many delayed calls alive at a time",
        (
            Figure("schedule", "schedule us", 3, compared=True),
            Figure("beside", "schedule + cancel beside us", 3, compared=True),
            Figure("cancel", "cancel us", 3, compared=True),
            Figure("fire", "schedule + fire us", 3, compared=True),
            Figure("bytes", "bytes each", 0, compared=True),
        ),
        (*LOOPS, "tornado"),
        measure.many,
        lambda plan: f"{plan.live:,} delayed calls",
    ),
    "deferred": Benchmark(
        "Deferreds: callbacks, errors, generators, coroutines",
        (
            Figure("callbacks", "3 callbacks us", 3, compared=True),
            Figure("errback", "error, errback us", 3, compared=True),
            Figure("inline", "inlineCallbacks, 10 yields us", 2, compared=True),
            Figure("await", "coroutine, 10 awaits us", 2, compared=True),
            Figure("chain", "chain of 10 us", 2, compared=True),
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
        EVERYBODY,
        measure.imports,
        lambda plan: f"beyond the bare interpreter, best of {measure.STARTS} starts a round",
    ),
    "memory": Benchmark(
        "resident memory for each connection held",
        (
            Figure("client", "client KiB/connection", 2, compared=True),
            Figure("server", "server KiB/connection", 2, compared=True),
        ),
        (*EVERYBODY, peers.RAW),
        measure.memory,
        lambda plan: f"{plan.connections} connections held",
    ),
    "tlsmemory": Benchmark(
        "resident memory of a server for each TLS connection held",
        (Figure("server", "server KiB/connection", 2, compared=True),),
        SECURE,
        serving.memory,
        lambda plan: f"{plan.connections} connections held",
    ),
}
