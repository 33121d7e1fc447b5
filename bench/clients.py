"""Client churn on each loop's best callback API: `python -m bench.clients PEER PORT SECONDS CONNECTIONS SIZE`.

CONNECTIONS at a time go to an echo server on 127.0.0.1:PORT; each connects, sends SIZE bytes, waits until they have
come back and closes, and the next one begins. Prints one line of JSON: connections per second ("rate"), and the
microseconds of this process's CPU time for each ("cpu", "user", "system").
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from importlib import import_module
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

from bench import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = "127.0.0.1"


class Meter:
    """Counts the connections made and lost again, from a fifth of the time on, and says when the time is over."""

    def __init__(self, seconds: float) -> None:
        now = perf_counter()
        self._warm, self._end = now + seconds * 0.2, now + seconds
        self._began: tuple[float, float, float] | None = None
        self._count = 0
        self.figures: dict[str, float] | None = None

    def another(self) -> bool:
        """One connection is done: whether to begin another."""
        if self.figures is not None:
            return False
        now = perf_counter()
        if self._began is not None:
            self._count += 1
            if now >= self._end:
                self._finish(now)
                return False
        elif now >= self._warm:
            self._began = (now, *self._used())
        return True

    def _finish(self, now: float) -> None:
        assert self._began is not None
        began, user, system = self._began
        each = 1e6 / self._count
        used = self._used()
        userEach, systemEach = (used[0] - user) * each, (used[1] - system) * each
        self.figures = {
            "rate": self._count / (now - began),
            "cpu": userEach + systemEach,
            "user": userEach,
            "system": systemEach,
        }

    @staticmethod
    def _used() -> tuple[float, float]:
        usage = getrusage(RUSAGE_SELF)
        return usage.ru_utime, usage.ru_stime


def onReactor(name: str, port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)
    meter = Meter(seconds)
    inFlight = connections

    class Once(protocol.Protocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        got = 0

        def connectionMade(self) -> None:
            self.transport.write(message)

        def dataReceived(self, data: bytes) -> None:
            self.got += len(data)
            if self.got == len(message):
                self.transport.loseConnection()

    class Churn(protocol.ClientFactory):  # type: ignore[misc, name-defined]
        noisy = False
        protocol = Once

        def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
            print(reason, file=sys.stderr, flush=True)
            os._exit(1)

        def clientConnectionLost(self, connector: Any, reason: Any) -> None:
            nonlocal inFlight
            if meter.another():
                reactor.connectTCP(HOST, port, factory)
                return
            inFlight -= 1
            if not inFlight:
                reactor.stop()

    factory = Churn()
    for _ in range(connections):
        reactor.callWhenRunning(reactor.connectTCP, HOST, port, factory)
    reactor.run()
    return meter


def onAsyncio(name: str, port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """asyncio's own loop, uvloop, and aiofastnet's transports."""
    import asyncio

    meter = Meter(seconds)

    class Once(asyncio.Protocol):
        def __init__(self, done: asyncio.Future[None]) -> None:
            self.done = done
            self.got = 0

        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            transport.write(message)

        def data_received(self, data: bytes) -> None:
            self.got += len(data)
            if self.got == len(message):
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self.done.set_result(None)

    async def churn() -> None:
        loop = asyncio.get_running_loop()
        connect = peers.creatorOf(name, "create_connection")
        while True:
            done: asyncio.Future[None] = loop.create_future()
            await connect(lambda done=done: Once(done), HOST, port)
            await done
            if not meter.another():
                return

    async def main() -> None:
        await asyncio.gather(*[churn() for _ in range(connections)])

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())
    return meter


def onSockets(name: str, port: int, seconds: float, connections: int, message: bytes) -> Meter:
    """Blocking sockets, one after another: what the kernel and the socket module cost by themselves."""
    meter = Meter(seconds)
    while True:
        with socket.create_connection((HOST, port)) as connection:
            connection.sendall(message)
            got = 0
            while got < len(message):
                got += len(connection.recv(65536))
        if not meter.another():
            return meter


def main() -> None:
    """Be the client that the command line names."""
    name, port, seconds, connections, size = sys.argv[1:]
    signal.alarm(int(float(seconds)) + 60)
    arguments = int(port), float(seconds), int(connections), b"x" * int(size)
    if name in peers.GUESTS:
        meter = import_module("bench.guestclients").CLIENTS[name](*arguments)
    else:
        churn = onSockets if name == peers.RAW else onReactor if peers.hasReactor(name) else onAsyncio
        meter = churn(name, *arguments)
    print(json.dumps(meter.figures))


if __name__ == "__main__":
    main()
