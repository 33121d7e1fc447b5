"""A service as it runs in production: it answers lines, stops gracefully, and tells systemd where it stands.

    python service.py [description of the endpoint]

The description is as for ``serverFromString``; without one it listens on this machine only, on a port that the system
chooses. It prints the port. SIGTERM or Ctrl-C: nobody new is accepted, whoever waits for an answer gets it, and the
connections are closed; what is left after ten seconds is cut off. A second signal ends it at once.

Each answer takes half a second, as if a database were asked, so that there is something to wait for.
"""

from __future__ import annotations

import sys

from zope.interface import implementer

from reactor import reactor
from reactor.endpoints import serverFromString
from reactor.interfaces import IDrainable, IListeningPort
from reactor.protocol import Factory, Protocol
from reactor.service import MultiService, StreamServerEndpointService, TimerService, run


@implementer(IDrainable)
class Answering(Protocol):
    """Answers each line, later. Counts what it owes."""

    longest = 1000
    rest = b""
    owed = 0
    draining = False

    def dataReceived(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if not self.draining:
                self.owed += 1
                reactor.callLater(0.5, self.answer, line)
        if len(self.rest) > self.longest:
            self.transport.loseConnection()

    def answer(self, line: bytes) -> None:
        self.transport.write(b"you said " + line + b"\n")
        self.owed -= 1
        if self.draining:
            self.drain()

    def drain(self) -> None:
        """The service stops: close as soon as nothing is owed."""
        self.draining = True
        if not self.owed:
            self.transport.loseConnection()


def main(description: str = "tcp:0:interface=127.0.0.1") -> None:
    everything = MultiService()
    endpoint = serverFromString(reactor, description)
    listening = StreamServerEndpointService(endpoint, Factory.forProtocol(Answering), raiseSynchronously=True)
    listening.setServiceParent(everything)
    TimerService(3600, print, "an hour begins", flush=True).setServiceParent(everything)

    def tell(port: IListeningPort) -> None:
        print("Listening on port", port.getHost().port, flush=True)  # type: ignore[attr-defined]

    reactor.callWhenRunning(lambda: listening.whenListening().addCallback(tell))
    run(everything, drain=10)
    print("stopped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
