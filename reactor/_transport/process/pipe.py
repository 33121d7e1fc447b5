"""One direction of a byte stream on a plain descriptor: a pipe, a terminal, a file. `PipeReader` reads it, `PipeWriter`
writes it.

Each closes its descriptor once, in `_end`, and tells its owner. As with a wire, nothing is sent inside `write` and
nothing told inside `write`, `lose` or `abort`: the loop flushes what is `dirty` after each callback.

Regular files, and devices such as /dev/null, are always ready: they get one read, or one write, a turn.
"""

from __future__ import annotations

import errno
import os

from reactor._core.contexts import inside
from reactor._core.poller import READ, WRITE, Watch
from reactor._ground.naming import shown
from reactor._transport.stream.lifecycle import Event, State, step
from reactor._transport.stream.outbox import Outbox
from reactor._transport.stream.producers import Source
from reactor.error import ConnectionDone, ConnectionFdescWentAway, ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from reactor._core.loop import Loop

    class Owner(Protocol):
        """Who is told. `raised` does not raise, and returns why the pipe is to be closed, if it is."""

        def pipeReceived(self, name: Any, data: bytes) -> object: ...
        def pipeLost(self, name: Any, reason: Failure) -> object: ...
        def raised(self, problem: BaseException) -> Failure | None: ...


# A read asks for SMALL bytes until reads fill it, then for as many as a pipe of Linux holds.
SMALL = 16384
LARGE = 65536
_TRY_AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR})


class Pipe(Watch):
    """What both directions have in common."""

    __slots__ = ("_loop", "_owner", "_restore", "name", "state")

    def __init__(self, loop: Loop, fd: int, name: Any, owner: Owner, restore: bool = False) -> None:
        """Take over `fd`. `name` is what the owner calls it; with `restore` it is put back into blocking mode at the
        end: others may have it too.
        """
        super().__init__(fd)
        self._loop = loop
        self._owner = owner
        self.name = name
        self.state = State.OPEN
        self._restore = restore
        os.set_blocking(fd, False)

    def _watch(self, interest: int) -> None:
        try:
            self._loop.poller.add(self, interest)
        except OSError as e:
            # The system watches no more descriptors: nobody would ever hear of this one. Known all the same: the
            # reactor closes it when it stops.
            self._loop.poller.add(self, 0)
            self._loop.soonIn(self.context, self._end, self._lost(e))

    def supersede(self) -> None:
        """Somebody else closed the descriptor, and its number is another one's by now."""
        self._loop.poller.forget(self)
        self.fd = -1
        self._loop.soonIn(self.context, self._end, Failure(ConnectionFdescWentAway()))

    def unblock(self) -> None:
        """Put it into non-blocking mode again, since somebody has not left it so."""
        if self.fd >= 0:
            os.set_blocking(self.fd, False)

    def public(self) -> object:
        """The transport that it is a part of."""
        return self._owner

    def forked(self) -> None:
        """The parent reads and writes it."""
        self.state = State.CLOSED

    def close(self) -> None:
        """Close it and tell nobody."""
        self.state = State.CLOSED
        self._loop.poller.forget(self)
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        try:
            if self._restore:
                os.set_blocking(fd, True)
            os.close(fd)
        except OSError:
            # Closed behind our back.
            pass

    def _end(self, reason: Failure) -> None:
        if self.state is State.CLOSED:
            return
        self.state = step(self.state, Event.END)
        self.close()
        self._owner.pipeLost(self.name, reason)

    def _lost(self, problem: OSError) -> Failure:
        return Failure(ConnectionLost(problem.strerror, osError=problem.errno))


class PipeReader(Pipe):
    """Reads."""

    __slots__ = ("_size",)

    def __init__(self, loop: Loop, fd: int, name: Any, owner: Owner, restore: bool = False) -> None:
        super().__init__(loop, fd, name, owner, restore)
        self._size = SMALL

    def start(self) -> None:
        """Begin to read."""
        self._watch(READ)

    def readable(self) -> None:
        """Read once and hand on what came."""
        size = self._size
        try:
            data = os.read(self.fd, size)
        except OSError as e:
            if e.errno not in _TRY_AGAIN:
                # EIO is how a terminal says that nobody has its other side open.
                self._end(Failure(ConnectionDone()) if e.errno == errno.EIO else self._lost(e))
            return
        if not data:
            self._end(Failure(ConnectionDone()))
            return
        if len(data) == size:
            self._size = LARGE
        elif len(data) < SMALL >> 2:
            self._size = SMALL
        try:
            self._owner.pipeReceived(self.name, data)
        except BaseException as e:
            failure = self._owner.raised(e)
            if failure is not None:
                self._end(failure)

    def writable(self) -> None:
        """Never: only reading is of interest."""

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        self._loop.poller.drop(self, READ)

    def resume(self) -> None:
        """Deliver again."""
        if self.state is State.OPEN:
            self._loop.poller.want(self, READ)

    def lose(self) -> None:
        """Read no more, and close in the next turn."""
        if self.state is State.OPEN:
            self.state = step(self.state, Event.ABORT)
            self._loop.poller.drop(self, READ)
            self._loop.soonIn(self.context, self._end, Failure(ConnectionDone()))

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops."""
        self._end(reason)


class PipeWriter(Pipe):
    """Writes."""

    __slots__ = ("_marked", "_outbox", "source")

    def __init__(self, loop: Loop, fd: int, name: Any, owner: Owner, restore: bool = False) -> None:
        super().__init__(loop, fd, name, owner, restore)
        self._outbox: Outbox | None = None
        self.source: Source | None = None
        # Invariant: True while `flush` is going to be called.
        self._marked = False

    def start(self, hears: bool) -> None:
        """Begin. With `hears`, which is for pipes, it is noticed when the other end is closed; what can be read from as
        well would be readable for other reasons.
        """
        # The write end of a pipe is never readable but for that: an error (POLLERR), and no data.
        self._watch(READ if hears else WRITE)

    def readable(self) -> None:
        """The other end is closed."""
        self._end(Failure(ConnectionLost("the other end of the pipe is closed", osError=errno.EPIPE)))

    # Writing.

    @property
    def buffered(self) -> int:
        """Bytes that are queued."""
        return 0 if self._outbox is None else self._outbox.size

    def write(self, data: bytes) -> None:
        """Queue `data`; it is sent when the callback that is being made returns. Dropped when no more is accepted."""
        source = self.source
        if self.state is not State.OPEN and (source is None or self.state is not State.CLOSING):
            return
        if self._outbox is None:
            self._outbox = Outbox(data)
        else:
            self._outbox.append(data)
        self._mark()
        if source is not None:
            try:
                source.fill(self._outbox.size)
            except BaseException as e:
                self._raised(e)

    def register(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write. RuntimeError when there is one already."""
        if self.source is not None:
            other = shown(self.source.producer)
            raise RuntimeError(f"cannot register {shown(producer)}: {other} is registered and was not unregistered")
        if self.state is not State.OPEN:
            producer.stopProducing()
            return
        self.source = Source(producer, bool(streaming))
        if not streaming:
            producer.resumeProducing()

    def unregister(self) -> None:
        """Forget the producer. A close that waited for it goes on."""
        self.source = None
        if self.state is State.CLOSING:
            self._mark()

    def lose(self) -> None:
        """Send what is queued, then close."""
        if self.state is State.OPEN:
            self.state = step(self.state, Event.LOSE)
            self._mark()

    def forked(self) -> None:
        """The parent sends what is queued."""
        super().forked()
        self._outbox = self.source = None

    def _mark(self) -> None:
        if not self._marked:
            self._marked = True
            self._loop.dirty.append(self)

    def flush(self) -> None:
        """Send what is queued, or carry out what waits for it to be sent. The loop calls this, in whatever context."""
        inside(self.context, self._flush)

    def _flush(self) -> None:
        self._marked = False
        if self.state is State.CLOSED:
            return
        if self._outbox is None:
            self._settle()
        elif not self.interest & WRITE:
            self._send()

    def writable(self) -> None:
        """There is room again."""
        if self._outbox is not None:
            self._send()
        else:
            self._loop.poller.drop(self, WRITE)
            self._settle()

    def _send(self) -> None:
        outbox = self._outbox
        assert outbox is not None
        try:
            if outbox.sent(os.write(self.fd, outbox.head())):
                self._outbox = None
        except OSError as e:
            if e.errno not in _TRY_AGAIN:
                self._end(self._lost(e))
                return
        if self._outbox is None and self.source is not None:
            # What the producer writes now is sent in a turn of its own.
            self._marked = True
            try:
                self.source.drained()
            except BaseException as e:
                self._raised(e)
            self._marked = False
        if self.state is State.CLOSED:
            return
        if self._outbox is not None:
            self._loop.poller.want(self, WRITE)
            return
        if self.interest & WRITE:
            self._loop.poller.drop(self, WRITE)
        self._settle()

    def _settle(self) -> None:
        if self.state is State.CLOSING and (self.source is None or self.source.over):
            # In the next turn, as readers do: so pipes are closed in the order in which that was asked for.
            self.state = step(self.state, Event.ABORT)
            self._loop.soonIn(self.context, self._end, Failure(ConnectionDone()))

    def _raised(self, problem: BaseException) -> None:
        failure = self._owner.raised(problem)
        if failure is not None and self.state is not State.CLOSED:
            self.state = step(self.state, Event.ABORT)
            self._outbox = None
            self._loop.poller.drop(self, READ | WRITE)
            self._loop.soonIn(self.context, self._end, failure)

    def disconnect(self, reason: Failure) -> None:
        """The reactor stops: one last attempt to send, then the end."""
        try:
            while self._outbox is not None:
                head = self._outbox.head()
                count = os.write(self.fd, head)
                if self._outbox.sent(count):
                    self._outbox = None
                elif count < len(head):
                    break
        except OSError:
            # It does not take them, or is gone: that was the attempt.
            pass
        self._end(reason)

    def _end(self, reason: Failure) -> None:
        if self.state is State.CLOSED:
            return
        self._outbox = None
        source, self.source = self.source, None
        if source is not None:
            try:
                source.stop()
            except BaseException as e:
                self._owner.raised(e)
        super()._end(reason)
