"""TLS as a layer put into a connection: an SSLObject over two MemoryBIOs, between whoever is below and whoever is
above.

Below is a wire, or another layer; above is a protocol and its transport, or another layer. To the one below it is
receiver and owner, to the one above it is what a wire is. How it begins is told in `handshaking`, what happens to what
was written and is not encrypted or handed on yet in `encrypting`.

Three rules. No byte of the program leaves, and none comes in, before the handshake is verified. What ended the
connection first is what is told: a failed handshake, an end without the peer's close_notify (a truncation, RFC 8446
section 6.1), or a clean end. And every wait for the peer that TLS adds has a deadline: the handshake, the answer to our
close_notify, and the peer's taking what is left after TLS has failed.
"""

from __future__ import annotations

import ssl

from reactor._transport.stream.lifecycle import DRAINING, READING, Event, State, step
from reactor._transport.stream.outbox import Outbox
from reactor._transport.stream.stack import NOBODY
from reactor._transport.tls.answers import answered
from reactor._transport.tls.encrypting import MOST
from reactor._transport.tls.explain import explained, whyEnded
from reactor._transport.tls.handshaking import Handshaking
from reactor.error import ConnectionDone, ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Context
    from typing import Any

    from reactor._transport.stream.producers import Source
    from reactor._transport.stream.stack import Below, Turns
    from reactor._transport.tls.side import Side

OPEN = State.OPEN
# More than a record can hold (RFC 8446, section 5.1), so that one read takes a whole one.
RECORD = 16384 + 256


class Layer(Handshaking):
    """TLS on one connection."""

    __slots__ = (
        "_answered",
        "_deaf",
        "_heardEnd",
        "_partial",
        "_resuming",
        "receiver",
    )

    def __init__(self, loop: Turns, side: Side, below: Below, facts: dict[str, Any]) -> None:
        """Not begun yet: `receiver` and `owner` are to be set first. `facts` are what errors tell of the peer.

        ValueError or ssl.SSLError when `side`'s name or session are of no use with its context.
        """
        super().__init__(loop, side, facts)
        self.below = below
        self.receiver: Any
        self.state = OPEN
        self._early = Outbox()
        self._queue = None
        self._delivering = False
        self._answered = 0
        # Whether OpenSSL may have a part of a record.
        self._partial = False
        # Whether what comes is not delivered any more: a close was asked for while nothing was to be, or TLS is over.
        self._deaf = False
        # Whether `_continue` is going to be called: what is below is not read from before that.
        self._resuming = False
        # Whether the peer's close_notify came, and whether ours was sent.
        self._heardEnd = False
        self._saidEnd = False
        # Why it ended, when this layer knows better than the one below. TLS is of no use any more then.
        self._reason = None

    def begin(self) -> None:
        """Begin the handshake. What is below delivers to this layer from now on."""
        if self.below.paused:
            # The protocol's pause, not one of the handshake.
            self._paused = True
            self.below.resume()
        self._awaitHandshake()
        self._shake()

    @property
    def sslObject(self) -> ssl.SSLObject:
        """The standard library's object, for what it can tell of the connection."""
        return self._object

    @property
    def context(self) -> Context:
        """What the connection's callbacks are made in."""
        return self.below.context

    @property
    def source(self) -> Source | None:
        """The producer of whoever writes, which the wire keeps."""
        return self.below.source

    @property
    def writeBufferLimit(self) -> int | None:
        """That of the wire."""
        return self.below.writeBufferLimit

    @property
    def paused(self) -> bool:
        """Whether nothing is to be delivered."""
        return self._paused

    @property
    def resuming(self) -> bool:
        """Whether something waits here that is going to be delivered before more is read."""
        return self._resuming or self.owner.resuming

    # From below: bytes.

    def dataReceived(self, data: bytes | memoryview) -> None:
        """Ciphertext came: deliver what can be decrypted. None came: deliver what is here already."""
        size = len(data)
        if size > MOST:
            view = memoryview(data)
            for start in range(0, size, MOST):
                self.dataReceived(view[start : start + MOST])
            return
        self._put(data)
        early = self._early
        if early is not None and not self._shake():
            return
        # What is decrypted is shorter than a record, and a record no longer than what came, unless a part of it came
        # before. Room for more than that would be got and given back for each small message (measured: 0.5 us).
        if size > RECORD or not size or self._partial:
            size = RECORD
        read, incoming = self._read, self._in
        self._delivering = True
        while not self._paused:
            # Apart from the delivery, whose exceptions may be TLS errors of somebody else's.
            try:
                data = read(size)
            except ssl.SSLWantReadError:
                self._partial = True
                break
            except ssl.SSLZeroReturnError:
                data = b""
            except ssl.SSLError as e:
                self._delivered()
                self._broken(explained(e, self._object, self._known("established")))
                return
            if not data:
                self._endHeard()
                break
            state = self.state
            if state is OPEN or state in READING or (state is State.CLOSING and not self._deaf):
                try:
                    self.receiver.dataReceived(data)
                except BaseException:
                    self._delivered()
                    raise
            # Asked first, since the exception for "no more" costs as much as decrypting a small record.
            if not incoming.pending:
                self._partial = False
                break
        self._delivering = False
        if early is not None and self._early is not None:
            self._shakeAgain()
        queue = self._queue
        if queue is not None:
            # _seal(), without its calls for what is nearly always one answer.
            if not queue or queue.__class__ is list:
                self._seal()
                return
            self._queue = None
            try:
                self._encryptor(queue)  # type: ignore[arg-type]
            except ssl.SSLError as e:
                self._refused(queue, e)  # type: ignore[arg-type]
            else:
                self.below.write(self._take())
            return
        # An answer of TLS's own, to a request for renegotiation for instance.
        answer = self._take()
        if answer:
            self._answered = answered(self, self._answered, answer)

    def _endHeard(self) -> None:
        """The peer's close_notify."""
        if self._heardEnd:
            return
        self._heardEnd = True
        self._delivered()
        if self.state in READING:
            goesOn = self.owner.endReceived()
            if self.state in READING:
                if not goesOn:
                    self._answerEnd()
                    return
                self.state = step(self.state, Event.END_HEARD)
        self._settle()

    def _answerEnd(self) -> None:
        """Nobody here has more to say: close, in time."""
        self.state = step(self.state, Event.LOSE)
        self._deaf = True
        self.below.dropSource()
        nothingLeft = not self.below.buffered
        self._sayEnd()
        if nothingLeft:
            # Whoever closes at once resets what we answer; nothing of anybody's was lost by that.
            self._reason = Failure(ConnectionDone())
        self.below.lose()
        self._wait(self._side.shutdownTimeout, self._notTaken)

    # From above: what a wire does. `write` is in `sealing`.

    def lose(self) -> None:
        """Say close_notify behind what was written, and close when the peer has answered, or has not in time. Until
        then what it says is delivered, unless nothing was to be delivered when this was called.
        """
        self.state = step(self.state, Event.LOSE)
        if self.state is State.CLOSING:
            if self._paused:
                # The peer's answer is to be read, whoever paused.
                self._deaf = True
                self.resume()
            self._settle()

    def finish(self) -> None:
        """Say close_notify behind what was written; reading goes on."""
        self.state = step(self.state, Event.FINISH)
        self._settle()

    def abort(self, reason: Failure | None = None) -> None:
        """Drop everything."""
        if self.state is not State.ENDING and self.state is not State.CLOSED:
            self.state = step(self.state, Event.ABORT)
            self._stopTimer()
            self._queue = None
            self.below.abort(reason)

    def pause(self) -> None:
        """Deliver nothing, decrypted or not, until `resume`. The handshake goes on."""
        if not self._deaf:
            self._paused = True
            if self._shaken:
                self.below.pause()

    def resume(self) -> None:
        """Deliver again, first what is here already, in a turn of its own."""
        self._paused = False
        if self._shaken and self._early is not None:
            self._awaitHandshake()
        if self._shaken and (self._in.pending or self._object.pending()):
            # What is below is read from when that is delivered: its end would be told before.
            if not self._resuming:
                self._resuming = True
                self._loop.soonIn(self.context, self._continue)
        else:
            self.below.resume()

    def _continue(self) -> None:
        self._resuming = False
        if self._paused or self.state is State.CLOSED or self._reason is not None:
            return
        try:
            self.dataReceived(b"")
        except BaseException as e:
            self.endWith(e)
            return
        if not self._paused:
            self.below.resume()

    def dropSource(self) -> None:
        """Nothing of the producer's is sent any more."""
        self.below.dropSource()

    def discard(self) -> None:
        """Close, and tell nobody: nobody wanted the connection."""
        self.receiver = self.owner = NOBODY
        self.lose()

    def sourceGone(self) -> None:
        """The producer is unregistered: a close that waited for it goes on."""
        self._settle()

    def endWith(self, problem: BaseException) -> None:
        """User code raised: the connection ends with that."""
        self.below.endWith(problem)

    # The end.

    def _settle(self) -> None:
        """Take the next step towards the end, if one was asked for and nothing stands in its way."""
        if self.state not in DRAINING or self._early is not None or self._reason is not None:
            return
        source = self.below.source
        if source is not None and not source.over:
            return
        self._sayEnd()
        if not self._saidEnd:
            return
        if self.state is not State.CLOSING:
            # Told in a turn of its own, since the program is inside loseWriteConnection.
            self._loop.soonIn(self.context, self._finished)
        elif self._heardEnd:
            self._stopTimer()
            self.below.lose()
        elif self._timer is None:
            self._wait(self._side.shutdownTimeout, self._notAnswered)

    def _finished(self) -> None:
        if self.state is State.FINISHING or self.state is State.HEARD_LAST:
            self.state = step(self.state, Event.DRAINED)
            self.owner.writingEnded()
            self._settle()

    def _sayEnd(self) -> None:
        if self._saidEnd or self._early is not None or self._reason is not None:
            return
        self._saidEnd = True
        if self._queue is not None:
            self._seal()
        # Not in OpenSSL's sight while it says so: unwrap() would look for the peer's answer, and throw away or choke
        # on data that comes before that.
        unread = self._in.read()
        try:
            self._object.unwrap()
        except ssl.SSLError as e:
            # Mostly not answered yet: what counts is that ours is on its way. It is not in the middle of a handshake.
            if e.reason == "SHUTDOWN_WHILE_IN_INIT":
                self._saidEnd = False
                self._early = Outbox()
                self._awaitHandshake()
        self._put(unread)
        self._flush()

    def _broken(self, reason: Failure) -> None:
        """TLS failed: tell the peer why (OpenSSL has put an alert into the way out), and close."""
        if self._reason is not None or self.state is State.CLOSED:
            return
        self._reason = reason
        self._deaf = True
        self._queue = None
        if self.state is not State.ENDING:
            self.state = step(self.state, Event.LOSE)
        if self._early is not None:
            self._early = Outbox()
        self.below.dropSource()
        self._flush()
        self.below.lose()
        self._wait(self._side.shutdownTimeout, self._notTaken)

    def _notAnswered(self) -> None:
        self.below.lose()

    def _notTaken(self) -> None:
        text = f"the peer ended TLS and did not take the rest within shutdownTimeout={self._side.shutdownTimeout} s"
        self.below.abort(Failure(ConnectionLost(text)))

    # From below: everything else.

    def endReceived(self) -> bool:
        """The peer ended its half of what is below, which without close_notify is the end of all."""
        if self._heardEnd:
            return self.state in (State.HEARD, State.HEARD_LAST, State.CLOSING)
        if self.state is State.CLOSING and self._early is None:
            # It does not answer any more, and may still read.
            self.below.lose()
            return True
        return False

    def writingEnded(self) -> None:
        """Never asked for."""

    def handshakeCompleted(self) -> None:
        """The layer below is ready: the handshake of this one is on its way."""

    def farewell(self) -> None:
        """The reactor stops: say that this is the end, if there is somebody to say it to."""
        self.owner.farewell()
        self._sayEnd()

    def closing(self) -> None:
        """The socket is about to be closed."""
        self.owner.closing()

    def lost(self, reason: Failure) -> None:
        """What is below is over."""
        self._stopTimer()
        reason = whyEnded(self, reason)
        if self._side.remember is not None and self._early is None and (self._heardEnd or self._reason is None):
            try:
                self._side.remember(self._object.session)
            except Exception as e:
                self.owner.raised(e)
        self._early = self._queue = None
        if self.state is not State.CLOSED:
            self.state = step(self.state, Event.END)
        owner = self.owner
        # Each refers to the next one, down to the wire: without this they would wait for the garbage collector.
        self.receiver = self.owner = self.below.receiver = NOBODY
        owner.lost(reason)

    def raised(self, problem: BaseException) -> Failure | None:
        """User code raised."""
        failure: Failure | None = self.owner.raised(problem)
        return failure
