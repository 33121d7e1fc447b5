"""The environ of WSGI (PEP 3333): a request as an application of that interface sees it. Pure."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http import Request

__all__ = ["environOf"]

# HTTP_PROXY is where programs look for the proxy of their own requests: no client is to set it.
_DROPPED = frozenset({b"proxy"})
_CONTENT = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def _names(request: Request) -> tuple[str, str]:
    """Name and port of the server: as it was asked for, else as it is."""
    host = request.host
    at = host.rfind(":")
    if at > host.rfind("]"):
        name, port = host[:at], host[at + 1 :]
    else:
        name, port = host, ""
    own = request._channel.transport.getHost()
    if not name:
        name = getattr(own, "host", "localhost")
    if not port:
        port = "443" if request.scheme == "https" else "80"
    return name, port


def environOf(request: Request, rootPath: str = "") -> dict[str, Any]:
    """Everything of the environ that is the request's: CGI's variables. What begins with ``wsgi.`` is the server's.

    Fields with an underscore in their names are left out, since nobody could tell them from those with a hyphen.

    :param rootPath: where the application is mounted: SCRIPT_NAME.
    """
    path = request.path
    if rootPath and path.startswith(f"{rootPath}/"):
        path = path[len(rootPath) :]
    name, port = _names(request)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": rootPath,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": request.queryString,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "REMOTE_ADDR": request.client,
        "REQUEST_URI": request.target,
    }
    peer = getattr(request.peer, "port", None)
    if peer is not None and (request._seen is None or request._seen.client is None):
        environ["REMOTE_PORT"] = str(peer)
    for key, value in request._head.fields:
        lower = key.lower()
        if b"_" in lower or lower in _DROPPED:
            continue
        name = _CONTENT.get(lower) or "HTTP_" + lower.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        if name in environ:
            text = f"{environ[name]}{'; ' if lower == b'cookie' else ','}{text}"
        environ[name] = text
    return environ
