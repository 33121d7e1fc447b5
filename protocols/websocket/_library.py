"""The one door to the library ``websockets`` (extra ``websocket``): its mask, its judgement of opening handshakes, and
its negotiation of permessage-deflate, all of its layer without I/O.
"""

from __future__ import annotations

try:
    from websockets.client import ClientProtocol
    from websockets.datastructures import Headers
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
    from websockets.extensions.permessage_deflate import (
        ClientPerMessageDeflateFactory,
        PerMessageDeflate,
        ServerPerMessageDeflateFactory,
    )
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol
    from websockets.uri import WebSocketURI, parse_uri
except ImportError as e:
    raise ImportError(
        f"protocols.websocket needs the library websockets: pip install 'reactor-loop[websocket]' ({e})"
    ) from e

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# In C where the library was compiled, which is 0.2 us and 6 GB/s; in Python it is 25 times slower.
applyMask: Callable[[bytes, bytes], bytes]
try:
    from websockets.speedups import apply_mask as applyMask
except ImportError:
    from websockets.utils import apply_mask as applyMask

__all__ = [
    "ClientPerMessageDeflateFactory",
    "ClientProtocol",
    "Headers",
    "InvalidHandshake",
    "InvalidStatus",
    "InvalidURI",
    "PerMessageDeflate",
    "Request",
    "Response",
    "ServerPerMessageDeflateFactory",
    "ServerProtocol",
    "WebSocketURI",
    "applyMask",
    "parse_uri",
]
