"""WebSocket (RFC 6455), both ends, with permessage-deflate (RFC 7692): in callbacks, for coroutines, and as an endpoint
for any other protocol. Needs the extra ``websocket``.
"""

from __future__ import annotations

from protocols.websocket._codes import CloseCode
from protocols.websocket._options import Options
from protocols.websocket._transport import WebSocketTransport
from protocols.websocket.accept import accept
from protocols.websocket.client import connect
from protocols.websocket.endpoint import (
    WebSocketClientEndpoint,
    WebSocketClientParser,
    WebSocketServerEndpoint,
    WebSocketServerParser,
)
from protocols.websocket.error import HandshakeError, WebSocketAborted, WebSocketClosed, WebSocketLost
from protocols.websocket.factory import WebSocketFactory
from protocols.websocket.protocol import WebSocketProtocol
from protocols.websocket.socket import WebSocket

__all__ = [
    "CloseCode",
    "HandshakeError",
    "Options",
    "WebSocket",
    "WebSocketAborted",
    "WebSocketClientEndpoint",
    "WebSocketClientParser",
    "WebSocketClosed",
    "WebSocketFactory",
    "WebSocketLost",
    "WebSocketProtocol",
    "WebSocketServerEndpoint",
    "WebSocketServerParser",
    "WebSocketTransport",
    "accept",
    "connect",
]
