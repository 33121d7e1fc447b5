"""What a head says: how long its message is, whether the connection goes on, what it asks for (RFC 9112, section 6).

`requestHead` and `responseHead` make one of a start line and fields. Whatever two readers could take for two different
messages is refused, never mended.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.http.error import BadMessage
from protocols.http.h1.saying import PLAIN, Saying, connectionOf, isHarmless
from protocols.http.h1.startlines import isAuthority

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pairs = list[tuple[bytes, bytes]]

__all__ = ["RequestHead", "ResponseHead", "plainRequest", "requestHead", "responseHead"]


class RequestHead(NamedTuple):
    """Request line and fields, and what follows from them.

    :ivar method: as it was sent; methods are told apart by case.
    :ivar target: as it was sent: a path with its query, an absolute URI, ``*``, or for CONNECT host and port.
    :ivar version: the minor one: 0 or 1.
    :ivar fields: all of them in order, as pairs of bytes, for `Headers.fromRaw`.
    :ivar contentLength: what Content-Length said; None if it was not there. Without it and `chunked` there is no body.
    :ivar chunked: whether the body comes in chunks.
    :ivar keepAlive: whether the client takes another answer on this connection.
    :ivar expectContinue: whether the client waits for ``100 Continue`` before it sends the body.
    :ivar upgrade: the protocols that the client would change to, in its order; ``()`` where it asked for none.
    :ivar host: host and port the request is for: those of an absolute target, else those of Host; ``""`` if unknown.
    """

    method: str
    target: str
    version: int = 1
    fields: list[tuple[bytes, bytes]] = []
    contentLength: int | None = None
    chunked: bool = False
    keepAlive: bool = True
    expectContinue: bool = False
    upgrade: tuple[str, ...] = ()
    host: str = ""


class ResponseHead(NamedTuple):
    """Status line and fields, and what follows from them.

    :ivar status: 100 to 999.
    :ivar reason: the phrase behind it, Latin-1; often empty.
    :ivar version: the minor one: 0 or 1.
    :ivar fields: all of them in order, as pairs of bytes, for `Headers.fromRaw`.
    :ivar contentLength: what Content-Length said, which in an answer to HEAD and in a 304 is not the length of a body
        that comes; None if it was not there.
    :ivar chunked: whether the body comes in chunks.
    :ivar keepAlive: whether the connection can carry another answer behind this one.
    :ivar upgrade: the protocols that the server names.
    :ivar hasBody: whether a body may come. If one does and neither `contentLength` nor `chunked` says how long it is,
        the end of the connection ends it.
    """

    status: int
    reason: str = ""
    version: int = 1
    fields: list[tuple[bytes, bytes]] = []
    contentLength: int | None = None
    chunked: bool = False
    keepAlive: bool = True
    upgrade: tuple[str, ...] = ()
    hasBody: bool = True


_new = tuple.__new__
# What Host said, where it was right. Bounded by emptying it.
_hosts: dict[bytes, str] = {}
_HOSTS = 512


def _hostOf(value: bytes) -> str:
    """A Host field's value.

    :raises BadMessage: if it is none.
    """
    if value and not isAuthority(value):
        raise BadMessage("Host is none", 400, "fields", value)
    host = value.decode("ascii")
    if len(value) <= 128:
        if len(_hosts) >= _HOSTS:
            _hosts.clear()
        _hosts[value] = host
    return host


def plainRequest(method: str, target: str, version: int, pairs: Pairs, named: dict[bytes, bytes]) -> RequestHead | None:
    """The head of a request as most are: without a body, nothing in it has a say but Host and Connection, and another
    request may follow. None if it is not that, or not right.

    :param named: the fields as a dict.
    """
    if not (PLAIN.issuperset(named) or isHarmless(named)):
        return None
    value = named.get(b"Host")
    if value is None:
        value = named.get(b"host")
    elif b"host" in named:
        return None
    host = _hosts.get(value)  # type: ignore[arg-type]
    if host is None:
        return None
    value = named.get(b"Connection")
    if value is None:
        value = named.get(b"connection")
    elif b"connection" in named:
        return None
    if not (version == 1 if value is None else connectionOf(value).keeps(version)):
        return None
    return _new(RequestHead, (method, target, version, pairs, None, False, True, False, (), host))


def requestHead(method: str, target: str, version: int, authority: bytes | None, pairs: Pairs) -> RequestHead:
    """The head of a request, judged.

    :param authority: what the target names as its host and port, or None.
    :raises BadMessage: with 400, 417 or 501.
    """
    said = Saying(pairs)
    host = _whichHost(said, version, authority)
    length, chunked = _framing(said, version, True)
    if method == "CONNECT":
        if length or chunked:
            raise BadMessage("CONNECT has no body", 400, "fields")
        length = None
    connection = said.connection
    waits = False
    if said.expect and version == 1:
        if [each.lower() for each in said.expect] != [b"100-continue"]:
            raise BadMessage("no such expectation can be met", 417, "fields", b", ".join(said.expect))
        waits = chunked or bool(length)
    upgrade = said.upgrade if version == 1 and connection.upgrade else ()
    # What follows CONNECT is no request of this client's, whether or not a tunnel comes of it.
    keepAlive = connection.keeps(version) and method != "CONNECT"
    return RequestHead(method, target, version, pairs, length, chunked, keepAlive, waits, upgrade, host)


def _whichHost(said: Saying, version: int, authority: bytes | None) -> str:
    """RFC 9112, section 3.2: exactly one Host in HTTP/1.1, and one that says the same as the target."""
    if len(said.hosts) > 1:
        raise BadMessage("Host is there twice", 400, "fields", b", ".join(said.hosts))
    if not said.hosts:
        if version == 1:
            raise BadMessage("Host is missing", 400, "fields")
        return "" if authority is None else authority.decode("ascii")
    host = _hostOf(said.hosts[0])
    if authority is None:
        return host
    named = authority.decode("ascii")
    if not _isSameHost(named, host):
        raise BadMessage("Host is not that of the target", 400, "fields", said.hosts[0])
    return named


def _isSameHost(one: str, other: str) -> bool:
    """Whether two authorities are one; a port may be left out where it is a scheme's own."""
    one, other = one.lower().removesuffix(":"), other.lower().removesuffix(":")
    return one == other or any(one + port == other or other + port == one for port in (":80", ":443"))


def _framing(said: Saying, version: int, isRequest: bool) -> tuple[int | None, bool]:
    """Content-Length, and whether the body is chunked (RFC 9112, section 6.3)."""
    if said.codings:
        return None, _isChunked(said, version, isRequest)
    if not said.lengths:
        return None, False
    if len(said.lengths) > 1:
        raise BadMessage("Content-Length is there twice", 400, "fields", b", ".join(said.lengths))
    value = said.lengths[0]
    if not (value.isdigit() and len(value) <= 18):
        raise BadMessage("Content-Length is no length", 400, "fields", value)
    return int(value), False


def _isChunked(said: Saying, version: int, isRequest: bool) -> bool:
    """RFC 9112, section 6.1. Whoever might have been asked before us may have gone by the other field, or by none."""
    if said.lengths:
        raise BadMessage("both Content-Length and Transfer-Encoding", 400, "fields")
    if version == 0:
        raise BadMessage("Transfer-Encoding in HTTP/1.0", 400, "fields")
    value = b", ".join(said.codings)
    codings = [each.strip(b" \t").lower() for each in value.split(b",")]
    if codings == [b"chunked"]:
        return True
    if isRequest and (codings[-1] != b"chunked" or b"chunked" in codings[:-1] or b"" in codings):
        raise BadMessage("Transfer-Encoding that does not end in one chunked", 400, "fields", value)
    raise BadMessage("no such transfer coding is spoken here", 501, "fields", value)


def responseHead(status: int, reason: str, version: int, pairs: Pairs, method: str) -> ResponseHead:
    """The head of the answer to a request of that method, judged.

    :raises BadMessage: if its length cannot be told for sure.
    """
    said = Saying(pairs)
    length, chunked = _framing(said, version, False)
    hasBody = not (status < 200 or status in (204, 304) or method == "HEAD" or (method == "CONNECT" and status < 300))
    if status < 200 and (chunked or length):
        # What follows could be that body, or the answer.
        raise BadMessage("a body is announced by an answer that has none", 400, "fields")
    connection = said.connection
    keepAlive = connection.keeps(version)
    if status == 204 and (chunked or length):
        # None may come (RFC 9110, section 15.3.5), and yet one was announced: nobody can say what comes next.
        keepAlive = False
    chunked = chunked and hasBody
    if hasBody and not chunked:
        if length is None:
            keepAlive = False
        elif length == 0:
            hasBody = False
    return ResponseHead(status, reason, version, pairs, length, chunked, keepAlive, said.upgrade, hasBody)
