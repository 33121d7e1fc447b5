"""`Response`: what a handler answers with. What is wrong with it is said where it is made; pure.

How it is framed, and what becomes of it on the way, is the server's.
"""

from __future__ import annotations

from protocols.http.fields import checkedValue
from protocols.http.headers import Headers
from reactor._ground.naming import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping
    from typing import IO, Any

    Piece = str | bytes | bytearray | memoryview
    Fields = Mapping[str, str] | Headers | Iterable[tuple[str | bytes, str | bytes]]

__all__ = ["Response", "TEXT", "HTML", "JSON", "BYTES"]

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"

_MISSING: Any = object()
# Content-Types that programs have given and that are fine. Bounded; programs give the same few.
_fine = {TEXT, HTML, JSON, BYTES, ""}
_FINE = 256


class FileBody:
    """A part of a file, as the body of a response: from `offset`, `count` bytes. Closed by whoever sends it."""

    __slots__ = ("count", "file", "offset")

    def __init__(self, file: Any, offset: int, count: int) -> None:
        self.file = file
        self.offset = offset
        self.count = count


class Response:
    """An answer: a status, fields, and a body.

    :param body: a str (sent as UTF-8) or bytes; or an iterable or async iterable of those, of which one at a time is
        asked for, when there is room for it. An async iterable is closed (``aclose``) if the client goes.
    :param status: 200 to 999. 1xx are none: they are sent for you.
    :param headers: more fields: a mapping, `Headers` or pairs. Date, Content-Length and Transfer-Encoding are added
        where they belong; a Content-Length that is given with an iterable must be right.
    :param contentType: the Content-Type where `headers` have none; None: text/plain for a str, application/json with
        `json`, else application/octet-stream. ``""``: none.
    :param json: instead of a body, what `json.dumps` takes.
    :param file: instead of a body, the path of a file, or one that is opened for reading bytes: sent with
        `transport.sendFile`, and closed.
    :param offset: where to begin in the file, in bytes.
    :param count: how many bytes of it; None: up to its end.
    :param reason: the phrase behind the status; None: the standard's.
    :raises TypeError, ValueError: for what is not like that; OSError for a file that cannot be opened.
    :ivar body: what is sent: bytes, an iterable, an async iterable or a `FileBody`; what is put in later is taken as
        it would have been here.
    """

    __slots__ = ("_headers", "body", "contentType", "reason", "status")

    body: Any
    contentType: str | None

    def __init__(
        self,
        body: Piece | Iterable[Piece] | AsyncIterable[Piece] | FileBody | None = b"",
        status: int = 200,
        headers: Fields | None = None,
        *,
        contentType: str | None = None,
        json: Any = _MISSING,
        file: str | IO[bytes] | Any = None,
        offset: int = 0,
        count: int | None = None,
        reason: str | None = None,
    ) -> None:
        kind = body.__class__
        if kind is str:
            self.body = body.encode()  # type: ignore[union-attr]
            self.contentType = TEXT if contentType is None else contentType
        elif kind is bytes:
            self.body = body
            self.contentType = contentType
        else:
            self.body = _bodyOf(body)
            self.contentType = contentType
        if status.__class__ is not int or not 200 <= status <= 999:
            status = _statusOf(status)
        if contentType is not None and (contentType.__class__ is not str or contentType not in _fine):
            _checkText("contentType", contentType)
            if len(_fine) < _FINE and len(contentType) < 64:
                _fine.add(contentType)
        if reason is not None:
            _checkText("reason", reason)
        self.status = status
        self._headers = None if headers is None else Headers(headers)
        self.reason = reason
        if json is not _MISSING:
            self._setJSON(json, contentType)
        if file is not None:
            self._setFile(file, offset, count)
        elif offset or count is not None:
            raise ValueError("Response(): offset and count are of a file=, and there is none")

    @property
    def headers(self) -> Headers:
        """The fields that were given, and may be changed. Those that are added as it is sent are not among them."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers()
        return headers

    @property
    def isBytes(self) -> bool:
        """Whether the body is there as a whole."""
        return self.body.__class__ is bytes

    def _alone(self, what: str) -> None:
        if self.body.__class__ is not bytes or self.body:
            raise ValueError(f"Response(): either a body or {what}=")

    def _setJSON(self, json: Any, contentType: str | None) -> None:
        from json import dumps

        self._alone("json")
        try:
            text = dumps(json, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as e:
            raise type(e)(f"Response(): json cannot be written: {e}") from None
        self.body = text.encode()
        self.contentType = JSON if contentType is None else contentType

    def _setFile(self, file: Any, offset: int, count: int | None) -> None:
        import os

        self._alone("file")
        opened = open(file, "rb") if isinstance(file, (str, bytes, os.PathLike)) else file
        if not hasattr(opened, "fileno") or hasattr(opened, "encoding"):
            raise TypeError(f"Response(): file must be a path, or a file opened for reading bytes, not {shown(file)}")
        try:
            size = os.fstat(opened.fileno()).st_size
            for name, value in (("offset", offset), ("count", size if count is None else count)):
                if not isinstance(value, int) or value < 0:
                    raise ValueError(f"Response(): {name} must be a number of bytes, not {shown(value)}")
        except BaseException:
            if opened is not file:
                opened.close()
            raise
        left = max(size - offset, 0)
        self.body = FileBody(opened, offset, left if count is None else min(count, left))

    def settle(self) -> None:
        """The server is about to send it: what has been put into `body` since it was made is as if it had been given.

        :raises TypeError: for what is no body; RuntimeError if it can be sent once only, and was.
        """
        body = self.body
        if body.__class__ is not bytes:
            self.body = _bodyOf(body)

    def copied(self) -> Response:
        """Another one that may be changed, for a handler may give back this one again. It shares the body."""
        from copy import copy

        other = copy(self)
        if self._headers is not None:
            other._headers = self._headers.copy()
        return other

    def taken(self) -> None:
        """The server sends it. A file or an iterator is there once: who gives it back again must not send nothing."""
        body = self.body
        if body.__class__ is FileBody or hasattr(body, "__next__") or hasattr(body, "__anext__"):
            self.body = _SENT

    def discard(self) -> None:
        """Nobody will send it: close the file, or the generator."""
        body = self.body
        if body.__class__ is FileBody:
            body.file.close()
        elif body.__class__ is not bytes and hasattr(body, "close"):
            body.close()

    def __repr__(self) -> str:
        what = f"{len(self.body)} bytes" if self.isBytes else shown(self.body)
        return f"<Response {self.status}, {what}>"


class _Sent:
    def __repr__(self) -> str:
        return "body that was sent"


_SENT = _Sent()


def _checkText(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"Response(): {name} must be a str, not {shown(value)}")
    try:
        checkedValue(name, value)
    except ValueError as e:
        problem = "is not Latin-1" if "Latin-1" in str(e) else "has a control character"
        raise ValueError(f"Response(): {name} {problem}: {shown(value)}") from None


def _bodyOf(body: Any) -> Any:
    """What is no str and no bytes, as something that can be sent."""
    if body is None:
        return b""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, str):
        return str(body).encode()
    if isinstance(body, FileBody) or hasattr(body, "__aiter__"):
        return body
    if hasattr(body, "__iter__") and not hasattr(body, "keys"):
        return body
    if body is _SENT:
        raise RuntimeError("a Response of a file or an iterator can be sent once: make another one for each request")
    hint = "; Response(json=...) sends it as JSON" if isinstance(body, (dict, int, float)) else ""
    raise TypeError(f"Response(): body must be str, bytes, or an iterable of those, not {shown(body)}{hint}")


def _statusOf(status: Any) -> int:
    """One that is not simply right: of an enum, as the standard library has it, or an error."""
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"Response(): status must be an int, not {shown(status)}")
    if not 200 <= status <= 999:
        raise ValueError(f"Response(): status must be 200 to 999, not {shown(status)}")
    return int(status)
