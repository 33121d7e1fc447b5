"""What whoever sends a body has for a transport: one stream's share of the connection's."""

from __future__ import annotations

from reactor.defer import Deferred
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.h2.streams import Stream

__all__ = ["Way"]

# What is read of a file at a time.
_PIECE = 65536


class Way:
    """The way out of `stream`, over `transport`. Its user calls `room` when the stream does."""

    def __init__(self, stream: Stream, transport: Any) -> None:
        self._stream = stream
        self._transport = transport
        self._producer: Any = None
        # The file that is being sent, where in it, how much is left, how much is sent; and who waits for that.
        self._file: tuple[Any, int, int] | None = None
        self._fileSent = 0
        self._fileDone: Deferred[int] | None = None
        self._reading = False
        self.TLS = getattr(transport, "TLS", False)

    def getPeer(self) -> Any:
        """The peer's address."""
        return self._transport.getPeer()

    def getHost(self) -> Any:
        """Our own."""
        return self._transport.getHost()

    def getPeerCertificate(self) -> Any:
        """What the peer has shown, over TLS."""
        return self._transport.getPeerCertificate()

    @property
    def buffered(self) -> int:
        """Bytes that the peer has not taken."""
        return self._stream.unsent

    def write(self, data: bytes) -> None:
        """Send some, and tell the producer if that is enough for now."""
        self._stream.write(data)
        if self._producer is not None and self._stream.isPressed:
            self._producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """`producer`, a push producer, is told when there is room, and when not."""
        self._producer = producer
        if self._stream.isPressed:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """It is through."""
        self._producer = None

    def sendFile(self, file: Any, offset: int, count: int) -> Deferred[int]:
        """Send a part of `file`, as there is room; the Deferred fires with the bytes that were sent, fewer if the file
        has become shorter.
        """
        self._file = file, offset, count
        self._fileSent = 0
        done = self._fileDone = Deferred(self._stopFile)
        self._readOn()
        return done

    def _stopFile(self, deferred: Deferred[int]) -> None:
        self._file = self._fileDone = None

    def _readOn(self) -> None:
        if self._reading:
            return
        self._reading = True
        try:
            while self._file is not None and not self._stream.isPressed and self._stream.isOpen:
                file, offset, left = self._file
                data = b""
                if left:
                    file.seek(offset)
                    data = file.read(min(left, _PIECE))
                if not data:
                    # Whoever hears it may begin with the next one from inside.
                    self._fileOver(self._fileSent)
                    continue
                self._file = file, offset + len(data), left - len(data)
                self._fileSent += len(data)
                self._stream.write(data)
        except Exception as e:
            self._fileOver(Failure(e))
        finally:
            self._reading = False

    def _fileOver(self, result: Any) -> None:
        done, self._fileDone = self._fileDone, None
        self._file = None
        if done is not None:
            done.callback(result)

    def room(self) -> None:
        """The stream has room."""
        if self._file is not None:
            self._readOn()
        elif self._producer is not None:
            self._producer.resumeProducing()
