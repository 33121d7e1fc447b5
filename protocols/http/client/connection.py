"""One connection to a server or proxy: one request at a time, and its answer.

It knows the transport, the reader of answers, whose request is at work, and whether it may be used again. Which request
comes next is the pool's business, what becomes of an answer that of the `Exchange`, which it tells: `answered`,
`failed`, or `stale` when the connection was gone before anything of an answer came.
"""

from __future__ import annotations

from math import inf

from protocols.http.client.response import About, Response
from protocols.http.client.sending import Sending
from protocols.http.error import BadMessage, BadResponse, HTTPError, Incomplete, TooLarge
from protocols.http.h1 import ResponseReader
from reactor._ground.log import message
from reactor.defer import CancelledError
from reactor.error import ConnectionClosed, ConnectionDone
from reactor.failure import Failure
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.body.sources import Payload
    from protocols.http.client.exchange import Exchange
    from protocols.http.client.keeping import Keeper
    from protocols.http.h1 import ResponseHead

# What waits of a body that nobody reads before the server has to wait; what is at most as long is taken in at once.
HELD = 65536


class Connection(Protocol):
    """See the module.

    :ivar deadline: when `expired` is called, see `deadlines`.
    """

    transport: Any
    #: Whether several requests use it at a time.
    isShared = False

    def __init__(self, keeper: Keeper, origin: Any) -> None:
        """`keeper` has the pool and the limits; `origin` is the pool's name for what this connects to."""
        self._keeper = keeper
        self.origin = origin
        self.deadline = inf
        self._reader = ResponseReader(self, keeper.limits)
        # Invariant: these are None while the connection is idle, and `_response` while no head has come.
        self._exchange: Exchange | None = None
        self._response: Response | None = None
        self._sending: Sending | None = None
        # A body that waits for 100 Continue, and the timer that ends that wait.
        self._held: Payload | None = None
        self._patience: Any = None
        # The head that came last, and what is about it.
        self._head: ResponseHead | None = None
        self._about: Any = None
        # Whether the program has its Response; whether the answer is whole; whether this can be used again.
        self._delivered = False
        self._whole = False
        self._keepAlive = True
        self._heard = False
        self._paused = False
        self._over = False
        self._size = 0
        #: How many requests it was used for.
        self.used = 0
        #: Whether the pool counts it.
        self.placed = True

    # ---- A request ----

    def send(self, exchange: Exchange, head: bytes, payload: Payload | None, expects: bool) -> None:
        """Send a request whose `head` is written out; `payload` is what follows and is not in it."""
        self._exchange = exchange
        self._heard = False
        self._size = 0
        self.used += 1
        keeper = self._keeper
        deadline = self.deadline = exchange.deadline
        if deadline < keeper.deadlines.next:
            keeper.deadlines.sooner(deadline)
        self._reader.expect(exchange.method)
        self.transport.write(head)
        if payload is None:
            return
        if expects:
            self._held = payload
            self._patience = keeper.clock.callLater(keeper.continueTimeout, self._sendHeld)
        else:
            self._sendBody(payload)

    def _sendBody(self, payload: Payload) -> None:
        sending = self._sending = Sending(self.transport, payload, self._sent)
        sending.begin()

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
            if result.check(ConnectionClosed, CancelledError) is not None:
                # `connectionLost` tells, if that has not been.
                return
            self._end(result)

    @property
    def phase(self) -> str:
        """What is being waited for: ``"send"``, ``"wait"`` or ``"body"``."""
        if self._response is not None:
            return "body"
        return "wait" if self._sending is None and not self.transport.buffered else "send"

    # ---- The answer ----

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        if self._exchange is None:
            # An answer that nobody asked for: whatever it is, nothing here is to be taken for the next one.
            self._keeper.close(self)
            return
        self._heard = True
        try:
            self._reader.receive(data)
        except HTTPError as e:
            if not self._whole:
                self._bad(e)
                return
            # What is left over behind an answer.
            self._keepAlive = False
        if self._response is not None:
            if self._whole:
                self._finish()
            elif not self._delivered:
                self._deliver()

    def informationReceived(self, head: ResponseHead) -> None:
        """An answer that is not the last word."""
        if head.status == 100:
            self._sendHeld()
        elif head.status == 101:
            raise BadMessage("101 Switching Protocols, which nobody asked for", place="status line")

    def headReceived(self, head: ResponseHead) -> None:
        """The answer begins."""
        exchange = self._exchange
        assert exchange is not None
        if head.status == 101:
            raise BadMessage("101 Switching Protocols, which nobody asked for", place="status line")
        self._keepAlive = head.keepAlive
        if head is not self._head:
            self._head = head
            self._about = About(head.fields)
        self._response = Response(
            head, self._about, exchange.url, exchange.method, self, exchange.maxBody, exchange.decode
        )
        if self._held is not None:
            # The server did not want the body, and cannot tell what would come next from it.
            self._held = None
            self._impatient()
            self._keepAlive = False

    def bodyReceived(self, data: bytes) -> None:
        """A piece of its body."""
        response = self._response
        assert response is not None
        self._size += len(data)
        body = response._body
        if body is None:
            response._content.append(data)
        else:
            body.bodyReceived(data)

    def messageReceived(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """It is whole."""
        response = self._response
        assert response is not None
        self._whole = True
        response._trailers = trailers

    def _deliver(self) -> None:
        """The head is here, and the body is not whole: the program is to have it now."""
        exchange, response = self._exchange, self._response
        assert exchange is not None and response is not None
        if exchange.passesOn(response):
            # A redirect, whose body nobody wants: a short one is waited for, so that this can be used again.
            response._content.clear()
            if self._size > HELD:
                self._exchange = self._response = None
                self.drop(abort=True)
                exchange.connection = response._connection = None
                exchange.answered(response)
            return
        self._delivered = True
        response.stream()
        exchange.answered(response)

    def pause(self) -> None:
        """Enough of the body waits."""
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def resume(self) -> None:
        """There is room."""
        if self._paused:
            self._paused = False
            self.transport.resumeProducing()

    def _finish(self) -> None:
        """The answer is whole: this is free for another request, or closed; then whoever waits is told."""
        exchange, response, delivered = self._exchange, self._response, self._delivered
        assert exchange is not None and response is not None
        self._exchange = self._response = None
        self._whole = self._delivered = False
        response._connection = None
        response._whole = True
        if self._sending is not None:
            # Answered before all was sent.
            self._sending.stop()
            self._sending = None
            self._keepAlive = False
        if not self._over:
            self.resume()
            exchange.connection = None
            if self._keepAlive:
                self._keeper.free(self)
            else:
                self.drop()
        if not delivered:
            exchange.answered(response)
        elif response._body is not None:
            response._body.bodyEnded(response._trailers or [])

    # ---- Its end ----

    def _bad(self, error: HTTPError) -> None:
        """What came is no answer."""
        exchange = self._exchange
        assert exchange is not None
        problem: HTTPError = BadResponse(error._said(), **exchange.facts())
        if isinstance(error, TooLarge):
            problem.limit = error.limit  # type: ignore[attr-defined]
        problem.__cause__ = error
        self._end(Failure(problem))

    def _end(self, failure: Failure) -> None:
        """The request fails, and this with it."""
        exchange, response, delivered = self._exchange, self._response, self._delivered
        self._exchange = self._response = None
        self.drop(abort=True)
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

    def abandon(self, why: BaseException | None = None) -> None:
        """The program wants no more of the request that is at work, which fails with `why`; this is closed."""
        self._end(Failure(CancelledError() if why is None else why))

    def giveUp(self, why: BaseException) -> None:
        """The client ends."""
        if self._exchange is None:
            self._keeper.close(self)
        else:
            self._end(Failure(why))

    def expired(self) -> None:
        """The deadline of the request has passed, or the time for which this may be idle."""
        exchange, response = self._exchange, self._response
        if exchange is None:
            self._keeper.close(self)
            return
        if self._delivered and response is not None and not response._reading:
            message("warning", "%r was not read within %g s: its connection is aborted", response, exchange.timeout)
        self._end(Failure(exchange.timedOut(self.phase)))

    def drop(self, abort: bool = False) -> None:
        """This is closed, and used no more; the pool counts it until it is gone."""
        if self._over:
            return
        self._over = True
        keeper = self._keeper
        keeper.deadlines.discard(self)
        self._impatient()
        self._held = None
        if self._sending is not None:
            self._sending.stop()
            self._sending = None
        if abort:
            self.transport.abortConnection()
        else:
            self.transport.closeTimeout = keeper.closeTimeout
            self.transport.loseConnection()

    @property
    def isOpen(self) -> bool:
        """Whether a request can be sent."""
        return not self._over

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        exchange = self._exchange
        if exchange is not None:
            if self._response is None and not self._heard:
                self._exchange = None
                self.drop(abort=True)
                exchange.stale(reason, self.used > 1, self)
            else:
                self._cut(reason)
        self.drop(abort=True)
        self._keeper.gone(self)

    def _cut(self, reason: Failure) -> None:
        """It ended while an answer came: which is its end, if that is what it said."""
        exchange = self._exchange
        assert exchange is not None
        problem: HTTPError | None = None
        if reason.check(ConnectionDone) is not None:
            try:
                self._reader.ended()
            except Incomplete as e:
                problem = e
            except HTTPError as e:
                self._bad(e)
                return
            if self._whole:
                self._keepAlive = False
                self.drop()
                self._finish()
                return
        if problem is None:
            problem = Incomplete(self._size, None, "body" if self._response is not None else "head")
        problem._learn(exchange.facts())
        problem.__cause__ = reason.value
        self._end(Failure(problem))
