"""The opening handshake on a connection (RFC 6455, section 4.2): a server's end reads a request under a deadline,
answers it, and hands the connection to what was agreed on. HTTP is read by `protocols.http.h1`, as everywhere here.
"""

from __future__ import annotations

from typing import Any

from protocols._proxying.handover import FirstReader
from protocols.http.error import HTTPError
from protocols.http.h1 import RequestReader, responseHead
from protocols.http.limits import Limits
from protocols.websocket._transport import WebSocketTransport
from protocols.websocket.error import HandshakeError
from reactor._ground.peerlog import peerMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.websocket._agreement import Agreement, Asked, Granting
    from reactor.failure import Failure

__all__ = ["ServerOpening", "accepted"]

# An opening request of a browser with cookies has about 1 KiB.
LIMITS = Limits()


def accepted(agreement: Agreement) -> bytes:
    """The answer that opens a WebSocket."""
    fields = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), *agreement.fields]
    return responseHead(101, fields, "Switching Protocols")


class ServerOpening(FirstReader):
    """One connection to a server until it is a WebSocket."""

    transport: Any

    def __init__(self, factory: Any, granting: Granting, build: Callable[[Asked], Any], clock: Any = None) -> None:
        """`build` makes the protocol for a request that may be granted; None where there is none for it."""
        self.factory = factory
        self._granting = granting
        #: May be replaced before the request is there.
        self.build = build
        self._clock = clock
        self._reader = RequestReader(self, LIMITS)
        self._head: Any = None

    def connectionMade(self) -> None:
        """A client came."""
        seconds = self._granting.options.openTimeout
        if seconds is not None:
            self.watch(seconds, self._clock)

    def firstReceived(self, data: bytes) -> None:
        """A part of the request came, or all of it and more."""
        if self.transport.disconnecting:
            return
        try:
            self._reader.receive(data)
        except HTTPError as e:
            self._refuse(str(e), e.status, [])
            return
        if self._head is not None:
            self._judge(self._head)

    def _judge(self, head: Any) -> None:
        try:
            if head.chunked or head.contentLength:
                raise HandshakeError("a request with a body", 400)
            agreement = self._granting.judge(head.method, head.target, f"HTTP/1.{head.version}", head.fields)
            protocol = self.build(agreement.request)
            if protocol is None:
                raise HandshakeError(f"nobody is there for {head.target[:200]!r}", 404)
        except HandshakeError as e:
            self._refuse(str(e.args[-1] if e.args else e), e.status or 400, e.headers)
            return
        rest = self._reader.switch()
        self.transport.write(accepted(agreement))
        carried = WebSocketTransport(False, protocol, agreement, self._granting.options, self._clock)
        self.handOver(carried, rest).deliver()

    # What the reader of HTTP tells.

    def headReceived(self, head: Any) -> None:
        """The request is there."""
        self._head = head

    def bodyReceived(self, data: bytes) -> None:
        """No opening request has a body: it is refused with its head."""

    def messageReceived(self, trailers: Any) -> None:
        """It is whole."""

    # What does not open.

    def expired(self) -> None:
        """No request in time."""
        self._refuse(f"no opening request within {self._granting.options.openTimeout:g} s", 408, [])

    def firstLost(self, reason: Failure) -> None:
        """The client went before."""

    def _refuse(self, why: str, status: int, headers: list[tuple[str, str]]) -> None:
        self.unwatch()
        peerMessage(self, "info", "WebSocket for %s refused: %s %s", self.transport.getPeer(), status, why)
        # Who asked learns the status; the reason is for whoever runs this.
        body = b"No WebSocket here: see the status.\n"
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        upgrade = any(name.lower() == b"upgrade" for name, _ in fields)
        fields += [
            (b"Connection", b"close, Upgrade" if upgrade else b"close"),
            (b"Content-Type", b"text/plain"),
            (b"Content-Length", b"%d" % len(body)),
        ]
        transport = self.transport
        transport.write(responseHead(status, fields) + body)
        if hasattr(transport, "lingerTimeout"):
            transport.lingerTimeout = 2
        if hasattr(transport, "closeTimeout"):
            transport.closeTimeout = 10
        transport.loseConnection()
