"""Which fields have a say in how a message is read, and what they say. All others are nobody's business here.

Names are known by how they are mostly written, so that the fields of a head are looked at one by one only if one of
them matters. Names that do not matter are learned, up to a bound.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from protocols.http.error import BadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Pairs = list[tuple[bytes, bytes]]

__all__ = ["MATTER", "PLAIN", "Connection", "Saying", "connectionOf", "isHarmless"]

#: The fields that matter, lower-case, and the attribute of `Saying` that collects their values.
MATTER = {
    b"host": "hosts",
    b"content-length": "lengths",
    b"transfer-encoding": "codings",
    b"connection": "connections",
    b"upgrade": "upgrades",
    b"expect": "expect",
}

_COMMON = """Host Connection Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Cookie
Date DNT Forwarded From If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Origin Pragma
Priority Proxy-Authorization Range Referer Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode
Sec-Fetch-Site Sec-Fetch-User Sec-GPC TE Traceparent Tracestate Upgrade-Insecure-Requests User-Agent Via X-Forwarded-For
X-Forwarded-Host X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With"""

# Names, as they are written, of fields that do not matter, and Host and Connection as they are mostly written.
PLAIN = {name.encode() for name in f"{_COMMON} {_COMMON.lower()}".split()}
_PLAIN_AT_MOST = 1024
_LONGEST_NAME = 64

# Value of a Connection field -> what it says. Bounded by emptying it.
_connections: dict[bytes, Connection] = {}
_CONNECTIONS = 256

# Fields that are for all who read a message: Connection must not name them (RFC 9110, section 7.6.1).
_END_TO_END = frozenset((b"content-length", b"host"))

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_isToken = re.compile(_TOKEN).fullmatch
_isProtocol = re.compile(_TOKEN + rb"(?:/" + _TOKEN + rb")?").fullmatch


class Connection(NamedTuple):
    """What a Connection field says, of what matters here."""

    close: bool
    keepAlive: bool
    upgrade: bool

    def keeps(self, version: int) -> bool:
        """Whether the connection goes on behind a message of HTTP/1.`version` (RFC 9112, section 9.3)."""
        return not self.close and (version == 1 or self.keepAlive)


def elements(values: Iterable[bytes]) -> list[bytes]:
    """The members of a list field, be it of several lines (RFC 9110, section 5.6.1): empty ones are none."""
    stripped = [each.strip(b" \t") for value in values for each in value.split(b",")]
    return [each for each in stripped if each]


def connectionOf(value: bytes) -> Connection:
    """What the value of a Connection field says.

    :raises BadMessage: if it is not a list of tokens.
    """
    found = _connections.get(value)
    if found is None:
        options = elements((value,))
        if not all(map(_isToken, options)):
            raise BadMessage("Connection is no list of options", 400, "fields", value)
        named = {each.lower() for each in options}
        if not named.isdisjoint(_END_TO_END):
            # Whoever keeps to that takes the field away, and reads another message than we do.
            raise BadMessage("Connection names a field that is not of this connection", 400, "fields", value)
        found = Connection(b"close" in named, b"keep-alive" in named, b"upgrade" in named)
        if len(value) <= 128:
            if len(_connections) >= _CONNECTIONS:
                _connections.clear()
            _connections[value] = found
    return found


def isHarmless(names: Iterable[bytes]) -> bool:
    """Whether all these are plain; those that do not matter are plain from now on."""
    isPlain = True
    for name in names:
        if name not in PLAIN:
            if name.lower() in MATTER:
                isPlain = False
            elif len(PLAIN) < _PLAIN_AT_MOST and len(name) <= _LONGEST_NAME:
                PLAIN.add(name)
    return isPlain


class Saying:
    """What the fields that matter say, each a list of values in order."""

    __slots__ = ("codings", "connections", "expect", "hosts", "lengths", "upgrades")

    def __init__(self, pairs: Pairs) -> None:
        self.hosts: list[bytes] = []
        self.lengths: list[bytes] = []
        self.codings: list[bytes] = []
        self.connections: list[bytes] = []
        self.upgrades: list[bytes] = []
        self.expect: list[bytes] = []
        matter = MATTER
        for name, value in pairs:
            attribute = matter.get(name.lower())
            if attribute is not None:
                getattr(self, attribute).append(value)

    @property
    def connection(self) -> Connection:
        """All Connection fields together."""
        return connectionOf(b", ".join(self.connections))

    @property
    def upgrade(self) -> tuple[str, ...]:
        """The protocols that Upgrade names.

        :raises BadMessage: if it is no list of protocols.
        """
        named = elements(self.upgrades)
        if not all(map(_isProtocol, named)):
            raise BadMessage("Upgrade is no list of protocols", 400, "fields", b", ".join(self.upgrades))
        return tuple([each.decode("ascii") for each in named])
