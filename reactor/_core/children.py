"""Child processes that run, and who is told of their end: the one place that waits for them, so that none stays a
zombie.

Each is watched by a descriptor of its own (a pidfd, Linux 5.3), which becomes readable when it ends: no signal, and no
look at the others. Where there is none, SIGCHLD has all of them looked at; its handler is there as long as there are
children, and calls the one before it. Handlers belong to the main thread, so a loop in another one has a thread wait
for each child instead. Nothing here touches children that others started.
"""

from __future__ import annotations

import os

from reactor._core.forks import tellInFork
from reactor._core.poller import READ, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from reactor._core.loop import Loop
    from reactor.failure import Failure

    Ended = Callable[[int | None], object]


def waited(pid: int) -> tuple[bool, int | None]:
    """Whether child `pid` has ended, without waiting, and with what status: None when somebody else waited for it."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True, None
    return found == pid, status


class Exit(Watch):
    """One child's pidfd."""

    __slots__ = ("_children", "_ended", "_loop", "_pid")

    def __init__(self, loop: Loop, fd: int, pid: int, ended: Ended, children: Children) -> None:
        super().__init__(fd)
        self._loop = loop
        self._pid = pid
        self._ended = ended
        self._children = children

    def readable(self) -> None:
        """The child has ended."""
        over, status = waited(self._pid)
        if over:
            self._loop.poller.forget(self)
            self.close()
            self._ended(status)

    def writable(self) -> None:
        """Never: only reading is of interest."""

    def disconnect(self, reason: Failure) -> None:
        """Stays: the child lives on, and the reactor may be run again."""

    def unwatchable(self, reason: Failure) -> None:
        """Watch the child as where there are no pidfds."""
        self._loop.poller.forget(self)
        self.close()
        self._children.watchOtherwise(self._pid, self._ended)

    def supersede(self) -> None:
        """Somebody closed the descriptor, and the number is another one's."""
        self._loop.poller.forget(self)
        self.fd = -1
        self._children.watchOtherwise(self._pid, self._ended)

    def internal(self) -> bool:
        """It is the loop's own."""
        return True

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    __del__ = close


class Children:
    """The children of one loop."""

    __slots__ = ("__weakref__", "_before", "_loop", "_waiting", "usePidfd")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        #: Whether to watch by pidfd; False is for tests, and for systems that have none.
        self.usePidfd = hasattr(os, "pidfd_open")
        # Those that no pidfd tells of.
        self._waiting: dict[int, Ended] = {}
        # Invariant: a handler of ours is installed while this is not empty; it holds the one before.
        self._before: list[Any] = []

    def watch(self, pid: int, ended: Ended) -> None:
        """Call `ended(status)` once, in a turn of the loop, when child `pid` has ended and was waited for.

        `status` is what ``waitpid`` says; None when somebody else has waited for it.
        """
        if not (self.usePidfd and self._watchPidfd(pid, ended)):
            self.watchOtherwise(pid, ended)

    def watchOtherwise(self, pid: int, ended: Ended) -> None:
        """The same as `watch`, without a pidfd."""
        self._waiting[pid] = ended
        from threading import Thread, current_thread, main_thread

        if current_thread() is main_thread():
            self._install()
            # It may have ended before the handler was there.
            self._loop.soon(self.look)
        else:
            Thread(target=self._await, args=(pid,), name=f"waits for process {pid}", daemon=True).start()

    def _watchPidfd(self, pid: int, ended: Ended) -> bool:
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            # A kernel without, one that forbids it, or no descriptor left.
            return False
        watch = Exit(self._loop, fd, pid, ended, self)
        try:
            self._loop.poller.add(watch, READ)
        except (OSError, ValueError):
            watch.close()
            return False
        return True

    def _install(self) -> None:
        import signal

        if not self._before:
            self._before.append(signal.signal(signal.SIGCHLD, self._signalled))
            tellInFork(self)

    def forked(self) -> None:
        """This is a fork: those are no children of this process."""
        self._waiting.clear()
        self._restore()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._loop.callFromThread(self.look, (), {})
        for before in self._before:
            if callable(before):
                before(number, frame)

    def _await(self, pid: int) -> None:
        try:
            # Not taken away: the loop's thread does that, which alone knows that nobody signals the child any more.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            # Somebody else did.
            pass
        self._loop.callFromThread(self.look, (), {})

    def look(self) -> None:
        """See now which of those that no pidfd tells of have ended, and tell."""
        for pid in list(self._waiting):
            over, status = waited(pid)
            if over:
                ended = self._waiting.pop(pid)
                if not self._waiting:
                    self._restore()
                ended(status)

    def _restore(self) -> None:
        if self._before:
            import signal

            # Else somebody has put his own handler on top, and may call ours.
            if signal.getsignal(signal.SIGCHLD) == self._signalled:
                signal.signal(signal.SIGCHLD, self._before.pop() or signal.SIG_DFL)
