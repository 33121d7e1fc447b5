"""Strings behind their length in binary, as a splitter without transport.

The length is looked at as soon as it is there: one above the limit is refused before anything is kept for it.
"""

from __future__ import annotations

from protocols._framing.splitter import FrameError, StringSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from struct import Struct


class LengthTooLarge(FrameError):
    """The next string's length is above the limit.

    :param limit: the limit, in bytes.
    :param length: the length that was announced.
    :param rest: all that waited, from that length on.
    """

    def __init__(self, limit: int, length: int, rest: bytes = b"") -> None:
        super().__init__(f"a string of {length} bytes was announced; the limit is {limit}")
        self.limit = limit
        self.length = length
        self.rest = rest


class LengthSplitter(StringSplitter):
    """Cuts bytes into strings."""

    __slots__ = ("_size", "_unpack")

    def __init__(self, prefix: Struct) -> None:
        """`prefix` is the format of the length, one unsigned number."""
        StringSplitter.__init__(self)
        self._unpack = prefix.unpack_from
        self._size = prefix.size

    def _cut(self, limit: int) -> list[bytes]:
        head, at, size, unpack = self.head, self._at, self._size, self._unpack
        strings: list[bytes] = []
        end = len(head)
        last = min(end - size, at + self._window)
        self._needed = size
        while at <= last:
            (length,) = unpack(head, at)
            if length > limit:
                if strings:
                    # Those before it first.
                    break
                self._at = at
                raise LengthTooLarge(limit, length, self.take())
            begin = at + size
            stop = begin + length
            if stop > end:
                self._needed = size + length
                break
            strings.append(head[begin:stop])
            at = stop
        self._end = at
        return strings

    def _sizeOf(self, frames: Sequence[bytes]) -> int:
        return sum(map(len, frames)) + len(frames) * self._size
