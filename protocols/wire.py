"""The small old services, each a protocol of a few lines: good for trying out connections, and as a first server."""

from __future__ import annotations

import struct
import time

from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.interfaces import IHalfCloseableProtocol, IPullProducer
else:
    from reactor._ground.declare import IHalfCloseableProtocol, IPullProducer, implementer

__all__ = ["Chargen", "Daytime", "Discard", "Echo", "QOTD", "Time", "Who"]

# From the epoch of RFC 868, 1900, to that of `time.time`, 1970.
_SECONDS_1900_TO_1970 = 2208988800


@implementer(IHalfCloseableProtocol)
class Echo(Protocol):
    """Sends back what it receives (RFC 862), and reads no faster than the peer does.

    When the peer ends its half, what is left is sent and the connection closed.
    """

    def connectionMade(self) -> None:
        """What was received waits to be sent: let the one wait for the other."""
        self.transport.registerProducer(self.transport, True)

    def dataReceived(self, data: bytes) -> None:
        """Send `data` back."""
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """That was all."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Never asked for."""


class Discard(Protocol):
    """Throws away what it receives (RFC 863)."""

    def dataReceived(self, data: bytes) -> None:
        """Nothing."""


def _noise() -> bytes:
    """RFC 864's example: 95 lines of 72 printing characters, each beginning with the second of the line before."""
    ring = bytes(range(32, 127)) * 2
    return b"".join([ring[first : first + 72] + b"\r\n" for first in range(95)])


@implementer(IPullProducer)
class Chargen(Protocol):
    """Sends without end, as fast as the peer reads (RFC 864)."""

    #: What is sent again and again, bytes.
    noise = _noise()

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send it once more. The transport calls this."""
        self.transport.write(self.noise)

    def pauseProducing(self) -> None:
        """Does nothing: it is sent only when it is asked for."""

    def stopProducing(self) -> None:
        """The connection is over, or closing."""
        self.transport.unregisterProducer()


class QOTD(Protocol):
    """Sends a quotation and closes (RFC 865)."""

    def connectionMade(self) -> None:
        """Send it."""
        self.transport.write(self.getQuote())
        self.transport.loseConnection()

    def getQuote(self) -> bytes:
        """The quotation, up to 512 bytes with CR LF. For subclasses."""
        return b"Whoever listens is never the first to speak.\r\n"


class Who(Protocol):
    """Sends the names of the active users and closes (RFC 866)."""

    def connectionMade(self) -> None:
        """Send them."""
        self.transport.write(self.getUsers())
        self.transport.loseConnection()

    def getUsers(self) -> bytes:
        """The users, one a line, with CR LF. For subclasses."""
        return b"root\r\n"


class Daytime(Protocol):
    """Sends the date and time in UTC as people read it, and closes (RFC 867)."""

    def connectionMade(self) -> None:
        """Send it."""
        self.transport.write(time.asctime(time.gmtime()).encode("ascii") + b"\r\n")
        self.transport.loseConnection()


class Time(Protocol):
    """Sends the seconds since 1900-01-01 00:00 UTC, four bytes, big end first, and closes (RFC 868)."""

    def connectionMade(self) -> None:
        """Send them. They begin with 0 again in 2036."""
        self.transport.write(struct.pack("!I", int(time.time()) + _SECONDS_1900_TO_1970 & 0xFFFFFFFF))
        self.transport.loseConnection()
