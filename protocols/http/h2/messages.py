"""Heads of HTTP/2 as those of HTTP/1.1, judged, and back (RFC 9113, section 8). Pure.

What comes out is a `RequestHead` or `ResponseHead`, as the reader of HTTP/1.1 makes them: whoever works with them need
not know which it was. What is malformed raises BadMessage with status 400, for which a stream is reset; what is well
formed and not served here has another status, which is answered.
"""

from __future__ import annotations

import re

from protocols.http.error import BadMessage, TooLarge
from protocols.http.h1.heads import RequestHead, ResponseHead
from protocols.http.h1.startlines import isAuthority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.http.limits import Limits

    Pairs = list[tuple[bytes, bytes]]

__all__ = ["listOf", "readRequest", "readResponse", "readTrailers"]

# Section 8.2.1, and no less strict than in HTTP/1.1: a token, and no upper case.
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?").fullmatch
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_PATH = re.compile(rb"/[!-\"$-;=@-\[\]-~]*(?:\?[!-\"$-;=?-~]*)?").fullmatch
_STATUS = re.compile(rb"[1-9][0-9][0-9]").fullmatch
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+\-.]*").fullmatch
# Section 8.2.2: they are about a connection, and would mean something to whoever turns this into HTTP/1.1.
_CONNECTION = frozenset((b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"))
_REQUEST = frozenset((b":method", b":scheme", b":authority", b":path"))
_RESPONSE = frozenset((b":status",))


def _bad(why: str, data: bytes = b"") -> BadMessage:
    return BadMessage(why, 400, "fields", data)


def _read(headers: Iterable[tuple[bytes, bytes]], pseudos: frozenset[bytes]) -> tuple[dict[bytes, bytes], Pairs]:
    """Pseudo-header fields and fields, each looked at."""
    pseudo: dict[bytes, bytes] = {}
    fields: Pairs = []
    for each in headers:
        name, value = each
        if _VALUE(value) is None:
            raise _bad("a value with a control character or space around it", value)
        if name[:1] == b":":
            if name not in pseudos:
                raise _bad("no such pseudo-header field", name)
            if fields or name in pseudo:
                raise _bad("a pseudo-header field behind fields, or twice", name)
            pseudo[name] = value
            continue
        if _NAME(name) is None:
            raise _bad("the name of a field is no token, or not in lower case", name)
        if name in _CONNECTION:
            raise _bad("a field about the connection", name)
        if name == b"te" and value.lower() != b"trailers":
            raise _bad("TE says something else than trailers", value)
        # What hpack gives is a tuple of its own with more in it.
        fields.append((name, value))
    return pseudo, fields


def _lengthIn(fields: Pairs) -> int | None:
    lengths = [value for name, value in fields if name == b"content-length"]
    if not lengths:
        return None
    if len(lengths) > 1:
        raise _bad("content-length is there twice", b", ".join(lengths))
    if not (lengths[0].isdigit() and len(lengths[0]) <= 18):
        raise _bad("content-length is no length", lengths[0])
    return int(lengths[0])


def readRequest(headers: Iterable[tuple[bytes, bytes]], ended: bool, limits: Limits) -> RequestHead:
    """The head of a request. Its fields have a Host, whichever way that was said.

    :param ended: whether no body comes.
    :raises BadMessage: see above; TooLarge: with 414 or 431.
    """
    pseudo, fields = _read(headers, _REQUEST)
    method = pseudo.get(b":method", b"")
    if _METHOD(method) is None:
        raise _bad("no :method, or none that is a token", method)
    if len(method) > limits.method:
        raise BadMessage(f"method of more than {limits.method} bytes", 501, ":method", method)
    host = _hostIn(pseudo, fields)
    if method == b"CONNECT":
        # Section 8.5.
        if pseudo.keys() != {b":method", b":authority"} or b":" not in host or not isAuthority(host):
            raise _bad("CONNECT has :authority with a port, and no :scheme or :path")
        target = host
    else:
        target = _pathIn(pseudo, method, limits)
    if len(fields) > limits.fields:
        raise TooLarge("fields", limits.fields, 431)
    length = _lengthIn(fields)
    if ended and length:
        raise _bad("content-length, and no body", b"%d" % length)
    expects = [value for name, value in fields if name == b"expect"]
    if expects and [each.lower() for each in expects] != [b"100-continue"]:
        raise BadMessage("no such expectation can be met", 417, "fields", b", ".join(expects))
    if host and not any(name == b"host" for name, _ in fields):
        fields.insert(0, (b"host", host))
    return RequestHead(
        method.decode(),
        target.decode(),
        2,
        fields,
        length if length is not None else 0 if ended else None,
        not ended and length is None,
        True,
        bool(expects) and not ended,
        (),
        host.decode(),
    )


def _hostIn(pseudo: dict[bytes, bytes], fields: Pairs) -> bytes:
    """Section 8.3.1: `:authority` or Host, and the same if both are there."""
    hosts = [value for name, value in fields if name == b"host"]
    authority = pseudo.get(b":authority")
    if len(hosts) > 1:
        raise _bad("host is there twice", b", ".join(hosts))
    if authority is None:
        authority = hosts[0] if hosts else b""
    elif hosts and hosts[0].lower() != authority.lower():
        raise _bad("host is not :authority", hosts[0])
    if not authority or not isAuthority(authority):
        raise _bad("no :authority, or none that is a host", authority)
    return authority


def _pathIn(pseudo: dict[bytes, bytes], method: bytes, limits: Limits) -> bytes:
    path, scheme = pseudo.get(b":path", b""), pseudo.get(b":scheme", b"")
    if _SCHEME(scheme) is None:
        raise _bad("no :scheme, or none that is one", scheme)
    if len(path) > limits.target:
        raise TooLarge("target", limits.target, 414)
    if _PATH(path) is None and not (path == b"*" and method == b"OPTIONS"):
        raise _bad("no :path, or none that is one", path)
    return path


def readResponse(headers: Iterable[tuple[bytes, bytes]], method: str, ended: bool, limits: Limits) -> ResponseHead:
    """The head of an answer to a request of `method`; errors as above, but for what a server would answer."""
    pseudo, fields = _read(headers, _RESPONSE)
    raw = pseudo.get(b":status", b"")
    if _STATUS(raw) is None:
        raise _bad("no :status, or none that is one", raw)
    status = int(raw)
    if status == 101:
        raise _bad("101 is not in HTTP/2")
    if status < 200 and ended:
        raise _bad("an answer that is not the last word, and the end")
    if len(fields) > limits.fields:
        raise TooLarge("fields", limits.fields, 431)
    length = _lengthIn(fields)
    hasBody = not (status < 200 or status in (204, 304) or method == "HEAD")
    if ended and hasBody and length:
        raise _bad("content-length, and no body", b"%d" % length)
    return ResponseHead(status, "", 2, fields, length, False, True, (), hasBody)


def readTrailers(headers: Iterable[tuple[bytes, bytes]], limits: Limits) -> Pairs:
    """The fields behind a body (section 8.1)."""
    _, fields = _read(headers, frozenset())
    if len(fields) > limits.trailerFields:
        raise TooLarge("trailerFields", limits.trailerFields, 431)
    if sum([len(name) + len(value) for name, value in fields]) > limits.trailers:
        raise TooLarge("trailers", limits.trailers, 431)
    return fields


def listOf(pseudo: Iterable[tuple[bytes, bytes]], fields: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """What is sent: `pseudo` first, then `fields`, which were checked, in lower case and without those about the
    connection.
    """
    found = list(pseudo)
    for name, value in fields:
        lower = name.lower()
        if lower not in _CONNECTION and lower != b"te":
            found.append((lower, value))
    return found
