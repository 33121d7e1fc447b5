"""Bytes over a WebSocket: to a protocol of bytes a transport, to the WebSocket a protocol.

Each write goes out as one binary message, a large one as several; what comes is handed on as it comes, binary or text.
A WebSocket has no end of one half, so neither has this.
"""

from __future__ import annotations

from protocols.websocket._codes import CloseCode
from protocols.websocket.error import WebSocketClosed, WebSocketLost
from protocols.websocket.protocol import WebSocketProtocol
from reactor._transport.stream.transport import asBytes
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IConsumer, IPushProducer, ITransport
else:
    from reactor._ground.declare import IConsumer, IPushProducer, ITransport, implementer

__all__ = ["ByteStream", "withMessages"]

# What of a transport's would send bytes past the WebSocket, or put something below it.
_PAST = frozenset({"sendFile", "sendFileDescriptor", "startTLS", "loseWriteConnection", "lingerTimeout", "lingerLimit"})
# Bytes of one message: every peer has a limit for those, and a stream has none.
_MOST = 65536
# With any other, something went wrong at the other end, and what it wrote last may be missing.
_ORDERLY = frozenset({CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.NO_STATUS})


def withMessages(protocol: Any) -> Any:
    """`protocol` if it is one of messages, else a `ByteStream` around it."""
    return protocol if isinstance(protocol, WebSocketProtocol) else ByteStream(protocol)


@implementer(ITransport, IConsumer, IPushProducer)
class ByteStream(WebSocketProtocol):
    """One connection. What a transport of TCP or TLS has beside, it has as well, but for what goes past the WebSocket.

    :ivar protocol: who gets the bytes; may be replaced. None when it is over.
    """

    transport: Any

    def __init__(self, protocol: Any) -> None:
        """Around `protocol`, one of bytes."""
        self.protocol = protocol
        self.factory = getattr(protocol, "factory", None)

    def __getattr__(self, name: str) -> Any:
        transport = self.transport
        if transport is None or name.startswith("_") or name in _PAST:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(transport.below, name)

    def __repr__(self) -> str:
        return f"<bytes over WebSocket for {self.protocol!r}>"

    # What the WebSocket tells.

    def connectionMade(self) -> None:
        """The WebSocket is open."""
        self.protocol.makeConnection(self)

    def messageReceived(self, message: str | bytes) -> None:
        """Bytes came."""
        data = message.encode() if message.__class__ is str else message
        if data:
            self.protocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """It is over: ConnectionDone for the protocol if the peer closed it in good order, ConnectionLost if not."""
        protocol, self.protocol = self.protocol, None
        value = reason.value
        if isinstance(value, WebSocketClosed) and value.code not in _ORDERLY:
            reason = Failure(WebSocketLost(value.code, value.reason))
        self.connected = 0
        if protocol is not None:
            protocol.connectionLost(reason)

    # What the protocol asks of its transport.

    def write(self, data: Any) -> None:
        """Send `data`, as one message up to 64 KiB. Dropped behind `loseConnection`. TypeError for what is no bytes."""
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if len(data) > _MOST:
            for at in range(0, len(data), _MOST):
                self.transport.sendMessage(data[at : at + _MOST])
        elif data:
            self.transport.sendMessage(data)

    def writeSequence(self, iovec: Iterable[Any]) -> None:
        """Send every piece of `iovec`, together."""
        self.write(b"".join([asBytes("transport.writeSequence", piece) for piece in iovec]))

    def loseConnection(self) -> None:
        """Send what is queued, say Close, and close when the peer has."""
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """Deliver nothing until `resumeProducing`."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.transport.unregisterProducer()

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close and has not yet."""
        return bool(self.transport is not None and self.transport.disconnecting)

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent, as frames."""
        return 0 if self.transport is None else self.transport.buffered

    def getPeer(self) -> Any:
        """The other end's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """This end's address."""
        return self.transport.getHost()

    def logPrefix(self) -> str:
        """What stands for this connection in logs."""
        return f"{type(self.protocol).__name__} (WebSocket)"
