"""A connection to a server that speaks HTTP/2, shared by requests; and each of those, `Asked`.

To the exchange an `Asked` is what a connection is over HTTP/1.1: who can be abandoned, and who tells `answered` or
`failed`. Giving one up resets its stream, and touches nothing else.
"""

from __future__ import annotations

from math import inf

from protocols.http.client.response import About, Response
from protocols.http.client.sending import Sending
from protocols.http.error import BadMessage, BadResponse, HTTPError, Incomplete
from protocols.http.fields import checkedName, checkedValue
from protocols.http.h2.errors import CANCEL, NO_ERROR, REFUSED_STREAM, ConnectionFailed, StreamReset
from protocols.http.h2.messages import listOf
from protocols.http.h2.session import Session
from protocols.http.h2.way import Way
from reactor._ground.log import message
from reactor.defer import CancelledError
from reactor.failure import Failure
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from protocols.http.body.sources import Payload
    from protocols.http.client.exchange import Exchange
    from protocols.http.client.keeping import Keeper
    from protocols.http.h1 import RequestHead, ResponseHead
    from protocols.http.h2.streams import Stream
    from reactor.interfaces import IPushProducer
else:
    from reactor._ground.declare import IPushProducer, implementer

__all__ = ["Asked", "SharedConnection"]


@implementer(IPushProducer)
class SharedConnection(Protocol):
    """One connection. The pool counts it as one, and has it when it is idle.

    :ivar deadline: when `expired` is called; only while it is idle.
    """

    transport: Any
    isShared = True

    def __init__(self, keeper: Keeper, origin: Any) -> None:
        self._keeper = keeper
        self.origin = origin
        self.deadline = inf
        #: How many requests it was used for, and whether the pool counts it.
        self.used = 0
        self.placed = True
        #: Whether it is among the pool's idle ones.
        self.isIdle = False
        self._over = self._stalled = self._flushing = False
        # Those whose head came with what is being read.
        self._fresh: list[Asked] = []
        assert keeper.sharing is not None
        self._sharing = keeper.sharing
        self.session = Session(self, False, keeper.sharing.bounds, keeper.limits)

    def connectionMade(self) -> None:
        """The server has agreed to HTTP/2."""
        self.transport.registerProducer(self, True)
        self.touched()

    @property
    def isOpen(self) -> bool:
        """Whether a request can be sent."""
        return not self._over and not self.session.leaving

    @property
    def mayBegin(self) -> int:
        """How many more requests there is room for."""
        keeper = self._keeper
        if not self.isOpen or self.used == keeper.maxUses:
            return 0
        return self.session.mayBegin

    # ---- A request ----

    def ask(self, exchange: Exchange) -> None:
        """Send its request."""
        self.isIdle = False
        self.deadline = inf
        if self.mayBegin <= 0:
            # It was the first on this connection, or the last of many.
            if not exchange.again(Failure(StreamReset(REFUSED_STREAM, **exchange.facts())), True):
                exchange.failed(Failure(StreamReset(REFUSED_STREAM, **exchange.facts())))
            self.settle()
            return
        try:
            target, said = exchange.client.fieldsOf(exchange)
            fields = [(checkedName(name), checkedValue(name, value)) for name, value in said]
        except Exception:
            # The program's cookies.
            exchange.failed(Failure())
            self.settle()
            return
        self.used += 1
        Asked(self, exchange).send(target, fields)
        if self.used == self._keeper.maxUses:
            self._sharing.leaving(self)

    def settle(self) -> None:
        """A request is over: there is room for another, or this is idle, or at its end."""
        if self._over:
            return
        if not self.isOpen or self.used == self._keeper.maxUses:
            if not self.session.streams:
                self.drop()
            return
        self._sharing.serve(self)
        if not self.session.streams and not self.isIdle and self.isOpen:
            self.isIdle = True
            self._keeper.free(self)  # type: ignore[arg-type]

    # ---- In ----

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        try:
            self.session.receive(data, self._keeper.clock.seconds())
        except ConnectionFailed as e:
            self._fail(e)
            return
        fresh, self._fresh = self._fresh, []
        for asked in fresh:
            asked.deliver()
        self.touched()

    def responseReceived(self, stream: Stream, head: ResponseHead) -> None:
        """The session: an answer."""
        asked: Asked = stream.user
        asked.headReceived(head)
        if head.status >= 200:
            self._fresh.append(asked)

    def requestReceived(self, stream: Stream, head: RequestHead) -> None:
        """Never: for servers."""

    def requestRefused(self, stream: Stream, problem: HTTPError) -> None:
        """Never: for servers."""

    def streamBroken(self, stream: Stream, problem: HTTPError) -> None:
        """The session: an answer that is malformed, which its user hears."""

    def goneAway(self, last: int, code: int) -> None:
        """The session: no further requests here; those above `last` have heard so."""
        self._leave()
        self.settle()

    def settingsChanged(self) -> None:
        """The session: there may be room for more requests."""
        self._sharing.serve(self)

    def _leave(self) -> None:
        keeper = self._keeper
        if self.isIdle and keeper.pool.remove(self):
            self.isIdle = self.placed = False
        self._sharing.leaving(self)

    # ---- Out ----

    def touched(self) -> None:
        """Send what there is to send, as long as the transport takes it."""
        if self._flushing or self._over or self.transport is None:
            return
        self._flushing = True
        try:
            while True:
                if not self._stalled:
                    self.session.fill(self._keeper.clock.seconds())
                data = self.session.take()
                if not data:
                    break
                self.transport.write(data)
        finally:
            self._flushing = False

    def pauseProducing(self) -> None:
        """The server does not take it fast enough."""
        self._stalled = True

    def resumeProducing(self) -> None:
        """It has taken what was written."""
        self._stalled = False
        self.touched()

    def stopProducing(self) -> None:
        """The connection is over, which is about to be told."""
        self._stalled = True

    # ---- Its end ----

    def _fail(self, problem: ConnectionFailed) -> None:
        self._leave()
        self.touched()
        self.session.failStreams(problem)
        self.drop()

    def expired(self) -> None:
        """It was idle for long enough."""
        self._keeper.close(self)  # type: ignore[arg-type]

    def giveUp(self, why: BaseException) -> None:
        """The client ends; those that are asked are told themselves."""
        self._keeper.close(self)  # type: ignore[arg-type]

    def abandon(self, why: BaseException | None = None) -> None:
        """Whoever it was made for has given up: it is there for others."""
        self.settle()

    def drop(self, abort: bool = False) -> None:
        """This is closed, and used no more; the pool counts it until it is gone."""
        if self._over:
            return
        if not self.session.leaving:
            self.session.goAway()
            self.touched()
        self._over = True
        self._keeper.deadlines.discard(self)
        self._sharing.leaving(self)
        self.transport.unregisterProducer()
        self.transport.closeTimeout = self._keeper.closeTimeout
        if abort:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        keeper = self._keeper
        self._over = True
        keeper.deadlines.discard(self)
        if self.isIdle and keeper.pool.remove(self):
            self.placed = False
        self._sharing.leaving(self)
        problem = Incomplete(0, None, "head")
        problem.__cause__ = reason.value
        self.session.failStreams(problem)
        keeper.gone(self)  # type: ignore[arg-type]


class Asked:
    """One request on its way, and its answer."""

    def __init__(self, connection: SharedConnection, exchange: Exchange) -> None:
        self._connection = connection
        self._keeper = connection._keeper
        self._exchange: Exchange | None = exchange
        self.deadline = exchange.deadline
        stream = self._stream = connection.session.begin(self, exchange.method)
        self.transport = Way(stream, connection.transport)
        self._response: Response | None = None
        self._delivered = self._over = False
        self._sending: Sending | None = None
        # A body that waits for 100 Continue, and the timer that ends that wait.
        self._held: Payload | None = None
        self._patience: Any = None
        self._informed = 0
        exchange.connection = self

    def send(self, target: str, fields: list[tuple[bytes, bytes]]) -> None:
        """Send the request."""
        exchange = self._exchange
        assert exchange is not None
        self._keeper.deadlines.add(self)
        payload = exchange.payload
        host = [value for name, value in fields if name.lower() == b"host"]
        pseudo = [
            (b":method", exchange.method.encode()),
            (b":scheme", b"https"),
            (b":authority", host[0]),
            (b":path", target.encode()),
        ]
        self._stream.sendHead(listOf(pseudo, [pair for pair in fields if pair[0].lower() != b"host"]), payload is None)
        if payload is None:
            return
        if exchange.expects:
            self._held = payload
            self._patience = self._keeper.clock.callLater(self._keeper.continueTimeout, self._sendHeld)
        else:
            self._sendBody(payload)

    def _sendBody(self, payload: Payload) -> None:
        whole = payload.whole
        if whole is not None:
            self._stream.write(whole)
            self._stream.end()
            return
        self._sending = Sending(self.transport, payload, self._sent, framed=False)
        self._sending.begin()

    def _sendHeld(self) -> None:
        payload, self._held = self._held, None
        self._impatient()
        if payload is not None:
            self._sendBody(payload)

    def _impatient(self) -> None:
        timer, self._patience = self._patience, None
        if timer is not None and timer.active():
            timer.cancel()

    def _sent(self, result: Any) -> None:
        self._sending = None
        if isinstance(result, Failure):
            if result.check(CancelledError) is None:
                self._end(result, CANCEL)
        else:
            self._stream.end()

    def room(self) -> None:
        """The stream: there is room for more."""
        self.transport.room()

    def allSent(self) -> None:
        """The stream: the request is sent."""

    # ---- The answer ----

    def headReceived(self, head: ResponseHead) -> None:
        """It begins; or it is not the last word."""
        exchange = self._exchange
        if exchange is None:
            return
        if head.status < 200:
            self._informed += 1
            if self._informed > self._keeper.limits.informational:
                self._end(Failure(BadResponse("too many answers with 1xx", **exchange.facts())), CANCEL)
            elif head.status == 100:
                self._sendHeld()
            return
        self._held = None
        self._impatient()
        self._response = Response(
            head, About(head.fields), exchange.url, exchange.method, self, exchange.maxBody, exchange.decode
        )

    def bodyReceived(self, data: bytes) -> None:
        """A piece of its body."""
        response = self._response
        if response is not None:
            if response._body is None:
                response._content.append(data)
            else:
                response._body.bodyReceived(data)

    def deliver(self) -> None:
        """The head is here, and what came with it; if the body is not whole the program is to have it now."""
        exchange, response = self._exchange, self._response
        if exchange is None or response is None or self._delivered or self._over:
            return
        self._delivered = True
        if exchange.passesOn(response):
            # A redirect, whose body nobody wants.
            self._release(CANCEL)
            exchange.connection = response._connection = None
            exchange.answered(response)
            return
        response.stream()
        exchange.answered(response)

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """It is whole."""
        exchange, response, delivered = self._exchange, self._response, self._delivered
        if exchange is None or response is None:
            return
        self._exchange = None
        response._trailers = trailers
        response._connection = None
        response._whole = True
        exchange.connection = None
        if not delivered:
            exchange.answered(response)
        elif response._body is not None:
            response._body.bodyEnded(trailers)
        # What is not sent is not wanted (section 8.1).
        self._release(NO_ERROR)

    def pause(self) -> None:
        """Enough of the body waits."""
        self._stream.pause()

    def resume(self) -> None:
        """There is room."""
        self._stream.resume()

    # ---- Its end ----

    @property
    def phase(self) -> str:
        """What is being waited for: ``"send"``, ``"wait"`` or ``"body"``."""
        if self._response is not None:
            return "body"
        return "send" if self._sending is not None or self._stream.unsent else "wait"

    def _release(self, code: int) -> None:
        """Nothing more of it is sent or taken."""
        if self._over:
            return
        self._over = True
        self._keeper.deadlines.discard(self)
        self._impatient()
        self._held = None
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.stop()
        stream = self._stream
        if not (stream.ended and stream.sentAll):
            stream.reset(code)
        else:
            stream.session.forget(stream)
        self._connection.settle()

    def _end(self, failure: Failure, code: int) -> None:
        exchange, response, delivered = self._exchange, self._response, self._delivered
        self._exchange = None
        self._release(code)
        if exchange is None:
            return
        exchange.connection = None
        if not delivered:
            exchange.failed(failure)
        else:
            assert response is not None
            response._connection = None
            if response._body is not None:
                response._body.bodyFailed(failure)

    def streamFailed(self, problem: HTTPError) -> None:
        """The stream is over."""
        exchange = self._exchange
        if exchange is None:
            self._release(CANCEL)
            return
        failure = Failure(self._told(problem, exchange))
        if self._response is None:
            refused = isinstance(problem, StreamReset) and problem.code == REFUSED_STREAM
            lost = isinstance(problem, Incomplete) and self._connection.used > 1
            self._exchange = None
            self._release(CANCEL)
            if not ((refused or lost) and exchange.again(failure, refused)):
                exchange.connection = None
                exchange.failed(failure)
        else:
            self._end(failure, CANCEL)

    def _told(self, problem: HTTPError, exchange: Exchange) -> HTTPError:
        """What the program is told; a problem of the connection is that of several."""
        if isinstance(problem, BadMessage):
            told: HTTPError = BadResponse(problem._said())
        elif isinstance(problem, Incomplete):
            part = "head" if self._response is None else "body"
            told = Incomplete(self._stream.received, self._stream.expected, part)
        else:
            told = problem
        told._learn(exchange.facts())
        if told is not problem:
            told.__cause__ = problem.__cause__ if isinstance(problem, Incomplete) else problem
        return told

    def abandon(self, why: BaseException | None = None) -> None:
        """The program wants no more of it."""
        self._end(Failure(CancelledError() if why is None else why), CANCEL)

    def giveUp(self, why: BaseException) -> None:
        """The client ends."""
        self._end(Failure(why), CANCEL)

    def expired(self) -> None:
        """The deadline of the request has passed."""
        exchange, response = self._exchange, self._response
        if exchange is not None:
            if self._delivered and response is not None and not response._reading:
                message("warning", "%r was not read within %g s: it is given up", response, exchange.timeout)
            self._end(Failure(exchange.timedOut(self.phase)), CANCEL)
