"""Open files for others: a server sends the file itself over a UNIX socket, not what is in it.

    python unix_pass_descriptor.py [path]

The client asks for a file by name and gets a descriptor, with which it reads. It needs no permission for the file, only
for the socket; and the server knows, since the kernel tells, which user is asking. Both ends are in this program;
without a path the socket has a name that only this program knows, and no file.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from zope.interface import implementer

from reactor import reactor
from reactor.endpoints import UNIXClientEndpoint, UNIXServerEndpoint, connectProtocol
from reactor.failure import Failure
from reactor.interfaces import IFileDescriptorReceiver
from reactor.protocol import Factory, Protocol


class Opener(Protocol):
    """Opens what it is asked for, if its own user asks."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        if self.transport.getPeerCredentials().uid != os.getuid():
            self.transport.abortConnection()
            return
        with open(data.decode(), "rb") as file:
            self.transport.sendFileDescriptor(file.fileno())
        # A descriptor needs a byte to travel with.
        self.transport.write(b"+")
        self.transport.loseConnection()


@implementer(IFileDescriptorReceiver)
class Reader(Protocol):
    """Asks for a file and reads its first line."""

    def connectionMade(self) -> None:
        print("asking for", os.path.basename(__file__), flush=True)
        self.transport.write(__file__.encode())

    def fileDescriptorReceived(self, descriptor: int) -> None:
        # From here on it is ours to close.
        with open(descriptor) as file:
            print("first line:", file.readline().strip(), flush=True)

    def connectionLost(self, reason: Failure) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.stop()


def connect(port: Any) -> Any:
    return connectProtocol(UNIXClientEndpoint(reactor, path), Reader())


def fail(reason: Failure) -> None:
    print("could not begin:", reason.getErrorMessage(), flush=True)
    reactor.stop()


def begin() -> None:
    listening = UNIXServerEndpoint(reactor, path).listen(Factory.forProtocol(Opener))
    listening.addCallback(connect).addErrback(fail)


path = sys.argv[1] if len(sys.argv) == 2 else f"\0reactor-example-{os.getpid()}"
reactor.callWhenRunning(begin)
reactor.run()
