"""Through which proxy a request goes, and the endpoint that connects through it.

A proxy is said as a URL (``http://``, ``https://``, ``socks5://``, ``socks4://``), and a program that asks for it gets
what the environment says: ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``. Nobody gets that unasked:
what is in the environment of a service is not always what whoever runs it knows of.
"""

from __future__ import annotations

import os
from base64 import b64encode

from protocols.http.client.urls import URL, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from reactor.interfaces import IStreamClientEndpoint

ENVIRONMENT = "environment"
_KINDS = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5", "socks": "socks5",
          "socks4": "socks4", "socks4a": "socks4"}  # fmt: skip


class Proxy:
    """One proxy.

    :ivar kind: ``"http"``, ``"https"`` (HTTP over TLS), ``"socks5"`` or ``"socks4"``.
    :ivar url: where it is, as a URL of http or https.
    """

    __slots__ = ("kind", "url")

    def __init__(self, text: str) -> None:
        """`text` is a URL, or ``host:port`` of an HTTP proxy, or ``socks:host:port``. ValueError for others."""
        if not isinstance(text, str):
            raise TypeError(f"proxy must be a str, not {type(text).__name__}")
        scheme, separator, rest = text.partition("://")
        if not separator:
            if text.lower().startswith("socks:"):
                scheme, rest = "socks5", text[6:]
            else:
                scheme, rest = "http", text
        kind = _KINDS.get(scheme.lower())
        if kind is None:
            raise ValueError(f"proxy must be of {', '.join(_KINDS)}, not of {scheme!r}")
        self.kind = kind
        plain = "https" if kind == "https" else "http"
        self.url = parse(f"{plain}://{rest}")
        if self.url.target != "/":
            raise ValueError(f"proxy must have no path: {self.url.withoutCredentials()}")
        if kind.startswith("socks") and self.url.port == 80 and not rest.rstrip("/").endswith(":80"):
            self.url = URL(plain, self.url.host, 1080, "/", None, self.url.credentials)

    @property
    def speaksHTTP(self) -> bool:
        """Whether it is asked for http URLs in their absolute form, rather than for a connection."""
        return not self.kind.startswith("socks")

    def authorization(self) -> str | None:
        """The field Proxy-Authorization; None where there are no credentials."""
        return None if self.url.credentials is None else basic(*self.url.credentials)

    def endpoint(self, reactor: Any, host: str, port: int, timeout: float, near: Any) -> IStreamClientEndpoint:
        """What connects to `host` and `port` through it; `near` connects to the proxy itself."""
        username, password = self.url.credentials or (None, None)
        endpoint: Any
        if self.kind == "socks5":
            from protocols.socks import SOCKS5ClientEndpoint

            endpoint = SOCKS5ClientEndpoint(near, host, port, username, password, timeout, reactor)
        elif self.kind == "socks4":
            from protocols.socks import SOCKS4ClientEndpoint

            endpoint = SOCKS4ClientEndpoint(near, host, port, username or b"", timeout, reactor)
        else:
            from protocols.httpconnect import HTTPConnectEndpoint

            endpoint = HTTPConnectEndpoint(near, host, port, username, password, timeout=timeout, clock=reactor)
        return endpoint  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Proxy {self.kind}://{self.url.authority}>"


def basic(username: str, password: str) -> str:
    """The value of Authorization for the scheme Basic (RFC 7617). ValueError for a user name with a colon, and for
    control characters.
    """
    for name, value in (("user name", username), ("password", password)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a str, not {type(value).__name__}")
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise ValueError(f"{name} must not have control characters")
    if ":" in username:
        raise ValueError("user name must be without a colon (RFC 7617)")
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def choosing(proxy: Any) -> Callable[[URL], Proxy | None] | None:
    """What says through which proxy a URL goes, for what a program gave: None, a URL as text, ``"environment"``, or a
    mapping of schemes to URLs.
    """
    if proxy is None:
        return None
    if proxy == ENVIRONMENT:
        return fromEnvironment(os.environ)
    if isinstance(proxy, dict):
        unknown = sorted(map(repr, proxy.keys() - {"http", "https"}))
        if unknown:
            raise ValueError(f"proxy is for the schemes http and https, not for {unknown[0]}")
        each = {scheme: Proxy(text) for scheme, text in proxy.items()}
        return lambda url: each.get(url.scheme)
    one = Proxy(proxy)
    return lambda url: one


def fromEnvironment(environ: Mapping[str, str]) -> Callable[[URL], Proxy | None]:
    """What the environment says now, as ``curl`` reads it: lower case goes before upper case, and ``HTTP_PROXY`` counts
    for nothing, since a web server's child gets the client's field Proxy under that name. ValueError for what is none.
    """

    def said(name: str) -> Proxy | None:
        text = environ.get(name) or ("" if name == "http_proxy" else environ.get(name.upper()))
        return Proxy(text) if text else None

    everything = said("all_proxy")
    each = {"http": said("http_proxy") or everything, "https": said("https_proxy") or everything}
    direct = _Exceptions(environ.get("no_proxy") or environ.get("NO_PROXY") or "")
    return lambda url: None if direct.has(url) else each[url.scheme]


class _Exceptions:
    """Hosts that are reached directly: names (with all below them) with or without a port, addresses, networks."""

    def __init__(self, text: str) -> None:
        self._all = False
        self._places: list[tuple[str, int | None]] = []
        self._networks: list[Any] = []
        for entry in text.replace(",", " ").split():
            if entry == "*":
                self._all = True
            else:
                self._add(entry.lower())

    def _add(self, entry: str) -> None:
        from ipaddress import ip_network

        try:
            self._networks.append(ip_network(entry.replace("[", "").replace("]", ""), strict=False))
            return
        except ValueError:
            pass
        host, colon, port = entry.rpartition(":")
        if not colon or not port.isdigit():
            host, port = entry, ""
        self._places.append((host.strip("[]").removeprefix("*").removeprefix("."), int(port) if port else None))

    def has(self, url: URL) -> bool:
        """Whether `url` is reached directly."""
        if self._all:
            return True
        host = url.host.partition("%")[0].removesuffix(".")
        for name, port in self._places:
            if port in (None, url.port) and (host == name or host.endswith("." + name)):
                return True
        if self._networks and url.isAddress:
            from ipaddress import ip_address

            address = ip_address(host)
            return any(address in network for network in self._networks)
        return False
