"""Masks such as ``*!*@*.example.org``, and which names are host names to an IRC server."""

from __future__ import annotations

import re

from protocols.irc.casemapping import fold

__all__ = ["isHostname", "matchesMask"]

_LABEL = re.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII).fullmatch


def matchesMask(mask: str, text: str, casemapping: str = "rfc1459") -> bool:
    """Whether `mask` fits all of `text`: ``*`` stands for any characters, also none, ``?`` for one.

    No other character is special. Takes at most as many steps as the product of the two lengths.

    :param casemapping: how letters compare, see `fold`.
    """
    mask, text = fold(mask, casemapping), fold(text, casemapping)
    at = place = 0
    star, retry = -1, 0
    while place < len(text):
        if at < len(mask) and mask[at] == "*":
            star, retry = at, place
            at += 1
        elif at < len(mask) and mask[at] in ("?", text[place]):
            at += 1
            place += 1
        elif star >= 0:
            # The last star takes one character more.
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return not mask[at:].strip("*")


def isHostname(name: str) -> bool:
    """Whether a server may show `name` as a host name: two labels or more of RFC 1123, at most 253 characters.

    A client takes what the server gives it, since virtual hosts hold anything.
    """
    labels = name.split(".")
    return 1 < len(labels) and len(name) <= 253 and all(map(_LABEL, labels))
