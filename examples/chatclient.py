"""Talk to a chat server: lines from standard input go to it, lines from it are printed.

    python chatclient.py host port

Ends when the input ends (Ctrl-D) or the server hangs up. The reactor watches standard input beside the connection, so
this shows how to watch any descriptor that it has not made itself: a terminal, a pipe, another library's socket. (A
plain file is none of those: there is nothing to wait for, and epoll refuses it.)
"""

from __future__ import annotations

import os
import sys

from zope.interface import implementer

from reactor import reactor
from reactor.failure import Failure
from reactor.interfaces import IConnector, IReadDescriptor
from reactor.protocol import ClientFactory, Protocol, connectionDone


@implementer(IReadDescriptor)
class StandardInput:
    """Reads what there is whenever the reactor says that there is something, and sends it through a transport."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    def fileno(self) -> int:
        return sys.stdin.fileno()

    def logPrefix(self) -> str:
        return "standard input"

    def doRead(self) -> None:
        data = os.read(self.fileno(), 4096)
        if data:
            self.chat.transport.write(data)
        else:
            reactor.removeReader(self)
            self.chat.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor could not go on watching."""
        self.chat.transport.loseConnection()


class Chat(Protocol):
    """Prints what the server says; starts to listen to the keyboard when connected, and stops at the end."""

    def connectionMade(self) -> None:
        print("connected to", self.transport.getPeer(), flush=True)
        self.input = StandardInput(self)
        reactor.addReader(self.input)

    def dataReceived(self, data: bytes) -> None:
        print(data.decode(errors="replace"), end="", flush=True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        print("connection lost:", reason.getErrorMessage(), flush=True)
        reactor.removeReader(self.input)
        reactor.stop()


class ChatFactory(ClientFactory):
    """Says so when there is no server."""

    protocol = Chat

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        print("connection failed:", reason.getErrorMessage(), flush=True)
        reactor.stop()


if len(sys.argv) != 3:
    sys.exit(__doc__)
reactor.connectTCP(sys.argv[1], int(sys.argv[2]), ChatFactory())
reactor.run()
