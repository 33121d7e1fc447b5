"""The life of one connection of a server, apart from what is asked and answered on it: its state, how its bodies come,
and how it ends.

It ends behind an answer that says so, by a deadline, by the client, by a drain, by an error; or it becomes another
protocol's. `Channel` derives from this and has the requests and answers.
"""

from __future__ import annotations

from protocols._proxying.handover import HandedOver
from protocols.http.body.streams import Body
from protocols.http.error import HTTPError, Incomplete, Timeout, TooLarge
from protocols.http.h1 import RequestReader, responseHead
from protocols.http.h1.states import State
from protocols.http.headers import Headers
from protocols.http.server.deadlines import Deadlines
from protocols.http.server.unsent import UNSENT, Unsent
from reactor._ground.current import currentReactor
from reactor._ground.peerlog import peerMessage
from reactor.failure import Failure
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from protocols.http.message import Response
    from protocols.http.server.request import Request
    from protocols.http.server.sending import Sender
    from protocols.http.server.site import Site
    from reactor.defer import Deferred
    from reactor.interfaces import IDrainable
else:
    from reactor._ground.declare import IDrainable, implementer

__all__ = ["Connection"]

# Seconds in which a connection that is drained may bring its first request.
_FRESH = 1.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@implementer(IDrainable)
class Connection(Protocol):
    """What every request on a connection of `site` shares."""

    transport: Any

    # Bytes that the client has not taken are waited for before the next request is read.
    _unsent: Unsent | None = None
    # The request with which this became another protocol's connection.
    _switched: Request | None = None
    _other: Any = None
    # Of the body that nobody reads: how much had come by then.
    _discardedFrom = 0

    def __init__(self, site: Site) -> None:
        self.factory = self.site = site
        self._reader = RequestReader(self, site.limits)
        # The request whose answer is not written.
        self._request: Request | None = None
        # The body of the last request, while it is not whole, and whether nobody reads it any more.
        self._body: Body | None = None
        self._discarding = False
        # What the handler gave back to be waited for, and who sends an answer that is not there as a whole.
        self._work: Deferred[Any] | None = None
        self._sender: Sender | None = None
        # Whether the answer's head is written.
        self._begun = False
        # Whether the answer that is made next, or now, is the last; whether the connection is being closed.
        self._last = site.maxRequests == 1
        self._closing = False
        # Whether the reader waits for the answer; whether the transport waits, since too much has come.
        self._waits = False
        self._held = False
        # How many more requests are answered.
        self._left = site.maxRequests
        # Bytes written, and at how many of them it is looked at how many are not sent.
        self.written = 0
        self._lookAt = UNSENT

    def connectionMade(self) -> None:
        """A client has connected."""
        site = self.site
        clock = site.clock if site.clock is not None else currentReactor()
        self._seconds = clock.seconds
        self.deadlines = Deadlines(self, clock)
        site.channels.add(self)

    def headReceived(self, head: Any) -> None:
        """The reader: a request begins."""
        raise NotImplementedError

    def _answer(self, response: Response, request: Request) -> None:
        raise NotImplementedError

    # ---- Bodies ----

    def _expectBody(self, request: Request) -> None:
        """A request has one: it comes when the handler wants it."""
        request.maxBody = self.site.maxBody
        self._discarding = False
        begin = self._continue if request._head.expectContinue else None
        self._body = request._body = Body(self._pause, self._resume, begin)

    def bodyReceived(self, data: bytes) -> None:
        """The reader: a piece of the body."""
        body, request = self._body, self._request
        if body is None:
            return
        body.bodyReceived(data)
        if request is not None and request.maxBody is not None and body.received > request.maxBody:
            body.bodyFailed(TooLarge("maxBody", request.maxBody))
            self._nobodyReads(body)
        if self._discarding and body.received - self._discardedFrom > self.site.maxDiscard and not self._closing:
            self._last = True
            if self._request is None:
                self.close()

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """The reader: the request is whole."""
        body = self._body
        if body is not None:
            self._body = None
            body.bodyEnded(trailers)
        if self._request is not None:
            self._waits = True
            self._reader.pause()
        elif self._reader.state is State.HELD and not self._closing:
            self._reader.resume()

    def bodyWanted(self, request: Request) -> None:
        """The handler is about to read: whether that is more than may come is known now, if the length is."""
        body, length, most = request._body, request._head.contentLength, request.maxBody
        if body is not None and most is not None and length is not None and length > most:
            body.bodyFailed(TooLarge("maxBody", most))
            self._nobodyReads(body)

    def _nobodyReads(self, body: Body) -> None:
        if not self._discarding:
            self._discarding = True
            self._discardedFrom = body.received
        body.discard()

    def _continue(self) -> None:
        body = self._body
        # A client that does not wait has sent some of it by now.
        if body is not None and not (body.received or self._reader.buffered or self._begun or self._closing):
            self.write(_CONTINUE)

    def _pause(self) -> None:
        self._held = True
        self.transport.pauseProducing()

    def _resume(self) -> None:
        if self._held and not self._closing:
            self._held = False
            self.deadlines.bodyResumed()
            self.transport.resumeProducing()

    # ---- Out ----

    def write(self, data: bytes) -> None:
        """Send some of an answer."""
        self.written += len(data)
        self.transport.write(data)

    def inform(self, request: Request, status: int, fields: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """Told at `Request.inform`."""
        if not 102 <= status <= 199:
            raise ValueError(f"inform(): status must be 102 to 199, not {status}")
        head = responseHead(status, fields)
        if request is not self._request or self._begun:
            raise RuntimeError("inform(): the answer has begun already")
        if request._head.version:
            self.write(head)

    def _press(self) -> None:
        """Much was written: if the client does not take it, read no further requests before it does."""
        unsent = self.transport.buffered
        self._lookAt = self.written + max(UNSENT - unsent, UNSENT // 4)
        if unsent >= UNSENT and self._unsent is None and not self._closing:
            self._reader.pause()
            self._unsent = Unsent(self.transport, self._taken)

    def _taken(self) -> None:
        """The client has taken all of it."""
        self._unsent = None
        if self._request is None and not self._closing:
            self._readOn()

    def _readOn(self) -> None:
        try:
            self._reader.resume()
        except HTTPError as e:
            self._refuse(e)

    # ---- The end ----

    def _refuse(self, problem: HTTPError) -> None:
        """What came is no request: answer that once, and read nothing any more."""
        self._last = True
        body, self._body = self._body, None
        if body is not None:
            # Whoever reads it tells the handler's caller, who answers.
            body.bodyFailed(Failure(problem))
            if self._request is None:
                self.close()
            return
        peerMessage(self, "info", "connection from %s: %s", self.transport.getPeer(), problem)
        if not self._closing:
            self._say(getattr(problem, "status", 400))

    def _say(self, status: int) -> None:
        """Answer where there is no request that could be answered, and close."""
        heads = self.site.heads
        now = self._seconds()
        if now >= heads.stale:
            heads.renew(now)
        page = self.site.errorPage(status)
        self.write(heads.alone(page) + page.body)
        self.close()

    def expired(self, phase: str, seconds: float) -> None:
        """A deadline has passed."""
        if phase == "idle" or (phase == "head" and not self._reader.buffered):
            self.close()
            return
        problem = Timeout(phase, seconds)
        if phase == "head":
            self._refuse(problem)
        elif phase == "body" and self._body is not None and not self._begun:
            body = self._body
            self._last = True
            body.bodyFailed(Failure(problem))
            self._nobodyReads(body)
            if self._request is None:
                self.close()
        else:
            peerMessage(self, "info", "connection from %s reset: %s", self.transport.getPeer(), problem)
            self.reset()

    def close(self) -> None:
        """Send what is written, then close."""
        if self._closing:
            return
        self._closing = True
        reader, transport, site = self._reader, self.transport, self.site
        self.deadlines.stop()
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            unsent.stop()
        reader.pause()
        if reader.state is State.FAILED or (reader.state is not State.CLOSED and reader.paused and self._isComing()):
            # The client may still be sending, and is to get the answer all the same (RFC 9112, section 9.6).
            transport.lingerTimeout = site.lingerTimeout
        transport.closeTimeout = site.writeTimeout
        transport.loseConnection()

    def _isComing(self) -> bool:
        reader = self._reader
        return reader.state is not State.HEAD or bool(reader.buffered) or self._body is not None

    def reset(self) -> None:
        """End it so that nobody takes what came for a whole answer."""
        self._closing = True
        self.deadlines.stop()
        self._reader.pause()
        self.transport.abortConnection()

    def drain(self) -> None:
        """The server stops: answer what is being asked, and close."""
        self._last = True
        if self._left == self.site.maxRequests and self._seconds() - self.deadlines.since < _FRESH:
            # Its first request is on its way, mostly: let in by the kernel, and maybe by the port just now.
            clock = self.site.clock if self.site.clock is not None else currentReactor()
            clock.callLater(_FRESH, self._drainLate)
        else:
            self._drainLate()

    def _drainLate(self) -> None:
        if self._request is None and self._body is None and not self._reader.buffered:
            self.close()

    def switch(self, request: Request, protocol: Any, fields: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """Told at `Request.switchProtocol`."""
        if request is not self._request or self._begun:
            raise RuntimeError("switchProtocol(): the request is answered already")
        if not request._head.upgrade:
            raise RuntimeError("switchProtocol(): the client has not asked for another protocol")
        if self._body is not None and not request._head.contentLength == 0:
            raise RuntimeError("switchProtocol(): the request has a body that has not come")
        fields = list(fields)
        _checkSwitch(Headers(fields), request._head.upgrade)
        head = responseHead(101, fields)
        rest = self._reader.switch()
        transport = self.transport
        self._begun = self._closing = True
        self.deadlines.stop()
        self.site.gone(self)
        self._switched, self._request, self._work = request, None, None
        self._other = protocol
        if self._held:
            transport.resumeProducing()
        transport.write(head)
        handed = HandedOver(self, transport, rest) if rest else transport  # type: ignore[arg-type]
        self._next = None
        handed.protocol = protocol
        protocol.makeConnection(handed)
        if rest:
            handed.deliver()
        request.tellOver(101, 0, None)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is over: whoever works for it is told."""
        self.deadlines.stop()
        self.site.gone(self)
        self._closing = True
        request, self._request = self._request, None
        body, self._body = self._body, None
        work, self._work = self._work, None
        sender, self._sender = self._sender, None
        if body is not None:
            expected = None if request is None else request._head.contentLength
            body.bodyFailed(Failure(Incomplete(body.received, expected)))
        if sender is not None:
            sender.stop()
        if work is not None:
            work.cancel()
        if request is not None:
            request.tellOver(0 if sender is None else sender.status, 0 if sender is None else sender.count, reason)


def _checkSwitch(said: Headers, asked: tuple[str, ...]) -> None:
    """A change of protocol names what the client has asked for, and Upgrade in Connection (RFC 9110, section 7.8)."""
    named = [each.strip() for each in said.get("upgrade", "").split(",")]
    offered = [each.lower() for each in asked]
    if not all(each.lower() in offered for each in named):
        raise ValueError(f"switchProtocol(): Upgrade must name of {', '.join(asked)}, not {', '.join(named)!r}")
    if "upgrade" not in [each.strip().lower() for each in said.get("connection", "").split(",")]:
        raise ValueError("switchProtocol(): fields must have Connection: Upgrade")
