"""What a look-up gives: small values, one class for each type of record that programs ask for. Pure.

Names are text as a zone file has them, without the dot at the end (``"."`` is the root); what is no printable ASCII in
one is escaped, so that none can end a line or steer a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "HTTPS",
    "MX",
    "NS",
    "PTR",
    "SOA",
    "SRV",
    "SVCB",
    "TXT",
    "Other",
    "Record",
]


@dataclass(frozen=True, slots=True)
class Record:
    """What all have.

    :ivar name: whose record it is: the name asked for, or what that is an alias of.
    :ivar ttl: for how many seconds from the answer on it may be used. One from the cache has what is left of them.
    """

    name: str
    ttl: int


@dataclass(frozen=True, slots=True)
class A(Record):
    """An IPv4 address (RFC 1035), as text."""

    address: str


@dataclass(frozen=True, slots=True)
class AAAA(Record):
    """An IPv6 address (RFC 3596), as text."""

    address: str


@dataclass(frozen=True, slots=True)
class CNAME(Record):
    """What `name` is an alias of (RFC 1035)."""

    target: str


@dataclass(frozen=True, slots=True)
class NS(Record):
    """A name server of the zone (RFC 1035)."""

    target: str


@dataclass(frozen=True, slots=True)
class PTR(Record):
    """Where `name` points to: mostly the name of an address (RFC 1035)."""

    target: str


@dataclass(frozen=True, slots=True)
class MX(Record):
    """A host that takes the mail (RFC 5321); lower preferences first. The exchange ``"."`` takes none (RFC 7505)."""

    preference: int
    exchange: str


@dataclass(frozen=True, slots=True)
class SRV(Record):
    """Where a service is (RFC 2782). The target ``"."`` says that it is nowhere."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class TXT(Record):
    """Texts (RFC 1035), bytes as they are. Most uses mean them joined, which `text` is."""

    strings: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """All in one, in UTF-8; a byte that is none is U+FFFD."""
        return b"".join(self.strings).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class SOA(Record):
    """Who is in charge of the zone, and how often others look (RFC 1035); seconds. `minimum` is for how long what is
    not there may be remembered (RFC 2308).
    """

    primary: str
    mailbox: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


@dataclass(frozen=True, slots=True)
class CAA(Record):
    """Who may issue certificates (RFC 8659)."""

    flags: int
    tag: str
    value: bytes


@dataclass(frozen=True, slots=True)
class SVCB(Record):
    """How a service is reached (RFC 9460). Priority 0 is an alias of `target`.

    :ivar parameters: key -> value as a zone file has it: ``{"alpn": "h2,h3", "port": "8443"}``; None for a key that
        stands alone. Not part of what makes two records equal or their hash.
    """

    priority: int
    target: str
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class HTTPS(SVCB):
    """The same for HTTP (RFC 9460, section 9)."""


@dataclass(frozen=True, slots=True)
class Other(Record):
    """A record of any other type, as a zone file has it (in the form of RFC 3597 if nobody knows the type).

    :ivar type: such as ``"SSHFP"`` or ``"TYPE65280"``.
    """

    type: str
    text: str


def inOrderOfUse(records: Sequence[Record], below: Callable[[int], int]) -> list[Record]:
    """`records` as they are to be tried: MX by preference, SRV as RFC 2782 has it; others as they are.

    `below(n)` is a random number from 0 to n - 1.
    """
    if all(isinstance(each, SVCB) for each in records):
        return sorted(records, key=lambda each: each.priority)  # type: ignore[attr-defined]
    if all(isinstance(each, MX) for each in records):
        return sorted(records, key=lambda each: each.preference)  # type: ignore[attr-defined]
    if not all(isinstance(each, SRV) for each in records):
        return list(records)
    ordered: list[Record] = []
    services: list[SRV] = [each for each in records if isinstance(each, SRV)]
    for priority in sorted({each.priority for each in services}):
        # Those of no weight stand first, and so have a small chance.
        left = sorted([each for each in services if each.priority == priority], key=lambda each: each.weight != 0)
        while left:
            mark, total = below(sum(each.weight for each in left) + 1), 0
            for each in left:
                total += each.weight
                if total >= mark:
                    break
            left.remove(each)
            ordered.append(each)
    return ordered
