"""Messages as bytes: the one module that knows `dnspython`, which makes them and takes them apart.

What comes out of here is ours: a `Response` of `records`, with owners in small letters. Nothing of the additional
section ever gets that far (RFC 2181, section 5.4.1: it is no answer), nor of the authority section, but how long it
may be remembered that there is nothing.
"""

from __future__ import annotations

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rdataclass
    import dns.rdatatype
except ImportError as e:
    raise ImportError(f"protocols.dns needs dnspython: pip install 'reactor-loop[dns]' ({e})", name=e.name) from None

from dataclasses import dataclass

from protocols.dns import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.dns.records import Record

# RCODEs (RFC 1035, section 4.1.1; RFC 6891, section 9).
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
_HEADER = 12
# What no look-up can ask for: whole zones, and what belongs to a message or its transport.
_NO_LOOKUP = frozenset(("AXFR", "IXFR", "MAILA", "MAILB", "OPT", "TKEY", "TSIG", "TYPE0"))


@dataclass(frozen=True, slots=True)
class Response:
    """What a server said.

    :ivar rcode: its code, with the upper bits that EDNS adds.
    :ivar answers: owner, type and record of each in the answer section.
    :ivar negativeTTL: seconds for which it may be remembered that there is nothing; None if the server did not say.
    :ivar refers: whether it only says who may know better.
    """

    rcode: int
    truncated: bool
    answers: tuple[tuple[str, str, Record], ...] = ()
    negativeTTL: int | None = None
    refers: bool = False


class Malformed(Exception):
    """Bytes that are no message."""


def typeOf(method: str, type: str | int) -> str:
    """The name of a type of records, given as such in letters of either case or by its number.

    ValueError, TypeError that names `method`: for none, and for one that cannot be looked up.
    """
    if not isinstance(type, (str, int)) or isinstance(type, bool):
        raise TypeError(f"{method}(): type must be a str such as 'MX' or a number, not {type!r}")
    try:
        name = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(type))
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"{method}(): type {type!r} is no type of DNS records, such as 'MX' or 'TYPE65280'") from None
    if name in _NO_LOOKUP:
        raise ValueError(f"{method}(): type {name!r} cannot be looked up")
    return name


def checked(name: str) -> None:
    """ValueError when `name`, ASCII, cannot be asked for: a part is empty or longer than 63 bytes, or all is longer
    than 255 (RFC 1035, section 2.3.4).
    """
    try:
        if not name:
            raise ValueError("it is empty")
        dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError, ValueError) as e:
        raise ValueError(f"{name[:300]!r} is no domain name: {e}") from None


def question(name: str, type: str, payload: int | None) -> bytes:
    """A query for records of `type` that `name` has, recursion desired, without the two bytes of its id.

    With EDNS (RFC 6891) unless `payload` is None: how large an answer over UDP may be, in bytes.
    """
    query = dns.message.make_query(name, type, use_edns=None if payload is None else 0, payload=payload, id=0)
    return query.to_wire()[2:]


def read(data: bytes) -> Response:
    """What a message says. Malformed when it is none; what is wrong in the additional section or behind it is nobody's
    business.
    """
    try:
        message = _parsed(data)
        answers = tuple(
            (owner(rrset.name), dns.rdatatype.to_text(rrset.rdtype), _record(rrset, rdata))
            for rrset in message.answer
            if rrset.rdclass == dns.rdataclass.IN
            for rdata in rrset
        )
        negative, refers = _authority(message)
    except Exception as e:
        # Whatever a parser of hostile bytes comes upon.
        raise Malformed(str(e) or e.__class__.__name__) from None
    # Bit AA or RA: who says "nothing" knows it, or has asked (RFC 2308, section 2.2).
    knows = bool(message.flags & (dns.flags.AA | dns.flags.RA)) and not (refers and negative is None)
    empty = not answers and message.rcode() == NOERROR
    truncated = bool(message.flags & dns.flags.TC)
    return Response(int(message.rcode()), truncated, answers, negative, empty and not knows and negative is None)


def _parsed(data: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(data)
    except Exception:
        if len(data) < _HEADER:
            raise
        # Routers add what is no record (measured by others: an OPT record with a name). Without that section then.
        return dns.message.from_wire(data[:10] + bytes(2) + data[_HEADER:], ignore_trailing=True)


def _authority(message: dns.message.Message) -> tuple[int | None, bool]:
    """The seconds that an SOA record there stands for, and whether there are records of other servers."""
    negative, refers = None, False
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            soa: Any = rrset[0]
            negative = min(rrset.ttl, soa.minimum)
        refers = refers or rrset.rdtype == dns.rdatatype.NS
    return negative, refers


def owner(name: dns.name.Name) -> str:
    """As `text`, in small letters: for comparing."""
    return text(name).lower()


def text(name: Any) -> str:
    """A name as a zone file has it, without the dot at the end; "." for the root."""
    return str(name.to_text(omit_final_dot=True)) if name != dns.name.root else "."


def reverse(address: str) -> str:
    """The name that stands for an address, given as text (RFC 1035, section 3.5; RFC 3596, section 2.5)."""
    import dns.reversename

    return text(dns.reversename.from_address(address))


def _record(rrset: Any, rdata: Any) -> Record:
    name, ttl = text(rrset.name), rrset.ttl
    kind = dns.rdatatype.to_text(rrset.rdtype)
    make = _MAKERS.get(kind)
    if make is None or type(rdata).__name__ == "GenericRdata":
        return records.Other(name, ttl, kind, rdata.to_text())
    made: Record = make(name, ttl, rdata)
    return made


def _parameters(rdata: Any) -> dict[str, str | None]:
    import dns.rdtypes.svcbbase

    found: dict[str, str | None] = {}
    for key, value in rdata.params.items():
        name = dns.rdtypes.svcbbase.key_to_text(key)  # type: ignore[no-untyped-call]
        # In the library's text it is quoted.
        found[name] = None if value is None else value.to_text()[1:-1]
    return found


_MAKERS: dict[str, Any] = {
    "A": lambda name, ttl, r: records.A(name, ttl, r.address),
    "AAAA": lambda name, ttl, r: records.AAAA(name, ttl, r.address),
    "CNAME": lambda name, ttl, r: records.CNAME(name, ttl, text(r.target)),
    "NS": lambda name, ttl, r: records.NS(name, ttl, text(r.target)),
    "PTR": lambda name, ttl, r: records.PTR(name, ttl, text(r.target)),
    "MX": lambda name, ttl, r: records.MX(name, ttl, r.preference, text(r.exchange)),
    "SRV": lambda name, ttl, r: records.SRV(name, ttl, r.priority, r.weight, r.port, text(r.target)),
    "TXT": lambda name, ttl, r: records.TXT(name, ttl, tuple(r.strings)),
    "SOA": lambda name, ttl, r: records.SOA(
        name, ttl, text(r.mname), text(r.rname), r.serial, r.refresh, r.retry, r.expire, r.minimum
    ),
    "CAA": lambda name, ttl, r: records.CAA(name, ttl, r.flags, r.tag.decode("ascii", "replace"), r.value),
    "SVCB": lambda name, ttl, r: records.SVCB(name, ttl, r.priority, text(r.target), _parameters(r)),
    "HTTPS": lambda name, ttl, r: records.HTTPS(name, ttl, r.priority, text(r.target), _parameters(r)),
}
