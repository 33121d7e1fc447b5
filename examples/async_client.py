"""A client written with ``async`` and ``await``: ask a server several questions, one after the other.

    python async_client.py [host port]

Without a host and a port, an echo server is started in this same program and asked.
"""

from __future__ import annotations

import sys

from echoserver import Echo

from reactor import reactor
from reactor.defer import Deferred
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
from reactor.error import ConnectError
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol, connectionDone


class Questions(Protocol):
    """One question at a time; its answer is a line."""

    def __init__(self) -> None:
        self.waiting: Deferred[str] | None = None
        self.rest = b""
        self.gone: Deferred[str] = Deferred()

    def ask(self, question: str) -> Deferred[str]:
        """Send a line. The Deferred gets the line that answers it, or fails when the connection ends."""
        self.waiting = Deferred()
        self.transport.write(question.encode() + b"\n")
        return self.waiting

    def dataReceived(self, data: bytes) -> None:
        self.rest += data
        if self.waiting is not None and b"\n" in self.rest:
            line, self.rest = self.rest.split(b"\n", 1)
            waiting, self.waiting = self.waiting, None
            waiting.callback(line.decode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.waiting is not None:
            self.waiting.errback(reason)
        self.gone.callback(reason.getErrorMessage())


async def main(host: str, port: int) -> None:
    try:
        questions = await connectProtocol(TCP4ClientEndpoint(reactor, host, port), Questions())
    except ConnectError as error:
        print("could not connect:", error, flush=True)
        return
    for question in ("Who are you?", "Where do you come from?", "Where are you going?"):
        answer = await questions.ask(question)
        print("answer:", answer, flush=True)
    questions.transport.loseConnection()
    print("connection lost:", await questions.gone, flush=True)


def started() -> None:
    if len(sys.argv) == 3:
        host, port = sys.argv[1], int(sys.argv[2])
    else:
        host = "127.0.0.1"
        port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface=host).getHost().port
    finished = Deferred.fromCoroutine(main(host, port))
    finished.addErrback(lambda failure: failure.printTraceback())
    finished.addCallback(lambda _: reactor.stop())


reactor.callWhenRunning(started)
reactor.run()
