"""Clients of HTTP: `python -m bench.webclients PEER PORT SECONDS CONNECTIONS`.

Each asks the server of `bench.webpages` on that port again and again, and reads the answers whole: over one connection,
over a pool of CONNECTIONS, and over the pool for 16 KiB. Prints one JSON object: by "one", "pool" and "large" the CPU
time of a request in microseconds. A peer that blocks has "one" only.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from importlib.util import find_spec

from bench import peers
from bench.servers import HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from typing import Any

    Fetch = Callable[[str], Awaitable[int]]

# What each is imported from.
MODULES = {
    peers.OURS: "protocols.http",
    "agent": "twisted.web.client",
    "treq": "treq",
    "aiohttp": "aiohttp",
    "httpx": "httpx",
    "tornado": "tornado",
    "urllib3": "urllib3",
}
FIGURES = {"one": "/hello", "pool": "/hello", "large": "/large"}
# The part of the time that goes by before it is counted.
WARM = 0.2


def installed() -> tuple[str, ...]:
    """The peers that are here."""
    return tuple(name for name, module in MODULES.items() if find_spec(module.partition(".")[0]) is not None)


class Counting:
    """Counts requests, and the CPU time that they take, from WARM on until the time is over."""

    def __init__(self, seconds: float) -> None:
        now = time.monotonic()
        self._begin, self.end = now + seconds * WARM, now + seconds
        self._count = 0
        self._used = 0.0
        self._isWarm = False

    def isOver(self) -> bool:
        """To be asked before each request; whether there is to be none."""
        now = time.monotonic()
        if not self._isWarm and now >= self._begin:
            self._isWarm = True
            self._count, self._used = 0, time.process_time()
        self._count += 1
        return now >= self.end

    def figure(self) -> float:
        """Microseconds a request."""
        return (time.process_time() - self._used) * 1e6 / max(self._count, 1)


async def asking(fetch: Fetch, url: str, counting: Counting) -> None:
    """One of those that ask at the same time."""
    while not counting.isOver():
        size = await fetch(url)
        if size < 13:
            raise RuntimeError(f"{size} bytes are not what was asked for")


async def measured(
    base: str, seconds: float, connections: int, make: Callable[[int], Any], together: Callable[[Iterable[Any]], Any]
) -> dict[str, float]:
    """The figures of a peer: `make(connections)` gives what fetches a URL, and what ends the client."""
    figures = {}
    for key, path in FIGURES.items():
        count = 1 if key == "one" else connections
        fetch, close = make(count)
        counting = Counting(seconds)
        await together([asking(fetch, base + path, counting) for _ in range(count)])
        figures[key] = counting.figure()
        await close()
    return figures


def ours(count: int) -> Any:
    """`protocols.http`, all features on."""
    client = import_module("protocols.http").Client(maxConnections=count, maxPerHost=count)

    async def fetch(url: str) -> int:
        return len(await (await client.get(url)).content())

    return fetch, client.close


def agent(count: int) -> Any:
    """Twisted's Agent with a pool that keeps connections."""
    web = import_module("twisted.web.client")
    pool = web.HTTPConnectionPool(import_module("twisted.internet").reactor, persistent=True)
    pool.maxPersistentPerHost = count
    client = web.Agent(import_module("twisted.internet").reactor, pool)

    async def fetch(url: str) -> int:
        return len(await web.readBody(await client.request(b"GET", url.encode())))

    return fetch, pool.closeCachedConnections


def treq(count: int) -> Any:
    """treq on such an Agent."""
    web = import_module("twisted.web.client")
    reactor = import_module("twisted.internet").reactor
    pool = web.HTTPConnectionPool(reactor, persistent=True)
    pool.maxPersistentPerHost = count
    client = import_module("treq.client").HTTPClient(web.Agent(reactor, pool))

    async def fetch(url: str) -> int:
        return len(await (await client.get(url)).content())

    return fetch, pool.closeCachedConnections


def aiohttp(count: int) -> Any:
    """aiohttp's session."""
    library = import_module("aiohttp")
    client = library.ClientSession(connector=library.TCPConnector(limit=count))

    async def fetch(url: str) -> int:
        async with client.get(url) as response:
            return len(await response.read())

    return fetch, client.close


def httpx(count: int) -> Any:
    """httpx's client."""
    library = import_module("httpx")
    limits = library.Limits(max_connections=count, max_keepalive_connections=count)
    client = library.AsyncClient(limits=limits, timeout=30)

    async def fetch(url: str) -> int:
        return len((await client.get(url)).content)

    return fetch, client.aclose


def tornado(count: int) -> Any:
    """tornado's client, which makes a connection for each request."""
    client = import_module("tornado.httpclient").AsyncHTTPClient(force_instance=True, max_clients=count)

    async def fetch(url: str) -> int:
        return len((await client.fetch(url)).body)

    async def close() -> None:
        client.close()

    return fetch, close


def blocking(base: str, seconds: float) -> dict[str, float]:
    """urllib3, one request after the other."""
    manager: Any = import_module("urllib3").PoolManager()
    counting = Counting(seconds)
    while not counting.isOver():
        if len(manager.request("GET", base + FIGURES["one"]).data) < 13:
            raise RuntimeError("that is not what was asked for")
    return {"one": counting.figure()}


def onReactor(name: str, reactor: Any, main: Coroutine[Any, Any, dict[str, float]]) -> dict[str, float]:
    """Run it on a reactor, ours or Twisted's."""
    results: list[Any] = []

    def ended(result: Any) -> None:
        results.append(result)
        reactor.stop()

    reactor.callWhenRunning(lambda: peers.deferOf(name).ensureDeferred(main).addBoth(ended))
    reactor.run()
    result = results[0]
    if not isinstance(result, dict):
        result.raiseException()
    return result  # type: ignore[no-any-return]


def main() -> None:
    """Be the client, and print what was measured."""
    name, port, seconds, connections = sys.argv[1:]
    base = f"http://{HOST}:{port}"
    about = (base, float(seconds), int(connections))
    if name in ("ours", "agent", "treq"):
        kind = "ours" if name == "ours" else "twisted"
        reactor, _ = peers.reactorOf(kind)
        defer = peers.deferOf(kind)

        def together(coroutines: Iterable[Any]) -> Any:
            return defer.gatherResults([defer.ensureDeferred(each) for each in coroutines], consumeErrors=True)

        figures = onReactor(
            kind, reactor, measured(*about, {"ours": ours, "agent": agent, "treq": treq}[name], together)
        )
    elif name == "urllib3":
        figures = blocking(base, float(seconds))
    else:
        import asyncio

        make = {"aiohttp": aiohttp, "httpx": httpx, "tornado": tornado}[name]
        figures = asyncio.run(measured(*about, make, lambda coroutines: asyncio.gather(*coroutines)))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
