"""An answer as a program sees it: its head, and its body whole or as it comes.

An answer that was whole when its head was looked at (most are: they come with one read) has its body as bytes and
needs nothing further. Any other gets a `Body`, which the connection feeds and which holds the connection back. Codings
are undone when somebody reads, a piece at a time.
"""

from __future__ import annotations

from protocols.http.body.codings import Decoder, codingsOf
from protocols.http.error import StatusError, TooLarge
from protocols.http.headers import Headers
from reactor.defer import Deferred, ensureDeferred, fail, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from protocols.http.body.streams import Body
    from protocols.http.client.urls import URL
    from protocols.http.h1 import ResponseHead


class About:
    """What the fields of a head say that is looked at in each answer; looked for once in heads that are the same."""

    __slots__ = ("codings", "cookies", "locations")

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self.cookies: list[str] = []
        self.locations: list[str] = []
        codings: list[str] = []
        kinds = {b"set-cookie": self.cookies, b"location": self.locations, b"content-encoding": codings}
        for name, value in pairs:
            kind = kinds.get(name.lower())
            if kind is not None:
                kind.append(value.decode("latin-1"))
        self.codings = codingsOf(",".join(codings)) if codings else []


class Response:
    """An answer.

    :ivar status: its status code, an int. It is an error only for `check`.
    :ivar reason: the words behind it, which mean nothing.
    :ivar url: the URL that it is from: the last one, after redirects.
    :ivar method: the method of the request that it answers.
    :ivar history: the answers that led here, in order; their bodies are not there.
    :ivar trailers: the fields behind the body, as `Headers`; None before it has ended.
    """

    __slots__ = (
        "__weakref__",
        "_about",
        "_body",
        "_cached",
        "_connection",
        "_content",
        "_decode",
        "_fields",
        "_headers",
        "_maxBody",
        "_reading",
        "_trailers",
        "_whole",
        "history",
        "method",
        "reason",
        "status",
        "url",
        "version",
    )

    def __init__(
        self, head: ResponseHead, about: About, url: URL, method: str, connection: Any, maxBody: int, decode: bool
    ) -> None:
        """Of a `head` that has come, and what is `about` it; `connection` feeds the rest."""
        self.status = head.status
        self.reason = head.reason
        self.version = head.version
        self.url = url
        self.method = method
        self.history: list[Response] = []
        # Shared with other answers of the same head.
        self._fields = head.fields
        self._about = about
        self._headers: Headers | None = None
        self._trailers: list[tuple[bytes, bytes]] | None = None
        self._maxBody = maxBody
        self._decode = decode
        # Who feeds it, while there is more to come.
        self._connection: Any = connection
        # The body as it came, while there is no Body: pieces, one bytes mostly. `_whole` when nothing more comes.
        self._content: list[bytes] = []
        self._whole = False
        self._body: Body | None = None
        self._reading = False
        # The content, once it was asked for.
        self._cached: bytes | None = None

    # ---- What its connection does ----

    def stream(self) -> None:
        """There is more to come, and the program gets this now."""
        from protocols.http.body.streams import Body

        body = self._body = Body(self._pause, self._resume)
        for piece in self._content:
            body.bodyReceived(piece)
        self._content = []

    def _pause(self) -> None:
        if self._connection is not None:
            self._connection.pause()

    def _resume(self) -> None:
        # When all has come, the connection is somebody else's.
        if self._connection is not None:
            self._connection.resume()

    # ---- The head ----

    @property
    def code(self) -> int:
        """The same as `status`, as treq has it."""
        return self.status

    @property
    def headers(self) -> Headers:
        """The fields."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.fromRaw(self._fields.copy())
        return headers

    @property
    def trailers(self) -> Headers | None:
        """See above."""
        return None if self._trailers is None else Headers.fromRaw(self._trailers)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    def check(self) -> Self:
        """This response, if its status is below 400; else raises StatusError, which has it."""
        if self.status >= 400:
            raise StatusError(self, host=self.url.host, port=self.url.port)
        return self

    # ---- The body ----

    @property
    def isWhole(self) -> bool:
        """Whether all of it has come. The connection is free then."""
        return self._whole

    def content(self, maxBody: int | None = None) -> Deferred[bytes]:
        """The whole body, without its codings; the second time the same again.

        It fails with TooLarge when it is longer than `maxBody` (None: the client's) bytes, as it comes or as it is
        decoded; with what broke it off (`Incomplete`, `Timeout`), and with BadMessage for bytes that cannot be
        decoded. Cancelling it closes the connection. RuntimeError when it was read as a stream.
        """
        if self._cached is not None:
            return succeed(self._cached)
        limit = self._maxBody if maxBody is None else maxBody
        try:
            if self._reading:
                raise RuntimeError("the body of this response was read before, as a stream")
            if self._body is None:
                return succeed(self._contentNow(limit))
        except Exception:
            return fail()
        return ensureDeferred(self._contentLater(limit))

    def _contentNow(self, limit: int) -> bytes:
        """The content of a body that is there."""
        content = self._content
        raw = content[0] if len(content) == 1 else b"".join(content)
        codings = self._codings()
        if codings:
            raw = _decoded(codings, raw, limit)
        if len(raw) > limit:
            raise TooLarge("body", limit)
        self._cached = raw
        # Once is enough.
        self._content = []
        return raw

    async def _contentLater(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > limit:
                self.abort()
                raise TooLarge("body", limit, host=self.url.host, port=self.url.port)
            pieces.append(piece)
        self._cached = b"".join(pieces)
        return self._cached

    def text(self, encoding: str | None = None, maxBody: int | None = None) -> Deferred[str]:
        """The body as text; errors as `content`.

        :param encoding: what it is encoded in; None: what Content-Type says, else UTF-8. What is not of that encoding
            becomes U+FFFD. LookupError, from the Deferred, for an encoding that is not known.
        """
        return self.content(maxBody).addCallback(self._asText, encoding)

    def _asText(self, content: bytes, encoding: str | None) -> str:
        return content.decode(encoding or self._charset() or "utf-8", "replace")

    def _charset(self) -> str | None:
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip("\"'") or None
        return None

    def json(self, maxBody: int | None = None) -> Deferred[Any]:
        """What the body is as JSON. It fails with ValueError when it is none; else as `content`."""
        return self.content(maxBody).addCallback(_fromJSON)

    def collect(self, collector: Callable[[bytes], Any]) -> Deferred[None]:
        """Call `collector(piece)` with each piece of the body, as treq does; the Deferred fires with None at its end.

        A Deferred or coroutine that it returns is waited for, and the server with it. What it raises ends the reading
        and the connection.
        """
        return ensureDeferred(self._collect(collector))

    async def _collect(self, collector: Callable[[bytes], Any]) -> None:
        try:
            async for piece in self:
                waiting = collector(piece)
                if hasattr(waiting, "__await__"):
                    await waiting
        except BaseException:
            self.abort()
            raise

    def __aiter__(self) -> Pieces:
        """The pieces of the body, without its codings, as they come. Once."""
        if self._reading:
            raise RuntimeError("the body of this response was read before, as a stream")
        self._reading = True
        codings = self._codings()
        content, self._content = self._content, []
        return Pieces(self, content, self._body, Decoder(codings) if codings else None)

    def abort(self) -> None:
        """Close the connection if there is more to come; nothing otherwise."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    async def __aenter__(self) -> Self:
        """``async with response``: what was not read at the end is given up."""
        return self

    async def __aexit__(self, *about: object) -> None:
        self.abort()

    def _codings(self) -> list[str]:
        return self._about.codings if self._decode and self.method != "HEAD" else []

    def __repr__(self) -> str:
        return f"<Response {self.status} to {self.method} {self.url}>"


class Pieces:
    """The iterator of a response's body."""

    __slots__ = ("_decoder", "_ended", "_raw", "_response", "_stored")

    def __init__(self, response: Response, stored: list[bytes], body: Any, decoder: Decoder | None) -> None:
        self._response = response
        self._stored = stored
        self._raw = None if body is None else body.__aiter__()
        self._decoder = decoder
        self._ended = False

    def __aiter__(self) -> Pieces:
        """Itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece, never empty."""
        decoder = self._decoder
        try:
            while True:
                if decoder is not None and (piece := decoder.take()):
                    return piece
                data = await self._next()
                if decoder is None:
                    if data:
                        return data
                else:
                    decoder.feed(data)
        except StopAsyncIteration:
            if decoder is not None and not self._ended:
                self._ended = True
                decoder.end()
            raise
        except BaseException:
            self._response.abort()
            raise

    async def _next(self) -> bytes:
        if self._stored:
            return self._stored.pop(0)
        if self._raw is None:
            raise StopAsyncIteration
        data: bytes = await self._raw.__anext__()
        return data


def _fromJSON(content: bytes) -> Any:
    from json import loads

    return loads(content)


def _decoded(codings: list[str], raw: bytes, limit: int) -> bytes:
    decoder = Decoder(codings)
    decoder.feed(raw)
    pieces: list[bytes] = []
    while piece := decoder.take():
        pieces.append(piece)
        if decoder.given > limit:
            raise TooLarge("body", limit)
    decoder.end()
    return b"".join(pieces)
