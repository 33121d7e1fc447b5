"""What stands around a handler: `log`, `gzip` and `forwarded` each take one and give another."""

from __future__ import annotations

import re
import zlib
from time import strftime

from protocols._proxying.networks import Networks
from protocols.http.message import Response
from protocols.http.server.calling import then
from protocols.http.server.request import Seen
from reactor._ground.log import message
from reactor._ground.naming import shown, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from typing import Any

    from protocols.http.server.request import Request
    from reactor.failure import Failure

    Handler = Callable[[Request], Any]

__all__ = ["forwarded", "gzip", "log"]


def _checkHandler(where: str, handler: Any) -> None:
    if not callable(handler):
        raise TypeError(f"{where}: handler must be callable, not {shown(handler)}")


# ---- The access log ----


def log(handler: Handler, write: Callable[[str], object] | None = None) -> Handler:
    """`handler`, with a line for each request when it is over, in the Common Log Format with referrer and user agent.

    :param write: called with each line, which has no end; by default it is an entry of level info on logger
        ``reactor.http.access``. What clients have sent is escaped in it.
    """
    _checkHandler("log()", handler)
    if write is not None and not callable(write):
        raise TypeError(f"log(): write must be callable, not {shown(write)}")
    out = write if write is not None else _logged

    def over(request: Request, status: int, count: int, failure: Failure | None) -> None:
        user = request.client or "-"
        time = strftime("%d/%b/%Y:%H:%M:%S %z")
        asked = _quoted(f"{request.method} {request.target} HTTP/{request.version}")
        referrer, agent = (_quoted(request.headers.get(name, "-")) for name in ("referer", "user-agent"))
        cut = "" if failure is None else " (cut off)"
        out(f'{visible(user)} - - [{time}] "{asked}" {status or "-"} {count} "{referrer}" "{agent}"{cut}')

    def logged(request: Request) -> Any:
        request.whenOver(over)
        return handler(request)

    return logged


def _logged(line: str) -> None:
    message("info", "%s", line, logger="reactor.http.access")


def _quoted(text: str) -> str:
    return visible(text.replace("\\", "\\\\").replace('"', '\\"'))


# ---- Compression ----

_WORTH = re.compile(r"text/|application/(json|javascript|xml|wasm)|image/svg|[^;]*\+(json|xml)")


def gzip(handler: Handler, least: int = 1024, level: int = 6) -> Handler:
    """`handler`, with what it answers compressed for clients that take gzip: text, JSON, XML, JavaScript and the like,
    as bytes of at least `least`, or as pieces. Each piece that is awaited leaves at once. Files are sent as they are.

    :param level: 1 (fast) to 9 (small).
    """
    _checkHandler("gzip()", handler)
    for name, value, low, high in (("least", least, 0, None), ("level", level, 1, 9)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"gzip(): {name} must be an int, not {shown(value)}")
        if value < low or (high is not None and value > high):
            raise ValueError(f"gzip(): {name} must be {low} {'or more' if high is None else f'to {high}'}, not {value}")

    def gzipped(request: Request) -> Any:
        return then(handler(request), lambda response: _compress(request, response, least, level))

    return gzipped


def _compress(request: Request, response: Any, least: int, level: int) -> Any:
    if not isinstance(response, Response) or response.status in (204, 205, 206, 304):
        return response
    response.settle()
    given, response = response, response.copied()
    kind = response.headers.get("content-type", response.contentType or "")
    body = response.body
    isFile = hasattr(body, "file")
    if _WORTH.match(kind.lower()) is None or isFile or "content-encoding" in response.headers:
        return response
    if response.isBytes and len(body) < least:
        return response
    # Whoever keeps it must know that others get another one.
    vary = response.headers.get("vary", "")
    if "accept-encoding" not in vary.lower() and vary.strip() != "*":
        response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if not _takesGzip(request.headers.get("accept-encoding", "")):
        return response
    response.headers["Content-Encoding"] = "gzip"
    if "content-length" in response.headers:
        del response.headers["content-length"]
    tag = response.headers.get("etag", "")
    if tag.startswith('"'):
        # It is no longer byte for byte the same (RFC 9110, section 8.8.3).
        response.headers["ETag"] = f"W/{tag}"
    given.taken()
    packer = zlib.compressobj(level, wbits=31)
    if response.isBytes:
        response.body = packer.compress(body) + packer.flush()
    elif hasattr(body, "__aiter__"):
        response.body = _packedAsync(body, packer)
    else:
        response.body = _packed(body, packer)
    return response


def _takesGzip(accepted: str) -> bool:
    for each in accepted.lower().split(","):
        coding, _, parameters = each.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            name, _, value = parameters.partition("=")
            return name.strip() != "q" or re.fullmatch(r"\s*0(\.0*)?\s*", value) is None
    return False


def _encoded(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece


def _packed(body: Iterable[Any], packer: Any) -> Iterator[bytes]:
    for piece in body:
        data = packer.compress(_encoded(piece))
        if data:
            yield data
    yield packer.flush()


async def _packedAsync(body: Any, packer: Any) -> AsyncIterator[bytes]:
    iterator = body.__aiter__()
    try:
        async for piece in iterator:
            data = packer.compress(_encoded(piece)) + packer.flush(zlib.Z_SYNC_FLUSH)
            if data:
                yield data
        yield packer.flush()
    finally:
        if hasattr(iterator, "aclose"):
            await iterator.aclose()


# ---- Behind proxies ----

_PAIR = re.compile(r'[ \t]*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;," \t]*)[ \t]*')


def forwarded(handler: Handler, trusted: Iterable[Any]) -> Handler:
    """`handler`, behind proxies: who asks (`Request.client`), with which scheme and for which host are what Forwarded
    (RFC 7239), or else X-Forwarded-For, -Proto and -Host say, as far as it was said by who is trusted.

    From the last hop backwards each address is looked at: the first one that is not trusted is who asks, and what
    stands before it may be anybody's invention. Of others than those trusted these fields are not looked at.

    :param trusted: addresses and networks ("127.0.0.1", "10.0.0.0/8", "fd00::/8"), and "unix" for whoever can connect
        to a UNIX socket.
    :raises ValueError, TypeError: for what is no such list.
    """
    _checkHandler("forwarded()", handler)
    networks = Networks("forwarded()", "trusted", trusted)

    def behind(request: Request) -> Any:
        if networks.hasPeer(request.peer):
            hops = _hops(request)
            while hops:
                hop = hops.pop()
                request._seen = hop
                if hop.client not in networks:
                    break
        return handler(request)

    return behind


def _hops(request: Request) -> list[Seen]:
    """What each proxy on the way has said of who connected to it, the first one first."""
    headers = request.headers
    lines = headers.getAll("forwarded")
    if lines:
        return [_hop(each) for each in _split(", ".join(lines))]
    clients = headers.get("x-forwarded-for")
    if clients is None:
        return []
    scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    host = headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
    known = scheme if scheme in ("http", "https") else None
    return [Seen(_host(each.strip()), known, host or None) for each in clients.split(",")]


def _split(text: str) -> list[str]:
    """At the commas that are not within quotes."""
    parts, quoted, begin = [], False, 0
    at = 0
    while at < len(text):
        character = text[at]
        if quoted and character == "\\":
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*parts, text[begin:]]


def _hop(element: str) -> Seen:
    pairs: dict[str, str] = {}
    for name, value in _PAIR.findall(element):
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        pairs.setdefault(name.lower(), value)
    scheme = pairs.get("proto", "").lower()
    return Seen(_host(pairs.get("for", "")), scheme if scheme in ("http", "https") else None, pairs.get("host") or None)


def _host(node: str) -> str | None:
    """The address of a node: without its port, and without the brackets of IPv6."""
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    return node or None
