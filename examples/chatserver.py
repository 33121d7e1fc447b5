"""A chat: the first line that somebody sends is their name, each line after it is told to all others.

    python chatserver.py [port]

Listens on this machine only, on a port that the system chooses unless one is given, prints which, and serves until
Ctrl-C. ``chatclient.py`` is made for it, but ``nc`` will do.
"""

from __future__ import annotations

import sys

from reactor import reactor
from reactor.failure import Failure
from reactor.interfaces import IAddress
from reactor.protocol import Factory, Protocol, connectionDone


class Guest(Protocol):
    """One who chats. Until there is a name, nobody hears of it."""

    longestLine = 1000

    def __init__(self, room: Room) -> None:
        self.room = room
        self.name = b""
        self.rest = b""

    def connectionMade(self) -> None:
        self.transport.write(b"What is your name?\n")

    def dataReceived(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.lineReceived(line.strip())
        if len(self.rest) > self.longestLine:
            self.transport.write(b"That line is too long.\n")
            self.transport.loseConnection()

    def lineReceived(self, line: bytes) -> None:
        if self.name:
            self.room.tell(b"<%s> %s" % (self.name, line), self)
        elif line in self.room.guests or not line.isalnum():
            self.transport.write(b"Another name, please: letters and digits that nobody here has.\n")
        else:
            self.name = line
            self.room.enter(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.name:
            self.room.leave(self)


class Room(Factory):
    """Knows who is there, by name."""

    def __init__(self) -> None:
        self.guests: dict[bytes, Guest] = {}

    def buildProtocol(self, addr: IAddress | None) -> Guest:
        return Guest(self)

    def enter(self, guest: Guest) -> None:
        here = b", ".join(self.guests) or b"nobody"
        guest.transport.write(b"Welcome, %s. Here: %s.\n" % (guest.name, here))
        self.guests[guest.name] = guest
        self.tell(b"* %s has come" % guest.name, guest)

    def leave(self, guest: Guest) -> None:
        del self.guests[guest.name]
        self.tell(b"* %s has left" % guest.name, guest)

    def tell(self, line: bytes, teller: Guest) -> None:
        print(line.decode(errors="replace"), flush=True)
        for guest in self.guests.values():
            if guest is not teller:
                guest.transport.write(line + b"\n")


port = reactor.listenTCP(int(sys.argv[1]) if len(sys.argv) > 1 else 0, Room(), interface="127.0.0.1")
print("listening on port", port.getHost().port, flush=True)
reactor.run()
print("stopped", flush=True)
