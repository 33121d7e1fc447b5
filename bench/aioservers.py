"""Echo servers by each interface of asyncio's: `python -m bench.aioservers PEER LIFETIME KIND [WHERE]`.

KIND is "tcp", "tls" or "unix" (a `Protocol`, as `bench.servers` has it, which also tells WHERE), "udp", "buffered" (a
`BufferedProtocol`), "streams" or "sockets" (`sock_recv` and `sock_sendall`). "ours" is `reactor.aio.EventLoop` here:
all run the same program. Apart from that they are what `bench.servers` tells.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

from bench import datagrams, peers, servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

BUFFERED, STREAMS, SOCKETS, UDP = "buffered", "streams", "sockets", "udp"
_AT_ONCE = 65536


class Buffered(asyncio.BufferedProtocol):
    """Has each connection received into one buffer of its own."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(_AT_ONCE))

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """All of it, whatever is expected."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Send it back; a transport copies what it cannot send now."""
        self.transport.write(self.buffer[:nbytes])


async def onBuffers() -> None:
    """A server of `Buffered`."""
    loop = asyncio.get_running_loop()
    await _serve(await loop.create_server(Buffered, servers.HOST, 0, backlog=servers.BACKLOG))


async def onStreams() -> None:
    """A server with asyncio's streams."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_AT_ONCE):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            # The load is over.
            pass
        writer.close()

    await _serve(await asyncio.start_server(echo, servers.HOST, 0, backlog=servers.BACKLOG))


async def _serve(server: asyncio.Server) -> None:
    servers.ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def onSockets() -> None:
    """A server that has nothing of the loop but its waiting for sockets."""
    loop = asyncio.get_running_loop()

    async def echo(connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while data := await loop.sock_recv(connection, _AT_ONCE):
                    await loop.sock_sendall(connection, data)
            except ConnectionError:
                # The load is over.
                pass

    tasks = set()
    with socket.create_server((servers.HOST, 0), backlog=servers.BACKLOG) as listener:
        listener.setblocking(False)
        servers.ready(listener.getsockname()[1])
        while True:
            connection, _ = await loop.sock_accept(listener)
            task = loop.create_task(echo(connection))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


SERVERS: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    BUFFERED: onBuffers,
    STREAMS: onStreams,
    SOCKETS: onSockets,
}


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime, kind, *rest = sys.argv[1:]
    signal.alarm(int(lifetime))
    if kind == UDP:
        datagrams.onAsyncio(name)
    elif kind in SERVERS:
        with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
            runner.run(SERVERS[kind]())
    else:
        servers.onAsyncio(name, kind, *(rest or [""]))


if __name__ == "__main__":
    main()
