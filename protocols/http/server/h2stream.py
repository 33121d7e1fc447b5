"""One request of a server over HTTP/2, and its answer: for `Request` and those who send answers it is the channel.

The handler, its Response and what sends that are the same as over HTTP/1.1. What is of HTTP/2 is how a head looks, and
that what goes wrong ends the stream, not the connection.
"""

from __future__ import annotations

from protocols.http.body.streams import Body
from protocols.http.error import HTTPError, Incomplete, Timeout, TooLarge
from protocols.http.fields import checkedName, checkedValue
from protocols.http.h2.errors import INTERNAL_ERROR, NO_ERROR
from protocols.http.h2.messages import listOf
from protocols.http.h2.way import Way
from protocols.http.message import FileBody, Response
from protocols.http.server.answering import Answering
from protocols.http.server.heads import Framing
from protocols.http.server.request import Request
from protocols.http.server.sending import senderOf
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from protocols.http.h1.heads import RequestHead
    from protocols.http.h2.streams import Stream
    from protocols.http.server.h2connection import ServerConnection
    from protocols.http.server.sending import Sender
    from reactor.defer import Deferred

__all__ = ["ServerStream"]


class ServerStream(Answering):
    """One request."""

    def __init__(self, connection: ServerConnection, stream: Stream, head: RequestHead) -> None:
        self.connection = connection
        self.site = site = connection.site
        self._stream = stream
        stream.user = self
        self._seconds = connection.seconds
        self.transport: Any = Way(stream, connection.transport)
        self.written = 0
        self._begun = False
        self._work: Deferred[Any] | None = None
        self._sender: Sender | None = None
        self._start: list[tuple[bytes, bytes]] = []
        request = self._asked = Request(self, head)  # type: ignore[arg-type]
        self._request: Request | None = request
        self._body: Body | None = None
        # A body that is awaited: how much had come, and when that was looked at.
        self._mark: tuple[float, int] | None = None
        if head.chunked or head.contentLength:
            request.maxBody = site.maxBody
            begin = self._continue if head.expectContinue else None
            self._body = request._body = Body(stream.pause, stream.resume, begin)
        else:
            request.maxBody = None

    def call(self) -> None:
        """Have it answered."""
        request = self._request
        if request is None:
            return
        try:
            result = self.site.handler(request)
        except Exception as e:
            self._failed(Failure(e), request)
            return
        if result.__class__ is Response:
            self._answer(result, request)
        else:
            self._wait(result, request)

    @classmethod
    def refuse(cls, connection: ServerConnection, stream: Stream, status: int) -> None:
        """Answer a request that is not looked at any further."""
        from protocols.http.h1.heads import RequestHead

        self = cls(connection, stream, RequestHead("GET", "/", 2))
        assert self._request is not None
        self._answer(self.site.errorPage(status), self._request)

    # ---- The body ----

    def bodyReceived(self, data: bytes) -> None:
        """The stream: a piece of it."""
        body, request = self._body, self._asked
        if body is None:
            return
        body.bodyReceived(data)
        if request.maxBody is not None and body.received > request.maxBody and not body.isOver:
            body.bodyFailed(TooLarge("maxBody", request.maxBody))
            body.discard()

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """The stream: the request is whole."""
        body, self._body = self._body, None
        if body is not None:
            body.bodyEnded(trailers)

    def bodyWanted(self, request: Request) -> None:
        """The handler is about to read."""
        body, length, most = request._body, request._head.contentLength, request.maxBody
        if body is not None and most is not None and length is not None and length > most:
            body.bodyFailed(TooLarge("maxBody", most))
            body.discard()

    def _continue(self) -> None:
        body = self._body
        if body is not None and not (body.received or self._begun):
            self._stream.sendHead([(b":status", b"100")])

    def lookAtBody(self, now: float) -> None:
        """The body has to come at `Site.bodyRate`, over each stretch of `bodyTimeout`, while somebody takes it."""
        body, site = self._body, self.site
        if body is None or body.isOver or self._stream.paused:
            self._mark = None
            return
        mark, limit = self._mark, site.bodyTimeout
        if mark is None:
            self._mark = now, body.received
        elif now >= mark[0] + limit:
            if body.received - mark[1] >= site.bodyRate * limit:
                self._mark = now, body.received
            else:
                body.bodyFailed(Failure(Timeout("body", limit)))
                body.discard()

    # ---- Out ----

    def _answer(self, response: Any, request: Request) -> None:
        """Send what the handler gave back."""
        if request is not self._request or self._begun:
            if isinstance(response, Response):
                response.discard()
            return
        if not isinstance(response, Response):
            self._failed(Failure(TypeError(f"a handler gives back a Response, not {response!r}")), request)
            return
        heads, now = self.site.heads, self._seconds()
        if now >= heads.stale:
            heads.renew(now)
        try:
            response.settle()
            body = response.body
            length = len(body) if response.isBytes else body.count if isinstance(body, FileBody) else None
            said, framing, _ = heads.fields(request._head, response, length, False)
            fields = [(checkedName(name), checkedValue(name, value)) for name, value in said]
        except Exception as e:
            response.discard()
            self._failed(Failure(e), request)
            return
        self._start = listOf([(b":status", b"%d" % response.status)], fields)
        if framing is Framing.NONE or (response.isBytes and not body):
            response.discard()
            self._begun = True
            self._done(request, response.status, 0)
            self._stream.sendHead(self._start, True)
            self._allSent()
        elif response.isBytes:
            self.begun()
            self._stream.write(body)
            self.sent(request, response.status, len(body))
        else:
            plain = Framing.LENGTH if framing is Framing.LENGTH else Framing.CLOSE
            self._sender = senderOf(self, request, response, b"", plain)  # type: ignore[arg-type]
            self._sender.begin()

    @property
    def hasBegun(self) -> bool:
        """Whether some of the answer is sent."""
        return self._begun

    def begun(self) -> None:
        """The sender: the head is to be sent now."""
        self._begun = True
        self._stream.sendHead(self._start)

    def write(self, data: bytes) -> None:
        """The sender: some of the body."""
        self.written += len(data)
        self.transport.write(data)

    def room(self) -> None:
        """The stream: there is room for more."""
        self.transport.room()

    def sent(self, request: Request, status: int, count: int) -> None:
        """The sender: all of the answer is written."""
        self._sender = None
        if request is self._request:
            self._done(request, status, count)
            self._stream.end()

    def cutOff(self, request: Request, failure: Failure) -> None:
        """The sender: the body cannot be had."""
        self._sender = None
        if request is self._request:
            self._failed(failure, request)

    def _done(self, request: Request, status: int, count: int) -> None:
        self._request = self._work = None
        body = self._body
        if body is not None:
            body.discard()
        request.tellOver(status, count, None)

    def _allSent(self) -> None:
        """Nobody reads what is still to come of the request (RFC 9113, section 8.1)."""
        if self._stream.isOpen and not self._stream.ended:
            self._stream.reset(NO_ERROR)
            self._giveBodyUp(Incomplete(self._stream.received, self._stream.expected))

    def allSent(self) -> None:
        """The stream: the answer was sent."""
        self._allSent()

    def inform(self, request: Request, status: int, fields: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """Told at `Request.inform`."""
        if not 102 <= status <= 199:
            raise ValueError(f"inform(): status must be 102 to 199, not {status}")
        checked = [(checkedName(name), checkedValue(name, value)) for name, value in fields]
        if request is not self._request or self._begun:
            raise RuntimeError("inform(): the answer has begun already")
        self._stream.sendHead(listOf([(b":status", b"%d" % status)], checked))

    def switch(self, request: Request, protocol: Any, fields: Any) -> None:
        """Told at `Request.switchProtocol`."""
        raise RuntimeError("switchProtocol(): HTTP/2 has no Upgrade (RFC 9113, section 8.6)")

    # ---- The end ----

    def reset(self) -> None:
        """The answer has begun, and cannot be had whole."""
        request = self._request
        self._stream.reset(INTERNAL_ERROR)
        self._request = self._work = None
        self._giveBodyUp(Incomplete(self._stream.received, self._stream.expected))
        if request is not None:
            request.tellOver(0, 0, Failure(Incomplete(self.written)))

    def _giveBodyUp(self, problem: HTTPError) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.bodyFailed(Failure(problem))

    def streamFailed(self, problem: HTTPError) -> None:
        """The stream is over, and the answer is nobody's."""
        request, self._request = self._request, None
        work, self._work = self._work, None
        sender, self._sender = self._sender, None
        self._giveBodyUp(problem)
        if sender is not None:
            sender.stop()
        if work is not None:
            work.cancel()
        if request is not None:
            status, count = (0, 0) if sender is None else (sender.status, sender.count)
            request.tellOver(status, count, Failure(problem))
