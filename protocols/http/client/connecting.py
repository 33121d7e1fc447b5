"""How a client's connection comes about: which endpoint, through which proxy, with which TLS."""

from __future__ import annotations

from protocols.http.client.connection import Connection
from reactor.defer import Deferred
from reactor.endpoints import HostnameEndpoint, wrapClientTLS
from reactor.protocol import Factory, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.client.client import Client
    from protocols.http.client.exchange import Exchange

# How many servers' TLS sessions are kept.
_SESSIONS = 1024
# What tells a context, something that makes one, and whom to trust; `ssl` is not loaded to see that.
_CONTEXTS = ("wrap_bio", "contextFor", "getContext", "apply")


class Connecting:
    """Makes connections."""

    def __init__(self, endpoint: Any, tls: Any, http2: bool = False) -> None:
        """`endpoint`, `tls` and `http2` are the arguments of `Client`."""
        if endpoint is not None and not hasattr(endpoint, "connect"):
            raise TypeError(f"endpoint must be a client endpoint, not {endpoint!r}")
        if tls is not None and not any(hasattr(tls, name) for name in _CONTEXTS):
            raise TypeError(f"tls must be an ssl.SSLContext or what reactor.ssl makes, not {tls!r}")
        self._endpoint = endpoint
        self._tls = tls
        self._http2 = http2
        self._context: Any = None
        # Host -> its options, which remember the session to resume.
        self._options: dict[str, Any] = {}

    def connect(self, client: Client, exchange: Exchange, timeout: float) -> Deferred[Connection]:
        """The Deferred fires with a connection to where `exchange` goes, and fails as those of endpoints."""
        url = exchange.url
        reactor = client.reactor
        proxy = exchange.through
        endpoint: Any
        if self._endpoint is not None:
            endpoint = self._endpoint
        elif proxy is None:
            endpoint = HostnameEndpoint(reactor, url.host, url.port, timeout)
        else:
            near: Any = HostnameEndpoint(reactor, proxy.url.host, proxy.url.port, timeout)
            if proxy.kind == "https":
                near = self._secured(near, proxy.url.host)
            inTheClear = exchange.proxy is not None
            endpoint = near if inTheClear else proxy.endpoint(client.clock, url.host, url.port, timeout, near)
        if url.scheme == "https":
            endpoint = self._secured(endpoint, url.host)
        connected: Deferred[Any]
        if self._http2 and url.scheme == "https":
            connected = endpoint.connect(_Once(client.keeper, exchange.origin, _Either))
            return connected.addCallback(lambda either: either.chosen)
        connected = endpoint.connect(_Once(client.keeper, exchange.origin, Connection))
        return connected

    def _secured(self, endpoint: Any, host: str) -> Any:
        name = host.partition("%")[0].removesuffix(".")
        options = self._options.get(name)
        if options is None:
            from reactor.ssl import ClientTLSOptions

            if len(self._options) >= _SESSIONS:
                self._options.clear()
            options = self._options[name] = ClientTLSOptions(name, self._contextOnce())
        return wrapClientTLS(options, endpoint)

    def _contextOnce(self) -> Any:
        """The context of all connections: reading the system's certificates takes some 20 ms."""
        if self._context is None:
            import ssl

            from reactor.ssl import CertificateOptions

            tls = self._tls
            offered = [b"h2", b"http/1.1"] if self._http2 else [b"http/1.1"]
            if tls is None or hasattr(tls, "apply"):
                tls = CertificateOptions(trustRoot=tls, acceptableProtocols=offered)
            if not isinstance(tls, ssl.SSLContext):
                contextFor = getattr(tls, "contextFor", None)
                tls = tls.getContext() if contextFor is None else contextFor(False)
            self._context = tls
        return self._context


class _Once(Factory):
    """The factory of one connection."""

    noisy = False

    def __init__(self, keeper: Any, origin: Any, kind: Any) -> None:
        self._keeper = keeper
        self._origin = origin
        self._kind = kind

    def buildProtocol(self, addr: Any) -> Any:
        """The connection."""
        return self._kind(self._keeper, self._origin)


class _Either(Protocol):
    """A connection of which is known only when it is made what it speaks. `chosen` is the one that does."""

    transport: Any
    chosen: Any = None

    def __init__(self, keeper: Any, origin: Any) -> None:
        self._keeper = keeper
        self._origin = origin

    def connectionMade(self) -> None:
        """It is made, TLS and all."""
        transport = self.transport
        if transport.negotiatedProtocol == b"h2":
            from protocols.http.client.h2connection import SharedConnection

            self.chosen = SharedConnection(self._keeper, self._origin)
        else:
            self.chosen = Connection(self._keeper, self._origin)
        transport.protocol = self.chosen
        self.chosen.makeConnection(transport)
