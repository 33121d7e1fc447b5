"""URLs of http and https, read strictly: what the WHATWG's URL standard repairs and two readers could take for two
places is refused here.

A `URL` is a value: where to connect to, what to say in Host, what to ask for. It knows no sockets, looks nothing up.
Host names are those of IDNA 2008 with UTS 46; addresses are written as four numbers or in brackets, and no other way.
"""

from __future__ import annotations

import re
from socket import AF_INET6, inet_ntop, inet_pton

from protocols.http.body.form import formEncoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.body.form import Pairs

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.S)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_ZONE = re.compile(r"[A-Za-z0-9_.~-]+")
_PORT = re.compile(r"[0-9]{0,5}")
# What stands for itself; anything else is written as the bytes of its UTF-8 (WHATWG URL, section 1.3).
_IN_PATH = re.compile(r"[^!$%&'()*+,./0-9:;=@A-Z\[\]_a-z~|-]")
_IN_QUERY = re.compile(r"[^!$%&()*+,./0-9:;=?@A-Z\[\\\]^_`a-z{|}~-]")
_DOT = {".", "%2e", "%2E"}
_DOTS = {first + second for first in _DOT for second in _DOT}
# How many URLs are kept as they were read, and how long they may be; see `parse`.
_KEPT = 512
LENGTH_LIMIT = 65536


class URL:
    """One URL of http or https.

    :ivar scheme: ``"http"`` or ``"https"``.
    :ivar host: the name in ASCII and lower case, or the address without brackets, with its zone (``fe80::1%eth0``).
    :ivar port: the number, the scheme's where none was said.
    :ivar target: what is asked for: path and query, percent-encoded, at least ``"/"``.
    :ivar authority: host and port as the field Host has them: without the scheme's port, the zone and credentials.
    :ivar origin: scheme, host and port (RFC 6454); what may see the same credentials.
    :ivar fragment: what stood behind ``#``, never sent; None without.
    :ivar credentials: user name and password of ``user:password@``, decoded; None without. Never shown.
    """

    __slots__ = ("_text", "authority", "credentials", "fragment", "host", "origin", "port", "raw", "scheme", "target")

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        target: str,
        fragment: str | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        """Of parts that were checked; programs call `parse`."""
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        # As it is sent.
        self.raw = target.encode("ascii")
        self.fragment = fragment
        self.credentials = credentials
        self.origin = (scheme, host, port)
        shown = f"[{host.partition('%')[0]}]" if ":" in host else host
        self.authority = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
        self._text = f"{scheme}://{self.authority}{target}" + ("" if fragment is None else f"#{fragment}")

    @staticmethod
    def parse(text: str | URL) -> URL:
        """Read an absolute URL; a `URL` is returned as it is.

        Spaces and what is no ASCII are percent-encoded in path and query; dots in the path are taken out.

        :raises ValueError: for another scheme, no host, a host that is none, control characters and backslashes, an
            address that is not written in the usual way (``0x7f.1``), a port that is none.
        :raises TypeError: for what is no text.
        """
        return parse(text)

    @property
    def path(self) -> str:
        """The path, percent-encoded, without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str | None:
        """What stands behind the first ``?``, percent-encoded; None without."""
        _, mark, query = self.target.partition("?")
        return query if mark else None

    @property
    def isAddress(self) -> bool:
        """Whether the host is an address and no name."""
        return ":" in self.host or _QUAD.fullmatch(self.host) is not None

    def join(self, reference: str) -> URL:
        """What `reference`, absolute or not, means here (RFC 3986, section 5.2). ValueError as `parse`.

        Where it has no fragment, this one's is kept (RFC 9110, section 10.2.2).
        """
        text = _checked(reference)
        found = _SCHEME.match(text)
        if found is not None:
            url = _read(text)
        else:
            _, authority, path, query, fragment = _split(text)
            if authority is not None:
                url = _read(f"{self.scheme}:{text}")
            else:
                target = self._joined(path, query)
                url = URL(self.scheme, self.host, self.port, target, fragment)
        if url.fragment is None and self.fragment is not None:
            url = URL(url.scheme, url.host, url.port, url.target, self.fragment, url.credentials)
        return url

    def _joined(self, path: str, query: str | None) -> str:
        if not path:
            return self.target if query is None else f"{self.path}?{_encoded(query, _IN_QUERY)}"
        if not path.startswith("/"):
            path = self.path.rpartition("/")[0] + "/" + path
        return _target(path, query)

    def withParams(self, params: Pairs) -> URL:
        """With these names and values behind the query, as a form would send them."""
        more = formEncoded(params, "params")
        if not more:
            return self
        mark = "?" if "?" not in self.target else "" if self.target.endswith(("?", "&")) else "&"
        return URL(self.scheme, self.host, self.port, self.target + mark + more, self.fragment, self.credentials)

    def withoutCredentials(self) -> URL:
        """Without user name and password."""
        if self.credentials is None:
            return self
        return URL(self.scheme, self.host, self.port, self.target, self.fragment)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<URL {self._text}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, URL):
            return NotImplemented
        # The zone is no part of the text.
        return (self._text, self.host, self.credentials) == (other._text, other.host, other.credentials)

    def __hash__(self) -> int:
        return hash(self._text)


# Text -> what it was read as. A program asks for the same few again and again.
_known: dict[str, URL] = {}


def parse(text: str | URL) -> URL:
    """`URL.parse`, for whoever calls it often."""
    if isinstance(text, URL):
        return text
    url = _known.get(text)
    if url is None:
        if not isinstance(text, str):
            raise TypeError(f"url must be a str or a URL, not {type(text).__name__} ({repr(text)[:60]})")
        url = _read(_checked(text))
        if len(_known) >= _KEPT:
            _known.clear()
        if len(text) < 1024 and url.credentials is None:
            _known[text] = url
    return url


def _checked(text: str) -> str:
    if len(text) > LENGTH_LIMIT:
        raise ValueError(f"url is too long: {len(text)} characters, {LENGTH_LIMIT} are allowed")
    found = _CONTROL.search(text)
    if found is not None:
        raise ValueError(f"url must not have control characters: {found[0]!r} at {found.start()} in {text[:80]!r}")
    return text


def _split(text: str) -> Any:
    found = _PARTS.fullmatch(text)
    assert found is not None
    return found.groups()


def _read(text: str) -> URL:
    scheme, authority, path, query, fragment = _split(text)
    if scheme is None:
        raise ValueError(f"url must begin with http:// or https://, not {_shown(text)}")
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"url must be of http or https, not of {scheme!r}")
    if authority is None:
        raise ValueError(f"url must have // behind its scheme: {_shown(text)}")
    userinfo, at, place = authority.rpartition("@")
    host, port = _hostAndPort(place)
    if port is None:
        port = _DEFAULT_PORTS[scheme]
    return URL(scheme, host, port, _target(path, query), fragment, _credentials(userinfo) if at else None)


def _shown(text: str) -> str:
    """For an error: without what may be a password."""
    return repr(re.sub(r"//[^/?#]*@", "//...@", text)[:80])


def _credentials(userinfo: str) -> tuple[str, str]:
    if "@" in userinfo or "\\" in userinfo:
        raise ValueError("url has a user name or password with an @ or a backslash that is not percent-encoded")
    name, _, password = userinfo.partition(":")
    return _decoded(name), _decoded(password)


def _decoded(text: str) -> str:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError("url has a user name or password that is no UTF-8") from None


def _hostAndPort(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inside, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"url has an address without its closing bracket: {place!r}")
        return _address(inside), _port(rest[1:], place)
    name, _, port = place.partition(":")
    if ":" in port:
        raise ValueError(f"url must have an IPv6 address in brackets: {place!r}")
    return _name(name), _port(port, place)


def _port(text: str, place: str) -> int | None:
    if not text:
        return None
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise ValueError(f"url has a port that is none (1 to 65535): {place!r}")
    return int(text)


def _address(text: str) -> str:
    address, percent, zone = text.partition("%")
    if percent:
        # As RFC 6874 wrote it; a bare % is what people type.
        zone = zone.removeprefix("25") if zone.startswith("25") and len(zone) > 2 else zone
        if not _ZONE.fullmatch(zone):
            raise ValueError(f"url has a zone that is none: {text!r}")
    try:
        plain = inet_ntop(AF_INET6, inet_pton(AF_INET6, address))
    except (OSError, UnicodeError):
        raise ValueError(f"url has brackets around what is no IPv6 address: {text!r}") from None
    return f"{plain}%{zone}" if percent else plain


def _name(text: str) -> str:
    if not text:
        raise ValueError("url has no host")
    name = text.lower() if text.isascii() else _international(text)
    labels = name.removesuffix(".").split(".")
    if len(name) > 254 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"url has a host that is no name: {text[:80]!r}")
    if _NUMERIC.fullmatch(labels[-1]) and not _QUAD.fullmatch(name):
        raise ValueError(f"url has a host that could be read as an address, and is not written as one: {text[:80]!r}")
    return name


def _international(text: str) -> str:
    import idna

    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as e:
        raise ValueError(f"url has a host that is no name: {text[:80]!r} ({e})") from None


def _target(path: str, query: str | None) -> str:
    if "\\" in path:
        raise ValueError(f"url has a backslash in its path, which some read as /: {path[:80]!r}")
    target = _encoded(path, _IN_PATH) or "/"
    if "/." in target or "/%2" in target:
        target = _withoutDots(target)
    return target if query is None else f"{target}?{_encoded(query, _IN_QUERY)}"


def _withoutDots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        isLast = number == len(segments) - 1
        if segment in _DOTS:
            if kept:
                kept.pop()
        elif segment not in _DOT:
            kept.append(segment)
            continue
        if isLast:
            kept.append("")
    return "/" + "/".join(kept)


def _encoded(text: str, others: re.Pattern[str]) -> str:
    return others.sub(_percent, text)


def _percent(found: re.Match[str]) -> str:
    try:
        return "".join([f"%{byte:02X}" for byte in found[0].encode()])
    except UnicodeEncodeError:
        raise ValueError(f"url has a character that is none: {found[0]!r}") from None
