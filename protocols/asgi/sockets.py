"""One WebSocket as an application of ASGI works on it: asked for, accepted or refused, and its messages both ways."""

from __future__ import annotations

import asyncio
from contextvars import copy_context

from protocols.asgi.error import stemsFromDisconnected
from protocols.asgi.pieces import gone
from protocols.asgi.scopes import websocketScope
from protocols.http import Response
from protocols.websocket import HandshakeError, WebSocketAborted, WebSocketClosed, WebSocketLost
from protocols.websocket.accept import accept
from reactor._ground.naming import shown
from reactor.defer import Deferred
from reactor.error import ConnectionClosed
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any

    from protocols.asgi.host import ASGI
    from protocols.http import Request
    from protocols.websocket import WebSocket

__all__ = ["openSocket"]

# What a peer's end without a Close frame is called (RFC 6455, section 7.1.5).
_ABNORMAL = 1006
_NORMAL = 1000
_RESTART = 1012
_OVER = (WebSocketClosed, WebSocketLost, WebSocketAborted, ConnectionClosed)


class _Socket:
    """What is between one WebSocket and the application."""

    def __init__(self, host: ASGI, request: Request) -> None:
        self._host = host
        self._request = request
        self._told = False
        self._socket: WebSocket | None = None
        # An answer of HTTP in place of a WebSocket: its head, and what has come of its body.
        self._start: dict[str, Any] | None = None
        self._pieces: list[bytes] = []
        # What the application hears when it is over; and who waits for that before there is a WebSocket.
        self._end: dict[str, Any] | None = None
        self._watchers: list[asyncio.Future[None]] = []
        self._closed = False
        self._context: Context = copy_context()
        self._done: Deferred[Any] = Deferred(lambda _: self._isGone())

    def begin(self) -> Deferred[Any]:
        """Run the application. The Deferred of the answer: of none, if a WebSocket was made of it."""
        scope = websocketScope(self._request, self._host.rootPath, self._host.state)
        task = self._host.run(scope, self._receive, self._send)
        if task.done():
            self._taskDone(task)
        else:
            task.add_done_callback(self._taskDone)
        return self._done

    # ---- The application ----

    async def _receive(self) -> dict[str, Any]:
        if not self._told:
            self._told = True
            return {"type": "websocket.connect"}
        socket = self._socket
        while socket is None and self._end is None:
            watcher = self._host.loop.create_future()
            self._watchers.append(watcher)
            await watcher
            socket = self._socket
        if self._end is not None:
            return self._end
        assert socket is not None
        try:
            message = await socket.receive()
        except WebSocketClosed as e:
            self._end = {"type": "websocket.disconnect", "code": e.code, "reason": e.reason}
            return self._end
        except _OVER as e:
            # What this end found wrong, if it did.
            code = getattr(e, "code", _ABNORMAL)
            self._end = {"type": "websocket.disconnect", "code": code, "reason": getattr(e, "reason", "")}
            return self._end
        kind = "text" if isinstance(message, str) else "bytes"
        return {"type": "websocket.receive", kind: message}

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if self._closed:
            raise RuntimeError(f"send(): {kind} after the WebSocket was closed, or refused")
        if self._socket is not None:
            await self._sendOpen(self._socket, kind, message)
        elif self._end is not None:
            raise gone()
        elif kind == "websocket.accept" and self._start is None:
            await self._accept(message)
        elif kind == "websocket.close" and self._start is None:
            self._refuse(Response(b"", 403))
        elif kind == "websocket.http.response.start" and self._start is None:
            self._start = message
        elif kind == "websocket.http.response.body" and self._start is not None:
            self._pieces.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._respond(self._start)
        else:
            raise RuntimeError(f"send(): no message of type {shown(kind)} can be sent before the WebSocket is accepted")

    async def _sendOpen(self, socket: WebSocket, kind: str, message: dict[str, Any]) -> None:
        if kind == "websocket.send":
            text = message.get("text")
            data = text if text is not None else message.get("bytes")
            if not isinstance(data, (str, bytes, bytearray, memoryview)):
                raise RuntimeError("send(): websocket.send needs text, a str, or bytes")
            try:
                await socket.send(data if isinstance(data, str) else bytes(data))
            except _OVER as e:
                raise gone() from e
        elif kind == "websocket.close":
            self._closed = True
            if socket.closed is None:
                try:
                    socket.close(message.get("code", _NORMAL), message.get("reason") or "")
                except ValueError as e:
                    raise RuntimeError(f"send(): {e}") from e
        else:
            raise RuntimeError(f"send(): no message of type {shown(kind)} can be sent on an open WebSocket")

    async def _accept(self, message: dict[str, Any]) -> None:
        chosen = message.get("subprotocol")
        subprotocols = [] if chosen is None else [chosen]
        fields = [
            (name, value) for name, value in message.get("headers", ()) if name.lower() != b"sec-websocket-protocol"
        ]
        try:
            # Whose pages may come in is for the application to say.
            made = accept(self._request, subprotocols, None, headers=fields)
            self._socket = await made
            self._host.sockets.add(self)
        except HandshakeError as e:
            self._isGone()
            self._answer(self._done.errback, Failure(e))
            raise gone() from e
        except (ValueError, TypeError) as e:
            raise RuntimeError(f"send(): {e}") from e
        self._wake()

    def _respond(self, start: dict[str, Any]) -> None:
        fields = [pair for pair in start.get("headers", ()) if pair[0].lower() != b"transfer-encoding"]
        try:
            response = Response(b"".join(self._pieces), start["status"], fields, contentType="")
        except (TypeError, ValueError) as e:
            raise RuntimeError(f"send(): {e}") from e
        self._refuse(response)

    def _refuse(self, response: Response) -> None:
        self._closed = True
        self._end = {"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""}
        self._wake()
        self._answer(self._done.callback, response)

    # ---- The server ----

    def close(self) -> None:
        """The server stops."""
        if self._socket is not None and self._socket.closed is None and not self._closed:
            self._socket.close(_RESTART)

    def _answer(self, f: Callable[[Any], object], result: Any) -> None:
        if not self._done.called:
            self._context.run(f, result)

    def _taskDone(self, task: asyncio.Task[None]) -> None:
        self._host.sockets.discard(self)
        problem = RuntimeError("the application was cancelled") if task.cancelled() else task.exception()
        if problem is not None and (stemsFromDisconnected(problem) or (task.cancelled() and self._socket is not None)):
            problem = None
        if problem is None and self._socket is None and self._end is None:
            problem = RuntimeError("the application returned without having accepted or refused the WebSocket")
        if problem is not None:
            self._answer(self._done.errback, Failure(problem))
        else:
            self._answer(self._done.callback, None)

    def _isGone(self) -> None:
        self._end = {"type": "websocket.disconnect", "code": _ABNORMAL, "reason": ""}
        self._wake()

    def _wake(self) -> None:
        watchers, self._watchers = self._watchers, []
        for each in watchers:
            if not each.done():
                each.set_result(None)


def openSocket(host: ASGI, request: Request) -> Deferred[Any]:
    """Have the application of `host` decide on a request for a WebSocket, and work on it."""
    return _Socket(host, request).begin()
