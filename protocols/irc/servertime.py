"""When a message was sent, by its tag ``time`` (IRCv3 "server-time"): text in, seconds since the epoch out."""

from __future__ import annotations

import re

__all__ = ["parseServerTime"]

_leapSecond = re.compile(r"(T\d\d:?\d\d:?)60(?!\d)").subn


def parseServerTime(text: str) -> float | None:
    """The seconds since the epoch of ``2012-06-30T23:59:60.419Z``, or of a time written otherwise after ISO 8601; None
    if it is no time. A leap second counts, as POSIX has it, like the one that follows.
    """
    # Not before it is needed: few programs ask.
    from datetime import UTC, datetime

    # No clock of Python's has a sixtieth second.
    text, leap = _leapSecond(r"\g<1>59", text, 1)
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() + leap
    except (ValueError, OverflowError):
        return None
