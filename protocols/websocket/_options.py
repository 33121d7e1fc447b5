"""Every limit and deadline of a WebSocket, with its default and the reason for it: one value that both ends take."""

from __future__ import annotations

from dataclasses import dataclass, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Options", "optionsFrom"]

# What the defaults are is written in the attributes' order.
_SECONDS = ("openTimeout", "pingInterval", "pingTimeout", "closeTimeout")
_COUNTS = ("maxMessage", "maxFragments", "maxBuffered", "maxWaiting")


@dataclass(frozen=True, slots=True)
class Options:
    """What a WebSocket lets its peer do; each may be given by name wherever one is opened. None is no limit.

    :param maxMessage: bytes of a message, as it is when inflated; one byte more closes with 1009. 1 MiB.
    :param maxFragments: fragments of a message, of which empty ones cost a peer two bytes and us a call; 131072, so
        that 4 MiB in pieces of 64 bytes still pass where `maxMessage` allows them.
    :param maxBuffered: bytes that wait to be sent before the connection is aborted: a peer that does not read. 16 MiB;
        a larger message is let through, and so much more may wait beside it.
    :param maxWaiting: bytes of messages that a `WebSocket` keeps for whoever iterates before it stops reading. 64 KiB,
        and one message in any case.
    :param openTimeout: seconds for the opening handshake, once there is a connection. 10.
    :param pingInterval: seconds between pings that keep the connection alive and find a peer that is gone. 20.
    :param pingTimeout: seconds for the answer to such a ping. 20.
    :param closeTimeout: seconds for the peer to answer a Close frame, and then to close. 10.
    :param compression: whether permessage-deflate is offered, or taken (RFC 7692). Off: for small messages it takes
        twenty times what the rest takes, and 50 to 300 KiB for each connection.
    :param compressionLevel: zlib's, from 1 to 9. 6.
    :param compressionBits: the logarithm of the window, from 9 to 15: 12, which takes 32 KiB a connection less than
        15, and 3 % more bytes of JSON.
    """

    maxMessage: int | None = 1 << 20
    maxFragments: int | None = 1 << 17
    maxBuffered: int | None = 16 << 20
    maxWaiting: int = 1 << 16
    openTimeout: float | None = 10
    pingInterval: float | None = 20
    pingTimeout: float | None = 20
    closeTimeout: float | None = 10
    compression: bool = False
    compressionLevel: int = 6
    compressionBits: int = 12

    def __post_init__(self) -> None:
        for name in _SECONDS:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, (int, float)) and 0 < value < float("inf")):
                raise ValueError(f"{name} must be a positive number of seconds, or None, not {value!r}")
        for name in _COUNTS:
            value = getattr(self, name)
            if value is None and name != "maxWaiting":
                continue
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive int, not {value!r}")
        if not isinstance(self.compression, bool):
            raise TypeError(f"compression must be True or False, not {self.compression!r}")
        if self.compressionLevel not in range(1, 10):
            raise ValueError(f"compressionLevel must be from 1 to 9, not {self.compressionLevel!r}")
        if self.compressionBits not in range(9, 16):
            raise ValueError(f"compressionBits must be from 9 to 15, not {self.compressionBits!r}")


#: All defaults.
DEFAULTS = Options()
_NAMES = frozenset(field.name for field in fields(Options))


def optionsFrom(where: str, given: dict[str, Any]) -> Options:
    """Those that were given by name; TypeError, which names `where`, for other names. ValueError, as `Options`."""
    if not given:
        return DEFAULTS
    unknown = sorted(given.keys() - _NAMES)
    if unknown:
        raise TypeError(f"{where}: unknown argument {unknown[0]!r}; the options are {', '.join(sorted(_NAMES))}")
    return Options(**given)
