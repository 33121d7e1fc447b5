"""A connected non-blocking stream socket: reads when told, sends what is queued, closes once.

Knows its loop, its outbox, its producer and its place in `lifecycle.TABLE`. Has never heard of TLS, protocols or
factories: what it reads goes to `receiver` (anything with `dataReceived`), all else is told to `owner`.

The three rules that everything here serves:

- Nothing is sent inside `write`, and nothing is told inside `write`, `lose` or `abort`. They queue, and the loop calls
  `flush` when the callback that is being made returns. While `receiver.dataReceived` runs the wire is `marked` and
  flushes itself afterwards, which saves the loop's list.
- One place, `_end`, closes the socket and tells the owner, once.
- A send that fails does not end the connection while there may be bytes to read that the peer sent before it went:
  reading ends it, with that error.
"""

from __future__ import annotations

import errno
import socket
from contextvars import copy_context

from reactor._core.contexts import inside
from reactor._core.poller import ERROR, READ, WRITE, Watch
from reactor._transport.stream import closing
from reactor._transport.stream.lifecycle import DRAINING, HEARD, READING, Event, State, step
from reactor._transport.stream.outbox import Outbox
from reactor._transport.stream.withholding import release
from reactor.error import ConnectionAborted, ConnectionDone, ConnectionFdescWentAway, ConnectionLost, WriteBufferFull
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._core.timers import DelayedCall
    from reactor._transport.stream.lingering import Lingering
    from reactor._transport.stream.producers import Source
    from reactor._transport.stream.stack import Owner, Receiver

# One receive asks for SMALL bytes until reads fill it, then MIDDLE, then LARGE. A fixed 256 KiB maps fresh memory at
# every receive (measured: 22 us), a fixed 64 KiB halves the speed of 1 MB messages. SMALL holds the longest record of
# TLS whole (RFC 8446, section 5.2), MIDDLE 64 KiB in a frame of WebSocket: else each such message costs two receives.
SMALL = 16384 + 256
MIDDLE = 65536 + 256
LARGE = 262144

# Found faster, on the hot path, than a member of an enum.
OPEN = State.OPEN
# The kernel is short of memory for now: what it refuses today it takes in a moment.
TRY_AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS, errno.ENOMEM})


class Wire(Watch):
    """One connection's socket."""

    __slots__ = (
        "_broken",
        "_closing",
        "_marked",
        "_outbox",
        "_piece",
        "_size",
        "closeTimeout",
        "lingering",
        "loop",
        "mostRead",
        "name",
        "owner",
        "receiver",
        "socket",
        "source",
        "state",
        "writeBufferLimit",
    )

    receiver: Receiver
    owner: Owner

    def __init__(self, loop: Loop, sock: socket.socket, before: Watch | None = None) -> None:
        """Take over `sock`, connected and non-blocking, from `before` if somebody watches it already, and its context.
        Nothing is read before `start`, by when `receiver` and `owner` must be set.
        """
        # What Watch.__init__ does, without its call for each connection.
        self.fd = sock.fileno()
        self.interest = self.armed = 0
        if before is None:
            self.context = copy_context()
        else:
            self.context = before.context
            loop.poller.inherit(self, before)
        # The socket itself, for options and addresses; or something around it.
        self.socket = sock
        # What the socket module calls our end, once somebody has asked.
        self.name: Any = None
        self.loop = loop
        # Invariant: what is queued is one piece, or an outbox with more, or nothing; never both. Most connections never
        # have more than one, and an idle one has no outbox to keep.
        self._piece: bytes | memoryview | None = None
        self._outbox: Outbox | None = None
        self.state: State = OPEN
        self.source: Source | None = None
        self.closeTimeout: float | None = None
        self.lingering: Lingering | None = None
        self.writeBufferLimit: int | None = None
        # What one receive asks for, now and at most.
        self._size, self.mostRead = SMALL, LARGE
        # Invariant: marked means that `flush` is going to be called.
        self._marked = False
        # The error of a send, while the rest of what the peer sent is being read.
        self._broken: OSError | None = None
        self._closing: DelayedCall | None = None

    def start(self) -> None:
        """Begin to read."""
        poller = self.loop.poller
        watch = poller.only if self.armed else poller.add
        try:
            watch(self, READ)
        except OSError as e:
            # The system watches no more descriptors: nobody would ever hear of this one again.
            self.abort(self._lost(e))

    # In.

    def readable(self) -> None:
        """Receive once and hand on what came."""
        size = self._size
        try:
            data = self.socket.recv(size)
        except OSError as e:
            if e.errno not in TRY_AGAIN or e.errno == errno.ENOMEM:
                self._end(self._lost(self._broken or e))
            return
        if not data:
            self._endReceived()
            return
        if len(data) == size:
            self._size = MIDDLE if size == SMALL else self.mostRead
        elif size != SMALL and len(data) < size >> 2:
            self._size = MIDDLE if size == LARGE else SMALL
        self._marked = True
        try:
            self.receiver.dataReceived(data)
        except BaseException as e:
            self._marked = False
            self.endWith(e)
            return
        # flush() and _send(), without their calls for the two usual cases: one answer that the kernel takes, or none.
        self._marked = False
        piece = self._piece
        if piece is not None:
            if self.state is not OPEN or self.source is not None:
                self._answered()
            elif not self.interest & WRITE:
                try:
                    count = self.socket.send(piece)
                except OSError as e:
                    self._notSent(e)
                    return
                if count == len(piece):
                    self._piece = None
                else:
                    self._piece = memoryview(piece)[count:]
                    self.loop.poller.want(self, WRITE)
        elif self._outbox is not None or self.state is not OPEN:
            self._answered()

    def _endReceived(self) -> None:
        if self._broken is not None:
            self._end(self._lost(self._broken))
        elif self.lingering is not None and self.lingering.endReceived():
            pass
        elif self.state not in READING:
            self._end(closing.gone(self.socket))
        elif not self.owner.endReceived():
            self._end(Failure(ConnectionDone()))
        elif self.state in READING:
            self.state = step(self.state, Event.END_HEARD)
            self.loop.poller.drop(self, READ)
            self.loop.poller.want(self, ERROR)
            self._mark()

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        self.loop.poller.drop(self, READ | ERROR)

    @property
    def paused(self) -> bool:
        """Whether nothing is delivered: `pause` was called, or there is nothing to be delivered any more."""
        return not self.interest & READ

    def resume(self) -> None:
        """Deliver again."""
        if self.state in READING:
            self.loop.poller.want(self, READ)
        elif self.state in HEARD:
            self.loop.poller.want(self, ERROR)

    # Out.

    def write(self, data: bytes) -> None:
        """Queue `data`; it is sent when the callback that is being made returns."""
        if self.state is not OPEN and not self._accepts():
            return
        if self._outbox is not None:
            self._outbox.pieces.append(data)
        elif self._piece is None:
            self._piece = data
        else:
            self._outbox = Outbox(self._piece, data)
            self._piece = None
        if not self._marked:
            self._marked = True
            self.loop.dirty.append(self)
        if self.source is not None or self.writeBufferLimit is not None:
            self._press()

    def takeBack(self) -> bytes | memoryview:
        """Undo the last `write`: what it queued, for a producer that has something to send before it."""
        outbox, piece = self._outbox, self._piece
        if outbox is not None:
            piece = outbox.takeBack()
            if not outbox.pieces:
                self._outbox = None
        assert piece is not None
        self._piece = None
        return piece

    @property
    def buffered(self) -> int:
        """Bytes that are queued."""
        if self._outbox is not None:
            return self._outbox.size
        return 0 if self._piece is None else len(self._piece)

    def _press(self) -> None:
        """Something was written: tell who makes it how much is queued, and look at the limit."""
        buffered = self.buffered
        if self.source is not None:
            try:
                self.source.fill(buffered)
            except BaseException as e:
                if (failure := self._raised(e)) is not None:
                    self.abort(failure)
        if self.writeBufferLimit is not None and buffered > self.writeBufferLimit:
            self.abort(Failure(WriteBufferFull(limit=self.writeBufferLimit, buffered=buffered)))

    def _accepts(self) -> bool:
        # A producer that is still registered finishes what it began, after loseConnection and loseWriteConnection too.
        return self.state is State.HEARD or (self.source is not None and self.state in DRAINING)

    def flush(self) -> None:
        """Send what is queued, or carry out what waits for it to be sent. The loop calls this, in whatever context."""
        quiet = self.source is None and self.state is OPEN and self.interest & READ
        self._flush() if quiet else inside(self.context, self._flush)

    def _flush(self) -> None:
        self._marked = False
        if self._piece is not None or self._outbox is not None:
            if not self.interest & WRITE:
                self._send()
            elif self.state is not OPEN:
                release(self)
        elif self.state is not OPEN:
            self._settle()

    # Where a read leaves more than one piece, or somebody to be told.
    _answered = _flush

    def writable(self) -> None:
        """There is room again."""
        if self._piece is not None or self._outbox is not None:
            self._send()
        else:
            self.loop.poller.drop(self, WRITE)
            self._settle()

    def _send(self) -> None:
        piece = self._piece
        outbox = self._outbox
        try:
            if piece is not None:
                count = self.socket.send(piece)
                self._piece = piece = None if count == len(piece) else memoryview(piece)[count:]
            elif outbox is not None and outbox.sent(self.socket.send(outbox.head())):
                self._outbox = outbox = None
        except OSError as e:
            self._notSent(e)
            return
        if piece is not None or outbox is not None:
            if not self.interest & WRITE:
                self.loop.poller.want(self, WRITE)
            if self.source is not None:
                self.source.left(self.buffered)
        elif self.source is not None or self.state is not OPEN:
            self._drained()
        elif self.interest & WRITE:
            self.loop.poller.drop(self, WRITE)

    def _notSent(self, problem: OSError) -> None:
        if problem.errno not in TRY_AGAIN:
            self._sendFailed(problem)
        elif not self.interest & WRITE:
            self.loop.poller.want(self, WRITE)

    def _drained(self) -> None:
        """The last byte is sent: ask the producer for more, or take the next step towards the end."""
        if self.source is not None:
            # Marked: what it writes now is sent when the kernel says that there is room, in a turn of its own, so that
            # an endless producer starves nobody.
            self._marked = True
            try:
                self.source.drained()
            except BaseException as e:
                self._marked = False
                self.endWith(e)
                return
            self._marked = False
        if self._piece is not None or self._outbox is not None:
            self.loop.poller.want(self, WRITE)
            return
        if self.interest & WRITE:
            self.loop.poller.drop(self, WRITE)
        if self.state is not OPEN:
            self._settle()

    def _settle(self) -> None:
        """Nothing is queued: end what was waiting for that."""
        state = self.state
        if self.source is not None and not self.source.over:
            return
        if state is State.CLOSING:
            if self._broken is not None:
                self._end(self._lost(self._broken))
            elif self.lingering is None or not self.lingering.waits():
                closing.discardUnread(self.socket)
                self._end(Failure(ConnectionDone()))
        elif state is State.FINISHING or state is State.HEARD_LAST:
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError as e:
                self._sendFailed(e)
                return
            self.state = step(state, Event.DRAINED)
            self.owner.writingEnded()
            if self.state is State.CLOSING:
                self._settle()

    def _sendFailed(self, problem: OSError) -> None:
        self._broken = problem
        self._piece = self._outbox = None
        if self.interest & WRITE:
            self.loop.poller.drop(self, WRITE)
        if not self.interest & READ and not self.owner.resuming:
            self._end(self._lost(problem))
            return
        if not closing.endBothHalves(self.socket):
            self.loop.soonIn(self.context, self._end, self._lost(problem))

    # The end.

    def lose(self) -> None:
        """Send what is queued, then close. No more is read."""
        before, self.state = self.state, step(self.state, Event.LOSE)
        if self.state is not State.CLOSING:
            return
        if self.lingering is None or not self.lingering.begin(self, before):
            self.loop.poller.drop(self, READ)
        self._mark()
        self.limitClose()

    def limitClose(self) -> None:
        """The close was asked for, of this wire or of what stands on it: `closeTimeout` runs from now on."""
        if self.closeTimeout is not None and self._closing is None and self.state is not State.CLOSED:
            self._closing = self.loop.timers.callLater(self.closeTimeout, closing.closeTimedOut, self)

    def finish(self) -> None:
        """Send what is queued, then end our half. Reading goes on."""
        self.state = step(self.state, Event.FINISH)
        self._mark()

    def abort(self, reason: Failure | None = None) -> None:
        """Drop what is queued and reset the connection, in the next turn."""
        if self.state is State.ENDING or self.state is State.CLOSED:
            return
        self.state = step(self.state, Event.ABORT)
        self.loop.poller.drop(self, READ | WRITE | ERROR)
        self._piece = self._outbox = None
        self.loop.soonIn(self.context, self._aborted, reason if reason is not None else Failure(ConnectionAborted()))

    def _aborted(self, reason: Failure) -> None:
        if self.state is State.ENDING:
            closing.resetOnClose(self.socket)
            self._end(reason)

    def ownName(self) -> Any:
        """What the socket module calls our end's address. Kept: a socket that is closed does not tell any more."""
        if self.name is None:
            self.name = self.socket.getsockname()
        return self.name

    def discard(self) -> None:
        """Close at once and tell nobody: nobody wanted the connection."""
        self.loop.poller.forget(self)
        self.state = State.CLOSED
        self.socket.close()

    def dropSource(self) -> None:
        """Nothing of the producer's is sent any more: stop it, and wait for it no longer."""
        source, self.source = self.source, None
        if source is not None:
            try:
                source.stop()
            except BaseException as e:
                self.owner.raised(e)

    def sourceGone(self) -> None:
        """The producer is unregistered: a close that waited for it goes on."""
        self.source = None
        if self.state is not OPEN:
            self._mark()

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops: one last attempt to send, then the end."""
        closing.lastAttempt(self)
        self._end(reason)

    def supersede(self) -> None:
        """Somebody else closed the socket, and its number is another descriptor's by now."""
        self.loop.poller.forget(self)
        self.fd = -1
        # Closing it would close the other one's.
        self.socket.detach()
        self.loop.soonIn(self.context, self._end, Failure(ConnectionFdescWentAway()))

    def forked(self) -> None:
        """The parent sends what is queued."""
        self.state = State.CLOSED
        self._piece = self._outbox = self.source = None

    def public(self) -> object:
        """The transport on top of it."""
        return self.owner

    def _mark(self) -> None:
        """Have `flush` called soon."""
        if not self._marked:
            self._marked = True
            self.loop.dirty.append(self)

    def escape(self, problem: BaseException) -> None:
        """A KeyboardInterrupt or SystemExit of user code: stop the reactor with it."""
        self.loop.escape(problem)

    def endWith(self, problem: BaseException) -> None:
        """User code raised: the connection ends with that (unless the exception is one that stops the reactor)."""
        if (failure := self._raised(problem)) is not None:
            closing.discardUnread(self.socket)
            self._end(failure)
        elif self.buffered or self.state is not OPEN:
            self._mark()

    def _raised(self, problem: BaseException) -> Failure | None:
        if self.state is State.CLOSED:
            # It ended while that callback was still running, in a turn that the callback itself made.
            self.loop.raised("a callback raised after its connection had ended", problem)
            return None
        return self.owner.raised(problem)

    def _lost(self, problem: OSError) -> Failure:
        return Failure(ConnectionLost(problem.strerror, osError=problem.errno))

    def _end(self, reason: Failure) -> None:
        """Close the socket and tell the owner. The one place that does, and it does it once."""
        if self.state is State.CLOSED:
            return
        self.state = step(self.state, Event.END)
        loop = self.loop
        loop.poller.forget(self)
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        self._piece = self._outbox = None
        if self.source is not None:
            self.dropSource()
        if self.lingering is not None:
            self.lingering.over()
        owner = self.owner
        owner.closing()
        # Before the owner is told, so that whoever connects again from there finds the local port free.
        try:
            self.socket.close()
        except OSError:
            # Closed behind our back; that is what is being told.
            pass
        self.fd = -1
        owner.lost(reason)
        # The owner holds this wire: without this the two would wait for the garbage collector.
        del self.owner
