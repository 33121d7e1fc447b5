"""From a server's response to the records that were asked for: along the aliases, and nothing that was not asked for.
Pure.
"""

from __future__ import annotations

from protocols.dns._wire import NXDOMAIN, Response
from protocols.dns.records import CNAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.dns.records import Record

# Aliases from a name to its records at most, whether they came in one response or in several.
MOST_ALIASES = 16


class Loop(Exception):
    """The aliases go in a circle, or do not end."""


class Found:
    """What a response has for a question.

    :ivar records: those of the type, of the last name.
    :ivar name: the last name, in small letters.
    :ivar unfinished: whether the response ends at an alias, and does not say that there is nothing behind it.
    :ivar noSuchName: whether that name is not there at all.
    :ivar ttl: seconds for which it holds, 0 for not at all.
    """

    __slots__ = ("name", "noSuchName", "records", "ttl", "unfinished")

    def __init__(self, response: Response, name: str, type: str) -> None:
        """Loop when there is no end."""
        owner, seen, lives = name.lower(), {name.lower()}, list[float]()
        followed = type not in ("CNAME", "ANY")
        aliases = {o: r for o, kind, r in response.answers if kind == "CNAME" and isinstance(r, CNAME)}
        while followed and owner in aliases and not _of(response, owner, type):
            lives.append(aliases[owner].ttl)
            owner = aliases[owner].target.lower()
            if owner in seen or len(seen) > MOST_ALIASES:
                raise Loop(f"the aliases of {name} do not end")
            seen.add(owner)
        self.records: tuple[Record, ...] = tuple(_of(response, owner, type))
        self.name = owner
        # With aliases before it, the code is about the last name (RFC 6604, section 3).
        self.noSuchName = response.rcode == NXDOMAIN and not self.records
        self.unfinished = bool(lives) and not (self.records or self.noSuchName) and response.negativeTTL is None
        if self.records:
            lives += [record.ttl for record in self.records]
        elif response.negativeTTL is not None:
            lives.append(response.negativeTTL)
        elif not self.unfinished:
            lives = [0]
        self.ttl = min(lives)


def _of(response: Response, owner: str, type: str) -> list[Record]:
    return [record for o, kind, record in response.answers if o == owner and type in (kind, "ANY")]
