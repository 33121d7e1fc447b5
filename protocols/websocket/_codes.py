"""Close codes: what each means, and which may stand in a Close frame (RFC 6455, section 7.4)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CloseCode", "isSendable"]


class CloseCode(IntEnum):
    """The registered codes. Others from 3000 to 3999 are registered by libraries, those from 4000 to 4999 are a
    program's own.
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    #: Never sent: the peer's Close frame had no code.
    NO_STATUS = 1005
    #: Never sent: the connection was lost without a Close frame of the peer's.
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


_REGISTERED = frozenset(CloseCode) - {CloseCode.NO_STATUS, CloseCode.ABNORMAL}


def isSendable(code: int) -> bool:
    """Whether that code may stand in a Close frame."""
    return code in _REGISTERED or 3000 <= code <= 4999
