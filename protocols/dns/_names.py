"""Host names before anybody is asked: how they are spelled, which need no server, and under which full names a short
one is looked for. Pure.
"""

from __future__ import annotations

import socket

from reactor._transport.client.resolver import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# What stands in the names of hosts (RFC 1123, section 2.1), and what the system's resolver lets through besides.
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
LONGEST = 253
LOOPBACK = {"A": "127.0.0.1", "AAAA": "::1"}


def hostName(name: str | bytes) -> str:
    """`name` in ASCII, in small letters: what is not is put in IDNA 2008, as the rest of the reactor does. ValueError
    when no host can have that name.
    """
    text = name.decode("ascii", "backslashreplace") if isinstance(name, bytes) else name
    encoded = encode(text).lower()
    whole = encoded.removesuffix(".")
    if not whole or not _LETTERS.issuperset(whole):
        raise ValueError(f"{text[:300]!r} is no host name")
    labels = whole.split(".")
    if len(whole) > LONGEST or not all(0 < len(label) < 64 for label in labels):
        raise ValueError(
            f"{text[:300]!r} is no host name: a part is empty or longer than 63 bytes, or all is longer than {LONGEST}"
        )
    return encoded


def numeric(host: str, family: int = socket.AF_UNSPEC) -> list[tuple[int, str, int]]:
    """Family, address and scope, if the system takes `host` for an address, in whatever spelling."""
    if not host.isascii() or "\0" in host:
        return []
    try:
        # For a number it asks nobody.
        found = socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []
    return [(each[0], str(each[4][0]), int(each[4][3]) if len(each[4]) > 2 else 0) for each in found]


def special(name: str) -> str | None:
    """``"localhost"`` for names that mean this machine, ``"nobody"`` for those that no server may be asked for
    (RFC 6761, sections 6.3 and 6.4; RFC 7686, section 2), None for all others. `name` in small letters.
    """
    last = name.removesuffix(".").rpartition(".")[2]
    if last == "localhost":
        return "localhost"
    return "nobody" if last in ("invalid", "onion") else None


def candidates(name: str, search: Sequence[str], ndots: int) -> list[str]:
    """The full names to ask for, in turn, until one is there.

    A dot at the end says that the name is full. One with at least `ndots` dots is asked for as it is first, any other
    at last; `search` are the domains that may stand behind it.
    """
    whole = name.removesuffix(".")
    if whole != name or not search:
        return [whole]
    found = [full for domain in search if len(full := f"{whole}.{domain}" if domain else whole) <= LONGEST]
    found.insert(0 if whole.count(".") >= ndots else len(found), whole)
    return list(dict.fromkeys(found))
