"""Lines, however cut: only LineTooLong comes out, and the lines are those that splitting the whole gives."""

from __future__ import annotations

import harness

from protocols._framing.lines import LineSplitter, LineTooLong

LIMIT = 20


def one(data: bytes) -> None:
    delimiter = (b"\r\n", b"\n", b"aa", b"aba")[data[1] % 4] if len(data) > 1 else b"\r\n"
    pieces = list(harness.cuts(data[:1] + data[2:]))
    splitter = LineSplitter()
    lines: list[bytes] = []
    tooLong = False
    for piece in pieces:
        splitter.feed(piece)
        try:
            while batch := splitter.batch(delimiter, LIMIT):
                # Every other time the last line is given back.
                left = batch[1:] if len(batch) > 1 and len(lines) % 2 else []
                splitter.advance(left)
                lines += batch[: len(batch) - len(left)]
        except LineTooLong:
            tooLong = True
            break
    *expected, rest = b"".join(pieces).split(delimiter)
    whole = next((n for n, line in enumerate(expected) if len(line) > LIMIT), None)
    if tooLong:
        assert lines == expected[: len(lines)] and len([*expected, rest][len(lines)]) > LIMIT, (lines, expected)
    else:
        assert whole is None and lines == expected and splitter.take() == rest, (lines, expected)


if __name__ == "__main__":
    harness.main(one)
