"""DCC, connections between two clients without the server: the words about them. No connection.

An offer stands in a CTCP request ``DCC`` (``ctcpExtract`` takes it out). A peer writes it, so it says where we would
connect and what a file would be called: `isPublicAddress` and `safeFileName` are there to ask before doing either.
"""

from __future__ import annotations

import ipaddress
import os
import re
import unicodedata
from typing import NamedTuple

from protocols._proxying.internet import isPublic
from protocols.irc.error import IRCBadMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "DccOffer",
    "dccDescribe",
    "dccParseAddress",
    "fileSize",
    "formatDcc",
    "isPublicAddress",
    "parseDcc",
    "quoteFileName",
    "safeFileName",
]

_WORDS = re.compile(r'"([^"]*)"(?= |$)|([^ ]+)').finditer
_BIGGEST_FILE = 2**64 - 1


class DccOffer(NamedTuple):
    """What a DCC request says.

    `kind` is SEND, CHAT, RESUME or ACCEPT, `name` the file's name as the peer gives it (``chat`` for CHAT), `host` an
    address (empty for RESUME and ACCEPT, which are about a port), `port` a port, 0 when the peer wants to connect to us
    instead ("passive"); `size` is bytes: of the file (SEND, None when it is not said), or from where on it goes on
    (RESUME, ACCEPT). `token` names a passive offer.
    """

    kind: str
    name: str
    host: str
    port: int
    size: int | None = None
    token: str = ""


def parseDcc(data: str) -> DccOffer:
    """The offer in `data`, what follows ``DCC`` in the request. A name with spaces is quoted.

    :raises IRCBadMessage: when it is none of the four kinds, or a part of it is missing or wrong.
    """
    words = [quoted if word is None else word for quoted, word in (match.groups() for match in _WORDS(data))]
    if len(words) < 4:
        raise IRCBadMessage(f"a DCC request with {len(words)} parts: {data[:80]!r}")
    kind, name = words[0].upper(), words[1]
    if kind in ("SEND", "CHAT"):
        sized = kind == "SEND"
        host, port, *rest = words[2:]
        size = _number("size", rest.pop(0), _BIGGEST_FILE) if sized and rest else None
        offer = DccOffer(kind, name, dccParseAddress(host), _number("port", port, 65535), size, "".join(rest[:1]))
        if not offer.port and not offer.token:
            raise IRCBadMessage(f"a DCC request without port or token: {data[:80]!r}")
        return offer
    if kind in ("RESUME", "ACCEPT"):
        port, position, *rest = words[2:]
        at = _number("position", position, _BIGGEST_FILE)
        return DccOffer(kind, name, "", _number("port", port, 65535), at, "".join(rest[:1]))
    raise IRCBadMessage(f"an unknown DCC request: {data[:80]!r}")


def formatDcc(offer: DccOffer) -> str:
    """What `parseDcc` takes: IPv4 addresses as a number, IPv6 addresses as they are.

    :raises ValueError: when `host` is no address, or a number is out of range.
    """
    if not 0 <= offer.port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, not {offer.port}")
    words = [offer.kind, quoteFileName(offer.name)]
    if offer.kind in ("SEND", "CHAT"):
        address = ipaddress.ip_address(offer.host)
        words.append(str(int(address)) if address.version == 4 else str(address))
    words.append(str(offer.port))
    if offer.size is not None:
        words.append(str(offer.size))
    if offer.token:
        words.append(offer.token)
    return " ".join(words)


def _number(what: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most):
        raise IRCBadMessage(f"not a {what} (0 to {most}): {text[:40]!r}")
    return int(text)


def dccParseAddress(address: str) -> str:
    """The address in a DCC request: a number of 32 bits as ``a.b.c.d``; IPv4 and IPv6 addresses stay.

    :raises IRCBadMessage: when it is neither; names are not looked up for a peer.
    """
    try:
        if address.isascii() and address.isdigit():
            if len(address) > 10:
                raise ValueError(address)
            return str(ipaddress.IPv4Address(int(address)))
        # A zone ("fe80::1%eth0") names an interface of this machine.
        if "%" not in address:
            return str(ipaddress.ip_address(address))
    except ValueError:
        pass
    raise IRCBadMessage(f"not an address: {address[:80]!r}")


def isPublicAddress(address: str) -> bool:
    """Whether `address` is one of the Internet's at large: global unicast as it is given out today.

    Not loopback, not a private network, link-local or multicast, and not one of IPv6 that leads to one of those
    (mapped, NAT64, 6to4, ISATAP): where a peer could have us knock at our own services. False for what is no address.
    """
    return isPublic(address)


def dccDescribe(data: str) -> str:
    """`data`, what follows ``DCC`` in a request, in words for people; as it is when it makes no sense."""
    try:
        offer = parseDcc(data)
    except IRCBadMessage:
        return data
    if offer.kind == "CHAT":
        return f"CHAT for host {offer.host}, port {offer.port}"
    if offer.kind == "SEND":
        size = "" if offer.size is None else f" of size {offer.size} bytes"
        return f"SEND for file {offer.name!r}{size} at host {offer.host}, port {offer.port}"
    return data


def quoteFileName(name: str) -> str:
    """`name` as it stands in an offer: in quotation marks when it has spaces; those in it become apostrophes."""
    name = name.replace('"', "'")
    return f'"{name}"' if " " in name or not name else name


def safeFileName(name: str, default: str = "file") -> str:
    r"""What of a peer's name for a file can be a file's name here.

    Only what follows the last ``/`` or ``\``, without control and formatting characters and without dots in front, at
    most 200 bytes of UTF-8; `default` when nothing is left. Whether there is such a file already, the caller looks.
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in ':*?"<>|')
    cut = shown.strip().lstrip(".").encode("utf-8", "replace")[:200].decode("utf-8", "ignore").strip()
    return cut or default


def fileSize(file: Any) -> int | None:
    """How many bytes are in `file`, an open one; it stays where it is. None when it cannot say."""
    try:
        return os.fstat(file.fileno()).st_size
    except (AttributeError, OSError):
        pass
    try:
        here = file.tell()
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(here)
    except (AttributeError, OSError):
        return None
    return int(size)
