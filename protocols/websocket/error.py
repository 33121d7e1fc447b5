"""How a WebSocket ends, and why one did not begin."""

from __future__ import annotations

from typing import Any

from protocols.websocket._codes import CloseCode
from reactor.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost

__all__ = ["HandshakeError", "WebSocketAborted", "WebSocketClosed", "WebSocketLost"]


class WebSocketClosed(ConnectionDone):
    """Both ends have said Close: nothing was lost that was sent before. The code may still be one of an error.

    :ivar code: the code of the peer's Close frame (RFC 6455, section 7.1.5), `CloseCode.NO_STATUS` (1005) for one
        without.
    :ivar reason: its text.
    :ivar byPeer: whether the peer closed first.
    """

    headline = "WebSocket was closed"

    def __init__(self, code: int = CloseCode.NO_STATUS, reason: str = "", byPeer: bool = False, **facts: Any) -> None:
        ConnectionDone.__init__(self, f"{code} {reason}".rstrip(), **facts)
        self.code = code
        self.reason = reason
        self.byPeer = byPeer

    def __reduce__(self) -> Any:
        return type(self), (self.code, self.reason, self.byPeer), self.__dict__


class WebSocketLost(ConnectionLost):
    """The connection ended without Close frames both ways: it broke, the peer left, did not answer in time, or broke
    the protocol; or this end did not wait.

    :ivar code: the code that this end said to a peer that broke the protocol (`CloseCode.PROTOCOL_ERROR` 1002,
        `INVALID_DATA` 1007, `TOO_BIG` 1009) or did not answer a ping (`INTERNAL_ERROR` 1011); else
        `CloseCode.ABNORMAL` (1006).
    :ivar reason: a text that says why.
    """

    headline = "WebSocket was lost"

    def __init__(self, code: int = CloseCode.ABNORMAL, reason: str = "", **facts: Any) -> None:
        ConnectionLost.__init__(self, f"{code} {reason}".rstrip(), **facts)
        self.code = code
        self.reason = reason

    def __reduce__(self) -> Any:
        return type(self), (self.code, self.reason), self.__dict__


class WebSocketAborted(WebSocketLost, ConnectionAborted):
    """This end called `abortConnection`."""

    headline = "WebSocket was aborted by this end"


class HandshakeError(ConnectError):
    """The opening handshake failed: the other end is no WebSocket server, or refused; or, in a server's handler, the
    request does not ask for a WebSocket, or for one that may not be.

    :ivar status: the status of HTTP: the server's answer, or the one that a server should give; None when there was
        no answer that could be read.
    :ivar headers: fields of that answer, ``[(name, value)]`` as text.
    :ivar body: what was read of its body, bytes, 1 KiB at most.
    :ivar response: in a handler of HTTP, what a server is to answer; None elsewhere.
    """

    headline = "WebSocket was not opened"

    def __init__(
        self,
        string: object = "",
        status: int | None = None,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        **facts: Any,
    ) -> None:
        ConnectError.__init__(self, None, string, **facts)
        self.status = status
        self.headers = headers or []
        self.body = body
        self.response: Any = None
