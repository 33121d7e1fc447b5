"""The line before a chunk, and what may not be in trailers (RFC 9112, section 7.1). Pure functions of bytes."""

from __future__ import annotations

import re

from protocols.http.error import BadMessage, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pairs = list[tuple[bytes, bytes]]

__all__ = ["CHUNK", "checkTrailers", "readChunkLine"]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_EXTENSION = rb"[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"

#: The line of a chunk as nearly all are: a size and the line's end. Sixteen digits are more than there will ever be.
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n").match
_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + _EXTENSION + rb")*").fullmatch
# What a line may begin with: anything else is refused before the line's end comes.
_BEGINNING = re.compile(rb"[0-9A-Fa-f]{1,16}(?:[ \t]*;[\t -~\x80-\xff]*|[ \t]*)\r?").fullmatch

# Fields that say how a message is framed or routed must not come behind its body (RFC 9110, section 6.5.1).
_FORBIDDEN = {b"content-length", b"transfer-encoding", b"host", b"connection", b"upgrade", b"expect", b"trailer", b"te"}


def readChunkLine(data: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """The line of a chunk at `at`: its size, and where what is behind the line begins. None if it is not complete.

    Extensions are checked, and mean nothing here.

    :raises BadMessage: if it is none, as soon as that can be seen.
    :raises TooLarge: if it is longer than `limit`.
    """
    end = data.find(b"\r\n", at, at + limit + 2)
    line = data[at : at + limit if end < 0 else end]
    if end < 0:
        if not (_BEGINNING(line) is not None if line else True):
            raise BadMessage("not the line of a chunk", 400, "chunk", line)
        if len(data) - at > limit and data[at + limit : at + limit + 2] != b"\r":
            raise TooLarge("chunkLine", limit, 400)
        return None
    found = _LINE(line)
    if found is None:
        raise BadMessage("not the line of a chunk", 400, "chunk", line)
    return int(found[1], 16), end + 2


def checkTrailers(pairs: Pairs, limit: int) -> None:
    """Refuse trailers that must not be such, and more of them than `limit`."""
    if len(pairs) > limit:
        raise TooLarge("trailerFields", limit, 431)
    for name, value in pairs:
        if name.lower() in _FORBIDDEN:
            raise BadMessage("a field that is no trailer", 400, "trailers", name + b": " + value)
