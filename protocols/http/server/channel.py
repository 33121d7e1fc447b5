"""One connection of a server: requests in, one after the other, and answers out in the same order.

Has the handler called and writes what that gives back: a plain answer with one write, here; a body that comes piece by
piece is `sending`'s. While an answer is being made the reader is paused, so what a client pipelines waits, and beyond a
bound the transport is paused too. Nothing is made for an answer that is there when the handler returns: no Deferred, no
timer, no object.
"""

from __future__ import annotations

from protocols.http.error import HTTPError
from protocols.http.message import FileBody, Response
from protocols.http.server.answering import Answering
from protocols.http.server.connection import Connection
from protocols.http.server.heads import Framing
from protocols.http.server.request import Request
from protocols.http.server.sending import senderOf
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.body.streams import Body
    from protocols.http.h1 import RequestHead

__all__ = ["Channel"]

# An answer up to this length is joined with its head, a larger one is written behind it.
_JOINED = 131072


class Channel(Connection, Answering):
    """One connection to a `Site`."""

    # ---- In ----

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        left = self._left
        try:
            self._reader.receive(data)
        except HTTPError as e:
            self._refuse(e)
            return
        if self._left == left:
            self._unanswered()

    def _unanswered(self) -> None:
        """What came made no request whole, or none that could be answered at once."""
        if self._closing:
            return
        if self._request is None and self._body is None:
            self.deadlines.headBegan()
        elif self._body is not None:
            self.deadlines.bodyBegan()
        elif not self._held and self._reader.buffered > self.site.maxPipelined:
            self._held = True
            self.transport.pauseProducing()

    def headReceived(self, head: RequestHead) -> None:
        """The reader: a request begins."""
        request = self._request = Request(self, head)
        self._begun = False
        if head.chunked or head.contentLength:
            self._expectBody(request)
        else:
            request.maxBody = None
        try:
            result = self.site.handler(request)
        except Exception as e:
            self._failed(Failure(e), request)
            return
        if result.__class__ is Response:
            self._answer(result, request)
        else:
            self._wait(result, request)

    # ---- The handler ----

    def _leftover(self, failure: Failure, request: Request) -> None:
        """The handler failed when the connection was another protocol's already."""
        if request is self._switched and self.transport is not None and not self._handlerEnded(failure):
            self.transport.abortConnection()

    def _otherIsOver(self) -> bool:
        """Whether the connection that the handler has handed over ends, which is no fault of the handler's."""
        other = self._other
        return getattr(other, "disconnecting", False) or not getattr(other, "connected", True)

    def _handlerEnded(self, failure: Failure | None) -> bool:
        """Tell the protocol that the handler has handed the connection to, if it wants to know; whether it did."""
        ended = getattr(self._other, "handlerEnded", None)
        if ended is not None:
            ended(failure)
        return ended is not None

    @property
    def hasBegun(self) -> bool:
        """Whether some of the answer is sent."""
        return self._begun

    # ---- Out ----

    def _answer(self, response: Any, request: Request) -> None:
        """Send what the handler gave back for `request`, if anybody still waits for it."""
        if request is not self._request or self._begun:
            if isinstance(response, Response):
                response.discard()
            if request is self._switched:
                self._handlerEnded(None)
            return
        if not isinstance(response, Response):
            self._failed(Failure(TypeError(f"a handler gives back a Response, not {response!r}")), request)
            return
        now = self._seconds()
        heads = self.site.heads
        if now >= heads.stale:
            heads.renew(now)
        body = response.body
        head = request._head
        if (
            body.__class__ is bytes
            and head.keepAlive
            and head.version
            and not self._last
            and self._body is None
            and head.method != "HEAD"
        ):
            length = len(body)
            if response._headers is None and response.reason is None:
                key = response.status, length, response.contentType
                start = heads.kept.get(key) or heads.keep(*key)
            else:
                start = self._given(response, head, length)
            if start is not None:
                self.written += len(start) + length
                if length < _JOINED:
                    self.transport.write(start + body)
                else:
                    self.transport.write(start)
                    self.transport.write(body)
                self._done(request, now, response.status, length)
                return
        self._answerFully(response, request, now)

    def _given(self, response: Response, head: RequestHead, length: int) -> bytes | None:
        """The head of an answer with fields of its own that is otherwise plain; None if it has to be made in full."""
        heads = self.site.heads
        fields = () if response._headers is None else response._headers.raw
        key = response.status, length, response.contentType, response.reason, *fields
        try:
            start = heads.given.get(key)
        except TypeError:
            # Not all of it can be a key.
            return None
        return start or heads.keepGiven(key, head, response, length)

    def _answerFully(self, response: Response, request: Request, now: float) -> None:
        """Send an answer that is not simply length and bytes."""
        head, unread = request._head, self._body
        self._last = closes = self._last or not head.keepAlive or (unread is not None and not self._isShort(unread))
        try:
            response.settle()
            body = response.body
            length = len(body) if response.isBytes else body.count if isinstance(body, FileBody) else None
            start, framing, ends = self.site.heads.make(head, response, length, closes)
        except Exception as e:
            response.discard()
            self._failed(Failure(e), request)
            return
        self._last = ends
        if response.isBytes or framing is Framing.NONE:
            self._begun = True
            if framing is Framing.NONE:
                response.discard()
                body = b""
            self.written += len(start) + len(body)
            self.transport.write(start + body)
            self._done(request, now, response.status, len(body))
        else:
            self._sender = senderOf(self, request, response, start, framing)
            self._sender.begin()

    def _isShort(self, body: Body) -> bool:
        """Whether the rest of a body that nobody will have read is worth waiting for, to keep the connection."""
        head = self._request._head  # type: ignore[union-attr]
        if head.expectContinue and not body.received:
            # It may come or not, and nobody could tell it from the next request.
            return False
        return head.contentLength is None or head.contentLength - body.received <= self.site.maxDiscard

    def begun(self) -> None:
        """The sender: the head is written."""
        self._begun = True

    def sent(self, request: Request, status: int, count: int) -> None:
        """The sender: all of the answer is written."""
        self._sender = None
        if request is self._request:
            self._done(request, self._seconds(), status, count)

    def cutOff(self, request: Request, failure: Failure) -> None:
        """The sender: the body cannot be had. An answer that has not begun becomes another one."""
        self._sender = None
        if request is self._request:
            self._failed(failure, request)

    def _done(self, request: Request, now: float, status: int, count: int) -> None:
        """The answer is written."""
        self._request = self._work = None
        last = self._last
        left = self._left = self._left - 1
        if left == 1:
            # The next one says so.
            self._last = True
        self.deadlines.since = now
        if request._over is not None:
            request.tellOver(status, count, None)
        if last or self._waits or self._body is not None:
            self._further(last)
        elif self.written > self._lookAt:
            self._press()

    def _further(self, last: bool) -> None:
        """Behind an answer: close, or read what waited for it."""
        if self._body is not None:
            self._nobodyReads(self._body)
        if last:
            self.close()
        elif self._waits:
            self._waits = False
            if self.written > self._lookAt:
                self._press()
            if self._held:
                self._held = False
                self.transport.resumeProducing()
            if self._unsent is None:
                self._readOn()
