"""Echo servers, each on the best callback API of its loop: `python -m bench.servers PEER LIFETIME`.

Each listens on a port of 127.0.0.1 that the kernel chooses, prints "ready PORT" and echoes every byte until it is
ended, or LIFETIME seconds have passed (nobody may be left to end it). TCP_NODELAY is on everywhere.
"""

from __future__ import annotations

import signal
import socket
import sys

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = "127.0.0.1"
BACKLOG = 1024
# Close by reset behind the peer's FIN, for the reason told in limit.c.
_RESET = b"\x01\0\0\0\0\0\0\0"


def ready(port: int) -> None:
    """Tell who started this process that it listens, and where."""
    print(f"ready {port}", flush=True)


def onReactor(name: str) -> None:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)

    class Echo(protocol.Protocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    factory = protocol.Factory.forProtocol(Echo)
    factory.noisy = False
    port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onAsyncio(name: str) -> None:
    """asyncio's own loop and uvloop, which switch TCP_NODELAY on by themselves."""
    import asyncio

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Echo, HOST, 0, backlog=BACKLOG)
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def onSockets(name: str) -> None:
    """The floor for Python: epoll, one recv and one send an event, no framework at all."""
    import select

    listener = socket.create_server((HOST, 0), backlog=BACKLOG)
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    ready(listener.getsockname()[1])
    while True:
        for fd, _ in poller.poll():
            if fd == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connections[connection.fileno()] = connection
                poller.register(connection.fileno(), select.EPOLLIN)
                continue
            connection = connections[fd]
            try:
                data = connection.recv(65536)
                sent = connection.send(data)
                if sent < len(data):  # large messages only; this server has no buffers, and all others wait
                    connection.settimeout(10)
                    connection.sendall(data[sent:])
                    connection.setblocking(False)
            except OSError:
                data = b""
            if not data:
                poller.unregister(fd)
                connections.pop(fd).close()


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime = sys.argv[1:]
    signal.alarm(int(lifetime))
    serve = onSockets if name == peers.RAW else onReactor if peers.hasReactor(name) else onAsyncio
    serve(name)


if __name__ == "__main__":
    main()
