"""Text that is cut to fit into messages: at spaces where it can be, by octets, never within a character."""

from __future__ import annotations

import re

__all__ = ["split"]

_LINE_ENDS = re.compile("\r\n|\r|\n").split


def split(text: str, length: int = 80) -> list[str]:
    """`text` in pieces of at most `length` octets of UTF-8: one or more for each line that is not blank.

    A piece ends at a space where that is possible; the spaces there are dropped. A word that fits into no piece is cut
    between two characters.

    :raises ValueError: when a character is longer than `length`.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, not {length}")
    pieces: list[str] = []
    for line in _LINE_ENDS(text):
        data = line.encode("utf-8", "surrogateescape").rstrip(b" ")
        start = 0
        while len(data) - start > length:
            end = _end(data, start, length)
            piece = data[start:end].rstrip(b" ")
            if piece:
                pieces.append(piece.decode("utf-8", "surrogateescape"))
            while data[end] == 0x20:
                end += 1
            start = end
        if start < len(data):
            pieces.append(data[start:].decode("utf-8", "surrogateescape"))
    return pieces


def _end(data: bytes, start: int, length: int) -> int:
    """Where the piece of `data` from `start` ends, more than `length` bytes being left."""
    limit = start + length
    if data[limit] == 0x20:
        return limit
    space = data.rfind(b" ", start, limit)
    if space >= 0:
        # A word too long for any piece begins in this one, rather than waste the rest of it. Looking no further than
        # a piece keeps this linear.
        word = data.find(b" ", space + 1, space + 2 + length)
        if word >= 0 or len(data) - space - 1 <= length:
            return space
    for end in range(limit, max(limit - 4, start), -1):
        if data[end] & 0xC0 != 0x80:
            return end
    if length < 4:
        raise ValueError(f"length {length} is shorter than a character of the text")
    # Bytes that are no UTF-8: there is no character to spare.
    return limit
