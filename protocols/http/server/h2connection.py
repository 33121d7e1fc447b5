"""The server's end: one connection of a `Site` that speaks HTTP/2, and its life.

Each request is a `ServerStream`'s; here is what they share: the session, the transport and how full it is, the
deadlines, how much of answers waits, and the end. A stream that is late ends alone; a connection that is, with GOAWAY.
"""

from __future__ import annotations

from collections import deque

from protocols.http.error import HTTPError, Incomplete, Timeout
from protocols.http.h2.errors import CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, SETTINGS_TIMEOUT, ConnectionFailed, nameOf
from protocols.http.h2.session import Session
from protocols.http.server.h2stream import ServerStream
from reactor._ground.current import currentReactor
from reactor._ground.peerlog import peerMessage
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from protocols.http.h1.heads import RequestHead
    from protocols.http.h2.streams import Stream
    from protocols.http.server.site import Site
    from reactor.failure import Failure
    from reactor.interfaces import IDrainable, IPushProducer
else:
    from reactor._ground.declare import IDrainable, IPushProducer, implementer

__all__ = ["ServerConnection"]

# How often deadlines are looked at while there is something that may be late, in seconds.
_LOOK = 1.0
# How many malformed requests of one connection are worth an entry in the log.
_BROKEN = 3


@implementer(IDrainable, IPushProducer)
class ServerConnection(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, site: Site) -> None:
        assert site.bounds is not None
        self.factory = self.site = site
        self.bounds = site.bounds
        self.session = Session(self, True, site.bounds, site.limits)
        # Requests that wait until the client has taken more of its answers.
        self._waiting: deque[ServerStream] = deque()
        self._left = site.maxRequests
        self._stalled = self._closing = self._draining = self._flushing = False
        self._broken = 0
        self._timer: Any = None
        self._lookAt = 0.0
        # When the connection was made, a head began that is not whole, there was something to do last.
        self._made = self._since = 0.0
        self._headSince: float | None = None
        # What was queued in the transport when that was less than before, and when.
        self._queued: tuple[int, float] | None = None

    def connectionMade(self) -> None:
        """A client has connected."""
        site = self.site
        self._clock = clock = site.clock if site.clock is not None else currentReactor()
        self.seconds = clock.seconds
        self._made = self._since = clock.seconds()
        site.channels.add(self)
        self.transport.registerProducer(self, True)
        self._lookIn(_LOOK)
        self.touched()

    # ---- In ----

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        now = self.seconds()
        try:
            self.session.receive(data, now)
        except ConnectionFailed as e:
            self._fail(e)
            return
        if not self.session.inHead:
            self._headSince = None
        elif self._headSince is None:
            self._headSince = now
        if self._lookAt > now + _LOOK:
            self._lookIn(_LOOK)
        self.touched()

    def requestReceived(self, stream: Stream, head: RequestHead) -> None:
        """The session: a request begins."""
        asked = ServerStream(self, stream, head)
        self._since = self.seconds()
        self._left -= 1
        if not self._left:
            self.session.goAway(NO_ERROR, "as many requests as one connection may have")
            self._draining = True
        if self._waiting or self.session.unsent > self.bounds.unsent:
            self._waiting.append(asked)
        else:
            asked.call()

    def requestRefused(self, stream: Stream, problem: HTTPError) -> None:
        """The session: a request that is answered without asking anybody."""
        peerMessage(self, "info", "request from %s refused: %s", self.transport.getPeer(), problem)
        ServerStream.refuse(self, stream, problem.status)

    def streamBroken(self, stream: Stream, problem: HTTPError) -> None:
        """The session: a request that is malformed."""
        self._broken += 1
        if self._broken > _BROKEN:
            # What there may be about one peer is left for how its connection ends.
            return
        peerMessage(self, "info", "request from %s reset: %s", self.transport.getPeer(), problem)

    def responseReceived(self, stream: Stream, head: Any) -> None:
        """Never: for clients."""

    def goneAway(self, last: int, code: int) -> None:
        """The session: the client begins no further streams."""
        self._draining = True
        if code:
            peerMessage(self, "info", "%s ended its connection: %s", self.transport.getPeer(), nameOf(code))

    def settingsChanged(self) -> None:
        """The session: windows may be open that were not."""

    # ---- Out ----

    def touched(self) -> None:
        """Send what there is to send, as long as the transport takes it."""
        if self._flushing or self.transport is None:
            return
        self._flushing = True
        session, transport = self.session, self.transport
        try:
            while True:
                if not self._stalled:
                    session.fill(self.seconds())
                data = session.take()
                if data:
                    transport.write(data)
                elif not (self._waiting and session.unsent <= self.bounds.unsent and session.failed is None):
                    break
                else:
                    self._waiting.popleft().call()
        finally:
            self._flushing = False
        if session.streams:
            self._since = self.seconds()
        elif self._draining:
            self.close()

    def pauseProducing(self) -> None:
        """The client does not take it fast enough."""
        self._stalled = True

    def resumeProducing(self) -> None:
        """It has taken what was written."""
        self._stalled = False
        self.touched()

    def stopProducing(self) -> None:
        """The connection is over, which is about to be told."""
        self._stalled = True

    # ---- Deadlines ----

    def _lookIn(self, seconds: float) -> None:
        self._lookAt = self.seconds() + seconds
        timer = self._timer
        if timer is not None and timer.active():
            timer.reset(seconds)
        else:
            self._timer = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now, site, session = self.seconds(), self.site, self.session
        if self._isStuck(now):
            peerMessage(self, "info", "%s does not take what is sent: reset", self.transport.getPeer())
            self.transport.abortConnection()
            return
        if self._closing:
            self._lookIn(_LOOK)
            return
        if self._headSince is not None and now >= self._headSince + site.headTimeout:
            self._late(ENHANCE_YOUR_CALM, "head", site.headTimeout)
        elif session.isSilent and now >= self._made + site.headTimeout:
            self.close()
        elif not session.acknowledged and not session.isSilent and now >= self._made + self.bounds.settingsTimeout:
            self._late(SETTINGS_TIMEOUT, "settings", self.bounds.settingsTimeout)
        elif not session.streams and now >= self._since + site.idleTimeout:
            session.goAway(NO_ERROR, "idle")
            self.touched()
            self.close()
        else:
            for stream in list(session.streams.values()):
                self._lookAtStream(stream, now)
            self.touched()
        if self.transport is not None:
            idle = not session.streams and self._headSince is None and session.acknowledged and not self._closing
            self._lookIn(max(self._since + site.idleTimeout - now, _LOOK) if idle else _LOOK)

    def _isStuck(self, now: float) -> bool:
        """Whether the transport has had nothing taken from it for too long."""
        queued, before = self.transport.buffered, self._queued
        if not queued:
            self._queued = None
        elif before is None or queued < before[0]:
            self._queued = queued, now
        else:
            return now >= before[1] + self.site.writeTimeout
        return False

    def _lookAtStream(self, stream: Stream, now: float) -> None:
        limit = self.site.writeTimeout
        if stream.since is not None and now >= stream.since + limit:
            peerMessage(self, "info", "%s does not take an answer: reset", self.transport.getPeer())
            user = stream.user
            stream.reset(CANCEL)
            user.streamFailed(Timeout("write", limit))
        elif isinstance(stream.user, ServerStream):
            stream.user.lookAtBody(now)

    def _late(self, code: int, phase: str, seconds: float) -> None:
        problem = ConnectionFailed(code, str(Timeout(phase, seconds)))
        self.session.fail(problem)
        self._fail(problem)

    # ---- The end ----

    def _fail(self, problem: ConnectionFailed) -> None:
        """The session is over; its GOAWAY is to arrive."""
        peerMessage(self, "info", "connection from %s: %s", self.transport.getPeer(), problem)
        self._waiting.clear()
        self.session.failStreams(problem)
        self.touched()
        self.transport.lingerTimeout = self.site.lingerTimeout
        self.close()

    def drain(self) -> None:
        """The server stops: answer what is asked, begin nothing further, and close."""
        if not self._draining:
            self._draining = True
            self.session.goAway()
        self.touched()

    def close(self) -> None:
        """Send what is written, then close."""
        if self._closing:
            return
        self._closing = True
        self.transport.unregisterProducer()
        self.transport.closeTimeout = self.site.writeTimeout
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        """The connection is over: whoever works for it is told."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        self._stalled = self._closing = True
        self._waiting.clear()
        problem = Incomplete(0, None)
        problem.__cause__ = reason.value
        self.session.failStreams(problem)
        self.site.gone(self)
