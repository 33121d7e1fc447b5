"""Opening a WebSocket from a coroutine: one function."""

from __future__ import annotations

from typing import Any

from protocols.websocket.endpoint import WebSocketClientEndpoint
from protocols.websocket.socket import WebSocket
from reactor.protocol import ClientFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.defer import Deferred

__all__ = ["connect"]


def connect(url: str, *, reactor: Any = None, protocol: Any = None, **arguments: Any) -> Deferred[Any]:
    """Open a WebSocket. The Deferred, which can be awaited, fires with a `WebSocket`, or with what `protocol` makes.

    :param url: ``ws://`` or ``wss://``, as `WebSocketClientEndpoint` has it; and so are the other arguments
        (`subprotocols`, `origin`, `headers`, `endpoint`, `tls`, `clock`) and the options (`maxMessage`,
        `pingInterval` and the rest of `Options`).
    :param reactor: None: the one that runs.
    :param protocol: called without arguments for a `WebSocketProtocol`, for programs of callbacks.
    :raises ValueError, TypeError: for arguments that are not like that. What the network and the server do comes by
        the Deferred, see `WebSocketClientEndpoint.connect`.
    """
    if protocol is not None and not callable(protocol):
        raise TypeError(f"connect(): protocol must be callable, not {protocol!r}")
    endpoint = WebSocketClientEndpoint(reactor, url, **arguments)
    if protocol is None:
        waiting = endpoint._options.maxWaiting
        protocol = lambda: WebSocket(waiting)  # noqa: E731
    factory = ClientFactory.forProtocol(protocol)
    factory.noisy = False
    return endpoint.connect(factory)
