"""The signals that stop a reactor: SIGINT (unless the program has a handler of its own) and SIGTERM; and what was there
before, put back afterwards.

Signals belong to the main thread. In any other, and in an interpreter where they cannot be set, nothing is installed
and nothing is said.
"""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class StopSignals:
    """Installed while a reactor runs."""

    __slots__ = ("_before", "_installed", "_wakeupBefore")

    def __init__(self, stop: Callable[[int], object], wakeup: int) -> None:
        """Call `stop(signal number)` from the handler, and have the interpreter write to the descriptor `wakeup`, so
        that the loop's wait ends.
        """
        self._before: dict[int, object] = {}
        self._wakeupBefore = -1
        self._installed = False
        if not _inMainThread():
            return

        def stopped(number: int, _frame: FrameType | None) -> None:
            stop(number)

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

    def restore(self) -> None:
        """Put back what was there before, handlers that were set from outside Python excepted: Python cannot."""
        if not self._installed:
            return
        for number, handler in self._before.items():
            if handler is not None:
                signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()
        signal.set_wakeup_fd(self._wakeupBefore)


def _inMainThread() -> bool:
    # Imported here: a program that installs no handlers has no use for it.
    from threading import current_thread, main_thread

    return current_thread() is main_thread()
