"""Clients that hold idle connections: `python -m bench.holders PEER PORT COUNT`.

Prints {"memory": KiB for each of them} as JSON. They go to an echo server on 127.0.0.1:PORT one after another, so that
nothing but held connections is in memory when it is measured. The first ones are not counted: they pay for what a loop
imports and makes with its first connection.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from importlib import import_module

from bench import peers
from bench.machine import residentKiB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST = "127.0.0.1"
FIRST = 20


class Scale:
    """Weighs this process when the first connections are made and when all are."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._made = 0
        self._before = 0.0

    def another(self) -> bool:
        """One more connection is made: whether to make another. When not, the result is printed."""
        self._made += 1
        if self._made == FIRST:
            self._before = residentKiB(os.getpid())
        if self._made < FIRST + self._count:
            return True
        print(json.dumps({"memory": (residentKiB(os.getpid()) - self._before) / self._count}), flush=True)
        return False


def onReactor(name: str, port: int, count: int) -> None:
    """Ours and Twisted's: the same program."""
    reactor, protocol = peers.reactorOf(name)
    scale = Scale(count)

    class Held(protocol.Protocol):  # type: ignore[misc, name-defined]  # imported by name: see peers
        def connectionMade(self) -> None:
            if scale.another():
                reactor.connectTCP(HOST, port, factory)
            else:
                os._exit(0)

    class Holding(protocol.ClientFactory):  # type: ignore[misc, name-defined]
        noisy = False
        protocol = Held

        def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
            print(reason, file=sys.stderr, flush=True)
            os._exit(1)

    factory = Holding()
    reactor.callWhenRunning(reactor.connectTCP, HOST, port, factory)
    reactor.run()


def onAsyncio(name: str, port: int, count: int) -> None:
    """asyncio's own loop, uvloop, and aiofastnet's transports."""
    import asyncio

    async def main() -> None:
        connect = peers.creatorOf(name, "create_connection")
        scale = Scale(count)
        held = []
        more = True
        while more:
            transport, _ = await connect(asyncio.Protocol, HOST, port)
            held.append(transport)
            more = scale.another()
        os._exit(0)

    with asyncio.Runner(loop_factory=peers.loopFactoryOf(name)) as runner:
        runner.run(main())


def onSockets(name: str, port: int, count: int) -> None:
    """Socket objects in a list: the floor for Python."""
    scale = Scale(count)
    held = []
    more = True
    while more:
        held.append(socket.create_connection((HOST, port)))
        more = scale.another()
    os._exit(0)


def main() -> None:
    """Be the client that the command line names."""
    name, port, count = sys.argv[1:]
    signal.alarm(120)
    if name in peers.GUESTS:
        import_module("bench.guestclients").HOLDERS[name](int(port), int(count))
        return
    hold = onSockets if name == peers.RAW else onReactor if peers.hasReactor(name) else onAsyncio
    hold(name, int(port), int(count))


if __name__ == "__main__":
    main()
