"""Netstrings (https://cr.yp.to/proto/netstrings.txt): ``5:hello,``, as a splitter without transport.

The length is decimal, without a sign, a space or a zero in front; it is looked at as soon as it cannot become right any
more, or when its colon has come, and one above the limit is refused before anything is kept for it.
"""

from __future__ import annotations

from protocols._framing.splitter import FrameError, StringSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMA = ord(",")


class NetstringParseError(FrameError):
    """What came is no netstring, or a longer one than the limit."""


class NetstringSplitter(StringSplitter):
    """Cuts bytes into the strings of netstrings."""

    __slots__ = ()

    def _cut(self, limit: int) -> list[bytes]:
        head, at = self.head, self._at
        strings: list[bytes] = []
        last = min(len(head) - 1, at + self._window)
        digits = len(str(limit))
        self._needed = 1
        try:
            while at <= last:
                colon = head.find(b":", at, at + digits + 1)
                length = self._length(head[at : at + digits + 1] if colon < 0 else head[at:colon], colon >= 0, limit)
                if colon < 0:
                    self._needed = len(head) - at + 1
                    break
                begin = colon + 1
                stop = begin + length
                if stop >= len(head):
                    self._needed = stop + 1 - at
                    break
                if head[stop] != _COMMA:
                    raise NetstringParseError(f"no comma, but {head[stop : stop + 1]!r}, behind {length} bytes")
                strings.append(head[begin:stop])
                at = stop + 1
        except NetstringParseError:
            # Those before it first; it is found again.
            if not strings:
                self.take()
                raise
        self._end = at
        return strings

    @staticmethod
    def _length(text: bytes, complete: bool, limit: int) -> int:
        """The length that `text` says, all of it or its beginning."""
        if not text.isdigit() or (text[0] == 48 and len(text) > 1):
            raise NetstringParseError(f"{text!r} is no length of a netstring")
        length = int(text)
        if length > limit:
            least = "" if complete else "at least "
            raise NetstringParseError(f"a netstring of {least}{length} bytes; the limit is {limit}")
        return length

    def _sizeOf(self, frames: Sequence[bytes]) -> int:
        return sum(len(str(len(frame))) + len(frame) + 2 for frame in frames)
