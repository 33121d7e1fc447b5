"""A reactor's run: its state, its triggers, and how it begins and ends. Knows the loop that it turns, and of what is
open only that there is somebody who closes it.
"""

from __future__ import annotations

from enum import Enum

from reactor._core.forks import tellInFork
from reactor._core.loop import LONGEST_WAIT, Loop
from reactor._core.signals import StopSignals
from reactor._core.triggers import Triggers
from reactor._ground.current import entered, left, runningReactor
from reactor.error import ReactorAlreadyRunning, ReactorNotRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable
    from typing import Protocol

    from reactor.base import Reactor

    class Carried(Protocol):
        """Something that is there while the reactor runs."""

        def entered(self) -> object: ...
        def left(self) -> object: ...


class RunState(Enum):
    """Where a reactor is in its run. From each state the next ones: STOPPED -> STARTING -> RUNNING -> STOPPING ->
    CLOSING -> STOPPED; stop() in STARTING leads to STOPPING at once, crash() from anywhere to STOPPED."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    # stop() was called; the shutdown event is at its "before" triggers, or waits for their Deferreds.
    STOPPING = "stopping"
    # The shutdown event is past that: everything is being closed.
    CLOSING = "closing"


_STOPPING = (RunState.STOPPING, RunState.CLOSING)


class Run:
    """What `Reactor.run`, `stop`, `crash` and `iterate` do; they say what for."""

    __slots__ = (
        "__weakref__",
        "_closeAll",
        "_closed",
        "_escape",
        "carried",
        "loop",
        "over",
        "state",
        "triggers",
    )

    def __init__(
        self,
        selector: selectors.BaseSelector | None,
        closeAll: Callable[[], object],
        closed: Callable[[Callable[[], object]], object],
    ) -> None:
        """`closeAll()` closes what is open when the reactor stops; `closed(done)` is called when it has, and calls
        `done()` when nothing is left to wait for.
        """
        self.loop = Loop(selector, self.escaped)
        self.triggers = Triggers(self.escaped)
        # What is told when a run begins and ends: a loop of other words that lives on this reactor.
        self.carried: Carried | None = None
        self.state = RunState.STOPPED
        # Whether a run has come to its end, or is about to, and none has begun since.
        self.over = False
        self._closeAll = closeAll
        self._closed = closed
        # What is raised out of run() when it ends.
        self._escape: BaseException | None = None
        tellInFork(self)

    @property
    def turning(self) -> bool:
        """Whether `run` has begun and not returned."""
        return self.state is not RunState.STOPPED

    @property
    def running(self) -> bool:
        """Whether it is up: from the startup event's "during" phase to that of the shutdown event."""
        return self.state in (RunState.RUNNING, RunState.STOPPING)

    def run(self, reactor: Reactor, installSignalHandlers: bool, begin: Callable[[], object] | None = None) -> None:
        """Turn the loop until it is stopped. `begin()`, if it is given, is called ahead of the startup event."""
        if self.state is not RunState.STOPPED:
            raise ReactorAlreadyRunning("run(): this reactor is running already")
        if runningReactor() is not None:
            raise ReactorAlreadyRunning("run(): another reactor is running in this thread")
        loop = self.loop
        loop.poller.checkProcess()
        self.state = RunState.STARTING
        self.over = loop.closing = False
        entered(reactor)
        signals = None
        try:
            if self.carried is not None:
                self.carried.entered()
            if installSignalHandlers:
                # Before the triggers: one that waits can be stopped as well.
                signals = StopSignals(self._signalled, loop.waker.writer)
            if begin is not None:
                begin()
            self.triggers.fire("startup", during=self._started)
            turn, stopped = loop.turn, RunState.STOPPED
            while self.state is not stopped:
                turn(-1.0)
        finally:
            self.state = RunState.STOPPED
            left()
            if self.carried is not None:
                self.carried.left()
            if signals is not None:
                signals.restore()
        # The child is not to do what its parent does when it has run.
        loop.poller.checkProcess()
        self._raiseEscaped()

    def stop(self) -> None:
        """End the run in good order."""
        if self.state is RunState.STOPPED:
            raise ReactorNotRunning("stop(): this reactor is not running")
        if self.state in _STOPPING:
            raise ReactorNotRunning("stop(): this reactor is stopping already")
        self.state = RunState.STOPPING
        self.loop.atEnd(self.shutDown)

    def crash(self) -> None:
        """End the run at once."""
        self.state = RunState.STOPPED
        self.loop.closing = False
        # Whatever this run still waits for is not to befall the next one.
        self.loop.ending = None
        self.triggers.abandon()
        self.loop.waker.ring()

    def iterate(self, reactor: Reactor, delay: float) -> None:
        """One turn."""
        poller = self.loop.poller
        poller.checkProcess()
        nested = runningReactor()
        carried = self.carried if nested is None else None
        entered(reactor)
        try:
            if carried is not None:
                carried.entered()
            self.loop.turn(min(delay, LONGEST_WAIT))
        finally:
            if nested is None or poller.inFork:
                left()
                if carried is not None:
                    carried.left()
            else:
                entered(nested)
                # The turn that this one is inside of holds events of descriptors that may be others by now; they come
                # again.
                poller.fresh.update(poller.watches)
        poller.checkProcess()
        if self.state is RunState.STOPPED:
            self._raiseEscaped()

    def forked(self) -> bool:
        """This is a fork: nothing runs, and nothing of what is called at the end of a run is called."""
        if not self.loop.poller.inFork:
            return True
        self.state = RunState.STOPPED
        self._escape = None
        self.triggers.forget()
        return False

    def shutDown(self) -> None:
        """Fire the shutdown event; when it is over, so is the run."""
        self.triggers.fire("shutdown", during=self._close, done=self._ended)

    def escaped(self, problem: BaseException) -> None:
        """A callback raised KeyboardInterrupt or SystemExit: stop, and raise it out of run(); in a fork, now."""
        if self.loop.poller.inFork:
            raise problem
        if self._escape is None:
            self._escape = problem
        elif isinstance(problem, KeyboardInterrupt) and self.state in _STOPPING:
            # Whoever presses Ctrl-C twice does not want to wait for triggers that never end.
            self.crash()
        self._stopIfRunning()

    def _raiseEscaped(self) -> None:
        escaped, self._escape = self._escape, None
        if escaped is not None:
            raise escaped

    def _started(self) -> None:
        if self.state is RunState.STARTING:
            self.state = RunState.RUNNING

    def _signalled(self, number: int) -> None:
        # A second one does not wait for triggers that never end.
        self.loop.callFromThread(self.crash if self.state in _STOPPING else self._stopIfRunning, (), {})

    def _stopIfRunning(self) -> None:
        if self.state in (RunState.STARTING, RunState.RUNNING):
            self.stop()

    def _close(self) -> None:
        if self.loop.poller.inFork:
            return
        self.state = RunState.CLOSING
        self.over = self.loop.closing = True
        self._closeAll()

    def _ended(self) -> None:
        if self.loop.poller.inFork:
            return
        self._closed(self._nothingLeft)

    def _nothingLeft(self) -> None:
        # Else a second signal has ended the run already.
        if self.state is RunState.CLOSING:
            self.crash()
