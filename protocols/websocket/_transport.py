"""The connection below a WebSocket's protocol: a `Session` on a transport of bytes, with its deadlines and its end.

Holds what the pure session cannot: who gets the bytes, the one timer (it is that of the next ping, of the answer to it,
or of the close, never two of them), and the reason that the protocol is told.
"""

from __future__ import annotations

from protocols.websocket._codes import CloseCode
from protocols.websocket._frames import FIN
from protocols.websocket._session import LISTENING, Session, State, asPayload, closing
from protocols.websocket.error import WebSocketAborted, WebSocketClosed, WebSocketLost
from reactor._ground.current import currentReactor
from reactor._ground.declare import provides
from reactor._ground.log import reportException
from reactor._ground.peerlog import peerMessage
from reactor.error import ConnectionAborted, ConnectionClosed, ConnectionDone
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zope.interface import implementer

    from protocols.websocket._agreement import Agreement
    from protocols.websocket._options import Options
    from reactor.interfaces import IDrainable, IPushProducer
else:
    from reactor._ground.declare import IDrainable, IPushProducer, implementer

__all__ = ["WebSocketTransport"]


@implementer(IPushProducer, IDrainable)
class WebSocketTransport:
    """What a `WebSocketProtocol` has as its `transport`.

    :ivar subprotocol: what was agreed on, or None.
    :ivar request: the opening request, as the server got it or the client sent it: `Asked`.
    """

    __slots__ = (
        "__weakref__",
        "_below",
        "_clock",
        "_closeAfter",
        "_feeding",
        "_last",
        "_options",
        "_paused",
        "_pieces",
        "_problem",
        "_session",
        "_timer",
        "_token",
        "_waiting",
        "afterwards",
        "endsWithHandler",
        "factory",
        "protocol",
        "request",
        "subprotocol",
    )

    def __init__(self, client: bool, protocol: Any, agreement: Agreement, options: Options, clock: Any = None) -> None:
        """`protocol` gets the messages. Connected by `makeConnection`, as a protocol is."""
        self.protocol = protocol
        self.factory = getattr(protocol, "factory", None)
        self.subprotocol = agreement.subprotocol
        self.request = agreement.request
        self._options = options
        self._clock = clock
        # The transport of bytes: while it is connected, and for whoever asks later.
        self._below: Any = None
        self._last: Any = None
        self._session = Session(client, protocol, self, _unconnected, options, agreement.deflate)
        # What is written while something is received: sent together when that is over, with one call of the transport
        # below. Sixteen answers to what one read brought take a third less so.
        self._pieces: list[bytes] = []
        self._timer: Any = None
        # Which answer is awaited; None: none.
        self._waiting: bytes | None = None
        self._token = 0
        self._paused = False
        # Whether a producer is registered, and the Close that waits for it to be done.
        self._feeding = False
        self._closeAfter: tuple[int, bytes] | None = None
        # What the protocol wants called when all that one read brought is told.
        self.afterwards: Callable[[], object] | None = None
        # Whether it is closed when the handler of HTTP that accepted it has ended.
        self.endsWithHandler = False
        # What the protocol raised.
        self._problem: BaseException | None = None

    # What the transport below tells.

    def makeConnection(self, transport: Any) -> None:
        """The opening handshake is done on `transport`."""
        self._below = self._last = transport
        self._session.write = transport.write
        options = self._options
        if options.maxBuffered is not None and getattr(transport, "writeBufferLimit", 0) is None:
            transport.writeBufferLimit = options.maxBuffered
        if self._clock is None:
            self._clock = currentReactor()
        if options.pingInterval is not None:
            self._timer = self._clock.callLater(options.pingInterval, self._due)
        self.protocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        session, pieces, below = self._session, self._pieces, self._below
        session.write = pieces.append
        try:
            session.reader.receive(data)
            afterwards = self.afterwards
            if afterwards is not None:
                self.afterwards = None
                afterwards()
        finally:
            if self._below is not None:
                session.write = below.write
                if pieces:
                    self._flush()

    def _flush(self) -> None:
        """Hand on what was written."""
        pieces = self._pieces
        if pieces:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            if self._below is not None:
                self._below.write(data)

    def connectionLost(self, reason: Failure) -> None:
        """It is over."""
        self._stopTimer()
        protocol, self.protocol = self.protocol, None
        session = self._session
        session.ended()
        self._below = self.afterwards = None
        if protocol is not None:
            protocol.connectionLost(self._outcome(reason))

    def _outcome(self, reason: Failure) -> Failure:
        """What the protocol is told."""
        session, problem = self._session, self._problem
        if problem is not None:
            return Failure(problem)
        if not isinstance(reason.value, ConnectionClosed):
            # What the protocol raised where the transport below reported it.
            return reason
        if session.state is State.CLOSED:
            return Failure(WebSocketClosed(session.code, session.reason, session.byPeer))
        why, text = reason.value, session.reason
        if not text:
            done = isinstance(why, ConnectionDone)
            text = "the peer ended the connection without a Close frame" if done else str(why)
        lost = (WebSocketAborted if isinstance(why, ConnectionAborted) else WebSocketLost)(session.code, text)
        lost.__cause__ = why
        return Failure(lost)

    # What the protocol asks.

    def sendMessage(self, message: Any) -> None:
        """Send `message`: `str` as text, bytes as binary. Dropped when this end has said Close, or the peer has.

        TypeError for anything else; UnicodeEncodeError for text that is not whole.
        """
        session = self._session
        if session.state is not State.OPEN:
            return
        if message.__class__ is str:
            first, payload = 0x81, message.encode()
        elif message.__class__ is bytes:
            first, payload = 0x82, message
        else:
            first, payload = asPayload("sendMessage()", message)
            first |= FIN
        data = session.pack(first, payload)
        if len(data) > 65536:
            self._makeRoom(len(data))
        session.write(data)

    def sendFragment(self, data: Any, last: bool = False) -> None:
        """Send a part of a message whose size is not known yet; `str` and bytes must not be mixed in one.

        Between its parts no other message may be sent.
        """
        opcode, payload = asPayload("sendFragment()", data)
        self._makeRoom(len(payload))
        self._session.fragment(opcode, payload, last)

    def _makeRoom(self, size: int) -> None:
        # A limit on what waits is none on what a program may send at once.
        limit = self._options.maxBuffered
        if limit is not None and size > limit >> 1 and self._below is not None:
            self._below.writeBufferLimit = limit + 2 * size

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping, whose answer is the protocol's `pongReceived`. ValueError for more than 125 bytes."""
        if len(payload) > 125:
            raise ValueError(f"ping(): payload must be of 125 bytes at most, not {len(payload)}")
        self._session.ping(bytes(payload))

    def loseConnection(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Send what is queued, then say Close, and close when the peer has, or after `closeTimeout`. Messages that
        come meanwhile are not told any more.

        With a producer registered, all that waits until it is unregistered. ValueError for a code that may not be
        sent, and for a reason of more than 123 bytes.
        """
        said = closing("loseConnection()", code, reason)
        if self._session.state is State.OPEN:
            if self._feeding:
                self._closeAfter = (code, said)
            else:
                self._close(code, said)

    def _close(self, code: int, said: bytes) -> None:
        self._session.close(code, said)
        # What was paused is read again: the peer's Close stands behind it.
        self._paused = False
        self._readOn()
        self._limit(self._options.closeTimeout)

    def abortConnection(self) -> None:
        """Close at once, without a word."""
        below, reader = self._below, self._session.reader
        if below is not None:
            reader.end()
            self._pieces.clear()
            below.abortConnection()

    def drain(self) -> None:
        """The server stops: say Close with 1012, so that the client may come again."""
        self.loseConnection(CloseCode.SERVICE_RESTART)

    def handlerEnded(self, failure: Failure | None) -> None:
        """The handler of HTTP that accepted this has returned, or raised, which was reported."""
        if self.endsWithHandler or failure is not None:
            self.loseConnection(CloseCode.NORMAL if failure is None else CloseCode.INTERNAL_ERROR)

    # Producing for the protocol.

    def pauseProducing(self) -> None:
        """Tell no message until `resumeProducing`. No ping is answered meanwhile, and no answer is awaited."""
        if self._below is not None and self._session.state is State.OPEN:
            self._paused = True
            self._session.reader.stopped = True
            self._below.pauseProducing()

    def resumeProducing(self) -> None:
        """Tell messages again, from the next turn on."""
        if self._paused:
            self._paused = False
            if self._waiting is not None:
                self._limit(self._options.pingTimeout)
            self._readOn()

    def _readOn(self) -> None:
        # Whether reading goes on from here, or later.
        reader, below = self._session.reader, self._below
        if below is None or not reader.stopped or self._session.state not in LISTENING:
            return
        if reader.holding:
            # Not from inside this call; and what is below stays paused, so that nothing overtakes it.
            self._clock.callLater(0, self._proceed)
        else:
            self._resumeBelow()

    def _proceed(self) -> None:
        reader, below = self._session.reader, self._below
        if below is None or self._paused or self._session.state not in LISTENING:
            return
        reader.stopped = False
        self.dataReceived(b"")
        if not reader.stopped or self._session.state not in LISTENING:
            # Behind Close as well: the peer's end of the connection is to be seen.
            below.resumeProducing()

    def _resumeBelow(self) -> None:
        self._session.reader.stopped = False
        self._below.resumeProducing()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    # Consuming from a producer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to send, as a stream's transport does; what counts is bytes of frames."""
        if self._below is None or self._session.state is not State.OPEN or self._closeAfter is not None:
            producer.stopProducing()
            return
        self._feeding = True
        self._flush()
        try:
            self._below.registerProducer(producer, streaming)
        except BaseException:
            self._feeding = False
            raise

    def unregisterProducer(self) -> None:
        """Forget the producer. A `loseConnection` that waited for it goes on."""
        if self._below is not None:
            self._below.unregisterProducer()
        self._feeding = False
        after, self._closeAfter = self._closeAfter, None
        if after is not None and self._session.state is State.OPEN:
            self._close(*after)

    # Who and where, and how it is.

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._below is not None

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close and has not yet."""
        return self._below is not None and (self._session.state is not State.OPEN or self._closeAfter is not None)

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
        if self._below is None:
            return 0
        waiting = sum(map(len, self._pieces)) if self._pieces else 0
        return waiting + int(getattr(self._below, "buffered", 0))

    @property
    def below(self) -> Any:
        """The transport of bytes: for what it tells of TLS and of its peer's process."""
        return self._last

    def getPeer(self) -> Any:
        """The other end's address."""
        return self._last.getPeer()

    def getHost(self) -> Any:
        """This end's address."""
        return self._last.getHost()

    def logPrefix(self) -> str:
        """What stands for this connection in logs."""
        protocol = self.protocol
        return protocol.logPrefix() if provides(protocol, "ILoggingContext") else type(self).__name__

    @property
    def transport(self) -> Any:
        """What is below, for who logs about its peer."""
        return self._last

    # What the session tells.

    def pinged(self, payload: bytes) -> None:
        """The peer asked, and was answered."""
        if self.protocol is not None:
            self.protocol.pingReceived(payload)

    def ponged(self, payload: bytes) -> None:
        """The peer answered."""
        if self._waiting is not None and payload == self._waiting:
            self._waiting = None
            self._limit(self._options.pingInterval)
        elif self.protocol is not None:
            self.protocol.pongReceived(payload)

    def closed(self) -> None:
        """Both ends have said Close. The server closes first, so that it is the client that keeps the port for a while
        (RFC 6455, section 7.1.1).
        """
        below = self._below
        self._flush()
        self._limit(self._options.closeTimeout)
        if self._feeding:
            # What it would still send has nobody who reads it.
            self._feeding = False
            producer = getattr(below, "producer", None)
            below.unregisterProducer()
            if producer is not None:
                producer.stopProducing()
        if not self._session.client:
            below.loseConnection()

    def failed(self) -> None:
        """The peer broke the protocol, or was silent for too long; what there was to say is written."""
        session = self._session
        peerMessage(self, "info", "WebSocket with %s failed: %s %s", self.getPeer(), session.code, session.reason)
        self._leave()

    def raised(self, problem: Exception) -> None:
        """The protocol raised: it is reported, and the peer told that it is our fault."""
        if self._problem is None and self._below is not None:
            self._problem = problem
            reportException("%r raised", problem, self.protocol)
            if self._session.state is State.OPEN:
                self._session.close(CloseCode.INTERNAL_ERROR, b"")
            self._leave()

    def _leave(self) -> None:
        """Close, though the peer may still be sending: it is to read what was said last."""
        below = self._below
        self._flush()
        if hasattr(below, "lingerTimeout"):
            below.lingerTimeout = self._options.closeTimeout
        below.loseConnection()
        self._limit(self._options.closeTimeout)

    # Time.

    def _limit(self, seconds: float | None) -> None:
        """The next deadline is in `seconds`; None: there is none."""
        timer = self._timer
        if seconds is None:
            self._stopTimer()
        elif timer is None:
            if self._below is not None:
                self._timer = self._clock.callLater(seconds, self._due)
        else:
            timer.reset(seconds)

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        """The deadline has come: whose it was, the state says."""
        self._timer = None
        session, options = self._session, self._options
        if session.state is not State.OPEN:
            self._below.abortConnection()
        elif self._waiting is None:
            self._token += 1
            self._waiting = b"%d" % self._token
            session.ping(self._waiting)
            self._limit(options.pingTimeout if options.pingTimeout is not None else options.pingInterval)
        elif self._paused or options.pingTimeout is None:
            # The answer may be among what nobody reads; then it is awaited when somebody does.
            self._waiting = None
            self._limit(options.pingInterval)
        else:
            session.fail(CloseCode.INTERNAL_ERROR, f"no answer to a ping within {options.pingTimeout:g} s")


def _unconnected(data: bytes) -> None:
    raise RuntimeError("a WebSocket that is not connected yet")
