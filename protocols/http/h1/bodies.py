"""Bodies as both roles read them: by length, in chunks, until the connection ends (RFC 9112, sections 6 and 7).

Bodies are never seen by llhttp: what is delivered is a slice of what came. The chunks of one receive are told as one
piece.
"""

from __future__ import annotations

from protocols.http.error import BadMessage, TooLarge
from protocols.http.h1.chunks import CHUNK, checkTrailers, readChunkLine
from protocols.http.h1.reading import Reading
from protocols.http.h1.splitting import readFields
from protocols.http.h1.states import Event, State, after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class BodySink(Protocol):
        """What any reader calls."""

        def bodyReceived(self, data: bytes, /) -> object:
            """A piece of the body, never empty."""

        def messageReceived(self, trailers: list[tuple[bytes, bytes]], /) -> object:
            """The message is whole."""


__all__ = ["Reader"]

# So much framing a byte of content is fine: a chunk of one byte has five.
_FRAMING_FOR_A_BYTE = 8


class Reader(Reading):
    """The part of a reader that knows bodies; which heads there are is for those that derive from it."""

    __slots__ = ()

    _sink: BodySink

    def _begin(self, body: Event, length: int | None, then: Event) -> None:
        """A head was read whose message goes on: from here on it is body.

        :param then: what is to happen when the message is whole.
        """
        self._left = 0 if length is None else length
        self._expected = length if body is Event.LENGTH else None
        self._received = self._overhead = 0
        self._next = then
        self.state = after(State.HEAD, body)

    def _whole(self, trailers: list[tuple[bytes, bytes]]) -> None:
        self.state = after(self.state, self._next)
        self._sink.messageReceived(trailers)

    def _readLength(self) -> bool:
        left = self._left
        if not left:
            self._whole([])
            return True
        data, at = self._data, self._at
        piece = data if at == 0 and len(data) <= left else data[at : at + left]
        self._at = at + len(piece)
        self._left = left - len(piece)
        self._received += len(piece)
        self._sink.bodyReceived(piece)
        if not self._left and self.state is State.LENGTH and not self._paused:
            self._whole([])
        return True

    def _readUntilClose(self) -> bool:
        piece = self._data[self._at :]
        self._at = len(self._data)
        self._received += len(piece)
        self._sink.bodyReceived(piece)
        return True

    def _readChunks(self) -> bool:
        pieces: list[bytes] = []
        try:
            return self._gather(pieces)
        finally:
            # What came before an error has come.
            if pieces:
                self._sink.bodyReceived(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _gather(self, pieces: list[bytes]) -> bool:
        """All chunks and parts of chunks that are there. False if a line is not complete."""
        data, size = self._data, len(self._data)
        while self._at < size:
            if self.state is State.CHUNK_DATA:
                piece = data[self._at : self._at + self._left]
                self._at += len(piece)
                self._left -= len(piece)
                self._received += len(piece)
                pieces.append(piece)
                if not self._left:
                    self.state = after(State.CHUNK_DATA, Event.DATA_ENDED)
            elif self.state is State.CHUNK_END:
                if not self._readChunkEnd():
                    return False
            elif self.state is State.CHUNK_LINE:
                if not self._readChunkLine():
                    return False
            else:
                break
        return True

    def _readChunkEnd(self) -> bool:
        end = self._data[self._at : self._at + 2]
        if end != b"\r\n":
            if end == b"\r":
                return False
            raise BadMessage("no line end behind the data of a chunk", 400, "chunk", end)
        self._at += 2
        self.state = after(State.CHUNK_END, Event.LINE_ENDED)
        return True

    def _readChunkLine(self) -> bool:
        data, at = self._data, self._at
        simple = CHUNK(data, at)
        if simple is not None:
            size, stop = int(simple[1], 16), simple.end()
        else:
            found = readChunkLine(data, at, self.limits.chunkLine)
            if found is None:
                return False
            size, stop = found
        self._overhead += stop - at + 2
        if self._overhead > self.limits.chunkOverhead + _FRAMING_FOR_A_BYTE * self._received:
            raise TooLarge("chunkOverhead", self.limits.chunkOverhead, 400)
        self._at = stop
        self._left = size
        self.state = after(State.CHUNK_LINE, Event.CHUNK if size else Event.LAST_CHUNK)
        return True

    def _readTrailers(self) -> bool:
        data, at = self._data, self._at
        if data.startswith(b"\r\n", at):
            self._at = at + 2
            self._whole([])
            return True
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return False
        self._at = end + 4
        block = data[at : end + 4]
        limits = self.limits
        if len(block) > min(limits.line, limits.trailers):
            self._examine(block, limits.line, limits.trailers, "trailers", "trailers")
            self._scanned = self._lineStart = 0
        pairs, _ = readFields(block, "trailers")
        checkTrailers(pairs, limits.trailerFields)
        self._whole(pairs)
        return True
