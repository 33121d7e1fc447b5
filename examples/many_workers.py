"""Several processes that serve one port, so that every processor is used.

    python -m reactor workers 4 many_workers:main 8000

Each worker calls `main`. All of them listen on the port, which `reusePort` permits, and the system gives each client to
one of them: it is told which. A worker that dies is started anew; SIGTERM or Ctrl-C stops all of them gracefully;
SIGHUP replaces them one by one, by processes that have loaded the program anew.
"""

from __future__ import annotations

import os

from reactor.base import Reactor
from reactor.protocol import Factory, Protocol


class Told(Protocol):
    """Is told who serves it."""

    number: int

    def connectionMade(self) -> None:
        self.transport.write(b"worker %d, process %d\n" % (self.number, os.getpid()))
        self.transport.loseConnection()


def main(reactor: Reactor, number: int, port: str, interface: str = "127.0.0.1") -> None:
    class Mine(Told):
        pass

    Mine.number = number
    reactor.listenTCP(int(port), Factory.forProtocol(Mine), interface=interface, reusePort=True)
