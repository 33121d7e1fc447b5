"""A file, copied to whoever consumes it, a piece whenever one is asked for."""

from __future__ import annotations

from reactor.defer import Deferred
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IPullProducer
else:
    from reactor._ground.declare import IPullProducer, implementer


@implementer(IPullProducer)
class FileSender:
    """Copies a file to a consumer, a transport mostly, as fast as that takes it. Never more than a piece is in memory.

    `transport.sendFile` is faster where the bytes need no change.
    """

    #: Bytes that are read at a time.
    CHUNK_SIZE = 2**14
    #: The last byte that was written; empty before.
    lastSent: bytes = b""

    file: Any = None
    consumer: Any = None
    transform: Callable[[bytes], bytes] | None = None
    #: What `beginFileTransfer` returned, until it fires.
    deferred: Deferred[bytes] | None = None

    def beginFileTransfer(
        self, file: Any, consumer: Any, transform: Callable[[bytes], bytes] | None = None
    ) -> Deferred[bytes]:
        """Copy `file`, from where it stands to its end.

        :param file: what has ``read``, which gives bytes. Closing it is the caller's business.
        :param consumer: an `IConsumer` without a producer.
        :param transform: what each piece becomes before it is written, bytes to bytes.
        :return: a Deferred of the last byte that was written (empty if there was none), when the consumer has been
            given all. It fails with what reading, `transform` or writing raised (TypeError for a file that was opened
            as text), or with ConnectionLost when the consumer wants no more. Cancelling it writes no more.
        :raises RuntimeError: when the consumer has a producer.
        """
        self.file = file
        self.consumer = consumer
        self.transform = transform
        self.lastSent = b""
        deferred: Deferred[bytes] = Deferred(self._cancel)
        self.deferred = deferred
        try:
            consumer.registerProducer(self, False)
        except BaseException:
            self.file = self.consumer = self.deferred = None
            raise
        return deferred

    def resumeProducing(self) -> None:
        """Write the next piece. The consumer calls this."""
        try:
            piece = self._next()
            if piece:
                self.lastSent = piece[-1:]
                self.consumer.write(piece)
                return
        except Exception as e:
            # A text file's text is refused only here: an exception would leave the consumer with a producer for ever.
            self._end(Failure(e))
            return
        if self.file is not None:
            self._end(self.lastSent)

    def pauseProducing(self) -> None:
        """Does nothing: a piece is written only when it is asked for."""

    def stopProducing(self) -> None:
        """The consumer wants no more. It calls this."""
        if self.file is not None:
            where = type(self.consumer).__name__
            self.consumer = None
            self._end(Failure(ConnectionLost(f"{where} asked FileSender to stop before the end of {self.file!r}")))

    def _next(self) -> bytes:
        """What to write next, empty at the end: a piece that became nothing would never be asked to go on."""
        while self.file is not None:
            piece: bytes = self.file.read(self.CHUNK_SIZE)
            if piece and self.transform is not None:
                transformed = self.transform(piece)
                if not transformed:
                    continue
                return transformed
            return piece
        return b""

    def _end(self, result: Any) -> None:
        consumer, deferred = self.consumer, self.deferred
        self.file = self.consumer = self.deferred = None
        if consumer is not None:
            consumer.unregisterProducer()
        if deferred is not None:
            deferred.callback(result)

    def _cancel(self, _: Deferred[bytes]) -> None:
        self.deferred = None
        self._end(None)
