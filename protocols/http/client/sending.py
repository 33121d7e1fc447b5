"""A request's body on its way out: its sources one after the other, no faster than the connection takes them.

Bytes are written, files sent by the kernel where it can, pieces of iterators as they come, in chunks where the length
is not known. What does not keep to a length that was announced, or raises, is an error: nothing half is ever ended as
if it were whole.
"""

from __future__ import annotations

from protocols.http.body.sources import FileSource
from protocols.http.h1 import chunk, lastChunk
from reactor.defer import CancelledError, Deferred, ensureDeferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zope.interface import implementer

    from protocols.http.body.sources import Payload
    from reactor.interfaces import IPushProducer
else:
    from reactor._ground.declare import IPushProducer, implementer

# What is read of a file that the kernel cannot send by its length.
_PIECE = 65536


@implementer(IPushProducer)
class Sending:
    """Sends a payload over a transport."""

    def __init__(self, transport: Any, payload: Payload, done: Callable[[Any], None], framed: bool = True) -> None:
        """`done(None)` is called when all was written, `done(failure)` when it cannot be. A length that is not known
        makes chunks, if the body is to be `framed`.
        """
        self._transport = transport
        self._payload = payload
        self._done: Callable[[Any], None] | None = done
        self._chunked = framed and payload.length is None
        #: Bytes of the body that were written.
        self.sent = 0
        self._registered = False
        self._paused = False
        self._resumed: Deferred[None] | None = None
        self._running: Deferred[None] | None = None

    def begin(self) -> None:
        """Send."""
        running = ensureDeferred(self._send())
        if not running.called:
            self._running = running
        running.addCallbacks(self._finished, self._finished)

    def stop(self) -> None:
        """Send no more; `done` is not called."""
        self._done = None
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        self._unregister()

    def _finished(self, result: Any) -> None:
        self._running = None
        self._unregister()
        done, self._done = self._done, None
        if done is not None:
            done(result)

    async def _send(self) -> None:
        for source in self._payload.sources:
            if isinstance(source, bytes):
                self._write(source)
            elif isinstance(source, FileSource) and source.length is not None:
                await self._sendFile(source)
            else:
                await self._sendPieces(source)
        length = self._payload.length
        if length is not None and self.sent != length:
            raise ValueError(f"body: it has {self.sent} bytes, and {length} were announced")
        if self._chunked:
            self._transport.write(lastChunk())

    async def _sendFile(self, source: FileSource) -> None:
        count = source.length
        if not count:
            return
        self._unregister()
        transport = self._transport
        if self._chunked:
            transport.write(b"%x\r\n" % count)
        sent = await transport.sendFile(source.file, source.offset, count)
        if sent != count:
            raise ValueError(f"body: {source.file!r} has become shorter: {sent} bytes in place of {count}")
        self.sent += count
        if self._chunked:
            transport.write(b"\r\n")

    async def _sendPieces(self, source: Any) -> None:
        pieces: Any
        if isinstance(source, FileSource):
            pieces = iter(lambda: source.file.read(_PIECE), b"")
        else:
            pieces = source.begin()
        self._register()
        try:
            if hasattr(pieces, "__anext__"):
                async for piece in pieces:
                    self._piece(piece)
                    if self._paused:
                        await self._room()
            else:
                for piece in pieces:
                    self._piece(piece)
                    if self._paused:
                        await self._room()
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def _piece(self, piece: Any) -> None:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            hint = "; encode the text first" if isinstance(piece, str) else ""
            raise TypeError(f"body: its pieces must be bytes, not {type(piece).__name__} ({repr(piece)[:60]}){hint}")
        self._write(bytes(piece))

    def _write(self, data: bytes) -> None:
        if self._done is None:
            raise CancelledError()
        # An empty chunk would be the last one.
        if not data:
            return
        self.sent += len(data)
        length = self._payload.length
        if length is not None and self.sent > length:
            raise ValueError(f"body: it has more than the {length} bytes that were announced")
        self._transport.write(chunk(data) if self._chunked else data)

    def _register(self) -> None:
        if not self._registered:
            self._registered = True
            self._transport.registerProducer(self, True)

    def _unregister(self) -> None:
        if self._registered:
            self._registered = False
            self._paused = False
            self._transport.unregisterProducer()

    async def _room(self) -> None:
        self._resumed = Deferred()
        try:
            await self._resumed
        finally:
            self._resumed = None

    # What the transport says.

    def pauseProducing(self) -> None:
        """Enough for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """There is room."""
        self._paused = False
        if self._resumed is not None:
            self._resumed.callback(None)

    def stopProducing(self) -> None:
        """The connection is over: its `connectionLost` tells whoever is to know."""
        self._registered = False
        self._done = None
        if self._running is not None:
            self._running.cancel()
            self._running = None
