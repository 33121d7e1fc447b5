"""The opening handshake, judged (RFC 6455, section 4): what a client asks for and a server grants. Pure.

HTTP is read and written elsewhere; here are fields. What they have to say is judged by the library ``websockets``, with
some things of ours before it: a version that is not 13 is answered with the one that is known, as section 4.4 has it,
and pages of another origin are refused unless they were named.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from protocols.http.fields import checkedName, checkedValue
from protocols.websocket._deflate import Deflate
from protocols.websocket._library import (
    ClientPerMessageDeflateFactory,
    ClientProtocol,
    Headers,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    PerMessageDeflate,
    Request,
    Response,
    ServerPerMessageDeflateFactory,
    ServerProtocol,
    parse_uri,
)
from protocols.websocket.error import HandshakeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from protocols.websocket._options import Options

__all__ = ["SAME", "Agreement", "Asked", "Granting", "Proposal"]

Fields = list[tuple[bytes, bytes]]
#: For `origins`: pages of the host that is asked, and clients that are no browsers.
SAME = "same"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What the library puts into its answers and whoever writes ours knows better.
_OURS = frozenset({"date", "connection", "content-length", "content-type", "upgrade"})


class Asked:
    """The opening request.

    :ivar target: path and query, as they stand in it.
    :ivar path: the path alone.
    :ivar headers: its fields, ``[(name, value)]`` of bytes.
    """

    __slots__ = ("fields", "target")

    def __init__(self, target: str, fields: Fields) -> None:
        self.target = target
        self.fields = fields

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self.target.partition("?")[0]

    def get(self, name: str) -> str | None:
        """The values of a field with commas between; None when there is none of that name."""
        wanted = name.lower().encode("latin-1")
        found = [value.decode("latin-1") for each, value in self.fields if each.lower() == wanted]
        return ", ".join(found) if found else None


class Agreement:
    """What two ends agreed on.

    :ivar request: the opening request, `Asked`.
    :ivar subprotocol: str or None.
    :ivar deflate: a `Deflate`, or None.
    :ivar fields: of a server's answer, beside those that every such answer has.
    """

    __slots__ = ("deflate", "fields", "request", "subprotocol")

    def __init__(self, request: Asked, subprotocol: str | None, deflate: Deflate | None, fields: Fields) -> None:
        self.request = request
        self.subprotocol = subprotocol
        self.deflate = deflate
        self.fields = fields


def checkSubprotocols(where: str, subprotocols: Any) -> list[str]:
    """`subprotocols` as a list; TypeError, ValueError, which name `where`, for what is none."""
    if isinstance(subprotocols, (str, bytes)):
        raise TypeError(f"{where}: subprotocols must be a list of str, not {subprotocols!r}")
    if not hasattr(subprotocols, "__iter__"):
        raise TypeError(f"{where}: subprotocols must be a list of str, not {subprotocols!r}")
    found = list(subprotocols)
    for each in found:
        if not isinstance(each, str) or not _TOKEN.fullmatch(each):
            raise ValueError(f"{where}: a subprotocol must be a token (RFC 6455, section 4.1), not {each!r}")
    if len(set(found)) != len(found):
        raise ValueError(f"{where}: a subprotocol stands twice in {found!r}")
    return found


def _deflateOf(extensions: Any, level: int) -> Deflate | None:
    for each in extensions or ():
        if isinstance(each, PerMessageDeflate):
            return Deflate(
                each.remote_max_window_bits,
                each.local_max_window_bits,
                each.remote_no_context_takeover,
                each.local_no_context_takeover,
                level,
            )
    return None


class Granting:
    """What a server grants: judges requests, of which there may be many."""

    def __init__(self, where: str, subprotocols: Any, origins: Any, options: Options) -> None:
        """
        :param where: is named in errors.
        :param subprotocols: those that are spoken, the best first.
        :param origins: whose pages may connect: `SAME`, a list of origins (``"https://example.org"``, or compiled
            patterns; None in it lets those in that say none, which browsers never do), or None: all.
        :raises TypeError, ValueError: for what is none of that.
        """
        self.subprotocols = checkSubprotocols(where, subprotocols)
        if isinstance(origins, (str, bytes)) and origins != SAME:
            raise TypeError(f"{where}: origins must be a list of origins, {SAME!r} or None, not {origins!r}")
        if origins is not None and not hasattr(origins, "__iter__"):
            raise TypeError(f"{where}: origins must be a list of origins, {SAME!r} or None, not {origins!r}")
        self.origins = origins if origins is None or origins == SAME else list(origins)
        self.options = options

    def judge(self, method: str, target: str, version: str, fields: Fields) -> Agreement:
        """What to agree on with a client; HandshakeError, with the status and the fields to answer, when nothing."""
        asked = Asked(target, fields)
        if method != "GET":
            raise HandshakeError(f"the method is {method}", 405, [("Allow", "GET")])
        if version != "HTTP/1.1":
            raise HandshakeError(f"the version is {version}", 505)
        told = asked.get("Sec-WebSocket-Version")
        if told is not None and told != "13" and asked.get("Upgrade") is not None:
            raise HandshakeError(f"version {told!r} of WebSocket is not known", 426, [_UPGRADE, _VERSION])
        self._checkOrigin(asked)
        options = self.options
        offers = None
        if options.compression:
            bits = options.compressionBits
            offers = [ServerPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=bits)]
        # None, where there are none: an empty list would refuse clients that ask for some.
        judge = ServerProtocol(
            extensions=offers,
            subprotocols=self.subprotocols or None,  # type: ignore[arg-type]
            select_subprotocol=_preferred,
        )
        answer = judge.accept(Request(target, _headers(fields)))
        if answer.status_code != 101:
            told = str(judge.handshake_exc)
            given = [(name, value) for name, value in answer.headers.raw_items() if name.lower() not in _OURS]
            if answer.status_code == 426:
                given += [_UPGRADE, _VERSION]
            raise HandshakeError(told, answer.status_code, given)
        given = [(name, value) for name, value in answer.headers.raw_items() if name.lower() not in _OURS]
        deflate = _deflateOf(judge.extensions, options.compressionLevel)
        return Agreement(asked, judge.subprotocol, deflate, [(n.encode(), v.encode("latin-1")) for n, v in given])

    def _checkOrigin(self, asked: Asked) -> None:
        origins, origin = self.origins, asked.get("Origin")
        if origins is None:
            return
        if origins == SAME:
            own = asked.get("Host") or ""
            host = "" if origin is None else origin.partition("://")[2]
            allowed = origin is None or (bool(host) and _withoutPort(host).lower() == _withoutPort(own).lower())
        else:
            allowed = any(
                each == origin or (isinstance(each, re.Pattern) and origin is not None and each.fullmatch(origin))
                for each in origins
            )
        if not allowed:
            raise HandshakeError(f"a page of {origin!r} must not connect to {asked.get('Host')!r}", 403)


_VERSION = ("Sec-WebSocket-Version", "13")
_UPGRADE = ("Upgrade", "websocket")


def _withoutPort(host: str) -> str:
    # The usual port is left out by some and not by others.
    name, colon, port = host.rpartition(":")
    return name if colon and port in ("80", "443") else host


def _preferred(judge: ServerProtocol, offered: Any) -> Any:
    """The best of ours that the client offers; None, which refuses nothing, when there is none (section 4.2.2)."""
    for each in judge.available_subprotocols or ():
        if each in offered:
            return each
    return None


def _headers(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = Headers()
    for name, value in fields:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    return headers


class Proposal:
    """What a client asks for, once: the request's fields, and what is made of the answer.

    :ivar secure: whether the URL is one of ``wss``.
    :ivar host, port: whom it names.
    :ivar asked: the request, `Asked`.
    """

    def __init__(
        self,
        where: str,
        url: str,
        subprotocols: Any,
        origin: str | None,
        headers: Iterable[tuple[str | bytes, str | bytes]],
        options: Options,
    ) -> None:
        """See `connect`. ValueError, TypeError, which name `where`, for what is none."""
        found = checkSubprotocols(where, subprotocols)
        if not isinstance(url, str):
            raise TypeError(f"{where}: url must be a str, not {url!r}")
        if origin is not None and not isinstance(origin, str):
            raise TypeError(f"{where}: origin must be a str or None, not {origin!r}")
        try:
            uri = parse_uri(url)
        except (InvalidURI, ValueError) as e:
            raise ValueError(f"{where}: {url!r} is no URL of a WebSocket: {e}") from None
        self.secure, self.host, self.port = uri.secure, uri.host, uri.port
        self._level = options.compressionLevel
        offers = None
        if options.compression:
            offers = [ClientPerMessageDeflateFactory(client_max_window_bits=options.compressionBits)]
        self._judge = ClientProtocol(
            uri,
            origin=origin,  # type: ignore[arg-type]
            extensions=offers,
            subprotocols=found or None,  # type: ignore[arg-type]
        )
        if uri.username is not None and "%" in url:
            # Releases of the library before 17 leave these as they stand in the URL.
            parts = urlsplit(url)
            uri.username, uri.password = unquote(parts.username or ""), unquote(parts.password or "")
        request = self._judge.connect()
        fields = [(n.encode("ascii"), v.encode("latin-1")) for n, v in request.headers.raw_items()]
        reserved = {name.lower() for name, _ in fields} - {b"authorization"}
        for name, value in headers:
            if checkedName(name).lower() in reserved:
                raise ValueError(f"{where}: headers: {name!r} is a field of the handshake's own")
            fields.append((checkedName(name), checkedValue(name, value)))
        self.asked = Asked(request.path, fields)

    def judge(self, status: int, reason: str, fields: Fields, body: bytes = b"") -> Agreement:
        """What was agreed on; HandshakeError when nothing was."""
        response = Response(status, reason, _headers(fields))
        try:
            self._judge.process_response(response)
        except InvalidStatus:
            given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
            raise HandshakeError(f"the server answered {status} {reason}".rstrip(), status, given, body) from None
        except InvalidHandshake as e:
            given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
            raise HandshakeError(f"the server's answer is no opening of a WebSocket: {e}", status, given) from None
        deflate = _deflateOf(self._judge.extensions, self._level)
        return Agreement(self.asked, self._judge.subprotocol, deflate, [])
