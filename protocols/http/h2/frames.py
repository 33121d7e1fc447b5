"""Frames as they come: where each begins and ends (RFC 9113, section 4), before anybody looks into them.

What is too long is refused when its length is read, not when all of it has come; a head that never ends is refused
here, since `h2` would hold it. Nothing of a frame that is not whole is passed on. Pure.
"""

from __future__ import annotations

from protocols.http.h2.errors import ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR, ConnectionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PREFACE", "Splitter", "frame", "kindsIn"]

#: What a client says first (RFC 9113, section 3.4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
#: The largest frame that a peer may send before it is told otherwise (section 4.2), which it is not.
MAX_FRAME = 16384
# Those that are of one size (section 6).
_SIZES = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}


class Splitter:
    """Cuts what comes into frames.

    :param isServer: whether the preface comes first.
    :param continuations: how many CONTINUATION frames one head may have.
    :param head: how many bytes the frames of one head may have, compressed as they are.
    :ivar inHead: whether a head has begun and not ended.
    """

    __slots__ = ("_buffer", "_continuations", "_count", "_first", "_head", "_preface", "_size", "inHead")

    def __init__(self, isServer: bool, continuations: int, head: int) -> None:
        self._buffer = bytearray()
        self._preface = PREFACE if isServer else b""
        self._first = True
        self._continuations = continuations
        self._head = head
        self._count = self._size = 0
        self.inHead = False

    @property
    def buffered(self) -> int:
        """Bytes of a frame that is not whole."""
        return len(self._buffer)

    @property
    def partial(self) -> int:
        """The kind of the frame of which a part has come; -1 without one."""
        return self._buffer[3] if len(self._buffer) > 3 and not self._preface else -1

    @property
    def begun(self) -> bool:
        """Whether the peer's preface and its first frame have come."""
        return not self._first

    def split(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """What is whole with `data`: of each frame its kind, flags, stream, and all of its bytes. The preface comes as
        one of kind -1. ConnectionFailed for what is none.
        """
        buffer = self._buffer
        buffer += data
        if self._preface:
            size = min(len(PREFACE), len(buffer))
            if buffer[:size] != PREFACE[:size]:
                raise ConnectionFailed(PROTOCOL_ERROR, "it does not begin with the preface of HTTP/2")
            if size < len(PREFACE):
                return
            self._preface = b""
            del buffer[:size]
            yield -1, 0, 0, PREFACE
        at, end = 0, len(buffer)
        try:
            while end - at >= 9:
                length = buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]
                kind, flags = buffer[at + 3], buffer[at + 4]
                if length > MAX_FRAME:
                    raise ConnectionFailed(FRAME_SIZE_ERROR, f"a frame of {length} bytes, {MAX_FRAME} are allowed")
                if end - at < 9 + length:
                    break
                stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & 0x7FFFFFFF
                whole = bytes(buffer[at : at + 9 + length])
                at += 9 + length
                self._look(kind, flags, length)
                yield kind, flags, stream, whole
        finally:
            del buffer[:at]

    def _look(self, kind: int, flags: int, length: int) -> None:
        if self._first:
            if kind != SETTINGS or flags & ACK:
                raise ConnectionFailed(PROTOCOL_ERROR, "the first frame is not SETTINGS")
            self._first = False
        size = _SIZES.get(kind)
        if (size is not None and length != size) or (kind == SETTINGS and (length % 6 or (flags & ACK and length))):
            raise ConnectionFailed(FRAME_SIZE_ERROR, f"a frame of kind {kind} of {length} bytes")
        if kind in (HEADERS, PUSH_PROMISE):
            self._count, self._size = 0, length
            self.inHead = not flags & END_HEADERS
        elif kind == CONTINUATION:
            self._count += 1
            self._size += length
            if self._count > self._continuations or self._size > self._head:
                raise ConnectionFailed(ENHANCE_YOUR_CALM, f"a head of {self._count + 1} frames, {self._size} bytes")
            self.inHead = not flags & END_HEADERS


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame, written out."""
    return b"%b%c%c%b%b" % (len(payload).to_bytes(3, "big"), kind, flags, stream.to_bytes(4, "big"), payload)


def kindsIn(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind and stream of each of some whole frames, and its bytes."""
    at = 0
    while at < len(data):
        end = at + 9 + int.from_bytes(data[at : at + 3], "big")
        yield data[at + 3], int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF, data[at:end]
        at = end
