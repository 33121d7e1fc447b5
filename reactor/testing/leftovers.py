"""What a test has left behind: connections, timers, threads and child processes that are still there when it is over.

`Before` remembers what was there before; `leftovers` asks a reactor. Each thing found is a line of text that says which
it is. A reactor with `RecordingTimers` also knows where a timer was scheduled.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from reactor._core.timers import DelayedCall, TimerQueue
from reactor.base import Reactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seconds that what is on its way out has for it; nobody waits when nothing is left.
GRACE = 0.25
# The names of threads that the reactor itself looks after: they end when the name server has answered.
_OURS = "reactor-resolver"
_HOME = str(Path(__file__).parents[1])


class RecordingTimers(TimerQueue):
    """Timers that know where they were scheduled."""

    __slots__ = ("_places",)

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__(seconds)
        self._places: WeakKeyDictionary[DelayedCall, str] = WeakKeyDictionary()

    def callLater(self, delay: float, f: Callable[..., object], /, *args: Any, **kw: Any) -> DelayedCall:
        """As `TimerQueue.callLater`."""
        call = super().callLater(delay, f, *args, **kw)
        frame = sys._getframe(1)
        # Whoever called the reactor, be it by way of our own code.
        while frame.f_back is not None and frame.f_code.co_filename.startswith(_HOME):
            frame = frame.f_back
        self._places[call] = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
        return call

    def place(self, call: DelayedCall) -> str:
        """File, line and function of the `callLater`."""
        return self._places.get(call, "an unknown place")


def freshReactor() -> Reactor:
    """A reactor of its own with `RecordingTimers`."""
    made = Reactor()
    timers = made._loop.timers = RecordingTimers(made.seconds)
    made.callLater = timers.callLater  # type: ignore[method-assign]
    return made


def leftovers(reactor: Reactor, grace: float | None = None) -> list[str]:
    """A line for each thing that is open, pending or at work in `reactor`, which must not be running.

    :param grace: seconds that connections have to end that are on their way to it; None: GRACE.
    """
    if reactor._loop.waker.fd < 0:
        # Closed already, and nothing can be left behind.
        return []
    # Both ends of a connection may be here: what one closes, the other hears of in the next turn.
    for _ in range(10):
        reactor.iterate(0)
    timers = {call: repr(call) for call in reactor.getDelayedCalls()}
    end = time.monotonic() + (GRACE if grace is None else grace)
    while any(_openThings(reactor)) and time.monotonic() < end:
        reactor.iterate(0.005)
    # One that became due meanwhile was left behind all the same.
    found = [f"timer {timers[call]}{_place(reactor, call)}" for call in timers if not call.cancelled]
    return [*_openThings(reactor), *found]


def _openThings(reactor: Reactor) -> Iterator[str]:
    for watch in list(reactor._loop.poller.watches.values()):
        if not watch.internal():
            yield f"open: {watch.public()!r}"
    for connector in list(reactor._pending):
        yield f"connecting: {connector!r}"
    pool = reactor._pool
    if pool is not None and pool.busy:
        yield f"a job in the thread pool: {pool!r}"


def _place(reactor: Reactor, call: DelayedCall) -> str:
    timers = reactor._loop.timers
    return f", scheduled at {timers.place(call)}" if isinstance(timers, RecordingTimers) else ""


def shutDown(reactor: Reactor) -> None:
    """Close `reactor`, whatever is left in it, and wait for no thread."""
    for call in reactor.getDelayedCalls():
        call.cancel()
    pool = reactor._pool
    if pool is not None and pool.busy:
        # close() would wait for the jobs. Their threads are daemons, and the reactor goes with its last reference.
        pool.end()
        reactor._disconnectAll()
    else:
        reactor.close()


class Before:
    """The threads and child processes that there were when this was made."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._children = children()

    def since(self, grace: float | None = None) -> list[str]:
        """A line for each that has come since then and is still there.

        :param grace: seconds that threads have to end; None: GRACE.
        """
        end = time.monotonic() + (GRACE if grace is None else grace)
        found = []
        for thread in threading.enumerate():
            if thread in self._threads or thread.name.startswith(_OURS):
                continue
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                found.append(f"thread {thread!r}")
        for pid, what in children().items():
            # One that multiprocessing keeps for the whole life of this process is nobody's fault.
            if pid not in self._children and "multiprocessing" not in what:
                found.append(f"child process {pid}: {what}")
        return found


def children() -> dict[int, str]:
    """The child processes of this one and their command lines; none where the system does not tell."""
    found = {}
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            for pid in task.read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(pid)] = command.strip() or "has ended, and nobody has waited for it"
        except OSError:
            # Gone between two looks.
            pass
    return found
