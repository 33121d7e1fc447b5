"""Send a line to wherever whoever starts the program says, and print the answer.

    python ask_anywhere.py description [line]

The description says where to connect: ``tcp:example.com:8000``, ``unix:/tmp/echo.sock``, ``tls:example.com:8443``.
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.defer import Deferred
from reactor.endpoints import clientFromString, connectProtocol
from reactor.failure import Failure
from reactor.protocol import Protocol, connectionDone


class Question(Protocol):
    """Asks one line; `answer` gets what comes back up to the end of the line."""

    def __init__(self, line: str) -> None:
        self.line = line.encode() + b"\n"
        self.received = b""
        self.answer: Deferred[str] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.line)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(b"\n"):
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.answer.callback(self.received.decode().rstrip("\n"))


async def main(description: str, line: str) -> None:
    question = await connectProtocol(clientFromString(reactor, description), Question(line))
    print("connected to", question.transport.getPeer(), flush=True)
    print("answer:", await question.answer, flush=True)


def started() -> None:
    line = sys.argv[2] if len(sys.argv) > 2 else "Hello?"
    finished = Deferred.fromCoroutine(main(sys.argv[1], line))
    finished.addErrback(lambda failure: print("failed:", failure.getErrorMessage(), flush=True))
    finished.addCallback(lambda _: reactor.stop())


reactor.callWhenRunning(started)
reactor.run()
