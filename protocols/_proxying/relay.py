"""Two connections joined: what one receives the other one sends, at the speed of the slower end; ends of halves too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactor.protocol import Protocol

if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.failure import Failure
    from reactor.interfaces import IHalfCloseableProtocol
else:
    from reactor._ground.declare import IHalfCloseableProtocol, implementer


@implementer(IHalfCloseableProtocol)
class Side(Protocol):
    """One of the two."""

    transport: Any
    #: The other one, while both connections stand.
    peer: Any = None

    def setPeer(self, peer: Any) -> None:
        """Write what is received to `peer` from now on; None: to nobody."""
        self.peer = peer

    def dataReceived(self, data: bytes) -> None:
        """Write `data` to the peer."""
        if self.peer is not None:
            self.peer.transport.write(data)

    def readConnectionLost(self) -> None:
        """No more comes from here, so no more goes out there; the other direction goes on."""
        if self.peer is None:
            self.transport.loseConnection()
            return
        other = self.peer.transport
        # It would wait for its producer, that is this connection.
        other.unregisterProducer()
        other.loseWriteConnection()

    def writeConnectionLost(self) -> None:
        """Nothing more goes out here. That is the other side's doing."""

    def connectionLost(self, reason: Failure) -> None:
        """Close the peer, when it has sent what it has."""
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.setPeer(None)
            peer.transport.unregisterProducer()
            peer.transport.loseConnection()


class OutgoingSide(Side):
    """One that reads nothing until it is joined."""

    def connectionMade(self) -> None:
        """Connected: wait."""
        self.transport.pauseProducing()


def join(one: Any, two: Any) -> None:
    """Join two connections. Either transport is the producer of the other. Whoever paused one resumes it then."""
    one.setPeer(two)
    two.setPeer(one)
    one.transport.registerProducer(two.transport, True)
    two.transport.registerProducer(one.transport, True)
