"""What a body that is sent is made of: bytes, files, iterators of pieces. One after the other they are a `Payload`.

Here is what there is to send, how long it is and whether it can be sent again; how it gets onto a connection is
`protocols.http.client.sending`'s business.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable, Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class FileSource:
    """A file, from where it stands (or from `offset`) to its end."""

    __slots__ = ("count", "file", "length", "offset")

    def __init__(self, file: Any, offset: int | None = None) -> None:
        """`file` was opened for reading bytes. TypeError for text."""
        self.file = file
        if isinstance(getattr(file, "mode", None), str) and "b" not in file.mode:
            raise TypeError(f"body: {file!r} must be opened in binary mode ('rb')")
        size = _sizeOf(file)
        self.length: int | None = None
        # None: it can only be read from where it stands.
        self.offset: int | None = None
        if size is not None:
            self.offset = file.tell() if offset is None else offset
            self.length = max(0, size - self.offset)

    @property
    def replayable(self) -> bool:
        """Whether it can be sent a second time."""
        return self.offset is not None


def _sizeOf(file: Any) -> int | None:
    """The size of a file that can be read from anywhere; None of others."""
    try:
        found = os.fstat(file.fileno())
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    except (AttributeError, OSError, ValueError):
        pass
    try:
        # Such as BytesIO: without a descriptor.
        here = file.tell()
        end: int = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return end


class PieceSource:
    """Pieces of bytes from an iterator or an async iterator, as they come."""

    __slots__ = ("_begun", "_from", "length", "replayable")

    def __init__(self, pieces: Any, length: int | None = None) -> None:
        """`pieces` is an iterable or async iterable of bytes, or a function that gives one anew each time."""
        self._from = pieces
        self._begun = False
        self.length = length
        # A list or another object that makes its iterators itself; an iterator is itself, and over after once.
        makes = callable(pieces) or (hasattr(pieces, "__iter__") and not hasattr(pieces, "__next__"))
        self.replayable = bool(makes or (hasattr(pieces, "__aiter__") and not hasattr(pieces, "__anext__")))

    def begin(self) -> Any:
        """The iterator or async iterator; the second time a new one, RuntimeError where there is none."""
        if self._begun and not self.replayable:
            raise RuntimeError("the iterator of a body was used up, and cannot be sent again")
        self._begun = True
        pieces = self._from() if callable(self._from) else self._from
        return pieces.__aiter__() if hasattr(pieces, "__aiter__") else iter(pieces)


class Payload:
    """A body: `sources`, bytes or one of the classes above, in order.

    :ivar length: bytes altogether; None when that is not known, and it is to be sent in chunks.
    :ivar contentType: for the field Content-Type; None to say nothing.
    :ivar replayable: whether it can be sent a second time.
    """

    __slots__ = ("contentType", "length", "replayable", "sources")

    def __init__(self, sources: Sequence[Any], contentType: str | None = None) -> None:
        self.sources = sources
        self.contentType = contentType
        lengths = [len(source) if isinstance(source, bytes) else source.length for source in sources]
        self.length: int | None = None if None in lengths else sum(lengths)
        self.replayable = all(isinstance(source, bytes) or source.replayable for source in sources)

    @property
    def whole(self) -> bytes | None:
        """The body, if it is nothing but bytes."""
        sources = self.sources
        return sources[0] if len(sources) == 1 and isinstance(sources[0], bytes) else None


def payloadOf(body: Any) -> Payload:
    """The payload of what a program gave as `body`: bytes, text (UTF-8), a file, an iterable or async iterable of
    bytes, or a function that gives one.
    """
    if isinstance(body, (bytes, bytearray, memoryview)):
        return Payload([bytes(body)])
    if isinstance(body, str):
        return Payload([body.encode()], "text/plain; charset=utf-8")
    return Payload([sourceOf(body)])


def sourceOf(body: Any) -> Any:
    """One source of what is no text."""
    if isinstance(body, (FileSource, PieceSource)):
        return body
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read") and not hasattr(body, "__anext__"):
        return FileSource(body)
    if (callable(body) or isinstance(body, (Iterable, AsyncIterable))) and not isinstance(body, dict):
        return PieceSource(body)
    raise TypeError(
        f"body must be bytes, str, a file, an iterable or async iterable of bytes, not {type(body).__name__} "
        f"({repr(body)[:60]}); see json= and form="
    )
