"""A WebSocket inside a server of HTTP: what a handler calls when a request asks for one."""

from __future__ import annotations

from typing import Any

from protocols.http.headers import Headers
from protocols.websocket._agreement import SAME, Granting
from protocols.websocket._options import optionsFrom
from protocols.websocket._transport import WebSocketTransport
from protocols.websocket.error import HandshakeError
from protocols.websocket.socket import WebSocket
from reactor.defer import Deferred, fail, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["accept"]


def accept(
    request: Any,
    subprotocols: Iterable[str] = (),
    origins: Any = SAME,
    protocol: Any = None,
    clock: Any = None,
    headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]] = (),
    **options: Any,
) -> Deferred[Any]:
    """Open the WebSocket that a `protocols.http.Request` asks for. The Deferred, which has fired, has a `WebSocket`, or
    what `protocol` makes.

    The handler goes on with it; when it returns, the WebSocket is closed, with 1011 if it raised. With `protocol` it
    stays open.

    :param protocol: called without arguments for a `WebSocketProtocol`, for programs of callbacks.
    :param headers: more fields of the answer: a mapping, or pairs of a name and a value.
    :raises HandshakeError: by the Deferred, for a request that asks for none or for one that may not be; a handler that
        lets it out has the client answered with its status.
    :raises ValueError, TypeError: for arguments that are not like those of `WebSocketFactory`.
    """
    more = Headers(headers).raw
    granting = Granting("accept()", subprotocols, origins, optionsFrom("accept()", options))
    try:
        if request.headers.get("transfer-encoding") or request.headers.get("content-length", "0") != "0":
            raise HandshakeError("a request with a body", 400)
        agreement = granting.judge(request.method, request.target, f"HTTP/{request.version}", request.headers.raw)
    except HandshakeError as e:
        from protocols.http.message import Response

        # Who says Upgrade has to say so in Connection (RFC 9110, section 7.8).
        asked = [("Connection", "Upgrade")] if e.status == 426 else []
        e.response = Response("No WebSocket here: see the status.\n", e.status or 400, [*e.headers, *asked])
        return fail(e)
    made = WebSocket(granting.options.maxWaiting) if protocol is None else protocol()
    carried = WebSocketTransport(False, made, agreement, granting.options, clock)
    carried.endsWithHandler = protocol is None
    fields = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), *agreement.fields, *more]
    request.switchProtocol(carried, fields)
    return succeed(made)
