"""Netstrings, however cut: only NetstringParseError comes out, and what comes out whole was in the stream."""

from __future__ import annotations

import harness

from protocols._framing.netstrings import NetstringParseError, NetstringSplitter

LIMIT = 120


def strings(pieces: list[bytes]) -> tuple[list[bytes], bytes | None]:
    """The strings of a stream cut into `pieces`, and what waits at the end; None for what is no netstring."""
    splitter = NetstringSplitter()
    found: list[bytes] = []
    for piece in pieces:
        splitter.feed(piece)
        try:
            while batch := splitter.batch(LIMIT):
                left = batch[1:] if len(batch) > 1 and len(found) % 2 else []
                splitter.advance(left)
                found += batch[: len(batch) - len(left)]
        except NetstringParseError:
            return found, None
    return found, splitter.take()


def one(data: bytes) -> None:
    pieces = list(harness.cuts(data))
    whole = b"".join(pieces)
    found, rest = strings(pieces)
    again = b"".join(b"%d:%b," % (len(string), string) for string in found)
    assert whole == again + rest if rest is not None else whole.startswith(again)
    assert (found, rest) == strings([whole] if whole else []), "cutting makes a difference"


if __name__ == "__main__":
    harness.main(one)
