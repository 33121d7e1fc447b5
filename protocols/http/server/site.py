"""`Site`: a factory of connections for a server of HTTP, and all limits of theirs."""

from __future__ import annotations

from http import HTTPStatus

from protocols.http.limits import REQUEST_LIMITS, Limits
from protocols.http.message import TEXT, Response
from protocols.http.server.channel import Channel
from protocols.http.server.heads import Heads
from reactor._core.timers import checkDelay
from reactor._ground.naming import shown
from reactor.defer import Deferred, succeed
from reactor.protocol import Factory, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.http.h2.bounds import Bounds
    from protocols.http.server.connection import Connection
    from protocols.http.server.h2connection import ServerConnection

__all__ = ["Site"]


class Site(Factory):
    """A server of HTTP/1.1, for ``listenTCP``, ``listenSSL``, any server endpoint and `reactor.service`.

    :param handler: called with each `Request`; gives back a `Response`, or a coroutine or Deferred of one. When the
        client goes before it has its answer, what the handler waits for is cancelled. What it raises is logged, and
        answered by a 500 without a word of it.
    :param limits: of heads, see `Limits`.
    :param maxBody: bytes of a request's body that a handler can read (413), if it does not set `Request.maxBody`.
    :param maxDiscard: bytes of a body that no handler has read for which the connection is kept.
    :param maxPipelined: bytes of further requests that wait until an answer is made before the transport is paused.
    :param maxRequests: requests on one connection; a client that has come so far is to share its luck with others.
    :param headTimeout: seconds for a head to come: from the beginning of the connection, or from its first byte.
    :param bodyTimeout: seconds over which a body has to come at `bodyRate`.
    :param bodyRate: bytes a second, at least, while the handler takes them.
    :param idleTimeout: seconds between two requests.
    :param writeTimeout: seconds in which a client takes something of its answer.
    :param lingerTimeout: seconds in which a client that has not ended its request takes the answer.
    :param http2: whether HTTP/2 is offered to clients over TLS, by ALPN; both are spoken then. ``"prior"``: every
        connection without TLS is of HTTP/2, too, which the client has to know (RFC 9113, section 3.3).
    :param bounds: of a connection of HTTP/2, a `protocols.http.h2.Bounds`; None: its defaults.
    :param clock: where the time is from; None: the reactor that runs.
    :raises ValueError, TypeError: for what is no such number; ImportError: HTTP/2 without the library `h2`.
    :ivar channels: the connections there are.
    """

    noisy = False

    def __init__(
        self,
        handler: Callable[..., Any],
        *,
        limits: Limits | None = None,
        maxBody: int | None = 1 << 20,
        maxDiscard: int = 65536,
        maxPipelined: int = 65536,
        maxRequests: int = 10000,
        headTimeout: float = 10,
        bodyTimeout: float = 10,
        bodyRate: float = 256,
        idleTimeout: float = 30,
        writeTimeout: float = 30,
        lingerTimeout: float = 5,
        http2: bool | str = False,
        bounds: Bounds | None = None,
        clock: Any = None,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"Site(): handler must be callable, not {shown(handler)}")
        self.handler = handler
        if limits is not None and not isinstance(limits, Limits):
            raise TypeError(f"Site(): limits must be Limits, not {shown(limits)}")
        self.limits = REQUEST_LIMITS if limits is None else limits
        self.maxBody = None if maxBody is None else _count("maxBody", maxBody, 0)
        self.maxDiscard = _count("maxDiscard", maxDiscard, 0)
        self.maxPipelined = _count("maxPipelined", maxPipelined, 0)
        self.maxRequests = _count("maxRequests", maxRequests, 1)
        self.headTimeout = _seconds("headTimeout", headTimeout)
        self.bodyTimeout = _seconds("bodyTimeout", bodyTimeout)
        self.bodyRate = checkDelay(bodyRate, "Site", "bodyRate")
        self.idleTimeout = _seconds("idleTimeout", idleTimeout)
        self.writeTimeout = _seconds("writeTimeout", writeTimeout)
        self.lingerTimeout = _seconds("lingerTimeout", lingerTimeout)
        if http2 not in (True, False, "prior"):
            raise ValueError(f'Site(): http2 is True, False or "prior", not {shown(http2)}')
        self.http2 = http2
        if http2:
            # Now, so that what is missing is said where it was asked for.
            from protocols.http.h2 import Bounds

            bounds = Bounds() if bounds is None else bounds
            if not isinstance(bounds, Bounds):
                raise TypeError(f"Site(): bounds must be Bounds, not {shown(bounds)}")
        self.bounds = bounds
        self.clock = clock
        self.heads = Heads()
        self.channels: set[Connection | ServerConnection] = set()
        self._stopping: Deferred[None] | None = None

    def buildProtocol(self, addr: Any) -> Protocol | None:
        """A connection; None, which closes it, when the site was stopped."""
        if self._stopping is not None:
            return None
        return Channel(self) if not self.http2 else _Either(self)

    def acceptableProtocols(self) -> list[bytes]:
        """What is offered to clients over TLS (ALPN)."""
        return [b"h2", b"http/1.1"] if self.http2 else []

    def startFactory(self) -> None:
        """A port begins to use it, after `stop` too."""
        self._stopping = None

    def stop(self) -> Deferred[None]:
        """Answer what is being asked, with ``Connection: close``, and close; refuse who is new. The Deferred fires when
        no connection is left. Ports are not stopped by it: `reactor.service` does both, with a deadline.
        """
        if self._stopping is None:
            self._stopping = Deferred()
            for channel in list(self.channels):
                channel.drain()
        if not self.channels:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._stopping.addCallback(lambda _: waiting.callback(None))
        return waiting

    def gone(self, channel: Connection | ServerConnection) -> None:
        """A connection is over, or another protocol's."""
        self.channels.discard(channel)
        stopping = self._stopping
        if stopping is not None and not self.channels and not stopping.called:
            stopping.callback(None)

    def errorPage(self, status: int) -> Response:
        """The answer where there is none of the handler's: for an error of it, and for what is no request. To be
        overridden; without headers and without a word of what went wrong.
        """
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Error"
        return Response(f"{status} {phrase}\n".encode(), status, contentType=TEXT)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {shown(self.handler)}, {len(self.channels)} connections>"


class _Either(Protocol):
    """A connection of which is known only when it is made what it speaks."""

    transport: Any

    def __init__(self, site: Site) -> None:
        self._site = site

    def connectionMade(self) -> None:
        """It is made, TLS and all."""
        site, transport = self._site, self.transport
        chosen: Any = None
        if getattr(transport, "TLS", False):
            isNewer = transport.negotiatedProtocol == b"h2"
        else:
            isNewer = site.http2 == "prior"
        if isNewer:
            from protocols.http.server.h2connection import ServerConnection

            chosen = ServerConnection(site)
        else:
            chosen = Channel(site)
        transport.protocol = chosen
        chosen.makeConnection(transport)


def _count(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"Site(): {name} must be an int, not {shown(value)}")
    if value < least:
        raise ValueError(f"Site(): {name} must be at least {least}, not {value}")
    return value


def _seconds(name: str, value: float) -> float:
    if checkDelay(value, "Site", name) == 0:
        raise ValueError(f"Site(): {name} must be more than 0 seconds")
    return value
