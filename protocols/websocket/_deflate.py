"""permessage-deflate (RFC 7692) of one connection, both ways: payloads in and out. Pure; what was negotiated is told.

What comes is inflated piece by piece, and never further than the caller has room for: a few kilobytes that would be
gigabytes cost what was allowed. Which frames are compressed is the reader's business.
"""

from __future__ import annotations

import zlib

__all__ = ["Deflate", "InflateError"]

_TAIL = b"\x00\x00\xff\xff"
# A message may end streams of DEFLATE in its middle (RFC 7692, section 7.2.3.4); each costs a new inflater.
_STREAMS = 64


class InflateError(ValueError):
    """The peer's bytes are no DEFLATE."""


class Deflate:
    """One connection's two streams.

    :param inBits, outBits: the windows' logarithms, as negotiated.
    :param inFresh, outFresh: whether each message stands for itself ("no context takeover").
    """

    __slots__ = ("_deflater", "_inBits", "_inFresh", "_inflater", "_level", "_outBits", "_outFresh", "_streams")

    def __init__(self, inBits: int, outBits: int, inFresh: bool, outFresh: bool, level: int) -> None:
        self._inBits = inBits
        self._outBits = outBits
        self._inFresh = inFresh
        self._outFresh = outFresh
        self._level = level
        # Made with the first message that needs one: many connections never see any.
        self._inflater: zlib._Decompress | None = None
        self._deflater: zlib._Compress | None = None
        self._streams = 0

    def inflate(self, data: bytes, last: bool, room: int | None) -> bytes:
        """The next piece of a message, `last` if it is the last one: at most `room` bytes and one, which is then one
        too many. InflateError for what is none.
        """
        inflater = self._inflater
        if inflater is None:
            self._inflater = inflater = zlib.decompressobj(-self._inBits)
        limit = 0 if room is None else room + 1
        if last:
            data += _TAIL
        try:
            found = inflater.decompress(data, limit)
            while inflater.eof:
                # The stream ended, which it may; another follows, as from a compressor that was made anew.
                self._streams += 1
                if self._streams > _STREAMS:
                    raise InflateError(f"a message of more than {_STREAMS} DEFLATE streams")
                data = inflater.unused_data
                self._inflater = inflater = zlib.decompressobj(-self._inBits)
                if not data or (limit and len(found) >= limit):
                    break
                found += inflater.decompress(data, limit - len(found) if limit else 0)
        except zlib.error as e:
            raise InflateError(str(e)) from None
        if last:
            self._streams = 0
            if self._inFresh:
                self._inflater = None
        return found

    def deflate(self, data: bytes) -> bytes:
        """A whole message, not empty."""
        deflater = self._deflater
        if deflater is None:
            # A memory of 5 in place of 8: 16 KiB in place of 128, and no difference in what comes out for small ones.
            self._deflater = deflater = zlib.compressobj(self._level, zlib.DEFLATED, -self._outBits, 5)
        found = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        if self._outFresh:
            self._deflater = None
        return found[:-4]
