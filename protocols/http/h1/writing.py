"""Heads and chunks as bytes: what both ends send. Checked where the caller made the mistake.

Errors are ValueErrors (TypeErrors for what is neither str nor bytes) that name what is wrong. Lines of fields that were
checked once are kept, and so are status lines.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from protocols.http.fields import fieldLine, isToken
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Fields = Iterable[tuple[str | bytes, str | bytes]]

__all__ = ["chunk", "lastChunk", "requestHead", "responseHead"]

_isTarget = re.compile(r"[!-~]+").fullmatch
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search

_REASONS = {int(status): status.phrase for status in HTTPStatus}
# What newer standards call it, whatever the interpreter's age (RFC 9110, section 15.5).
_REASONS[422] = "Unprocessable Content"
_REASONS.update({413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"})
_statusLines = {status: b"HTTP/1.1 %d %b\r\n" % (status, reason.encode()) for status, reason in _REASONS.items()}

# Trailers that say how a message is framed or routed (RFC 9110, section 6.5.1).
_NO_TRAILERS = {"content-length", "transfer-encoding", "host", "connection", "upgrade", "expect", "trailer", "te"}


def requestHead(method: str, target: str, fields: Fields) -> bytes:
    """A request's head, its empty line included (RFC 9112, section 3).

    :param method: a token; not changed in case.
    :param target: a path with its query, an absolute URI, ``*``, or host and port: ASCII, encoded where that is needed.
    :param fields: pairs of name and value, Host among them.
    :raises ValueError: for what may not be sent, Content-Length beside Transfer-Encoding or twice, two Hosts, or none.
    """
    if not isToken(method.encode("latin-1", "replace")):
        raise ValueError(f"method is no token: {shown(method)}")
    if _isTarget(target) is None:
        raise ValueError(f"target has a space, a control character, or one that is not ASCII: {shown(target)}")
    lines = [f"{method} {target} HTTP/1.1\r\n".encode("ascii")]
    hosts = _fields(lines, fields)
    if hosts != 1:
        raise ValueError(f"a request has exactly one Host, not {hosts}")
    return b"".join(lines)


def responseHead(status: int, fields: Fields, reason: str | None = None) -> bytes:
    """A response's head, its empty line included (RFC 9112, section 4).

    :param status: 100 to 999.
    :param fields: pairs of name and value.
    :param reason: the phrase behind the status, Latin-1; by default the standard's.
    :raises ValueError: for what may not be sent, and Content-Length beside Transfer-Encoding, or twice, or where there
        is none: in 1xx and 204.
    """
    line = _statusLines.get(status) if reason is None else None
    lines = [_statusLine(status, reason) if line is None else line]
    _fields(lines, fields, hasLength=status >= 200 and status != 204)
    return b"".join(lines)


def _statusLine(status: int, reason: str | None) -> bytes:
    if not isinstance(status, int):
        raise TypeError(f"status is an int, not {shown(status)}")
    if not 100 <= status <= 999:
        raise ValueError(f"status is 100 to 999, not {status}")
    try:
        said = (reason or "").encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"reason is not Latin-1: {shown(reason)}") from None
    if _CONTROL(said) is not None:
        raise ValueError(f"reason has a control character: {shown(reason)}")
    return b"HTTP/1.1 %d %b\r\n" % (status, said)


# How a field that has a say in the framing is told from all others: by its line, which is kept.
_framing: dict[bytes, str] = {}
_FRAMING = 1024
_MATTER = {b"content-length": "length", b"transfer-encoding": "coding", b"host": "host"}


def _fields(lines: list[bytes], fields: Fields, hasLength: bool = True) -> int:
    """Append the line of each field and the empty one; how many Hosts there are."""
    found: list[bytes] = []
    for name, value in fields:
        line = fieldLine(name, value)
        lines.append(line)
        # Most names begin otherwise, and no line has to be looked at further.
        if line[0] in _INITIALS and line.partition(b":")[0].lower() in _MATTER:
            found.append(line)
    lines.append(b"\r\n")
    return _checkFraming(found, hasLength) if found else 0


_INITIALS = frozenset(b"cCtThH")


def _checkFraming(found: list[bytes], hasLength: bool) -> int:
    """What Content-Length and Transfer-Encoding say must be one thing (RFC 9112, section 6.2)."""
    counts = {"length": 0, "coding": 0, "host": 0}
    for line in found:
        name, _, value = line.partition(b":")
        kind = _MATTER[name.lower()]
        counts[kind] += 1
        value = value.strip()
        if kind == "length" and not (value.isdigit() and len(value) <= 18):
            raise ValueError(f"Content-Length is no length: {shown(value)}")
        if kind == "coding" and value.lower() != b"chunked":
            raise ValueError(f"Transfer-Encoding is chunked or nothing: {shown(value)}")
    if counts["length"] and counts["coding"]:
        raise ValueError("both Content-Length and Transfer-Encoding")
    if counts["length"] > 1 or counts["coding"] > 1:
        raise ValueError("Content-Length or Transfer-Encoding is there twice")
    if not hasLength and (counts["length"] or counts["coding"]):
        raise ValueError("Content-Length or Transfer-Encoding where there is no body: 1xx and 204")
    return counts["host"]


def chunk(data: bytes) -> bytes:
    """One chunk of a body (RFC 9112, section 7.1); ``b""`` for no data, which would be the last chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def lastChunk(trailers: Fields = ()) -> bytes:
    """What ends a chunked body.

    :param trailers: pairs of name and value.
    :raises ValueError: for what may not be sent, and for fields that say how a message is framed or routed.
    """
    lines = [b"0\r\n"]
    for name, value in trailers:
        line = fieldLine(name, value)
        if line.partition(b":")[0].lower().decode("ascii") in _NO_TRAILERS:
            raise ValueError(f"field {shown(name)} is no trailer")
        lines.append(line)
    lines.append(b"\r\n")
    return b"".join(lines)
