r"""CTCP, requests and answers inside the text of messages: taken out, put in.

``\x01TAG data\x01`` in a PRIVMSG is a request, in a NOTICE an answer. What stands between is as it is written: no
client of today quotes there ("Modern IRC Client Protocol", CTCP). So a backslash is one, and ``\x01`` cannot be said.

The two kinds of quoting of 1994 are here for those who talk to a client of that time: the low level one lets CR, LF and
NUL stand in a message, the other one lets ``\x01`` stand in a request.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypedDict

    class Extracted(TypedDict):
        """What `ctcpExtract` returns."""

        extended: list[tuple[str, str | None]]
        normal: list[str]


__all__ = [
    "CR",
    "LF",
    "M_QUOTE",
    "NL",
    "NUL",
    "SPC",
    "X_DELIM",
    "X_QUOTE",
    "ctcpDequote",
    "ctcpExtract",
    "ctcpQuote",
    "ctcpStringify",
    "lowDequote",
    "lowQuote",
]

CR = "\r"
NL = "\n"
LF = NL
NUL = "\0"
SPC = " "
#: Begins and ends a request.
X_DELIM = "\x01"
#: Quotes inside a request, by the rules of 1994.
X_QUOTE = "\\"
#: Quotes in any message, by the rules of 1994.
M_QUOTE = "\x10"

_LOW = str.maketrans({NUL: M_QUOTE + "0", NL: M_QUOTE + "n", CR: M_QUOTE + "r", M_QUOTE: M_QUOTE + M_QUOTE})
_HIGH = str.maketrans({X_DELIM: X_QUOTE + "a", X_QUOTE: X_QUOTE + X_QUOTE})
_LOW_BACK = {"0": NUL, "n": NL, "r": CR}
_HIGH_BACK = {"a": X_DELIM}
_lowQuoted = re.compile(M_QUOTE + "(.)", re.DOTALL).sub
_highQuoted = re.compile(re.escape(X_QUOTE) + "(.)", re.DOTALL).sub


def lowQuote(s: str) -> str:
    """`s` with CR, LF, NUL and ``\\x10`` quoted by ``\\x10``, so that it can be sent."""
    return s.translate(_LOW)


def lowDequote(s: str) -> str:
    """What `lowQuote` was given. A quote before anything else is dropped, one at the end stays."""
    return _lowQuoted(lambda quoted: _LOW_BACK.get(quoted[1], quoted[1]), s) if M_QUOTE in s else s


def ctcpQuote(s: str) -> str:
    """`s` with ``\\x01`` and backslashes quoted by backslashes: for a client of 1994."""
    return s.translate(_HIGH)


def ctcpDequote(s: str) -> str:
    """What `ctcpQuote` was given. A backslash before anything else is dropped, one at the end stays."""
    return _highQuoted(lambda quoted: _HIGH_BACK.get(quoted[1], quoted[1]), s) if X_QUOTE in s else s


def ctcpExtract(message: str) -> Extracted:
    """The text of a message, taken apart: ``extended`` are the requests as (tag, data or None), ``normal`` is the rest.

    Empty requests and empty text are left out; the last request need not be ended.
    """
    normal: list[str] = []
    extended: list[tuple[str, str | None]] = []
    for number, part in enumerate(message.split(X_DELIM)):
        if not part:
            continue
        if number % 2:
            tag, space, data = part.partition(SPC)
            extended.append((tag, data if space else None))
        else:
            normal.append(part)
    return {"extended": extended, "normal": normal}


def ctcpStringify(messages: Iterable[tuple[str, object]]) -> str:
    """The text that holds these requests, each a pair of tag and data.

    Data is None or empty for none, text, a list or tuple whose items are put together with spaces, or what `str` makes
    text of.

    :raises ValueError: when there is ``\\x01`` in a request, where it would end it, or a tag is empty or has a space.
    """
    parts = []
    for tag, data in messages:
        if isinstance(data, list | tuple):
            data = SPC.join(map(str, data))
        if not tag or SPC in tag:
            raise ValueError(f"not the tag of a CTCP request: {tag[:80]!r}")
        request = f"{tag} {data}" if data else tag
        if X_DELIM in request:
            raise ValueError(f"\\x01 inside a CTCP request: {request[:80]!r}")
        parts.append(X_DELIM + request + X_DELIM)
    return "".join(parts)
