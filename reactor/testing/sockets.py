"""Connected stream sockets in memory, and the selector that watches them.

A `MemorySocket` has of a socket what a transport uses, and behaves as one does over TCP on Linux: `send` takes what
there is room for, `recv` gives what has arrived, what has arrived before a reset can still be read, data for a socket
that is closed is answered by a reset. Between two of them lie two `Link`s, one for each direction, which say how long
bytes are on their way, how many at a time arrive, and when the connection breaks.

A `MemorySelector` is made like `selectors.BaseSelector`, so a poller takes it for one. It never waits: whoever turns
the loop lets time pass between two looks. Knows nothing of transports and protocols.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import DelayedCall

READ, WRITE = 1, 2  # as selectors.EVENT_READ and EVENT_WRITE
# Descriptors of no process: Linux gives none as high as that.
_NUMBERS = count(1 << 30)
# What is on its way besides bytes.
END, RESET = object(), object()


class Key:
    """What a selector tells a descriptor by."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd


class MemorySelector:
    """Tells which of its sockets are ready. `wake()` is called when one may have become so."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self.sockets: dict[int, MemorySocket] = {}
        self._wanted: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        """Watch descriptor `fd`. KeyError when it is none of this selector's sockets."""
        self._wanted[self.sockets[fd].fileno()] = events
        self.wake()

    # A change is the same as the first time.
    modify = register

    def unregister(self, fd: int) -> None:
        """No longer watch `fd`. KeyError when it was not watched."""
        del self._wanted[fd]

    def select(self, timeout: float | None = None) -> list[tuple[Key, int]]:
        """Who is ready now, whatever `timeout` is: no time passes in here."""
        ready = []
        for fd, wanted in self._wanted.items():
            events = self.sockets[fd].ready() & wanted
            if events:
                ready.append((Key(fd), events))
        return ready

    def close(self) -> None:
        """Forget everything."""
        self._wanted.clear()
        self.sockets.clear()


class Link:
    """One direction: what is on its way to `to`.

    :ivar received: bytes that `to` has read so far.
    :ivar held: whether nothing arrives for now.
    """

    def __init__(
        self,
        clock: Any,
        delay: Callable[[], float],
        chunk: Callable[[], int],
        capacity: int,
        cutAfter: int | None,
        cut: Callable[[], object],
    ) -> None:
        """`delay()` is how many seconds what is sent now needs, `chunk()` how many bytes one receive gives at most. No
        more than `capacity` bytes are on their way and unread. When `cutAfter` bytes were read, `cut()` is called.
        """
        self.to: MemorySocket
        self.received = 0
        self.held = False
        self._clock = clock
        self.delay = delay
        self._chunk = chunk
        self._capacity = capacity
        self._cutAfter = cutAfter
        self._cut = cut
        # What is on its way, with the call that is going to deliver it, if nothing is held.
        self._way: deque[Any] = deque()
        self._calls: deque[DelayedCall] = deque()
        self._late = 0
        self._lastDue = 0.0
        # What has arrived and was not read.
        self._here: deque[bytes] = deque()
        self._size = 0

    @property
    def room(self) -> int:
        """Bytes that would be taken now."""
        return self._capacity - self._size

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return bool(self._way) and not self.held

    def put(self, item: Any) -> None:
        """Send bytes, END or RESET."""
        if item.__class__ is bytes:
            self._size += len(item)
        self._way.append(item)
        now = self._clock.seconds()
        # Nothing overtakes.
        self._lastDue = due = max(self._lastDue, now + self.delay())
        self._calls.append(self._clock.callLater(max(0.0, due - now), self._arrive))

    def _arrive(self) -> None:
        # The first one, unless two delays were added up to the same time but for the last bit, and the second is called
        # first.
        calls = self._calls
        del calls[next(place for place, call in enumerate(calls) if not call.active())]
        if self.held:
            self._late += 1
        else:
            self._deliver()

    def _deliver(self) -> None:
        item = self._way.popleft()
        if item.__class__ is bytes:
            self._here.append(item)
        self.to.arrived(item)

    def release(self) -> None:
        """Let things arrive again, those first whose time has come meanwhile."""
        self.held = False
        while self._late and self._way:
            self._late -= 1
            self._deliver()

    def drop(self) -> None:
        """What has not arrived never does."""
        self._size -= sum(len(item) for item in self._way if item.__class__ is bytes)
        self._way.clear()
        self._late = 0
        while self._calls:
            self._calls.popleft().cancel()

    @property
    def unread(self) -> int:
        """Bytes that have arrived."""
        return sum(map(len, self._here))

    def take(self, size: int) -> bytes:
        """Up to `size` bytes of what has arrived."""
        most = min(size, self._chunk())
        if self._cutAfter is not None:
            most = min(most, self._cutAfter - self.received)
        piece = self._here.popleft()
        if len(piece) > most:
            self._here.appendleft(piece[most:])
            piece = piece[:most]
        self._size -= len(piece)
        self.received += len(piece)
        if self.received == self._cutAfter:
            self._here.clear()
            self._cut()
        return piece


class MemorySocket:
    """One end of a connection."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM

    def __init__(self, selector: MemorySelector, incoming: Link, outgoing: Link, host: Any, peer: Any) -> None:
        """Between `incoming` and `outgoing`; `host` and `peer` are what the socket module calls addresses."""
        self._fd = next(_NUMBERS)
        self._selector = selector
        self._incoming = incoming
        self._outgoing = outgoing
        self._host = host
        self._peer = peer
        self._options: dict[tuple[int, int], Any] = {}
        # What the next call raises, once.
        self._error: int | None = None
        # Whether no more comes, and whether no more may be sent.
        self._ended = self._shut = False
        self.closed = False
        incoming.to = self
        selector.sockets[self._fd] = self

    def ready(self) -> int:
        """What would not block: READ, WRITE or both."""
        events = 0
        if self._incoming._here or self._ended or self._error is not None:
            events |= READ
        # As Linux: woken for a third of the buffer, so that a full one is not filled byte by byte.
        if self._shut or self._error is not None or self._outgoing.room > self._outgoing._capacity // 3:
            events |= WRITE
        return events

    def arrived(self, item: Any) -> None:
        """Something came over the link."""
        if self.closed:
            if item.__class__ is bytes and not self._outgoing.to.closed:
                self._outgoing.put(RESET)
        elif item is RESET:
            self.fail(errno.ECONNRESET)
        else:
            if item is END:
                self._ended = True
            self._selector.wake()

    def fail(self, number: int) -> None:
        """The connection is broken, with an error of that number. What has arrived can still be read."""
        if not self.closed:
            self._error = number
            self._ended = self._shut = True
            self._outgoing.drop()
            self._selector.wake()

    def _raiseError(self) -> None:
        number, self._error = self._error, None
        if number is not None:
            raise OSError(number, os.strerror(number))

    # What a transport asks of a socket.

    def recv(self, size: int) -> bytes:
        """What has arrived, `size` bytes at most; b"" at the end; BlockingIOError for nothing yet."""
        self._checkOpen()
        if self._incoming._here:
            data = self._incoming.take(size)
            if not self._outgoing.to.closed:
                # There is room again.
                self._selector.wake()
            return data
        self._raiseError()
        if self._ended:
            return b""
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def send(self, data: bytes | memoryview) -> int:
        """Send what there is room for; how many bytes that is. BlockingIOError for none."""
        self._checkOpen()
        self._raiseError()
        if self._shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        count = min(len(data), self._outgoing.room)
        if not count:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._outgoing.put(bytes(data[:count]))
        return count

    def shutdown(self, how: int) -> None:
        """End one direction or both. OSError when the connection is broken."""
        self._checkOpen()
        if self._error is not None or (self._shut and self._ended and how == socket.SHUT_WR):
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self._ended = True
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not self._shut:
            self._shut = True
            self._outgoing.put(END)
        self._selector.wake()

    def close(self) -> None:
        """Close: what is on its way arrives, unless something is unread here, or SO_LINGER asks for a reset."""
        if self.closed:
            return
        self.closed = True
        del self._selector.sockets[self._fd]
        self._fd = -1
        other = self._outgoing.to
        if other.closed:
            self._incoming.drop()
            self._outgoing.drop()
        elif self._incoming.unread or (socket.SOL_SOCKET, socket.SO_LINGER) in self._options:
            self._outgoing.drop()
            self._outgoing.put(RESET)
        elif not self._shut:
            self._outgoing.put(END)

    def _checkOpen(self) -> None:
        if self.closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def fileno(self) -> int:
        """A number that no file has; -1 when it is closed."""
        return self._fd

    def setblocking(self, flag: bool) -> None:
        """Nothing: it never blocks."""

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        """Remember it. SO_LINGER means a reset when it is closed; the others mean nothing here."""
        self._checkOpen()
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int) -> Any:
        """What was set, else 0."""
        self._checkOpen()
        return self._options.get((level, option), 0)

    def getsockname(self) -> Any:
        """This end's address."""
        self._checkOpen()
        return self._host

    def getpeername(self) -> Any:
        """The other end's address."""
        self._checkOpen()
        return self._peer
