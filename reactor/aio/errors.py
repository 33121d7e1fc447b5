"""Why a connection ended, in asyncio's words: an exception of the standard library, or None for a clean end."""

from __future__ import annotations

import os

from reactor.error import ConnectionAborted, ConnectionDone, ConnectionLost, PeerVerifyError, SSLError, TimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure


def exceptionOf(reason: Failure) -> BaseException | None:
    """What `connection_lost` is called with for `reason`."""
    value = reason.value
    if isinstance(value, (ConnectionDone, ConnectionAborted)):
        return None
    if isinstance(value, (SSLError, PeerVerifyError)):
        cause = value.__cause__
        return cause if cause is not None else ConnectionResetError(str(value))
    if isinstance(value, TimeoutError):
        return ConnectionAbortedError(f"SSL handshake is taking longer than allowed: {value}")
    if isinstance(value, ConnectionLost):
        number = value.osError
        if isinstance(number, int) and number:
            return OSError(number, os.strerror(number))
        return ConnectionResetError(str(value))
    return value
