"""The head of an answer: which fields it gets, and how its body is framed (RFC 9112, section 6). Pure.

A head that consists of nothing but status, length, type and date is kept as long as its date is right: a server sends
the same few again and again. So is a short one with fields that the handler has given.
"""

from __future__ import annotations

from email.utils import formatdate
from enum import Enum
from time import time

from protocols.http.h1.writing import responseHead
from protocols.http.message import BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from protocols.http.h1.heads import RequestHead
    from protocols.http.message import Response

__all__ = ["Framing", "Heads", "hasNoBody"]

_KEPT = 256
# The longest head with given fields that is kept, in bytes.
_SHORT = 1024


class Framing(Enum):
    """What tells the client where a body ends."""

    NONE = "there is none"
    LENGTH = "its length"
    CHUNKED = "its last chunk"
    CLOSE = "the end of the connection"


def hasNoBody(method: str, status: int) -> bool:
    """Whether an answer of that status to that method has no body, whatever its fields say (RFC 9112, section 6.3); or
    must have none, as one with 205 (RFC 9110, section 15.3.6).
    """
    return method == "HEAD" or status in (204, 205, 304) or (method == "CONNECT" and status < 300)


class Heads:
    """Makes heads, with the date of now.

    :param wall: the time of day, in seconds since 1970.
    :ivar kept: (status, length, Content-Type) -> a head for an answer of HTTP/1.1 to anything but HEAD that keeps the
        connection. To be looked into after `renew` where the date may be old.
    :ivar given: (status, length, Content-Type, reason, fields given ...) -> the same of an answer with fields or a
        reason of its own.
    :ivar stale: when the date is a second old, on the clock of who calls `renew`.
    """

    __slots__ = ("_wall", "date", "given", "kept", "stale")

    def __init__(self, wall: Callable[[], float] = time) -> None:
        self._wall = wall
        self.kept: dict[tuple[int, int, str | None], bytes] = {}
        self.given: dict[tuple[Any, ...], bytes] = {}
        self.stale = float("-inf")
        self.date = ""

    def renew(self, now: float) -> None:
        """A second has passed; it is `now` on a monotonic clock."""
        wall = self._wall()
        self.date = formatdate(wall, usegmt=True)
        # As long as this second of the wall's lasts.
        self.stale = now + 1.0 - wall % 1.0
        self.kept.clear()
        self.given.clear()

    def keep(self, status: int, length: int, contentType: str | None) -> bytes | None:
        """The head for `kept`, which has it from now on; None if an answer like that has no plain head."""
        if status in (204, 205, 304):
            return None
        try:
            head = responseHead(status, self._plain(length, contentType))
        except (TypeError, ValueError):
            # Said where it can be reported.
            return None
        if len(self.kept) >= _KEPT:
            self.kept.clear()
        self.kept[status, length, contentType] = head
        return head

    def keepGiven(self, key: tuple[Any, ...], head: RequestHead, response: Response, length: int) -> bytes | None:
        """The head of `response` for `given`, which has it from now on if there is room; None if it is not one that
        goes with a body of that length on a connection that is kept.

        What is full stays as it is until the date is new: values that never repeat, such as those of Set-Cookie, then
        cost no more than the look, and push out nothing that repeats.
        """
        if response.status in (204, 205, 304):
            return None
        try:
            start, framing, ends = self.make(head, response, length, False)
        except (TypeError, ValueError):
            # Said where it can be reported.
            return None
        if ends or framing is not Framing.LENGTH:
            return None
        if len(self.given) < _KEPT and len(start) <= _SHORT:
            self.given[key] = start
        return start

    def _plain(self, length: int, contentType: str | None) -> list[tuple[str | bytes, str | bytes]]:
        fields: list[tuple[str | bytes, str | bytes]] = [("Date", self.date), ("Content-Length", str(length))]
        if contentType is None and length:
            contentType = BYTES
        if contentType:
            fields.append(("Content-Type", contentType))
        return fields

    def make(
        self, head: RequestHead, response: Response, length: int | None, closes: bool
    ) -> tuple[bytes, Framing, bool]:
        """The head of `response` to the request of `head`, how its body is framed, and whether the connection ends.

        :param length: of the body; None if nobody knows.
        :param closes: whether the connection ends behind it.
        :raises ValueError: for fields that may not be sent.
        """
        fields, framing, ends = self.fields(head, response, length, closes)
        return responseHead(response.status, fields, response.reason), framing, ends

    def fields(
        self, head: RequestHead, response: Response, length: int | None, closes: bool
    ) -> tuple[list[tuple[str | bytes, str | bytes]], Framing, bool]:
        """The same, with the head's fields not written out."""
        status = response.status
        given = [] if response._headers is None else response._headers.raw
        names = {name.lower() for name, _ in given}
        if b"transfer-encoding" in names:
            raise ValueError("Response(): Transfer-Encoding is the server's business")
        fields: list[tuple[str | bytes, str | bytes]] = []
        if b"date" not in names:
            fields.append(("Date", self.date))
        empty = hasNoBody(head.method, status)
        framing = Framing.NONE
        if status == 205:
            # No body, which has to be said: with nothing of it the end of the connection would be its end.
            length = 0
        if head.method == "CONNECT" and status < 300:
            # RFC 9110, section 9.3.6.
            if b"content-length" in names:
                raise ValueError("Response(): success in answer to CONNECT has no Content-Length")
        elif b"content-length" in names:
            # Of an answer to HEAD it says how long the body would have been.
            framing = Framing.NONE if empty else Framing.LENGTH
            isChecked = length is not None and (not empty or status == 205)
            if isChecked and response.headers["content-length"] != str(length):
                raise ValueError(f"Response(): Content-Length is given, and is not that of the body, {length}")
        elif length is not None:
            framing = Framing.NONE if empty else Framing.LENGTH
            if status != 204 and (status != 304 or length):
                fields.append(("Content-Length", str(length)))
        elif not empty:
            framing = Framing.CHUNKED if head.version else Framing.CLOSE
            if head.version:
                fields.append(("Transfer-Encoding", "chunked"))
        if b"content-type" not in names:
            contentType = response.contentType
            if contentType is None and (length or length is None) and status not in (204, 304):
                contentType = BYTES
            if contentType:
                fields.append(("Content-Type", contentType))
        if framing is Framing.CLOSE or (b"connection" in names and _says(given, b"close")):
            closes = True
        options = ["close"] if closes else []
        if b"upgrade" in names and (closes or not _says(given, b"upgrade")):
            # Whoever sends the one has to say the other (RFC 9110, section 7.8).
            options.append("Upgrade")
        if closes:
            given = [pair for pair in given if pair[0].lower() != b"connection"]
        if options:
            fields.append(("Connection", ", ".join(options)))
        elif not head.version and b"connection" not in names:
            fields.append(("Connection", "keep-alive"))
        return [*fields, *given], framing, closes

    def alone(self, page: Response) -> bytes:
        """The head of an answer to nothing that could be read, behind which the connection ends."""
        fields = [*self._plain(len(page.body), page.contentType), ("Connection", "close")]
        return responseHead(page.status, fields)


def _says(given: list[tuple[bytes, bytes]], what: bytes) -> bool:
    """Whether a Connection field has that option."""
    values = [value for name, value in given if name.lower() == b"connection"]
    return what in [each.strip().lower() for each in b",".join(values).split(b",")]
