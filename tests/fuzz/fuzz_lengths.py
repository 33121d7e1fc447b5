"""Strings behind their length, however cut: only LengthTooLarge comes out, and what comes out was in the stream."""

from __future__ import annotations

from struct import Struct

import harness

from protocols._framing.lengths import LengthSplitter, LengthTooLarge

LIMIT = 100


def strings(prefix: Struct, pieces: list[bytes]) -> tuple[list[bytes], bytes | None]:
    """The strings of a stream cut into `pieces`, and what waits at the end; None when one is too long."""
    splitter = LengthSplitter(prefix)
    found: list[bytes] = []
    for piece in pieces:
        splitter.feed(piece)
        try:
            while batch := splitter.batch(LIMIT):
                left = batch[1:] if len(batch) > 1 and len(found) % 2 else []
                splitter.advance(left)
                found += batch[: len(batch) - len(left)]
        except LengthTooLarge as e:
            assert e.length > LIMIT
            return found, None
    return found, splitter.take()


def one(data: bytes) -> None:
    prefix = Struct(("!B", "!H", "!I", "<I")[data[1] % 4] if len(data) > 1 else "!B")
    pieces = list(harness.cuts(data[:1] + data[2:]))
    whole = b"".join(pieces)
    found, rest = strings(prefix, pieces)
    again = b"".join(prefix.pack(len(string)) + string for string in found)
    assert whole == again + rest if rest is not None else whole.startswith(again)
    assert (found, rest) == strings(prefix, [whole] if whole else []), "cutting makes a difference"


if __name__ == "__main__":
    harness.main(one)
