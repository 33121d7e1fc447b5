"""Say two things to a server, a second apart, and print what it answers.

    python greeter.py [host port]

Without a host and a port, an echo server is started in this same program and greeted.
"""

from __future__ import annotations

import sys

from echoserver import Echo

from reactor import reactor
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol, connectionDone


class Greeter(Protocol):
    """Sends messages, one a line, and prints what comes back."""

    def sendMessage(self, message: bytes) -> None:
        print("sent:", message.decode(), flush=True)
        self.transport.write(b"MESSAGE %s\n" % message)

    def dataReceived(self, data: bytes) -> None:
        print("received:", data.decode().rstrip(), flush=True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.stop()


def gotProtocol(greeter: Greeter) -> None:
    print("connected to", greeter.transport.getPeer(), flush=True)
    greeter.sendMessage(b"Hello")
    reactor.callLater(1, greeter.sendMessage, b"This is sent in a second")
    reactor.callLater(2, greeter.transport.loseConnection)


def failed(reason: Failure) -> None:
    global status
    print("could not connect:", reason.getErrorMessage(), flush=True)
    status = 1
    reactor.stop()


status = 0
if len(sys.argv) == 3:
    host, port = sys.argv[1], int(sys.argv[2])
else:
    host = "127.0.0.1"
    port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface=host).getHost().port

point = TCP4ClientEndpoint(reactor, host, port)
d = connectProtocol(point, Greeter())
d.addCallbacks(gotProtocol, failed)
reactor.run()
sys.exit(status)
