"""One end of a WebSocket without a socket, for tests: frames put together by hand, and a session that keeps a trace."""

from __future__ import annotations

from typing import Any

from protocols.websocket._deflate import Deflate
from protocols.websocket._options import Options
from protocols.websocket._session import Session

KEY = b"\x37\xfa\x21\x3d"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def built(first: int, payload: bytes = b"", key: bytes | None = KEY, length: bytes | None = None) -> bytes:
    """A frame, as right or wrong as its parts are: the first byte, the payload, the mask (None: none), and the length's
    bytes, the mask's bit not among them.
    """
    size = len(payload)
    if length is None:
        length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65536 else b""
        length = length or b"\x7f" + size.to_bytes(8, "big")
    if key is None:
        return bytes([first]) + length + payload
    masked = bytes([byte ^ key[at & 3] for at, byte in enumerate(payload)])
    return bytes([first, length[0] | 0x80]) + length[1:] + key + masked


class End:
    """A server's end (or a client's), and all that it was told and that it wrote."""

    def __init__(self, client: bool = False, deflate: Deflate | None = None, **options: Any) -> None:
        self.messages: list[str | bytes] = []
        self.events: list[Any] = []
        self.written = b""
        self.on: Any = None
        self.session = Session(client, self, self, self.write, Options(**options), deflate)

    def write(self, data: bytes) -> None:
        self.written += data

    def receive(self, *pieces: bytes) -> End:
        for piece in pieces:
            self.session.reader.receive(piece)
        return self

    def messageReceived(self, message: str | bytes) -> None:
        self.messages.append(message)
        if self.on is not None:
            self.on(self)

    def pinged(self, payload: bytes) -> None:
        self.events.append(("ping", payload))

    def ponged(self, payload: bytes) -> None:
        self.events.append(("pong", payload))

    def closed(self) -> None:
        self.events.append(("closed", self.session.code, self.session.reason))

    def failed(self) -> None:
        self.events.append(("failed", self.session.code))

    def raised(self, problem: Exception) -> None:
        self.events.append(("raised", problem))
