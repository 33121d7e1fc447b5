"""`Request`: what a client asks, as a handler sees it. Nothing is made of it before it is asked for."""

from __future__ import annotations

from urllib.parse import unquote

from protocols.http.body.streams import Body
from protocols.http.headers import Headers
from reactor._ground.log import reportException
from reactor.defer import Deferred, fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from protocols.http.body.reading import Values
    from protocols.http.h1.heads import RequestHead
    from protocols.http.server.channel import Channel
    from reactor.failure import Failure

    Over = Callable[["Request", int, int, "Failure | None"], object]

__all__ = ["Request", "Seen"]

_VERSIONS = ("1.0", "1.1", "2")


class Seen:
    """Who asks, and for what: as a proxy that is trusted tells it. None for what it does not tell."""

    __slots__ = ("client", "host", "scheme")

    def __init__(self, client: str | None = None, scheme: str | None = None, host: str | None = None) -> None:
        self.client = client
        self.scheme = scheme
        self.host = host


def _nothing() -> None:
    pass


class Request:
    """One request. ``async for piece in request`` reads its body as it comes; `read`, `text`, `json` and `form` whole.

    :ivar remaining: what is left of the path behind what `Router.mount` has taken; the whole path without one.
    :ivar maxBody: how many bytes the body may have; a handler that is about to read may set it, to None for no bound.
        By default `Site`'s.
    """

    __slots__ = ("_body", "_channel", "_head", "_headers", "_over", "_path", "_query", "_remaining", "_seen", "maxBody")

    maxBody: int | None

    def __init__(self, channel: Channel, head: RequestHead) -> None:
        """Made by the channel that `head` came over."""
        self._channel = channel
        self._head = head
        self._body: Body | None = None
        self._headers: Headers | None = None
        self._path: str | None = None
        self._query: str | None = None
        self._remaining: str | None = None
        self._seen: Seen | None = None
        # Who is told when it is over.
        self._over: Over | None = None

    # ---- What is asked ----

    @property
    def method(self) -> str:
        """As it was sent; methods are told apart by case."""
        return self._head.method

    @property
    def target(self) -> str:
        """What stands behind the method, as it was sent."""
        return self._head.target

    @property
    def version(self) -> str:
        """``"1.0"``, ``"1.1"`` or ``"2"``."""
        return _VERSIONS[self._head.version]

    @property
    def path(self) -> str:
        """The path of the target as it was sent: encoded, without the query. ``"*"`` for ``OPTIONS *``."""
        if self._path is None:
            self._split()
        return self._path  # type: ignore[return-value]

    @property
    def queryString(self) -> str:
        """What stands behind the question mark, as it was sent; ``""`` for nothing."""
        if self._query is None:
            self._split()
        return self._query  # type: ignore[return-value]

    def _split(self) -> None:
        target = self._head.target
        if not target.startswith("/"):
            _, scheme, rest = target.partition("://")
            if scheme:
                # The absolute form, as for proxies (RFC 9112, section 3.2.2).
                at = min([found for found in (rest.find("/"), rest.find("?")) if found >= 0], default=len(rest))
                target = rest[at:] if rest[at : at + 1] == "/" else f"/{rest[at:]}"
        self._path, _, self._query = target.partition("?")

    @property
    def remaining(self) -> str:
        """Told above."""
        return self.path if self._remaining is None else self._remaining

    @remaining.setter
    def remaining(self, path: str) -> None:
        self._remaining = path

    @property
    def segments(self) -> list[str]:
        """`remaining` without its first slash, split at the others, and each part decoded: from outside, so anything
        can be in them, slashes and ``..`` too.
        """
        return [unquote(each) for each in self.remaining.removeprefix("/").split("/")]

    @property
    def query(self) -> Values:
        """The query's values by name, decoded."""
        from protocols.http.body.reading import Values

        return Values.parsed(self.queryString)

    @property
    def headers(self) -> Headers:
        """The fields."""
        headers = self._headers
        if headers is None:
            # A head that comes again and again is read once; what a program does to its fields is of one request.
            headers = self._headers = Headers.fromRaw(self._head.fields.copy())
        return headers

    # ---- Who asks ----

    @property
    def peer(self) -> Any:
        """The address that the connection is from."""
        return self._channel.transport.getPeer()

    @property
    def client(self) -> str:
        """The host that asks: of `peer`, or who a trusted proxy says it is; ``""`` where it has none."""
        if self._seen is not None and self._seen.client is not None:
            return self._seen.client
        return getattr(self.peer, "host", "")

    @property
    def host(self) -> str:
        """Host and port that are asked for; ``""`` if unknown."""
        if self._seen is not None and self._seen.host is not None:
            return self._seen.host
        return self._head.host

    @property
    def scheme(self) -> str:
        """``"https"`` or ``"http"``."""
        if self._seen is not None and self._seen.scheme is not None:
            return self._seen.scheme
        return "https" if getattr(self._channel.transport, "TLS", False) else "http"

    @property
    def upgrade(self) -> tuple[str, ...]:
        """The protocols that the client would change to."""
        return self._head.upgrade

    # ---- The body ----

    @property
    def body(self) -> Body:
        """The body; an empty one where there is none."""
        body = self._body
        if body is None:
            body = self._body = Body(_nothing, _nothing)
            body.bodyEnded([])
        elif not body.isOver:
            self._channel.bodyWanted(self)
        return body

    def __aiter__(self) -> Body:
        """The pieces of the body. A client that waits for 100 Continue gets it when the first is waited for."""
        return self.body

    def read(self, limit: int | None = None) -> Deferred[bytes]:
        """All of the body that has not been taken. It fails with TooLarge if that is more than `limit` bytes, or the
        whole more than `maxBody`; a handler that lets this out answers 413.
        """
        return self.body.read(limit)

    def text(self, limit: int | None = None) -> Deferred[str]:
        """The body as text, in the charset that Content-Type names, or UTF-8. BadMessage (400) if it is none."""
        from protocols.http.body.reading import decoded

        return self.read(limit).addCallback(decoded, self.headers.get("content-type", ""))

    def json(self, limit: int | None = None) -> Deferred[Any]:
        """What the body is in JSON. BadMessage (400) if it is none."""
        from protocols.http.body.reading import fromJSON

        return self.read(limit).addCallback(fromJSON)

    def form(self, limit: int | None = None) -> Deferred[Values]:
        """The values of a form that was sent as ``application/x-www-form-urlencoded``. BadMessage (415) for another
        type.
        """
        from protocols.http.body.reading import Values, notAForm

        problem = notAForm(self.headers.get("content-type", ""))
        if problem is not None:
            return fail(problem)
        return self.read(limit).addCallback(lambda data: Values.parsed(data.decode("utf-8", "replace")))

    @property
    def trailers(self) -> Headers:
        """The fields behind the body; none before it has ended."""
        return Headers.fromRaw(self.body.trailers or [])

    # ---- What becomes of it ----

    def inform(self, status: int, fields: Iterable[tuple[str | bytes, str | bytes]] = ()) -> None:
        """Send something ahead of the answer: 103 with Link (RFC 8297), say. Nothing happens for a client of HTTP/1.0.

        :raises ValueError: for a status that is not 102 to 199. RuntimeError: when the answer has begun.
        """
        self._channel.inform(self, status, fields)

    def switchProtocol(self, protocol: Any, fields: Iterable[tuple[str | bytes, str | bytes]] = ()) -> None:
        """Answer 101 with `fields` (Upgrade and Connection among them) and give the connection to `protocol`, which
        hears `connectionMade`, and gets what had come behind the request.

        What the handler returns from then on is not looked at. One that raises ends the connection.

        :raises RuntimeError: when it is answered, its body has not come, or the client did not ask for it.
        :raises ValueError: for fields that name another protocol than the client did, or none.
        """
        self._channel.switch(self, protocol, fields)

    def whenOver(self, f: Over) -> None:
        """Call ``f(request, status, count, failure)`` when the answer is handed to the transport or cannot be: with
        its status (0: none), the bytes of its body, and why it was cut off or None. Those who asked last are called
        first.
        """
        before = self._over
        if before is None:
            self._over = f
        else:
            earlier = before

            def both(request: Request, status: int, count: int, failure: Failure | None) -> None:
                f(request, status, count, failure)
                earlier(request, status, count, failure)

            self._over = both

    def tellOver(self, status: int, count: int, failure: Failure | None) -> None:
        """The connection: it is over. Whoever asked by `whenOver` is told, once."""
        over, self._over = self._over, None
        if over is not None:
            try:
                over(self, status, count, failure)
            except Exception as e:
                reportException("%r raised", e, over)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"
