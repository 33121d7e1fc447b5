"""The scopes of ASGI 3: a request as an application of that interface sees it. Pure."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http import Request

__all__ = ["HTTP", "LIFESPAN", "WEBSOCKET", "httpScope", "lifespanScope", "websocketScope"]

#: What ``scope["asgi"]`` says of each kind: the versions of the interface. From 2.4 on `send` raises an OSError when
#: the client is gone.
HTTP = {"version": "3.0", "spec_version": "2.4"}
WEBSOCKET = {"version": "3.0", "spec_version": "2.4"}
LIFESPAN = {"version": "3.0", "spec_version": "2.0"}

# Decoded paths and targets that were the same before. Bounded by emptying it.
_paths: dict[str, tuple[str, bytes, bytes]] = {}
_PATHS = 512


def _split(request: Request) -> tuple[str, bytes, bytes]:
    """The path decoded, as it was sent, and the query as it was sent."""
    target = request.target
    found = _paths.get(target)
    if found is None:
        path = request.path
        decoded = unquote_to_bytes(path).decode("utf-8", "replace") if "%" in path else path
        found = decoded, path.encode("latin-1"), request.queryString.encode("latin-1")
        if len(target) <= 128:
            if len(_paths) >= _PATHS:
                _paths.clear()
            _paths[target] = found
    return found


def _address(address: Any) -> tuple[str, int | None] | None:
    """Host and port of TCP, the path of a UNIX socket as uvicorn and others tell it; None for one without a name."""
    host = getattr(address, "host", None)
    if host is not None:
        return host, address.port
    name = getattr(address, "name", None)
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return None if not name else (name, None)


def lowered(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields with their names in small letters."""
    return [(name.lower(), value) for name, value in fields]


def httpScope(request: Request, rootPath: str = "", state: dict[str, Any] | None = None) -> dict[str, Any]:
    """The scope of a request of HTTP.

    :param rootPath: where the application is mounted, without a slash at the end: ``root_path``, which ``path`` begins
        with as the standard has it.
    :param state: what the application's lifespan has kept: the scope has a copy of it; None: nothing of that kind.
    """
    path, raw, query = _split(request)
    transport = request._channel.transport
    seen = request._seen
    client = _address(transport.getPeer())
    if seen is not None and seen.client is not None:
        client = seen.client, 0
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": HTTP,
        "http_version": request.version,
        "method": request.method.upper(),
        "scheme": request.scheme,
        "path": rootPath + path if rootPath else path,
        "raw_path": rootPath.encode() + raw if rootPath else raw,
        "query_string": query,
        "root_path": rootPath,
        "headers": lowered(request._head.fields),
        "client": client,
        "server": _address(transport.getHost()),
        "extensions": {},
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def websocketScope(request: Request, rootPath: str = "", state: dict[str, Any] | None = None) -> dict[str, Any]:
    """The scope of a request that asks for a WebSocket; parameters as for `httpScope`."""
    scope = httpScope(request, rootPath, state)
    del scope["method"]
    scope["type"] = "websocket"
    scope["asgi"] = WEBSOCKET
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    asked = ",".join(request.headers.getAll("sec-websocket-protocol"))
    scope["subprotocols"] = [each.strip() for each in asked.split(",") if each.strip()]
    scope["extensions"] = {"websocket.http.response": {}}
    return scope


def lifespanScope(state: dict[str, Any]) -> dict[str, Any]:
    """The scope of an application's life; what it puts into `state` every request's scope has a copy of."""
    return {"type": "lifespan", "asgi": LIFESPAN, "state": state}
