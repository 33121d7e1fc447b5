"""Lines: everything up to a delimiter, as a splitter without transport.

A line may be as long as the limit, without its delimiter. One that is longer is refused as soon as that is certain:
when so many bytes wait without a delimiter that not even a whole one could be missing.
"""

from __future__ import annotations

from protocols._framing.splitter import FrameError, Splitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class LineTooLong(FrameError):
    """The next line is longer than the limit.

    :param limit: the limit, in bytes.
    :param length: the line's length so far, in bytes.
    :param complete: whether its delimiter has come.
    """

    def __init__(self, limit: int, length: int, complete: bool) -> None:
        super().__init__(f"a line of {'' if complete else 'at least '}{length} bytes; the limit is {limit}")
        self.limit = limit
        self.length = length
        self.complete = complete


class LineSplitter(Splitter):
    """Cuts bytes into lines."""

    __slots__ = ("_delimiter", "_searched")

    def __init__(self) -> None:
        Splitter.__init__(self)
        # What the lines of the last batch were cut at, and what the tail was searched for.
        self._delimiter = b""
        # Invariant: no delimiter begins in tail[:_searched].
        self._searched = 0

    def batch(self, delimiter: bytes, limit: int) -> list[bytes]:
        """The next lines, without their delimiters; none when no whole one waits.

        :param limit: the length that a line may have, in bytes.
        :raises LineTooLong: when the next line is longer. It stays where it is, for `take` or `takeLine`.
        """
        if delimiter != self._delimiter:
            self._delimiter = delimiter
            self._searched = 0
        head = self.head
        while True:
            at = self._at
            if at < len(head):
                room = self._window
                window = head if not at and len(head) <= room else head[at : at + room]
                lines = window.split(delimiter)
                last = lines.pop()
                if lines:
                    self._end = at + len(window) - len(last)
                    return lines if len(window) <= limit else self._within(lines, limit)
                found = head.find(delimiter, at)
                if found >= 0:
                    self._end = found + len(delimiter)
                    return self._within([head[at:found]], limit)
            if not self._search(delimiter, limit):
                return []
            head = self.head

    def takeLine(self) -> bytes:
        """The next line, which is complete and was too long; it waits no more."""
        end = self.head.find(self._delimiter, self._at)
        line = self.head[self._at : end]
        self._end = end + len(self._delimiter)
        self.advance()
        return line

    def _search(self, delimiter: bytes, limit: int) -> bool:
        """There is none in the head: whether there is one in all that waits, which is the head then."""
        if self.head:
            self._putAside()
            self._searched = 0
        tail = self.tail
        size = len(tail)
        if not size:
            return False
        if tail.find(delimiter, self._searched) >= 0:
            self._takeUp()
            self._searched = 0
            return True
        self._searched = max(0, size - len(delimiter) + 1)
        if size >= limit + len(delimiter):
            raise LineTooLong(limit, size, False)
        return False

    def take(self) -> bytes:
        """All that waits, which waits no more."""
        self._searched = 0
        return Splitter.take(self)

    def _within(self, lines: list[bytes], limit: int) -> list[bytes]:
        """Those of `lines` that come before the first one that is too long."""
        if max(map(len, lines)) <= limit:
            return lines
        count = next(number for number, line in enumerate(lines) if len(line) > limit)
        if not count:
            self._end = self._at
            raise LineTooLong(limit, len(lines[0]), True)
        self._end -= self._sizeOf(lines[count:])
        return lines[:count]

    def _sizeOf(self, frames: Sequence[bytes]) -> int:
        return sum(map(len, frames)) + len(frames) * len(self._delimiter)
