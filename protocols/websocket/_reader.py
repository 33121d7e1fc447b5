"""What comes on a WebSocket: bytes in, messages and control frames out (RFC 6455, section 5; RFC 7692, section 6).

Pure: no socket, no clock. Everything that a peer may not say is refused here, with the code to close with, and
everything that it may say without end is counted. The table of what may follow what is short: a text or binary frame
when no message is unfinished, a continuation when one is, and control frames, whole, at any time.

A message in one frame that came in one piece, as nearly all do, is unmasked, decoded and told at once. A larger one is
unmasked, inflated and checked piece by piece: what is wrong is seen when it is there, not when the message ends.
"""

from __future__ import annotations

from codecs import utf_8_decode

from protocols.websocket._codes import CloseCode, isSendable
from protocols.websocket._deflate import InflateError
from protocols.websocket._frames import BINARY, CLOSE, CONTINUATION, FIN, PONG, RSV1, TEXT
from protocols.websocket._library import applyMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from protocols.websocket._deflate import Deflate

    class Sink(Protocol):
        """Who is told of messages."""

        def messageReceived(self, message: Any) -> object: ...

    class Controls(Protocol):
        """Who is told of the rest. After `brokenProtocol`, `raised` and a Close frame nothing more is told."""

        def pingReceived(self, payload: bytes) -> object: ...
        def pongReceived(self, payload: bytes) -> object: ...
        def closeReceived(self, code: int, reason: str) -> object: ...
        def brokenProtocol(self, code: int, reason: str) -> object: ...
        def raised(self, problem: Exception) -> object: ...


__all__ = ["MessageReader"]

# A whole message in one frame, not compressed: the first byte.
_TEXT, _BINARY = FIN | TEXT, FIN | BINARY
# Pieces below this are gathered in one buffer: each bytes object would take 33 bytes more.
_SMALL = 4096


class _Broken(Exception):
    """The peer did what it must not; the arguments are code and reason."""


class MessageReader:
    """Reads what one end of a WebSocket receives.

    :ivar sink: whose `messageReceived` is called with `str` for text, `bytes` for the rest. May be replaced.
    :ivar stopped: whether nothing is told now: paused, or over.
    """

    __slots__ = (
        "_compressed",
        "_controls",
        "_deflate",
        "_fin",
        "_fragments",
        "_held",
        "_heldFrom",
        "_key",
        "_kind",
        "_left",
        "_masked",
        "_maxFragments",
        "_maxMessage",
        "_over",
        "_pieces",
        "_size",
        "_tail",
        "sink",
        "stopped",
    )

    def __init__(
        self,
        sink: Sink,
        controls: Controls,
        masked: bool,
        maxMessage: int | None,
        maxFragments: int | None,
        deflate: Deflate | None = None,
    ) -> None:
        """
        :param masked: whether the peer is a client, whose frames must be masked, or a server, whose must not.
        :param maxMessage, maxFragments: see `Options`.
        :param deflate: what was negotiated; None: compressed messages are refused.
        """
        self.sink = sink
        self.stopped = False
        self._controls = controls
        self._masked = masked
        self._maxMessage = float("inf") if maxMessage is None else maxMessage
        self._maxFragments = float("inf") if maxFragments is None else maxFragments
        self._deflate = deflate
        self._over = False
        # What came and is not read yet, from `_heldFrom` on: the beginning of a frame's head or of a control frame, or
        # what a pause kept. Whoever pauses at each of thousands of small messages does not have the rest copied each.
        self._held = b""
        self._heldFrom = 0
        # The frame whose payload is coming: bytes to come, how they are masked from here on, whether it is the last.
        # Invariant: a control frame is never one of these.
        self._left = 0
        self._key = b""
        self._fin = True
        # The message that is unfinished: its opcode (None: there is none), how often it was continued, its size, what
        # there is of it, and of text the bytes of a character that is not whole.
        self._kind: int | None = None
        self._compressed = False
        self._fragments = 0
        self._size = 0
        self._pieces: list[bytes | bytearray] = []
        self._tail = b""

    @property
    def holding(self) -> bool:
        """Whether there is something that `receive(b"")` would look at."""
        return bool(self._held)

    def end(self) -> None:
        """Nothing is read any more."""
        self.stopped = self._over = True
        self._held = b""
        self._pieces = []

    def release(self, nobody: Any) -> None:
        """Nothing is read, and only `nobody` is told, any more: lets go of everybody."""
        self.end()
        self.sink = self._controls = nobody

    def receive(self, data: bytes) -> None:
        """The next bytes of the stream."""
        at = 0
        if self.stopped:
            if not self._over:
                self._held, self._heldFrom = self._held[self._heldFrom :] + data, 0
            return
        if self._held:
            if data:
                data = self._held[self._heldFrom :] + data
            else:
                data, at = self._held, self._heldFrom
            self._held = b""
        try:
            if self._left:
                at = self._payload(data, at)
            at = self._frames(data, at)
        except _Broken as e:
            self.end()
            self._controls.brokenProtocol(*e.args)
        except Exception as e:
            self.end()
            self._controls.raised(e)
        else:
            if at < len(data) and not self._over:
                self._held, self._heldFrom = (data, at) if self.stopped else (data[at:], 0)

    def _frames(self, data: bytes, at: int) -> int:
        """Read the frames that begin at `at`; where what is not read begins."""
        masked, end = self._masked, len(data)
        while end - at > 1 and not self.stopped:
            first, size = data[at], data[at + 1]
            body = at + 2
            if masked:
                size -= 128
                body += 4
                if size < 0:
                    raise _Broken(CloseCode.PROTOCOL_ERROR, "a client's frame must be masked")
            elif size > 127:
                raise _Broken(CloseCode.PROTOCOL_ERROR, "a server's frame must not be masked")
            if size > 125:
                more = 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : at + 2 + more], "big")
                body += more
                if (first != _BINARY and first != _TEXT) or self._kind is not None:
                    # A head that is wrong is refused at once, before its length is there.
                    self._checkHead(first, 126)
                if end < body:
                    break
                if size < 126 if more == 2 else not 65536 <= size < 1 << 63:
                    raise _Broken(CloseCode.PROTOCOL_ERROR, f"a length of {size} written in {more} bytes")
            stop = body + size
            if stop <= end and (first == _BINARY or first == _TEXT) and self._kind is None:
                if size > self._maxMessage:
                    raise _Broken(CloseCode.TOO_BIG, f"a message of more than {self._maxMessage} bytes")
                message: bytes | str = data[body:stop]
                if masked:
                    message = applyMask(message, data[body - 4 : body])  # type: ignore[arg-type]
                if first == _TEXT:
                    try:
                        message = message.decode()  # type: ignore[union-attr]
                    except UnicodeDecodeError as e:
                        raise _Broken(CloseCode.INVALID_DATA, f"text that is not UTF-8: {e.reason}") from None
                at = stop
                self.sink.messageReceived(message)
                continue
            opcode = self._checkHead(first, size)
            if opcode >= CLOSE:
                if stop > end:
                    break
                payload = data[body:stop]
                self._control(opcode, applyMask(payload, data[body - 4 : body]) if masked else payload)
                at = stop
                continue
            if end < body:
                break
            self._key = data[body - 4 : body] if masked else b""
            self._begin(first, opcode, size)
            at = self._payload(data, body)
        return at

    def _checkHead(self, first: int, size: int) -> int:
        """The opcode of a frame that may come now; _Broken for one that may not."""
        opcode = first & 15
        if first & 0x70 and not (first & 0x70 == RSV1 and self._deflate is not None and opcode in (TEXT, BINARY)):
            raise _Broken(CloseCode.PROTOCOL_ERROR, f"reserved bits are set: 0x{first:02x}")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise _Broken(CloseCode.PROTOCOL_ERROR, f"unknown opcode {opcode}")
            if not first & FIN:
                raise _Broken(CloseCode.PROTOCOL_ERROR, "a control frame in fragments")
            if size > 125:
                raise _Broken(CloseCode.PROTOCOL_ERROR, "a control frame of more than 125 bytes")
        elif opcode > BINARY:
            raise _Broken(CloseCode.PROTOCOL_ERROR, f"unknown opcode {opcode}")
        elif (opcode == CONTINUATION) != (self._kind is not None):
            what = "a continuation of nothing" if opcode == CONTINUATION else "a message inside a message"
            raise _Broken(CloseCode.PROTOCOL_ERROR, what)
        return opcode

    # Data in pieces.

    def _begin(self, first: int, opcode: int, size: int) -> None:
        """A data frame begins that is not told at once."""
        if opcode != CONTINUATION:
            self._kind = opcode
            self._compressed = bool(first & RSV1)
            self._fragments = self._size = 0
        self._fragments += 1
        if self._fragments > self._maxFragments:
            raise _Broken(CloseCode.TOO_BIG, f"a message of more than {self._maxFragments} fragments")
        if not self._compressed and self._size + size > self._maxMessage:
            raise _Broken(CloseCode.TOO_BIG, f"a message of more than {self._maxMessage} bytes")
        self._left = size
        self._fin = bool(first & FIN)

    def _payload(self, data: bytes, at: int) -> int:
        """Take what there is of the payload; where the rest of `data` begins."""
        left, key = self._left, self._key
        # Most of a large message is pieces that are nothing else.
        piece = data if not at and len(data) <= left else data[at : at + left]
        count = len(piece)
        self._left = left = left - count
        if key:
            piece = applyMask(piece, key)
            turn = count & 3
            if turn and left:
                self._key = key[turn:] + key[:turn]
        last = self._fin and not left
        if self._compressed:
            piece = self._inflated(piece, last)
        if piece:
            self._keep(piece)
        if last:
            self._whole()
        return at + count

    def _inflated(self, piece: bytes, last: bool) -> bytes:
        assert self._deflate is not None
        limit = self._maxMessage
        room = None if limit == float("inf") else int(limit) - self._size
        try:
            piece = self._deflate.inflate(piece, last, room)
        except InflateError as e:
            raise _Broken(CloseCode.INVALID_DATA, f"a message that cannot be inflated: {e}") from None
        if self._size + len(piece) > limit:
            raise _Broken(CloseCode.TOO_BIG, f"a message of more than {limit} bytes, inflated")
        return piece

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._kind == TEXT:
            text = self._tail + piece if self._tail else piece
            try:
                _, count = utf_8_decode(text, "strict", False)
            except UnicodeDecodeError as e:
                raise _Broken(CloseCode.INVALID_DATA, f"text that is not UTF-8: {e.reason}") from None
            self._tail = text[count:]
        pieces = self._pieces
        if len(piece) >= _SMALL:
            pieces.append(piece)
        elif pieces and pieces[-1].__class__ is bytearray:
            pieces[-1] += piece
        else:
            pieces.append(bytearray(piece))

    def _whole(self) -> None:
        """The message is there."""
        if self._tail:
            raise _Broken(CloseCode.INVALID_DATA, "text that is not UTF-8: unexpected end of data")
        message: bytes | str = b"".join(self._pieces)
        if self._kind == TEXT:
            message = message.decode()  # type: ignore[union-attr]
        self._kind = None
        self._pieces = []
        self.sink.messageReceived(message)

    # Control frames.

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            code, reason = _closing(payload)
            self.end()
            self._controls.closeReceived(code, reason)
        elif opcode == PONG:
            self._controls.pongReceived(payload)
        else:
            self._controls.pingReceived(payload)


def _closing(payload: bytes) -> tuple[int, str]:
    """Code and reason of a Close frame."""
    if not payload:
        return CloseCode.NO_STATUS, ""
    if len(payload) == 1:
        raise _Broken(CloseCode.PROTOCOL_ERROR, "a Close frame of one byte")
    code = payload[0] << 8 | payload[1]
    if not isSendable(code):
        raise _Broken(CloseCode.PROTOCOL_ERROR, f"a Close frame with code {code}")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError as e:
        raise _Broken(CloseCode.INVALID_DATA, f"a reason to close that is not UTF-8: {e.reason}") from None
