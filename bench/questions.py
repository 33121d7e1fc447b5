"""What a load asks whose answers are no echoes: requests of HTTP, and messages of WebSocket (RFC 6455).

The same question again and again, whose answers are all of one length: that is learned from the first one, so nothing
is parsed while it is measured. QUESTIONS has them by the kind of message that `load` is told.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HTTP, WEBSOCKET = "http", "websocket"
_HEAD_ENDS = b"\r\n\r\n"
_ASKED = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*" + _HEAD_ENDS
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13" + _HEAD_ENDS
)


def requested(size: int) -> bytes:
    """A GET request; its answer is what the server has, of whatever `size`."""
    return _ASKED


def lengthOfAnswer(connection: socket.socket) -> int:
    """How long the answer to a request is, of which one is made. ConnectionError for an answer without a length."""
    connection.sendall(_ASKED)
    head, body = _head(connection)
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            whole = len(head) + int(value)
            _rest(connection, whole - len(head) - len(body))
            return whole
    raise ConnectionError(f"an answer without content-length: {head!r}")


def masked(size: int) -> bytes:
    """A binary message of `size` bytes as a client sends it, masked with zeros."""
    if size < 126:
        length = bytes([128 | size])
    elif size < 1 << 16:
        length = bytes([128 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([128 | 127]) + size.to_bytes(8, "big")
    return b"\x82" + length + bytes(4) + b"x" * size


def upgraded(connection: socket.socket) -> int:
    """Open a WebSocket; 4 bytes less than in the question come back: a server does not mask."""
    connection.sendall(_UPGRADE)
    head, _ = _head(connection)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise ConnectionError(f"no WebSocket: {head!r}")
    return -4


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of an answer, and what came of its body."""
    got = b""
    while _HEAD_ENDS not in got:
        got += _received(connection)
    head, ends, body = got.partition(_HEAD_ENDS)
    return head + ends, body


def _rest(connection: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(_received(connection))


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("connection lost")
    return data


# The message, given its size; and what opens a connection and says how long an answer is (below 0: so much less than
# the message).
QUESTIONS: dict[str, tuple[Callable[[int], bytes], Callable[[socket.socket], int]]] = {
    HTTP: (requested, lengthOfAnswer),
    WEBSOCKET: (masked, upgraded),
}
