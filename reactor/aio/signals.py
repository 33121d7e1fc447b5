"""Signals as calls of the loop."""

from __future__ import annotations

import asyncio
import signal
import threading

from reactor.aio.datagrams import Datagrams
from reactor.aio.scheduling import checkCallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


class Signals(Datagrams):
    """The part of `EventLoop` that handles signals."""

    def __init__(self) -> None:
        super().__init__()
        self._signals: dict[int, asyncio.Handle] = {}

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Call `callback(*args)` in a turn of the loop whenever the process gets signal `sig`. From the main thread.

        ValueError for what is no signal; RuntimeError for one that cannot be caught, or in another thread.
        """
        checkCallback(callback, "add_signal_handler")
        _checkSignal(sig)
        self._checkClosed()
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("set_wakeup_fd only works in main thread")
        handle = asyncio.Handle(callback, args, self, None)
        try:
            signal.signal(sig, self._signalled)
            # Calls of the system that the signal interrupts go on.
            signal.siginterrupt(sig, False)
        except OSError as e:
            if e.errno == 22:
                raise RuntimeError(f"sig {sig} cannot be caught") from None
            raise
        before = self._signals.get(sig)
        self._signals[sig] = handle
        if before is not None:
            before.cancel()

    def remove_signal_handler(self, sig: int) -> bool:
        """No longer, the signal does what it does by default; whether there was a handler."""
        _checkSignal(sig)
        handle = self._signals.pop(sig, None)
        if handle is None:
            return False
        handle.cancel()
        default = signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL
        try:
            signal.signal(sig, default)
        except OSError as e:
            if e.errno == 22:
                raise RuntimeError(f"sig {sig} cannot be caught") from None
            raise
        return True

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        handle = self._signals.get(number)
        if handle is None or self._closed:
            return
        if handle._cancelled:
            self.remove_signal_handler(number)
            return
        self._ready.append(handle)
        self._armFromOutside()

    def _closeSignals(self) -> None:
        for number in list(self._signals):
            if threading.current_thread() is threading.main_thread():
                self.remove_signal_handler(number)


def _checkSignal(sig: object) -> None:
    if not isinstance(sig, int):
        raise TypeError(f"sig must be an int, not {sig!r}")
    if sig not in signal.valid_signals():
        raise ValueError(f"invalid signal number {sig}")
