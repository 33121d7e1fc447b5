"""HTTP/2 (RFC 9113) on the library `h2`, behind bounds of our own: the extra ``http2``.

`Session` is pure: bytes in, calls out, bytes to be sent; no socket, and the time is an argument. `Bounds` has what a
peer may do. The two ends are made by `Site` and `Client` when they are asked for HTTP/2, and load this then.
"""

from __future__ import annotations

try:
    import h2 as _h2  # noqa: F401
except ImportError:
    raise ImportError("HTTP/2 needs h2: pip install 'reactor-loop[http2]'") from None

from protocols.http.h2.bounds import Bounds
from protocols.http.h2.errors import ConnectionFailed, GoneAway, StreamReset
from protocols.http.h2.session import Session
from protocols.http.h2.streams import Stream

__all__ = ["Bounds", "ConnectionFailed", "GoneAway", "Session", "Stream", "StreamReset"]
