"""Clients on loops that call no protocol: what `clients` and `holders` do, with each loop's own sockets or streams.

CLIENTS and HOLDERS have them by name.
"""

from __future__ import annotations

import os
from importlib import import_module

from bench.clients import HOST, Meter
from bench.holders import Scale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_AT_ONCE = 65536


def churnOnTornado(port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """A TCPClient, whose streams are awaited."""
    import asyncio

    TCPClient = import_module("tornado.tcpclient").TCPClient
    meter = Meter(seconds)

    async def churn() -> None:
        client = TCPClient()
        while True:
            stream = await client.connect(HOST, port)
            await stream.write(message)
            await stream.read_bytes(len(message))
            stream.close()
            if not meter.another():
                return

    async def main() -> None:
        await asyncio.gather(*[churn() for _ in range(connections)])

    asyncio.run(main())
    return meter


def churnOnGevent(port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """A greenlet for each connection at a time."""
    gevent, socket = import_module("gevent"), import_module("gevent.socket")
    meter = Meter(seconds)

    def churn() -> None:
        while True:
            connection = socket.create_connection((HOST, port))
            connection.sendall(message)
            got = 0
            while got < len(message):
                got += len(connection.recv(_AT_ONCE))
            connection.close()
            if not meter.another():
                return

    gevent.joinall([gevent.spawn(churn) for _ in range(connections)], raise_error=True)
    return meter


def churnOnTrio(port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """A task for each connection at a time."""
    trio = import_module("trio")
    meter = Meter(seconds)

    async def churn() -> None:
        while True:
            stream = await trio.open_tcp_stream(HOST, port)
            await stream.send_all(message)
            got = 0
            while got < len(message):
                got += len(await stream.receive_some(_AT_ONCE))
            await stream.aclose()
            if not meter.another():
                return

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(churn)

    trio.run(main)
    return meter


def holdOnTornado(port: int, count: int) -> None:
    """Streams of a TCPClient, each in a list."""
    import asyncio

    client = import_module("tornado.tcpclient").TCPClient()

    async def main() -> None:
        scale, held, more = Scale(count), [], True
        while more:
            held.append(await client.connect(HOST, port))
            more = scale.another()
        os._exit(0)

    asyncio.run(main())


def holdOnGevent(port: int, count: int) -> None:
    """Sockets, each with a greenlet that reads."""
    gevent, socket = import_module("gevent"), import_module("gevent.socket")
    scale, held, more = Scale(count), [], True
    while more:
        connection = socket.create_connection((HOST, port))
        held.append(gevent.spawn(connection.recv, _AT_ONCE))
        gevent.sleep(0)
        more = scale.another()
    os._exit(0)


def holdOnTrio(port: int, count: int) -> None:
    """Streams, each with a task that reads."""
    trio = import_module("trio")

    async def main() -> None:
        scale, more = Scale(count), True
        async with trio.open_nursery() as nursery:
            while more:
                stream = await trio.open_tcp_stream(HOST, port)
                nursery.start_soon(stream.receive_some, _AT_ONCE)
                more = scale.another()
            os._exit(0)

    trio.run(main)


CLIENTS: dict[str, Callable[[int, float, int, bytes], Meter]] = {
    "tornado": churnOnTornado,
    "gevent": churnOnGevent,
    "trio": churnOnTrio,
}
HOLDERS: dict[str, Callable[[int, int], None]] = {
    "tornado": holdOnTornado,
    "gevent": holdOnGevent,
    "trio": holdOnTrio,
}
