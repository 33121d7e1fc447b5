"""Wakes a loop that waits in the kernel: a pipe to itself.

A pipe rather than an eventfd, since the interpreter writes single bytes to it when a signal arrives. However often it
is rung before the loop looks, one byte is written, so the pipe is never full and nobody who rings it ever waits.
"""

from __future__ import annotations

import os

from reactor._core.poller import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.failure import Failure


class Waker(Watch):
    """The loop's own descriptor."""

    __slots__ = ("_rung", "_writer")

    def __init__(self) -> None:
        reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        super().__init__(reader)
        # Invariant: when it is True, a byte is in the pipe or the loop is about to look at its calls.
        self._rung = False

    def ring(self) -> None:
        """Make the loop's wait end. From any thread, and from signal handlers."""
        if not self._rung:
            self._rung = True
            try:
                os.write(self._writer, b"\0")
            except OSError:
                # Full of the interpreter's own bytes (the loop will wake), or closed with the reactor.
                pass

    def readable(self) -> None:
        """Empty the pipe. The calls that the ring was for are looked at by the loop, after this."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        self._rung = False

    def writable(self) -> None:
        """Never: only reading is of interest."""

    def disconnect(self, reason: Failure) -> None:
        """Stays: the reactor may be run again."""

    def forked(self) -> None:
        """The other end of the pipe is read by the parent, who is not to be woken."""
        self._rung = True

    def renew(self) -> None:
        """In a fork that goes on with the loop: a pipe of its own, under the same numbers."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.dup2(reader, self.fd, inheritable=False)
        os.dup2(writer, self._writer, inheritable=False)
        os.close(reader)
        os.close(writer)
        # What it was rung for is looked at when the loop begins to turn.
        self._rung = False

    def internal(self) -> bool:
        """It is the loop's own."""
        return True

    @property
    def writer(self) -> int:
        """The descriptor that `signal.set_wakeup_fd` is given."""
        return self._writer

    def close(self) -> None:
        """Close both ends of the pipe."""
        if self.fd >= 0:
            os.close(self.fd)
            os.close(self._writer)
            self.fd = self._writer = -1

    __del__ = close
