"""Echo servers for lines and for strings behind a length: `python -m bench.frameservers PEER LIFETIME KIND`.

KIND is "lines" (each ends with CR LF) or "strings" (32 bits of length, big-endian). Ours and Twisted's have a receiver
in their `protocols.basic`, asyncio, uvloop and aiofastnet have asyncio's streams, tornado its own, gevent files on
sockets: what a program on each of them would use (trio reads neither). Apart from that they are what `bench.servers`
tells.
"""

from __future__ import annotations

import signal
import socket
import sys
from importlib import import_module

from bench import peers
from bench.guests import listener
from bench.servers import BACKLOG, HOST, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any

LINES, STRINGS = "lines", "strings"
_BASIC = {peers.OURS: "protocols.basic", "twisted": "twisted.protocols.basic"}


def onReactor(name: str, kind: str) -> None:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)
    basic = import_module(_BASIC[name])

    class Lines(basic.LineOnlyReceiver):  # type: ignore[misc, name-defined]  # imported by name: see peers
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)

        def lineReceived(self, line: bytes) -> None:
            self.sendLine(line)

    class Strings(basic.Int32StringReceiver):  # type: ignore[misc, name-defined]
        def connectionMade(self) -> None:
            self.transport.setTcpNoDelay(True)

        def stringReceived(self, string: bytes) -> None:
            self.sendString(string)

    factory = protocol.Factory.forProtocol(Lines if kind == LINES else Strings)
    factory.noisy = False
    port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


def onStreams(name: str, kind: str) -> None:
    """asyncio's streams, on its own loop and on uvloop."""
    import asyncio

    async def echoLines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()

    async def echoStrings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            prefix = await reader.readexactly(4)
            writer.write(prefix + await reader.readexactly(int.from_bytes(prefix, "big")))
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await (echoLines if kind == LINES else echoStrings)(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The load is over.
            pass
        writer.close()

    async def main() -> None:
        start = asyncio.start_server if name != "aiofastnet" else peers.creatorOf(name, "start_server")
        server = await start(serve, HOST, 0, backlog=BACKLOG)
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def onTornado(name: str, kind: str) -> None:
    """A TCPServer, whose streams are awaited."""
    import asyncio

    StreamClosedError = import_module("tornado.iostream").StreamClosedError

    class Echo(import_module("tornado.tcpserver").TCPServer):  # type: ignore[misc]  # imported by name: see peers
        async def handle_stream(self, stream: Any, address: object) -> None:
            stream.set_nodelay(True)
            try:
                while kind == LINES:
                    await stream.write(await stream.read_until(b"\r\n"))
                while True:
                    prefix = await stream.read_bytes(4)
                    await stream.write(prefix + await stream.read_bytes(int.from_bytes(prefix, "big")))
            except StreamClosedError:
                # The load is over.
                pass

    async def main() -> None:
        server = Echo()
        listening = listener("tcp", "")
        server.add_sockets([listening])
        ready(listening.getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(main())


def onGevent(name: str, kind: str) -> None:
    """A StreamServer; each greenlet reads its connection as a file."""
    gevent = import_module("gevent")

    def echo(connection: Any, address: object) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            file = connection.makefile("rb")
            while kind == LINES:
                line = file.readline()
                if not line:
                    return
                connection.sendall(line)
            while prefix := file.read(4):
                connection.sendall(prefix + file.read(int.from_bytes(prefix, "big")))
        except OSError:
            # The load is over.
            pass

    listening = import_module("gevent.socket").socket(fileno=listener("tcp", "").detach())
    import_module("gevent.server").StreamServer(listening, echo).start()
    ready(listening.getsockname()[1])
    gevent.wait()


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime, kind = sys.argv[1:]
    signal.alarm(int(lifetime))
    own = {"tornado": onTornado, "gevent": onGevent}
    serve = onReactor if peers.hasReactor(name) else own.get(name, onStreams)
    serve(name, kind)


if __name__ == "__main__":
    main()
