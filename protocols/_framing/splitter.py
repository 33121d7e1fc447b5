"""What the splitters of a stream of bytes share: where the bytes wait, and how frames that were cut off are given back.

Bytes in, frames out, limits checked; no transport, no callbacks, no clock. A splitter is fed as the bytes come, however
they are cut, and `batch` cuts frames off, at most about `WINDOW` bytes of them at a time. Whoever passes these on tells
with `advance` which of them were not taken after all: they are the first of the next batch, which is then a small one.
So a receiver that pauses or changes its mind after each frame pays for little that is cut in vain.

Each byte is copied a fixed number of times: what comes when nothing waits is cut where it lies (`head`), and what is
no whole frame yet grows at its end (`tail`) and is looked through once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes that one batch is cut from, about: at most, and after some of the last batch were given back.
WINDOW = 8192
SMALL = 64


class FrameError(ValueError):
    """The peer sent what the format does not allow, or more than the limit."""


class Splitter:
    """Bytes that wait to be cut into frames."""

    __slots__ = ("_at", "_end", "_window", "head", "tail")

    def __init__(self) -> None:
        # Invariant: 0 <= _at <= _end <= len(head), and head[_at:_end] are the frames that a batch has handed out and
        # `advance` has not settled yet. What waits is head[_at:], then tail; head is empty when nothing of it waits.
        self.head = b""
        self._at = 0
        self._end = 0
        self.tail = bytearray()
        self._window = WINDOW

    def feed(self, data: bytes) -> None:
        """`data` came, behind all that waits."""
        if self.head or self.tail:
            self.tail += data
        else:
            self.head = data if data.__class__ is bytes else bytes(data)
            self._at = self._end = 0

    def __len__(self) -> int:
        """How many bytes wait, those of frames that are handed out and not settled included."""
        return len(self.head) - self._at + len(self.tail)

    def __bool__(self) -> bool:
        """Whether any wait."""
        return bool(self.head or self.tail)

    def take(self) -> bytes:
        """All that waits, which waits no more."""
        rest = self.head[self._at :] + self.tail
        self.head = b""
        self._at = self._end = 0
        self.tail = bytearray()
        return rest

    def waiting(self) -> bytes:
        """All that waits, which goes on waiting."""
        return self.head[self._at :] + self.tail

    def advance(self, left: Sequence[bytes] = ()) -> bool:
        """The frames of the last batch are taken but for `left`, its last ones. Whether any bytes wait."""
        at = self._end
        if left:
            at -= self._sizeOf(left)
            self._window = SMALL
        else:
            if at == len(self.head):
                # Nothing of it is needed any more: an idle connection keeps no chunk.
                self.head = b""
                at = 0
            if self._window < WINDOW:
                self._window *= 2
        self._at = self._end = at
        return bool(self.head or self.tail)

    def _sizeOf(self, frames: Sequence[bytes]) -> int:
        """How many bytes `frames`, of the last batch, were in the stream."""
        raise NotImplementedError

    def _putAside(self) -> None:
        """There is no whole frame in the head: it is the beginning of the tail."""
        if self.head:
            if self.tail:
                self.tail[:0] = self.head[self._at :]
            else:
                self.tail += self.head[self._at :] if self._at else self.head
        self.head = b""
        self._at = self._end = 0

    def _takeUp(self) -> None:
        """There is a whole frame in the tail: it is the head."""
        self.head = bytes(self.tail)
        self._at = self._end = 0
        self.tail = bytearray()


class StringSplitter(Splitter):
    """Bytes that wait to be cut into strings that say first how long they are."""

    __slots__ = ("_needed",)

    def __init__(self) -> None:
        Splitter.__init__(self)
        # How many bytes must wait before more can be told, when all that waits is in the tail: a long string that comes
        # in small pieces is not looked at again with each of them.
        self._needed = 1

    def batch(self, limit: int) -> list[bytes]:
        """The next strings; none when no whole one waits.

        :param limit: the length that a string may have, in bytes.
        :raises FrameError: when what comes next is not in the format, or too long. Nothing waits any more then.
        """
        if self.head:
            strings = self._cut(limit)
            if strings:
                return strings
            self._putAside()
        if len(self.tail) < self._needed:
            return []
        self._takeUp()
        strings = self._cut(limit)
        if not strings:
            self._putAside()
        return strings

    def take(self) -> bytes:
        """All that waits, which waits no more."""
        self._needed = 1
        return Splitter.take(self)

    def _cut(self, limit: int) -> list[bytes]:
        """The whole strings in the head, up to a window of them; sets `_end` and `_needed`."""
        raise NotImplementedError


class Deaf(Splitter):
    """In the place of a splitter that lost its way: whatever comes, no frame is in it, and none of it is kept."""

    __slots__ = ()

    def feed(self, data: bytes) -> None:
        """Nobody listens."""

    def batch(self, *limits: object) -> list[bytes]:
        """There are none."""
        return []
