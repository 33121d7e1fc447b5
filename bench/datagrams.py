"""Echo servers for datagrams: `python -m bench.datagrams PEER LIFETIME`.

Each sends a datagram back to where it came from, through its loop's own interface for UDP. Apart from that they are
what `bench.servers` tells.
"""

from __future__ import annotations

import signal
import socket
import sys
from importlib import import_module

from bench import peers
from bench.servers import HOST, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LARGEST = 65536


def onReactor(name: str) -> None:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)

    class Echo(protocol.DatagramProtocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        noisy = False

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.transport.write(datagram, addr)

    port = reactor.listenUDP(0, Echo(), interface=HOST, maxPacketSize=_LARGEST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onAsyncio(name: str) -> None:
    """asyncio's own loop, uvloop, and aiofastnet's transports."""
    import asyncio

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data, addr)

    async def main() -> None:
        create = peers.creatorOf(name, "create_datagram_endpoint")
        transport, _ = await create(Echo, local_addr=(HOST, 0))
        ready(transport.get_extra_info("sockname")[1])
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def onGevent(name: str) -> None:
    """A socket that looks as if it blocked: gevent's DatagramServer would make a greenlet for each datagram."""
    connection = import_module("gevent.socket").socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.bind((HOST, 0))
    ready(connection.getsockname()[1])
    while True:
        connection.sendto(*connection.recvfrom(_LARGEST))


def onTrio(name: str) -> None:
    """A trio socket, awaited."""
    trio = import_module("trio")

    async def main() -> None:
        connection = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        await connection.bind((HOST, 0))
        ready(connection.getsockname()[1])
        while True:
            await connection.sendto(*await connection.recvfrom(_LARGEST))

    trio.run(main)


def onSockets(name: str) -> None:
    """The floor for Python: a socket that blocks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.bind((HOST, 0))
        ready(connection.getsockname()[1])
        while True:
            connection.sendto(*connection.recvfrom(_LARGEST))


OTHERS: dict[str, Callable[[str], None]] = {"gevent": onGevent, "trio": onTrio, peers.RAW: onSockets}


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime = sys.argv[1:]
    signal.alarm(int(lifetime))
    OTHERS.get(name, onReactor if peers.hasReactor(name) else onAsyncio)(name)


if __name__ == "__main__":
    main()
