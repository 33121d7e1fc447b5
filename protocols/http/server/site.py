"""`Site`: a factory of connections for a server of HTTP, and all limits of theirs."""

from __future__ import annotations

from http import HTTPStatus

from protocols.http.limits import Limits
from protocols.http.message import TEXT, Response
from protocols.http.server.channel import Channel
from protocols.http.server.heads import Heads
from reactor._core.timers import checkDelay
from reactor._ground.naming import shown
from reactor.defer import Deferred, succeed
from reactor.protocol import Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.http.server.connection import Connection

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
    :param clock: where the time is from; None: the reactor that runs.
    :raises ValueError, TypeError: for what is no such number.
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
        clock: Any = None,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"Site(): handler must be callable, not {shown(handler)}")
        self.handler = handler
        self.limits = Limits() if limits is None else limits
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
        self.clock = clock
        self.heads = Heads()
        self.channels: set[Connection] = set()
        self._stopping: Deferred[None] | None = None

    def buildProtocol(self, addr: Any) -> Channel | None:
        """A connection; None, which closes it, when the site was stopped."""
        return None if self._stopping is not None else Channel(self)

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

    def gone(self, channel: Connection) -> None:
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
