"""Frames as they are written (RFC 6455, section 5.2). Pure."""

from __future__ import annotations

from os import urandom

from protocols.websocket._library import applyMask

__all__ = ["BINARY", "CLOSE", "CONTINUATION", "FIN", "PING", "PONG", "RSV1", "TEXT", "Keys", "frame", "maskedFrame"]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40

# The heads of short frames without a mask, by the first byte and the length: nearly all that a server sends.
_SHORT = {FIN | opcode: [bytes((FIN | opcode, size)) for size in range(126)] for opcode in (TEXT, BINARY)}


def frame(first: int, payload: bytes) -> bytes:
    """A frame as a server sends it. `first` is its first byte: FIN, the reserved bits, the opcode."""
    size = len(payload)
    if size < 126:
        heads = _SHORT.get(first)
        return (bytes((first, size)) if heads is None else heads[size]) + payload
    if size < 65536:
        return bytes((first, 126, size >> 8, size & 255)) + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


class Keys:
    """Masking keys, each from the system's random numbers and used once (section 5.3), taken many at a time: asking
    for each by itself takes 0.3 us more.
    """

    __slots__ = ("_at", "_keys")

    def __init__(self) -> None:
        self._keys = b""
        self._at = 0

    def next(self) -> bytes:
        """The next one, 4 bytes."""
        at = self._at
        if at >= len(self._keys):
            self._keys = urandom(256)
            at = 0
        self._at = at + 4
        return self._keys[at : at + 4]


def maskedFrame(first: int, payload: bytes, key: bytes) -> bytes:
    """A frame as a client sends it."""
    size = len(payload)
    if size < 126:
        head = bytes((first, size | 0x80))
    elif size < 65536:
        head = bytes((first, 254, size >> 8, size & 255))
    else:
        head = bytes((first, 255)) + size.to_bytes(8, "big")
    return head + key + applyMask(payload, key)
