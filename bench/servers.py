"""Echo servers, each on the best callback API of its loop: `python -m bench.servers PEER LIFETIME [TRANSPORT WHERE]`.

TRANSPORT is "tcp", "tls" (WHERE is a file with key and certificate), "context" (the same, where a program for Twisted
passes an `SSLContext`, which `reactor.twisted` takes) or "unix" (WHERE is the path of the socket). Each
listens on a port of 127.0.0.1 that the kernel chooses, or there, prints "ready PORT" and echoes every byte until it is
ended, or LIFETIME seconds have passed (nobody may be left to end it). TCP_NODELAY is on everywhere. Those that have no
protocols are in `guests`.
"""

from __future__ import annotations

import signal
import socket
import sys
from importlib import import_module
from pathlib import Path

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = "127.0.0.1"
BACKLOG = 1024
TCP, TLS, CONTEXT, UNIX = "tcp", "tls", "context", "unix"
# Close by reset behind the peer's FIN, for the reason told in limit.c.
_RESET = b"\x01\0\0\0\0\0\0\0"


def ready(port: int) -> None:
    """Tell who started this process that it listens, and where."""
    print(f"ready {port}", flush=True)


def contextOf(transport: str, where: str) -> Any:
    """The SSLContext of a server with the key and the certificate in file `where`; None for what is not TLS."""
    if transport not in (TLS, CONTEXT):
        return None
    from ssl import PROTOCOL_TLS_SERVER, SSLContext

    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where)
    return context


def onReactor(name: str, transport: str, where: str) -> None:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)

    class Echo(protocol.Protocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        def connectionMade(self) -> None:
            if transport != UNIX:
                self.transport.setTcpNoDelay(True)

        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)

    factory = protocol.Factory.forProtocol(Echo)
    factory.noisy = False
    if transport == UNIX:
        reactor.listenUNIX(where, factory, backlog=BACKLOG)
        reactor.callWhenRunning(ready, 0)
    else:
        options = contextOf(transport, where) if transport == CONTEXT else None
        if transport == TLS:
            ssl = import_module(peers.MODULES[name] + ".ssl")
            options = ssl.PrivateCertificate.loadPEM(Path(where).read_bytes()).options()
        if options is not None:
            port = reactor.listenSSL(0, factory, options, backlog=BACKLOG, interface=HOST)
        else:
            port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
        reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onAsyncio(name: str, transport: str, where: str) -> None:
    """asyncio's own loop, uvloop, and aiofastnet's transports on asyncio's; all switch TCP_NODELAY on."""
    import asyncio

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    async def main() -> None:
        create = peers.creatorOf(name, "create_unix_server" if transport == UNIX else "create_server")
        if transport == UNIX:
            server = await create(Echo, where, backlog=BACKLOG)
            ready(0)
        else:
            server = await create(Echo, HOST, 0, backlog=BACKLOG, ssl=contextOf(transport, where))
            ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def onSockets(name: str, transport: str, where: str) -> None:
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
    name, lifetime, *rest = sys.argv[1:]
    transport, where = rest or (TCP, "")
    signal.alarm(int(lifetime))
    serve = onSockets if name == peers.RAW else onReactor if peers.hasReactor(name) else onAsyncio
    if name in peers.GUESTS:
        serve = import_module("bench.guests").SERVERS[name]
    serve(name, transport, where)


if __name__ == "__main__":
    main()
