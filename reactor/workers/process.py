"""One worker as its supervisor sees it: a process, and a socket whose other end it has.

Over the socket the worker says once that it is ready; that this end of it is closed means that it is to stop. So a
worker stops gracefully when it is told to, however often, and also when its supervisor is killed; signals, which come
from elsewhere as well (a terminal's Ctrl-C, a service manager that signals a whole group), could not tell the first
from the second. The process is begun by fork and exec: nothing of this process is left in it but the socket and the
three standard streams.

That it ended is told by a pidfd, where there are any; elsewhere it is asked for now and then.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure

READY = b"ready\n"
#: The status of a worker whose function is not found, today or tomorrow (EX_CONFIG of sysexits.h).
CANNOT = 78
# Seconds between looks where there are no pidfds.
_OFTEN = 0.05


class State(Enum):
    """Where a worker is. From each state the next ones: STARTING -> READY -> STOPPING -> GONE, or to GONE at once."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    GONE = "gone"


class Worker:
    """One process. `exited(worker)` and `ready(worker)` are called, each at most once."""

    def __init__(
        self,
        reactor: Any,
        number: int,
        arguments: list[str],
        ready: Callable[[Worker], object],
        exited: Callable[[Worker], object],
        descriptors: list[int],
    ) -> None:
        """Start it. OSError when the system refuses.

        :param number: the worker's, for its name.
        :param arguments: of the command ``python -m reactor _worker DESCRIPTOR``.
        :param descriptors: what else of this process it has.
        """
        self.number = number
        self.state = State.STARTING
        self.began = reactor.seconds()
        self._reactor = reactor
        self._tellReady, self._tellExited = ready, exited
        ours, theirs = socket.socketpair()
        try:
            # A process group of its own, so that a terminal's Ctrl-C is the supervisor's business alone.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "reactor", "_worker", str(theirs.fileno()), *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *descriptors],
                process_group=0,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        ours.setblocking(False)
        self._line: _Reader | None = _Reader(ours, self._heard)
        reactor.addReader(self._line)
        self._end: _Reader | None = None
        try:
            self._end = _Reader(_Descriptor(os.pidfd_open(self.pid)), self._look)
        except (AttributeError, OSError):
            reactor.callLater(_OFTEN, self._look)
        else:
            reactor.addReader(self._end)

    @property
    def status(self) -> int | None:
        """The process's exit status, negative for the number of the signal that ended it; None while it lives."""
        return self._process.returncode

    @property
    def how(self) -> str:
        """How it ended, for people."""
        status = self.status
        if status is None:
            return "has not ended"
        if status >= 0:
            return f"exited with status {status}"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def stop(self) -> None:
        """Ask it to stop gracefully; again makes no difference."""
        if self.state in (State.STOPPING, State.GONE):
            return
        # While it starts it may not listen to its socket yet, and it serves nobody; and it may have closed its end.
        deaf = self.state is State.STARTING or self._line is None
        self.state = State.STOPPING
        self._closeLine()
        if deaf:
            self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send it a signal; nothing when it is gone."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, and wait for that."""
        if self.state is not State.GONE:
            self._process.kill()
            self._process.wait()
            self._gone()

    def _heard(self) -> None:
        assert self._line is not None
        try:
            heard = self._line.sock.recv(100)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            # It is ending, mostly.
            self._closeLine()
        elif self.state is State.STARTING:
            self.state = State.READY
            self._tellReady(self)

    def _look(self) -> None:
        if self.state is State.GONE:
            return
        if self._process.poll() is not None:
            self._gone()
        elif self._end is None:
            self._reactor.callLater(_OFTEN, self._look)

    def _gone(self) -> None:
        self.state = State.GONE
        self._closeLine()
        end, self._end = self._end, None
        if end is not None:
            self._reactor.removeReader(end)
            end.sock.close()
        self._tellExited(self)

    def _closeLine(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._reactor.removeReader(line)
            line.sock.close()

    def __repr__(self) -> str:
        return f"<Worker {self.number}, process {self.pid}, {self.state.value}>"


class _Descriptor:
    """A bare descriptor, closed like a socket."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    __del__ = close


class _Reader:
    """What the reactor watches (`IReadDescriptor`)."""

    def __init__(self, sock: Any, readable: Callable[[], object]) -> None:
        self.sock = sock
        self.doRead = readable

    def fileno(self) -> int:
        return self.sock.fileno()  # type: ignore[no-any-return]

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has stopped; whoever made this closes it."""

    def logPrefix(self) -> str:
        return "Worker"
