"""Two connections joined: what one receives the other one sends, at the speed of the slower end; ends of halves too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactor.protocol import Protocol

if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.failure import Failure
    from reactor.interfaces import IHalfCloseableProtocol
else:
    from reactor._declare import IHalfCloseableProtocol, implementer


@implementer(IHalfCloseableProtocol)
class Side(Protocol):
    """One of the two. `other` is the other one while both stand."""

    transport: Any
    other: Side | None = None

    def dataReceived(self, data: bytes) -> None:
        """Bytes came: pass them on."""
        if self.other is not None:
            self.other.transport.write(data)

    def readConnectionLost(self) -> None:
        """The peer ended its half: so does the other one."""
        if self.other is None:
            self.transport.loseConnection()
        else:
            # It would wait for more from here.
            self.other.transport.unregisterProducer()
            self.other.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:
        """Our half is ended."""

    def connectionLost(self, reason: Failure) -> None:
        """One is over: so is the other one when it has sent what it has."""
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            other.transport.unregisterProducer()
            other.transport.loseConnection()


class OutgoingSide(Side):
    """One that reads nothing until it is joined."""

    def connectionMade(self) -> None:
        """Connected: wait."""
        self.transport.pauseProducing()


def join(one: Side, two: Side) -> None:
    """Join two connections. Both may be paused; both go on."""
    one.other, two.other = two, one
    one.transport.registerProducer(two.transport, True)
    two.transport.registerProducer(one.transport, True)
    one.transport.resumeProducing()
    two.transport.resumeProducing()
