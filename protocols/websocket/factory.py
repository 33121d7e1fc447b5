"""What makes a WebSocket of each connection that comes to a server: for any port, and any server endpoint."""

from __future__ import annotations

from typing import Any

from protocols.websocket._agreement import SAME, Asked, Granting
from protocols.websocket._opening import ServerOpening
from protocols.websocket._options import optionsFrom
from reactor.protocol import Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WebSocketFactory"]


class WebSocketFactory(Factory):
    """A server's factory. ``WebSocketFactory.forProtocol(Echo, maxMessage=65536)`` makes one whose connections speak
    WebSocket and nothing else; what is no opening request is answered with its status and closed.

    For a server that speaks HTTP as well, see `accept`.
    """

    def __init__(
        self, subprotocols: Iterable[str] = (), origins: Any = SAME, clock: Any = None, **options: Any
    ) -> None:
        """
        :param subprotocols: those that are spoken, the best first; the first that the client offers is agreed on.
        :param origins: whose pages may connect: those of the host that is asked (``"same"``), or a list of origins
            (``"https://example.org"``, or compiled patterns; None in it for clients that say none), or None: all.
        :param clock: where the time is from; None: the reactor that runs.
        :param options: see `Options`.
        :raises TypeError, ValueError: for arguments that are not like that.
        """
        self.options = optionsFrom("WebSocketFactory()", options)
        self.clock = clock
        self._granting = Granting("WebSocketFactory()", subprotocols, origins, self.options)

    def buildWebSocket(self, request: Asked) -> Any:
        """The protocol, a `WebSocketProtocol`, for an opening request (its ``path``, ``get(name)``); None refuses it
        with 404. For subclasses; this one makes one of `protocol` for every path.

        `HandshakeError` with a status refuses it with that.
        """
        protocol: Any = self.protocol() if self.protocol is not None else None
        if protocol is not None:
            protocol.factory = self
        return protocol

    def buildProtocol(self, addr: Any) -> Any:
        """Who reads the opening request."""
        return ServerOpening(self, self._granting, self.buildWebSocket, self.clock)
