"""`Router`: which handler a path and a method have.

Paths without parameters are looked up as they are, in a dict; the others segment by segment in a tree, where what is
literal goes before what is not. A path that is there with other methods is a 405 that names them, any other a 404.
"""

from __future__ import annotations

from urllib.parse import unquote

from protocols.http.fields import isToken
from protocols.http.message import Response
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from protocols.http.server.request import Request

    Handler = TypeVar("Handler", bound=Callable[..., Any])

__all__ = ["Router"]

_REST = "*"
_KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class _Node:
    """What is known of the paths that begin alike."""

    __slots__ = ("children", "methods", "names", "parameter", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        # For any segment, and for all that is left.
        self.parameter: _Node | None = None
        self.rest: _Node | None = None
        # Method -> handler, and the names of its parameters, of the paths that end here.
        self.methods: dict[str, Any] = {}
        self.names: dict[str, tuple[str, ...]] = {}


class Router:
    """A handler that finds others: ``app = Router()``, then ``@app.get("/hello/{name}")`` before a function of the
    request and ``name``.

    ``{name}`` stands for one segment, which is not empty and is given decoded; ``{name:path}`` at the end for all that
    is left, as it was sent. HEAD goes where GET does, OPTIONS is answered with the methods that there are, unless there
    is a handler for them.

    :param notFound: called with the request when nothing has its path; by default a 404.
    """

    def __init__(self, notFound: Callable[[Request], Any] | None = None) -> None:
        if notFound is not None and not callable(notFound):
            raise TypeError(f"Router(): notFound must be callable, not {shown(notFound)}")
        self._notFound = notFound if notFound is not None else _notFound
        self._literal: dict[str, dict[str, Any]] = {}
        self._root = _Node()
        self._count = 0
        # (prefix, handler), the longest first.
        self._mounted: list[tuple[str, Any]] = []

    # ---- Telling it ----

    def route(self, path: str, methods: Iterable[str] = ("GET",)) -> Callable[[Handler], Handler]:
        """Decorate a handler: it has these methods of `path`.

        :raises ValueError: for a path that is none, and when there is a handler for one of the methods.
        """
        segments, names = _pattern(path)
        if not isinstance(methods, str) and not hasattr(methods, "__iter__"):
            raise TypeError(f"Router: methods must be a list of str, not {shown(methods)}")
        given = [methods] if isinstance(methods, str) else list(methods)
        if not given:
            raise ValueError(f"Router: methods must be one at least: {shown(path)}")
        for method in given:
            if not isinstance(method, str) or not isToken(method.encode("latin-1", "replace")):
                raise ValueError(f"Router: no method: {shown(method)}")
            if method not in _KNOWN and method.upper() in _KNOWN:
                raise ValueError(f"Router: methods are told apart by case: {method.upper()!r}, not {method!r}")

        def add(handler: Handler) -> Handler:
            if not callable(handler):
                raise TypeError(f"Router: a handler must be callable, not {shown(handler)}")
            node = self._nodeOf(segments)
            for method in given:
                if method in node.methods:
                    raise ValueError(f"Router: {method} {path} has a handler: {shown(node.methods[method])}")
            for method in given:
                node.methods[method] = handler
                node.names[method] = names
            self._count += len(given)
            if not names:
                self._literal[path] = node.methods
            return handler

        return add

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Decorate a handler of GET, and of HEAD if that has no other."""
        return self.route(path, ("GET",))

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Decorate a handler of POST."""
        return self.route(path, ("POST",))

    def put(self, path: str) -> Callable[[Handler], Handler]:
        """Decorate a handler of PUT."""
        return self.route(path, ("PUT",))

    def patch(self, path: str) -> Callable[[Handler], Handler]:
        """Decorate a handler of PATCH."""
        return self.route(path, ("PATCH",))

    def delete(self, path: str) -> Callable[[Handler], Handler]:
        """Decorate a handler of DELETE."""
        return self.route(path, ("DELETE",))

    def mount(self, prefix: str, handler: Callable[[Request], Any]) -> None:
        """Give all that begins with `prefix` to `handler`, a `Router` or `files` mostly, whatever its method; it finds
        the rest of the path in `Request.remaining`. Routes of this router go before it, longer prefixes before shorter.

        :raises ValueError: for a prefix that is none, or is there.
        """
        if not isinstance(prefix, str) or not prefix.startswith("/") or "{" in prefix:
            raise ValueError(f"Router.mount(): prefix must begin with a slash and have no parameters: {shown(prefix)}")
        if not callable(handler):
            raise TypeError(f"Router.mount(): handler must be callable, not {shown(handler)}")
        prefix = prefix.rstrip("/")
        if prefix in [each for each, _ in self._mounted]:
            raise ValueError(f"Router.mount(): something is mounted at {shown(prefix)}")
        self._mounted.append((prefix, handler))
        self._mounted.sort(key=lambda pair: -len(pair[0]))

    def __repr__(self) -> str:
        mounted = "".join(f", {prefix or '/'}" for prefix, _ in self._mounted)
        return f"<Router of {self._count} routes{mounted and f', and mounted {mounted[2:]}'}>"

    def _nodeOf(self, segments: list[str]) -> _Node:
        node = self._root
        for segment in segments:
            if segment == "{}":
                node.parameter = node = node.parameter or _Node()
            elif segment == _REST:
                node.rest = node = node.rest or _Node()
            else:
                node = node.children.setdefault(segment, _Node())
        return node

    # ---- Asking it ----

    def __call__(self, request: Request) -> Any:
        """What the handler of the request gives back."""
        path = request.remaining
        method = request.method
        methods = self._literal.get(path)
        if methods is not None:
            handler = methods.get(method)
            if handler is not None:
                return handler(request)
            return self._otherMethod(request, methods)
        parts = path.removeprefix("/").split("/")
        # Of a path that is there with other methods only.
        allowed: dict[str, Any] = {}
        found = self._find(self._root, parts, 0, (), method, allowed)
        if found is not None:
            handler, names, values = found
            return handler(request, **dict(zip(names, values, strict=True)))
        for prefix, handler in self._mounted:
            if path == prefix or (path.startswith(prefix) and path[len(prefix)] == "/"):
                request.remaining = path[len(prefix) :]
                return handler(request)
        if allowed:
            return self._otherMethod(request, allowed)
        if path == "*" and method == "OPTIONS":
            return Response(status=204)
        return self._notFound(request)

    def _find(
        self, node: _Node, parts: list[str], at: int, values: tuple[str, ...], method: str, allowed: dict[str, Any]
    ) -> tuple[Any, tuple[str, ...], tuple[str, ...]] | None:
        """The handler, the names and the values of its parameters; None when there is none for that method."""
        if at == len(parts):
            handler = node.methods.get(method)
            if handler is not None:
                return handler, node.names[method], values
            if method == "HEAD" and "GET" in node.methods:
                return node.methods["GET"], node.names["GET"], values
            allowed.update(node.methods)
            return None
        segment = unquote(parts[at])
        child = node.children.get(segment)
        if child is not None:
            found = self._find(child, parts, at + 1, values, method, allowed)
            if found is not None:
                return found
        if node.parameter is not None and segment:
            found = self._find(node.parameter, parts, at + 1, (*values, segment), method, allowed)
            if found is not None:
                return found
        if node.rest is not None:
            rest = "/".join(parts[at:])
            return self._find(node.rest, parts, len(parts), (*values, rest), method, allowed)
        return None

    def _otherMethod(self, request: Request, methods: dict[str, Any]) -> Any:
        method = request.method
        if method == "HEAD" and "GET" in methods:
            return methods["GET"](request)
        allowed = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        headers = {"Allow": ", ".join(sorted(allowed))}
        if method == "OPTIONS":
            return Response(status=204, headers=headers)
        return Response("405 Method Not Allowed\n", 405, headers)


def _pattern(path: str) -> tuple[list[str], tuple[str, ...]]:
    """The segments of a path as the tree has them, and the names of its parameters."""
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError(f"Router: path must begin with a slash: {shown(path)}")
    if "?" in path or "#" in path:
        raise ValueError(f"Router: path must be without a query, which is in Request.query: {shown(path)}")
    segments: list[str] = []
    names: list[str] = []
    parts = path[1:].split("/")
    for number, part in enumerate(parts):
        if "{" not in part and "}" not in part:
            segments.append(unquote(part))
            continue
        name, _, kind = part[1:-1].partition(":")
        if not (part.startswith("{") and part.endswith("}") and name.isidentifier() and kind in ("", "path")):
            raise ValueError(f"Router: a parameter is {{name}} or {{name:path}}, a whole segment: {shown(path)}")
        if name in names or name == "request":
            raise ValueError(f"Router: {name} is there twice: {shown(path)}")
        if kind and number < len(parts) - 1:
            raise ValueError(f"Router: {{{name}:path}} must be the last segment: {shown(path)}")
        names.append(name)
        segments.append(_REST if kind else "{}")
    return segments, tuple(names)


def _notFound(request: Request) -> Response:
    return Response("404 Not Found\n", 404)
