"""Send words through a program, as if it were a server, and print what comes back.

python filter.py WORD ...
"""

from __future__ import annotations

import sys

from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.endpoints import ProcessEndpoint, connectProtocol
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.protocol import Protocol
from reactor.task import react


class Filter(Protocol):
    """The program that is connected."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: Deferred[bytes] = Deferred()

    def filtered(self, data: bytes) -> Deferred[bytes]:
        """What the program makes of `data`; fails with ProcessTerminated when it does not end well."""
        self.transport.write(data)
        # Only its input: what it has to say is still to come.
        self.transport.closeStdin()  # type: ignore[attr-defined]
        return self.ended

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure) -> None:
        if reason.check(ConnectionDone):
            self.ended.callback(self.received)
        else:
            self.ended.errback(reason)


async def main(reactor: Reactor, *words: str) -> None:
    endpoint = ProcessEndpoint(reactor, "tr", ["tr", "a-z", "A-Z"])
    program: Filter = await connectProtocol(endpoint, Filter())
    answer = await program.filtered("\n".join(words).encode())
    for line in answer.decode(errors="replace").splitlines():
        print(ascii(line), flush=True)


react(main, sys.argv[1:])
