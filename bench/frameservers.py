"""Echo servers for lines and for strings behind a length: `python -m bench.frameservers PEER LIFETIME KIND`.

KIND is "lines" (each ends with CR LF) or "strings" (32 bits of length, big-endian). Ours and Twisted's have a receiver
in their `protocols.basic`, asyncio and uvloop have asyncio's streams: what a program on each of them would use. Apart
from that they are what `bench.servers` tells.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from bench import peers
from bench.servers import BACKLOG, HOST, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio

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
        server = await asyncio.start_server(serve, HOST, 0, backlog=BACKLOG)
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def main() -> None:
    """Be the server that the command line names."""
    name, lifetime, kind = sys.argv[1:]
    signal.alarm(int(lifetime))
    serve = onReactor if peers.hasReactor(name) else onStreams
    serve(name, kind)


if __name__ == "__main__":
    main()
