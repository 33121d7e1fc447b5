"""A `TwistedReactor` that carries a loop of asyncio's.

Twisted's programs that want asyncio beside Twisted ask whether the reactor is an `AsyncioSelectorReactor`, and take the
loop from it by a private name. This one is, and has it; but nothing of that class is run. The loop is `reactor.aio`'s
on the same engine: one poller, one heap of timers, no books kept twice.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twisted.internet.asyncioreactor import AsyncioSelectorReactor

from reactor.aio.loop import EventLoop
from reactor.twisted import frame
from reactor.twisted.frame import TwistedReactor
from reactor.twisted.polled import Polled

if TYPE_CHECKING:
    import selectors
    from collections.abc import Iterator

    from reactor.base import Reactor
    from reactor.defer import Deferred

__all__ = ["AsyncioTwistedReactor", "install"]


class CarriedLoop(EventLoop):
    """The loop of an `AsyncioTwistedReactor`."""

    def __init__(self, reactor: Reactor) -> None:
        """Not running."""
        super().__init__(reactor)
        # The task that ends the others, while it does.
        self._ender: asyncio.Task[None] | None = None
        self._selector = Polled(reactor._loop.poller)

    def _reactorStops(self) -> Deferred[None] | None:
        # Programs for Twisted end their tasks themselves, in shutdown triggers: what they leave is ended after those.
        self._trigger = None
        return None

    def endTasks(self) -> None:
        """The reactor's run is over: cancel the tasks that are left, and wait until they have ended (`stopTimeout`), or
        until `waitNoLonger()`.
        """
        if asyncio.all_tasks(self) or self._asyncgens or self._executor is not None:
            self._ender = self.create_task(self._finish(), name="the end of the tasks")
            try:
                self.run_until_complete(self._ender)
            except asyncio.CancelledError:
                pass
            finally:
                self._ender = None

    def waitNoLonger(self) -> bool:
        """Have `endTasks` return. Whether it was at work."""
        return self._ender is not None and self._ender.cancel()


class AsyncioTwistedReactor(TwistedReactor, AsyncioSelectorReactor):  # type: ignore[misc]
    """A reactor for Twisted's applications, on our engine, with a loop of asyncio's.

    In every callback ``asyncio.get_running_loop()`` is that loop, so that asyncio's libraries can be called, and
    ``Deferred.fromFuture`` and ``Deferred.asFuture(loop)`` lead from one to the other.
    """

    _asyncioEventloop: CarriedLoop

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        """Not running yet.

        :param selector: what to watch descriptors with, as for `reactor.base.Reactor`.
        :raises RuntimeError: in a running event loop: this brings its own.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError(
                f"AsyncioTwistedReactor(): {running!r} runs in this thread; this reactor has a loop of its own"
            )
        super().__init__(selector)
        self._asyncioEventloop = CarriedLoop(self.engine)

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run until `stop()`; then cancel the tasks that the program has left, wait until they have ended, and return.

        :param installSignalHandlers: as for any reactor.
        """
        super().run(installSignalHandlers)
        # Not after crash(), which lets everything be as it is.
        if self._stopped:
            self._asyncioEventloop.endTasks()

    def stop(self) -> None:
        """Fire the shutdown event, and let `run` return. A second time, for example by a second Ctrl-C: do not wait for
        tasks that do not end.
        """
        if not self._asyncioEventloop.waitNoLonger():
            super().stop()

    def runUntilCurrent(self) -> None:
        """Make the calls from threads and those that are due. For programs that turn the reactor themselves."""
        with self._loopIsRunning():
            super().runUntilCurrent()

    @contextmanager
    def _loopIsRunning(self) -> Iterator[None]:
        carried = self._asyncioEventloop
        if carried.is_running():
            yield
            return
        carried.entered()
        try:
            yield
        finally:
            carried.left()


def install() -> AsyncioTwistedReactor:
    """Make an `AsyncioTwistedReactor` the one that `twisted.internet.reactor` is, its engine the one that `from reactor
    import reactor` is, and its loop asyncio's in this thread (``asyncio.get_event_loop()``). What it returns is the
    first.

    :raises twisted.internet.error.ReactorAlreadyInstalledError: when Twisted has one.
    """
    reactor = AsyncioTwistedReactor()
    frame.put(reactor)
    asyncio.set_event_loop(reactor._asyncioEventloop)
    return reactor


# Programs compare classes by the names that they are installed under.
AsyncioTwistedReactor.__module__ = "reactor.twisted"
