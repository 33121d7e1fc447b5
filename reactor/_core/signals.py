"""The signals that stop a reactor: SIGINT (unless the program has a handler of its own) and SIGTERM; and what was there
before, put back afterwards, and in a fork at once: a child that a program forks while its reactor runs is to end by a
SIGTERM like any other. They are blocked while it forks, for one that comes before they are put back would be lost.

Signals belong to the main thread. In any other, and in an interpreter where they cannot be set, nothing is installed
and nothing is said.
"""

from __future__ import annotations

import os
import signal
from _thread import get_ident

from reactor._core.forks import tellInFork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


# Those with a handler of ours.
_handled: set[int] = set()
# What was blocked in a thread before it began to fork.
_blocked: dict[int, set[int]] = {}


def _forks() -> None:
    if _handled:
        _blocked[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _handled)


def _hasForked() -> None:
    before = _blocked.pop(get_ident(), None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In the child behind what is told there, the handlers' end among it: `forks` was imported first.
os.register_at_fork(before=_forks, after_in_parent=_hasForked, after_in_child=_hasForked)


class StopSignals:
    """Installed while a reactor runs."""

    __slots__ = ("__weakref__", "_before", "_installed", "_stopped", "_wakeup", "_wakeupBefore")

    def __init__(self, stop: Callable[[int], object], wakeup: int) -> None:
        """Call `stop(signal number)` from the handler, and have the interpreter write to the descriptor `wakeup`, so
        that the loop's wait ends.
        """
        self._before: dict[int, object] = {}
        self._wakeup = wakeup
        self._wakeupBefore = -1
        self._installed = False
        if not _inMainThread():
            return

        def stopped(number: int, _frame: FrameType | None) -> None:
            stop(number)

        self._stopped = stopped
        try:
            self._wakeupBefore = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        except ValueError:
            # The main thread of an interpreter that is not the main one.
            return
        self._installed = True
        for number in (signal.SIGINT, signal.SIGTERM):
            if number == signal.SIGINT and signal.getsignal(number) is not signal.default_int_handler:
                continue
            self._before[number] = signal.signal(number, stopped)
            _handled.add(number)
        tellInFork(self)

    def restore(self) -> None:
        """Put back what was there before, unless the program has put something else there meanwhile. Handlers that were
        set from outside Python excepted: Python cannot.
        """
        self._putBack(None)

    def forked(self) -> None:
        """This is a fork: the same, and the default where Python cannot."""
        self._putBack(signal.SIG_DFL)

    def _putBack(self, fromOutside: signal.Handlers | None) -> None:
        if not self._installed:
            return
        self._installed = False
        for number, handler in self._before.items():
            _handled.discard(number)
            handler = fromOutside if handler is None else handler
            if handler is not None and signal.getsignal(number) is self._stopped:
                signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()
        now = signal.set_wakeup_fd(self._wakeupBefore)
        if now != self._wakeup:
            signal.set_wakeup_fd(now)


def _inMainThread() -> bool:
    # Imported here: a program that installs no handlers has no use for it.
    from threading import current_thread, main_thread

    return current_thread() is main_thread()
