"""What programs subclass to speak WebSocket in callbacks, and what makes one for each connection."""

from __future__ import annotations

from typing import Any

from protocols.websocket._codes import CloseCode
from reactor.protocol import BaseProtocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.failure import Failure
    from reactor.interfaces import ILoggingContext
else:
    from reactor._ground.declare import ILoggingContext, implementer

__all__ = ["WebSocketProtocol"]


@implementer(ILoggingContext)
class WebSocketProtocol(BaseProtocol):
    """One end of a WebSocket, a server's or a client's. Subclass it and override what should not be ignored.

    `connectionMade` is called when the opening handshake is done. Exactly one `connectionLost` follows, and nothing
    after it. What a method raises is logged, and closes the connection with 1011.

    :ivar transport: a `WebSocketTransport`.
    """

    #: Who built this protocol, or None.
    factory: Any = None

    # For subclasses.

    def messageReceived(self, message: str | bytes) -> None:
        """A message came: `str` for text, bytes for binary."""

    def pingReceived(self, payload: bytes) -> None:
        """The peer sent a ping, which was answered."""

    def pongReceived(self, payload: bytes) -> None:
        """The peer answered a `ping`, or sent a pong unasked. Not called for the pings that keep the connection."""

    def connectionLost(self, reason: Failure) -> None:
        """It is over.

        :param reason: a Failure of `WebSocketClosed` when both ends have said Close, of `WebSocketLost` when not, both
            with ``code`` and ``reason``; or of what escaped from a method of this protocol.
        """

    # To be called.

    def sendMessage(self, message: Any) -> None:
        """Send `message`: `str` as text, bytes (or a bytearray, a memoryview) as binary. Dropped behind a Close.

        TypeError for anything else.
        """
        self.transport.sendMessage(message)

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Say Close behind all that was sent, and close when the peer has answered: `transport.loseConnection`."""
        self.transport.loseConnection(code, reason)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was agreed on; None for none."""
        return None if self.transport is None else self.transport.subprotocol

    def logPrefix(self) -> str:
        """What stands for this protocol in logs: the name of its class."""
        return type(self).__name__
