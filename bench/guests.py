"""Echo servers on loops that call no protocol, each with the least that its own documentation offers: see `servers`.

tornado's streams, gevent's sockets that look as if they blocked, trio's streams. SERVERS has them by name.
"""

from __future__ import annotations

import socket
from importlib import import_module

from bench.servers import BACKLOG, HOST, TLS, UNIX, contextOf, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_AT_ONCE = 65536


def listener(transport: str, where: str) -> socket.socket:
    """A socket that listens, where the command line of `servers` says."""
    if transport == UNIX:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(where)
        listening.listen(BACKLOG)
    else:
        listening = socket.create_server((HOST, 0), backlog=BACKLOG)
    listening.setblocking(False)
    return listening


def announce(listening: socket.socket, transport: str) -> None:
    """Say that it listens."""
    ready(0 if transport == UNIX else listening.getsockname()[1])


def onTornado(name: str, transport: str, where: str) -> None:
    """A TCPServer, whose streams are awaited."""
    import asyncio

    StreamClosedError = import_module("tornado.iostream").StreamClosedError

    class Echo(import_module("tornado.tcpserver").TCPServer):  # type: ignore[misc]  # imported by name: see peers
        async def handle_stream(self, stream: Any, address: object) -> None:
            if transport != UNIX:
                stream.set_nodelay(True)
            try:
                while True:
                    await stream.write(await stream.read_bytes(_AT_ONCE, partial=True))
            except StreamClosedError:
                pass

    async def main() -> None:
        server = Echo(ssl_options=contextOf(transport, where), max_buffer_size=1 << 24)
        listening = listener(transport, where)
        server.add_sockets([listening])
        announce(listening, transport)
        await asyncio.Event().wait()

    asyncio.run(main())


def onGevent(name: str, transport: str, where: str) -> None:
    """A StreamServer, with a greenlet for each connection."""
    gevent = import_module("gevent")

    def echo(connection: Any, address: object) -> None:
        try:
            if transport != UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(_AT_ONCE):
                connection.sendall(data)
        except OSError:
            # The load is over.
            pass

    class Quiet(import_module("gevent.server").StreamServer):  # type: ignore[misc]
        def wrap_socket_and_handle(self, client_socket: Any, address: object) -> None:
            try:
                super().wrap_socket_and_handle(client_socket, address)
            except OSError:
                pass

    where_ = {}
    if transport == TLS:
        context = import_module("gevent.ssl").SSLContext(import_module("ssl").PROTOCOL_TLS_SERVER)
        context.load_cert_chain(where)
        where_ = {"ssl_context": context}
    listening = import_module("gevent.socket").socket(fileno=listener(transport, where).detach())
    server = Quiet(listening, echo, **where_)
    server.start()
    announce(listening, transport)
    gevent.wait()


def onTrio(name: str, transport: str, where: str) -> None:
    """serve_listeners, with a task for each connection."""
    trio = import_module("trio")

    async def echo(stream: Any) -> None:
        try:
            async for data in stream:
                await stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The load is over.
            pass

    async def main() -> None:
        # Its streams switch TCP_NODELAY on by themselves.
        listening = trio.socket.from_stdlib_socket(listener(transport, where))
        accepting: Any = trio.SocketListener(listening)
        if context := contextOf(transport, where):
            # A client that is gone without a farewell is no error here.
            accepting = trio.SSLListener(accepting, context, https_compatible=True)
        announce(listening, transport)
        await trio.serve_listeners(echo, [accepting])

    trio.run(main)


SERVERS: dict[str, Callable[[str, str, str], None]] = {"tornado": onTornado, "gevent": onGevent, "trio": onTrio}
