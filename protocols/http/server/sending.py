"""Answers whose body is not there as a whole: iterables, async iterables, and files.

One piece at a time, and only while the client takes them. The head leaves with the first piece if that is there at
once; so what goes wrong before is a 500. What goes wrong later resets the connection, and so does a body that is
shorter or longer than its Content-Length: nobody may take it for whole.
"""

from __future__ import annotations

from protocols.http.h1 import chunk, lastChunk
from protocols.http.message import FileBody
from protocols.http.server.calling import awaited, outcomeOf
from protocols.http.server.heads import Framing
from reactor._ground.log import reportException
from reactor._ground.naming import shown
from reactor.defer import CancelledError, Deferred
from reactor.error import ConnectionClosed
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from protocols.http.message import Response
    from protocols.http.server.channel import Channel
    from protocols.http.server.request import Request
    from reactor.interfaces import IPushProducer
else:
    from reactor._ground.declare import IPushProducer, implementer

__all__ = ["Sender", "senderOf"]

# A file up to this length is read and leaves with its head.
_READ = 65536
# What of a file has to be taken within the time for writing.
_PART = 131072
_END = object()


class Sender:
    """Sends one answer.

    :ivar since: when a wait for the client began of which `transport.buffered` does not tell; None without one.
    :ivar count: bytes of the body that were written.
    :ivar status: the answer's.
    """

    __slots__ = ("_begun", "_channel", "_over", "_request", "_start", "_transport", "count", "since", "status")

    def __init__(self, channel: Channel, request: Request, response: Response, start: bytes) -> None:
        self._channel = channel
        self._transport = channel.transport
        self._request = request
        # The head, and whether it is written.
        self._start = start
        self._begun = False
        self._over = False
        self.status = response.status
        self.count = 0
        self.since: float | None = None

    def begin(self) -> None:
        """Send."""
        raise NotImplementedError

    def stop(self) -> None:
        """The connection is over."""
        raise NotImplementedError

    def _write(self, data: bytes) -> None:
        if not self._begun:
            # Over HTTP/2 there is no head among the bytes: the channel sends it when it hears this.
            self._begun = True
            self._channel.begun()
            data = self._start + data
        if data:
            self._channel.write(data)


class _File(Sender):
    """A part of a file, in parts."""

    __slots__ = ("_at", "_file", "_left", "_sending")

    def __init__(self, channel: Channel, request: Request, response: Response, start: bytes) -> None:
        Sender.__init__(self, channel, request, response, start)
        body: FileBody = response.body
        self._file = body.file
        self._at = body.offset
        self._left = body.count
        self._sending: Deferred[int] | None = None

    def begin(self) -> None:
        if self._left <= _READ:
            try:
                self._file.seek(self._at)
                data = self._file.read(self._left)
                if len(data) != self._left:
                    raise EOFError(f"{shown(self._file)} has become shorter")
            except Exception as e:
                self._failed(Failure(e))
                return
            self._write(data)
            self.count = len(data)
            self._close()
            self._channel.sent(self._request, self.status, self.count)
            return
        self._write(b"")
        self._next()

    def _next(self) -> None:
        # Deep in no recursion: what is sent is told of when there is room again.
        size = min(_PART, self._left)
        self.since = self._channel._seconds()
        try:
            self._sending = self._transport.sendFile(self._file, self._at, size)
        except Exception as e:
            self._failed(Failure(e))
            return
        self._sending.addCallbacks(self._sent, self._failed, (size,))

    def _sent(self, count: int, size: int) -> None:
        self._sending = None
        self.count += count
        self._at += count
        self._left -= count
        self._channel.written += count
        if self._over:
            return
        if count != size:
            self._failed(Failure(EOFError(f"{shown(self._file)} has become shorter")))
        elif self._left:
            self._next()
        else:
            self._close()
            self._channel.sent(self._request, self.status, self.count)

    def _failed(self, failure: Failure) -> None:
        self._sending = None
        if self._over:
            return
        self._close()
        if failure.check(ConnectionClosed) is None:
            self._channel.cutOff(self._request, failure)
        else:
            # The client has gone, of which the channel is about to hear: no fault of the handler's, and none to report.
            self._channel.reset()

    def _close(self) -> None:
        self._over = True
        self.since = None
        self._file.close()

    def stop(self) -> None:
        sending = self._sending
        if not self._over:
            self._close()
        if sending is not None:
            sending.cancel()


@implementer(IPushProducer)
class _Pieces(Sender):
    """The pieces of an iterable, sync or async."""

    __slots__ = ("_framing", "_iterator", "_left", "_next", "_paused", "_running", "_waiting")

    def __init__(self, channel: Channel, request: Request, response: Response, start: bytes, framing: Framing) -> None:
        Sender.__init__(self, channel, request, response, start)
        self._framing = framing
        # What Content-Length promises and is to come; None if it says nothing.
        self._left: int | None = None
        if framing is Framing.LENGTH:
            self._left = int(response.headers["content-length"])
        body = response.body
        self._iterator: Any
        if hasattr(body, "__aiter__"):
            self._iterator = body.__aiter__()
            self._next = self._nextAwaited
        else:
            self._iterator = iter(body)
            self._next = self._nextAtOnce
        self._paused = False
        self._running = False
        # What is awaited.
        self._waiting: Deferred[Any] | None = None

    def begin(self) -> None:
        self._transport.registerProducer(self, True)
        self._go()

    def _nextAtOnce(self) -> Any:
        return next(self._iterator, _END)

    def _nextAwaited(self) -> Any:
        try:
            return awaited(self._iterator.__anext__())
        except StopAsyncIteration:
            return _END

    def _go(self) -> None:
        if self._running:
            return
        self._running = True
        try:
            while not (self._paused or self._over or self._waiting is not None):
                piece = self._next()
                if isinstance(piece, Deferred):
                    # Nobody knows for how long: the client is told what is known.
                    self._waiting = piece
                    piece.addCallbacks(self._came, self._ended)
                    if self._waiting is not None:
                        self._write(b"")
                else:
                    self._take(piece)
        except Exception as e:
            self._fail(Failure(e))
        finally:
            self._running = False

    def _came(self, piece: Any) -> None:
        self._waiting = None
        if self._over:
            return
        try:
            self._take(piece)
        except Exception as e:
            self._fail(Failure(e))
            return
        self._go()

    def _ended(self, failure: Failure) -> None:
        self._waiting = None
        if self._over:
            if failure.check(CancelledError, StopAsyncIteration) is None:
                reportException("%r raised, and nobody waits for its pieces", failure, self._iterator)
        elif failure.check(StopAsyncIteration) is None:
            self._fail(failure)
        else:
            try:
                self._finish()
            except Exception as e:
                self._fail(Failure(e))

    def _take(self, piece: Any) -> None:
        if piece is _END:
            self._finish()
            return
        data = piece.encode() if isinstance(piece, str) else piece
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the body of a Response gives str or bytes, not {shown(piece)}")
        size = memoryview(data).nbytes
        if not size:
            return
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise ValueError("the body of a Response is longer than its Content-Length")
        self.count += size
        self._write(chunk(bytes(data)) if self._framing is Framing.CHUNKED else bytes(data))

    def _finish(self) -> None:
        if self._left:
            raise ValueError(f"the body of a Response is {self._left} bytes shorter than its Content-Length")
        self._write(lastChunk() if self._framing is Framing.CHUNKED else b"")
        self._over = True
        self._transport.unregisterProducer()
        self._channel.sent(self._request, self.status, self.count)

    def _fail(self, failure: Failure) -> None:
        if self._over:
            return
        self._over = True
        self._transport.unregisterProducer()
        self._dispose()
        self._channel.cutOff(self._request, failure)

    def stop(self) -> None:
        if not self._over:
            self._over = True
            self._dispose()

    def _dispose(self) -> None:
        """Nobody takes what the iterator has left: let it clean up."""
        waiting = self._waiting
        try:
            if waiting is not None:
                waiting.cancel()
            close = getattr(self._iterator, "aclose", None)
            if close is not None:
                result = outcomeOf(_closed(close))
                if isinstance(result, Deferred):
                    result.addErrback(lambda f: reportException("%r raised as it was closed", f, self._iterator))
            elif hasattr(self._iterator, "close"):
                self._iterator.close()
        except Exception as e:
            reportException("%r raised as it was closed", e, self._iterator)

    def pauseProducing(self) -> None:
        """The client does not take it fast enough."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It has taken what was written."""
        self._paused = False
        self._go()

    def stopProducing(self) -> None:
        """The connection is over, which the channel is about to hear."""
        self.stop()


async def _closed(close: Any) -> None:
    await close()


def senderOf(channel: Channel, request: Request, response: Response, start: bytes, framing: Framing) -> Sender:
    """Who sends `response`, whose head is `start`."""
    sender: Sender
    if isinstance(response.body, FileBody):
        sender = _File(channel, request, response, start)
    else:
        sender = _Pieces(channel, request, response, start, framing)
    response.taken()
    return sender
