"""What goes wrong in HTTP/2 and not in HTTP/1.1: a stream that is reset, and a connection whose peer says goodbye.

The codes are those of RFC 9113, section 7, by number; `nameOf` has their names.
"""

from __future__ import annotations

from protocols.http.error import BadMessage, HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Unpack

    from reactor._ground.facts import Facts

__all__ = ["ConnectionFailed", "GoneAway", "StreamReset", "nameOf"]

NO_ERROR = 0x0
PROTOCOL_ERROR = 0x1
INTERNAL_ERROR = 0x2
FLOW_CONTROL_ERROR = 0x3
SETTINGS_TIMEOUT = 0x4
STREAM_CLOSED = 0x5
FRAME_SIZE_ERROR = 0x6
REFUSED_STREAM = 0x7
CANCEL = 0x8
COMPRESSION_ERROR = 0x9
ENHANCE_YOUR_CALM = 0xB

_NAMES = (
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR"
    " REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED"
).split()


def nameOf(code: int) -> str:
    """The name of an error code; its number where it has none."""
    return _NAMES[code] if code < len(_NAMES) else f"{code:#x}"


class ConnectionFailed(BadMessage):
    """The peer broke the protocol or a bound, and the connection is over: GOAWAY with `code` is the last that it gets.

    :ivar code: why (RFC 9113, section 7).
    """

    headline = "HTTP/2 connection failed"

    def __init__(self, code: int, why: str, **facts: Unpack[Facts]) -> None:
        BadMessage.__init__(self, f"{why} ({nameOf(code)})", **facts)
        self.code = code
        self.why = why


class StreamReset(HTTPError):
    """The peer gave one stream up (RST_STREAM); the connection and its other streams go on.

    :ivar code: why (RFC 9113, section 7).
    """

    headline = "HTTP/2 stream was reset"

    def __init__(self, code: int, **facts: Unpack[Facts]) -> None:
        HTTPError.__init__(self, nameOf(code), **facts)
        self.code = code


class GoneAway(HTTPError):
    """The peer ended the connection (GOAWAY) with an error.

    :ivar code: why (RFC 9113, section 7).
    """

    headline = "HTTP/2 peer ended the connection"

    def __init__(self, code: int, said: bytes = b"", **facts: Unpack[Facts]) -> None:
        from protocols.http.error import shortened, shown

        HTTPError.__init__(self, " ".join([nameOf(code), *([shown(shortened(said))] if said else ())]), **facts)
        self.code = code
