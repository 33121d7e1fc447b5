"""A WebSocket for coroutines: `async for` over its messages, `await` for what is sent and for the end.

It reads no further ahead than `maxWaiting`, and who awaits `send` goes no faster than the peer reads.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from protocols.websocket._codes import CloseCode
from protocols.websocket.error import WebSocketClosed
from protocols.websocket.protocol import WebSocketProtocol
from reactor.defer import Deferred, fail, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from reactor.failure import Failure

__all__ = ["WebSocket"]

# Bytes that wait to be sent while `send` is done at once: what a stream's transport lets a producer write.
_ROOM = 65536
_ORDERLY = frozenset({CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.NO_STATUS})


class WebSocket(WebSocketProtocol):
    """One end of a WebSocket. `connect` and `accept` make them."""

    def __init__(self, maxWaiting: int = 65536) -> None:
        """`maxWaiting`: see `Options`."""
        self._maxWaiting = maxWaiting
        self._messages: deque[str | bytes] = deque()
        # How much these are, and whether that is so much that nothing is read.
        self._size = 0
        self._full = False
        # Invariant: somebody waits for a message only while there is none, but inside a read.
        self._receiving: Deferred[Any] | None = None
        self._sending: list[Deferred[None]] = []
        self._closing: list[Deferred[None]] = []
        self._pings: dict[bytes, Deferred[None]] = {}
        self._count = 0
        self._reason: Failure | None = None

    def __repr__(self) -> str:
        transport = self.transport
        if transport is None:
            return "<WebSocket that is not open yet>"
        return f"<WebSocket with {transport.getPeer()}, {'open' if self._reason is None else 'over'}>"

    # Messages in.

    def messageReceived(self, message: str | bytes) -> None:
        """A message came. Who waits is called when all that one read brought is there: he takes sixteen small ones in
        half the time that sixteen waits take.
        """
        if self._receiving is not None and not self._messages:
            self.transport.afterwards = self._wake
        self._messages.append(message)
        self._size += len(message)
        if self._size >= self._maxWaiting and not self._full and (self._receiving is None or len(self._messages) > 1):
            self._full = True
            self.transport.pauseProducing()

    def _wake(self) -> None:
        waiting = self._receiving
        if waiting is not None and self._messages:
            self._receiving = None
            waiting.callback(self._take())

    def _take(self) -> str | bytes:
        message = self._messages.popleft()
        self._size -= len(message)
        if self._full and self._size * 2 <= self._maxWaiting:
            self._full = False
            self.transport.resumeProducing()
        return message

    def receive(self) -> Deferred[Any]:
        """The next message, `str` or bytes, as a Deferred. It fails with `WebSocketClosed` or `WebSocketLost` when
        there is none any more. RuntimeError when somebody waits already.
        """
        if self._messages and self._receiving is None:
            return succeed(self._take())
        if self._reason is not None:
            return fail(self._reason)
        if self._receiving is not None:
            raise RuntimeError("WebSocket.receive(): somebody waits for the next message already")
        waiting: Deferred[Any] = Deferred(self._forgetReceiving)
        self._receiving = waiting
        return waiting

    def _forgetReceiving(self, deferred: Deferred[Any]) -> None:
        self._receiving = None

    def __aiter__(self) -> Self:
        """The messages, until the peer closes with 1000, 1001 or without a code; any other end is raised."""
        return self

    async def __anext__(self) -> Any:
        """The next message."""
        if self._messages:
            return self._take()
        try:
            return await self.receive()
        except WebSocketClosed as e:
            if e.code in _ORDERLY:
                raise StopAsyncIteration from None
            raise

    # Messages out.

    def send(self, message: Any) -> Deferred[None]:
        """Send `message`, `str` as text and bytes as binary, at once. The Deferred fires when there is room for more,
        and fails with `WebSocketClosed` or `WebSocketLost` when the WebSocket is over, or either end has said Close.

        TypeError for any other message.
        """
        transport = self.transport
        if transport.disconnecting or self._reason is not None:
            return fail(self._over())
        transport.sendMessage(message)
        if transport.buffered <= _ROOM:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._forgetSending)
        self._sending.append(waiting)
        if len(self._sending) == 1:
            transport.registerProducer(_Room(self), False)
        return waiting

    def _forgetSending(self, deferred: Deferred[None]) -> None:
        self._sending.remove(deferred)

    def hasRoom(self) -> None:
        """All is sent."""
        waiting, self._sending = self._sending, []
        self.transport.unregisterProducer()
        for each in waiting:
            each.callback(None)

    def _over(self) -> Any:
        return self._reason if self._reason is not None else WebSocketClosed(CloseCode.NORMAL, "it is being closed")

    # The rest.

    def ping(self) -> Deferred[None]:
        """Send a ping; fires when the peer has answered, and fails with the end of the WebSocket."""
        if self.transport.disconnecting or self._reason is not None:
            return fail(self._over())
        self._count += 1
        payload = b"ping %d" % self._count
        waiting: Deferred[None] = Deferred(lambda _: self._pings.pop(payload, None))
        self._pings[payload] = waiting
        self.transport.ping(payload)
        return waiting

    def pongReceived(self, payload: bytes) -> None:
        """The peer answered a ping."""
        waiting = self._pings.pop(payload, None)
        if waiting is not None:
            waiting.callback(None)

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> Deferred[None]:  # type: ignore[override]
        """Say Close behind all that was sent; what the peer still sends is dropped. Fires when the WebSocket is over,
        however it ended. ValueError for a code or a reason that cannot be sent.
        """
        if self._reason is not None:
            return succeed(None)
        if self._sending:
            # Nobody is told of room any more, so nothing waits for it.
            self.transport.unregisterProducer()
        self.transport.loseConnection(code, reason)
        waiting, self._sending = self._sending, []
        for each in waiting:
            each.errback(self._over())
        over: Deferred[None] = Deferred(self._closing.remove)
        self._closing.append(over)
        return over

    def abort(self) -> None:
        """Close at once, without a word."""
        self.transport.abortConnection()

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes, with 1011 if an exception ended the block."""
        await self.close(CloseCode.NORMAL if kind is None else CloseCode.INTERNAL_ERROR)

    @property
    def closed(self) -> Failure | None:
        """The Failure that it ended with; None while it is open."""
        return self._reason

    def connectionLost(self, reason: Failure) -> None:
        """It is over: tells all who wait."""
        self._reason = reason
        waiting = [*self._sending, *self._pings.values()]
        if self._receiving is not None:
            waiting.append(self._receiving)
        closing = self._closing
        self._receiving, self._sending, self._closing = None, [], []
        self._pings.clear()
        for each in waiting:
            each.errback(reason)
        for over in closing:
            over.callback(None)


class _Room:
    """Is asked for more when all is sent: a producer that has nothing but tells so."""

    __slots__ = ("_asked", "_socket")

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._asked = False

    def resumeProducing(self) -> None:
        # The first time is when it is registered.
        if self._asked:
            self._socket.hasRoom()
        self._asked = True

    def pauseProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass
