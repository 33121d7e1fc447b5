"""Endpoints that connect through a SOCKS server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols._proxying.names import Destination, fromArguments, portAndTimeout
from protocols._proxying.tunnel import connectThrough
from protocols.socks._asking import Asking4, Asking5
from reactor.endpoints import clientFromString

if TYPE_CHECKING:
    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.interfaces import IStreamClientEndpoint, IStreamClientEndpointStringParserWithReactor
else:
    from reactor._ground.declare import IStreamClientEndpoint, IStreamClientEndpointStringParserWithReactor, implementer


@implementer(IStreamClientEndpoint)
class SOCKS5ClientEndpoint:
    """Connects to a host through a SOCKS 5 server (RFC 1928). The server looks the name up."""

    def __init__(
        self,
        proxyEndpoint: Any,
        host: str | bytes,
        port: int,
        username: str | bytes | None = None,
        password: str | bytes | None = None,
        timeout: float | None = 30,
        clock: Any = None,
    ) -> None:
        """
        :param proxyEndpoint: a client endpoint that connects to the SOCKS server.
        :param host: the address or the name to connect to.
        :param username: who is asking, 1 to 255 bytes (RFC 1929), or None; sent as it is, so that whoever can read the
            connection to the server can read it. Text is encoded as UTF-8.
        :param password: likewise; both or none.
        :param timeout: seconds for the server to answer, after it was reached; None: no limit.
        :param clock: where the time is from; None: the reactor that runs.
        :raises ValueError, TypeError: for arguments that are not like that.
        """
        self._proxyEndpoint = proxyEndpoint
        self._destination = Destination("SOCKS5ClientEndpoint()", host, port)
        self._credentials = (username, password)
        self._timeout = timeout
        self._clock = clock
        Asking5(self._destination, username, password)

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred fires with the protocol; `transport.getPeer()` is the destination as it was asked for.

        It fails with `SOCKSError` when the server refused, and otherwise as that of other endpoints.
        """
        asking = Asking5(self._destination, *self._credentials)
        return connectThrough(
            self._proxyEndpoint, protocolFactory, asking, self._destination, self._timeout, self._clock
        )

    def __repr__(self) -> str:
        return f"<SOCKS5ClientEndpoint {self._destination} through {self._proxyEndpoint!r}>"


@implementer(IStreamClientEndpoint)
class SOCKS4ClientEndpoint:
    """Connects to a host through a SOCKS 4 server; one of SOCKS 4a when `host` is a name, which that looks up."""

    def __init__(
        self,
        proxyEndpoint: Any,
        host: str | bytes,
        port: int,
        user: str | bytes = b"",
        timeout: float | None = 30,
        clock: Any = None,
    ) -> None:
        """As `SOCKS5ClientEndpoint`, but no IPv6 address, and `user` is a name that nothing proves: 0 to 255 bytes
        without NUL.
        """
        self._proxyEndpoint = proxyEndpoint
        self._destination = Destination("SOCKS4ClientEndpoint()", host, port)
        self._user = user
        self._timeout = timeout
        self._clock = clock
        Asking4(self._destination, user)

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """As that of `SOCKS5ClientEndpoint`."""
        asking = Asking4(self._destination, self._user)
        return connectThrough(
            self._proxyEndpoint, protocolFactory, asking, self._destination, self._timeout, self._clock
        )

    def __repr__(self) -> str:
        return f"<SOCKS4ClientEndpoint {self._destination} through {self._proxyEndpoint!r}>"


@implementer(IStreamClientEndpointStringParserWithReactor)
class SOCKSClientParser:
    r"""The type ``socks:`` of endpoint descriptions: ``socks:example.com:80:proxy=tcp\:127.0.0.1\:1080``."""

    prefix = "socks"

    def parseStreamClient(self, reactor: Any, *args: str, **kwargs: str) -> Any:
        """The endpoint. `args` are host and port; by name come `proxy`, the description of the endpoint that connects
        to the server, `version` (4 or 5), `username`, `password` and `timeout` in seconds.

        :raises ValueError: for values that are none.
        """
        return fromArguments("socks", _fromText, reactor, args, kwargs)


def _fromText(
    reactor: Any,
    host: str,
    port: str,
    proxy: str,
    version: str = "5",
    username: str | None = None,
    password: str | None = None,
    timeout: str = "30",
) -> Any:
    number, seconds = portAndTimeout("socks", port, timeout)
    inner = clientFromString(reactor, proxy)
    if version == "4" and password is None:
        return SOCKS4ClientEndpoint(inner, host, number, username or b"", seconds)
    if version != "5":
        raise ValueError(f"endpoint description: socks: expected version 5, or 4 without password, not {version!r}")
    return SOCKS5ClientEndpoint(inner, host, number, username, password, seconds)
