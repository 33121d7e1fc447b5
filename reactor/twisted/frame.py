"""Twisted's frame around our engine: what `twisted.internet.reactor` is.

The frame is Twisted's own `PosixReactorBase`: triggers, start-up and shutdown, signals, the pool of threads, resolvers
and all the names that programs have come to use of them. The engine is a reactor of ours: what turns, waits, keeps the
timers and watches the descriptors. Each of the two can be asked to run and to stop, and means both.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

import reactor as package
from reactor import base
from reactor._core.foreign import Descriptors
from reactor._core.poller import READ, WRITE
from reactor.twisted import logs
from reactor.twisted.answers import Answers
from reactor.twisted.connectors import Names
from reactor.twisted.datagrams import ReactorDatagrams
from reactor.twisted.descriptors import Selectable
from reactor.twisted.face import ReactorStreams
from reactor.twisted.processes import ReactorProcesses
from reactor.twisted.timers import scheduler
from reactor.twisted.unixdatagrams import ReactorUNIXDatagrams
from reactor.twisted.words import asTwisted

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor

    from reactor.twisted.timers import DelayedCall

__all__ = ["Engine", "TwistedReactor", "install"]


class Engine(base.Reactor):
    """The reactor of ours inside a `TwistedReactor`, as programs of ours know it: endpoints, services and clients for
    our API run on it beside those for Twisted's.
    """

    def __init__(self, frame: TwistedReactor, selector: selectors.BaseSelector | None) -> None:
        """Not running yet. `frame` runs it."""
        super().__init__(selector)
        #: Twisted's side.
        self.frame = frame
        self._descriptors = Descriptors(self._loop, Selectable)
        loop = self._loop
        loop.report = logs.report
        # As everything else that is raised there, they are logged.
        loop.escape = logs.escaped
        loop.poller.goesAlong = lambda: not frame._started
        #: What connections for Twisted's API keep to send together.
        self.answers = Answers(loop)
        names = Names(frame)
        # Who is asked for the addresses of names by connections for Twisted's API.
        self.names = lambda: names

    @property
    def running(self) -> bool:
        """Whether the reactor is up."""
        return self.frame.running

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run the frame, and with it this."""
        self.frame.run(installSignalHandlers)

    def stop(self) -> None:
        """Stop the frame."""
        self.frame.stop()

    def crash(self) -> None:
        """Have the frame's run end at once."""
        self.frame.crash()

    def iterate(self, delay: float = 0.0) -> None:
        """One turn."""
        self.frame.iterate(delay)

    def turn(self, delay: float) -> None:
        """One turn of the loop, that waits at most `delay` seconds; for ever when it is negative."""
        self._run.iterate(self, delay)

    # One set of events, the frame's.

    def addSystemEventTrigger(
        self, phase: str, eventType: str, f: Callable[..., object], /, *args: Any, **kw: Any
    ) -> Any:
        """As any reactor's; what it returns is Twisted's."""
        return self.frame.addSystemEventTrigger(phase, eventType, asTwisted(f), *args, **kw)

    def removeSystemEventTrigger(self, triggerID: Any) -> None:
        """As any reactor's."""
        self.frame.removeSystemEventTrigger(triggerID)

    def fireSystemEvent(self, eventType: str) -> None:
        """As any reactor's."""
        self.frame.fireSystemEvent(eventType)


class _Waker:
    """What a frame calls to end the loop's wait."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.wakeUp = ring


@implementer(IReactorFDSet)
class TwistedReactor(ReactorStreams, ReactorDatagrams, ReactorUNIXDatagrams, ReactorProcesses, PosixReactorBase):
    """A reactor for Twisted's applications, on our engine."""

    # The frame's methods are called by its name, not by super(): between the two stands, in `AsyncioTwistedReactor`, a
    # class of Twisted's that is to do nothing.

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        """Not running yet.

        :param selector: what to watch descriptors with, as for `reactor.base.Reactor`.
        """
        # Before the frame's own part, which adds descriptors.
        #: The reactor of ours that does the work: what `from reactor import reactor` is in a program that calls
        #: `install`.
        self.engine = Engine(self, selector)
        self._loop = self.engine._loop
        PosixReactorBase.__init__(self)
        self.addSystemEventTrigger("after", "shutdown", self._closeEngine)
        # A function of its own: this is called as often as anything.
        self.callLater = scheduler(self._loop.timers)  # type: ignore[method-assign, assignment]

    # Running.

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run until `stop()`, then return.

        :param installSignalHandlers: let SIGINT and SIGTERM stop the reactor, and hear of children by SIGCHLD.
        :raises twisted.internet.error.ReactorAlreadyRunning: when it runs. ReactorNotRestartable: when it ran.
        """
        if self._started or self._startedBefore:
            # It says which.
            self.startRunning(installSignalHandlers)
        try:
            self.engine._run.run(self.engine, False, partial(self.startRunning, installSignalHandlers))
        finally:
            self._signals.uninstall()

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """Fire the startup event. For programs that turn the reactor themselves."""
        logs.nameSources()
        PosixReactorBase.startRunning(self, installSignalHandlers)

    def mainLoop(self) -> None:
        """Turn until the run is over. For programs that have called `startRunning`."""
        if self._started:
            self.engine._run.run(self.engine, False)

    def stop(self) -> None:
        """Fire the shutdown event when this turn has done what is due, and let `run` return after it."""
        PosixReactorBase.stop(self)
        self._loop.atEnd(self._shutDown)

    def _shutDown(self) -> None:
        if self._justStopped:
            self._justStopped = False
            self.fireSystemEvent("shutdown")

    def crash(self) -> None:
        """Let `run` return at the end of this turn."""
        PosixReactorBase.crash(self)
        self.engine._run.crash()

    def iterate(self, delay: float = 0.0) -> None:
        """One turn, that waits at most `delay` seconds."""
        self.engine.turn(delay)

    def runUntilCurrent(self) -> None:
        """Make the calls from threads and those that are due. For programs that turn the reactor themselves."""
        loop = self._loop
        loop.runCalls()
        loop.runTimers(loop.timers.seconds())
        self._shutDown()

    def timeout(self) -> float | None:
        """Seconds until the next call is due; None when there is none. For the same programs."""
        loop = self._loop
        if loop.calls or loop.dirty or self._justStopped:
            return 0.0
        heap = loop.timers.heap
        return max(0.0, heap[0][0] - loop.timers.seconds()) if heap else None

    def doIteration(self, delay: float | None) -> None:
        """One turn, that waits at most `delay` seconds; for ever when it is None. For the same programs."""
        self.engine.turn(-1.0 if delay is None else delay)

    def installWaker(self) -> None:
        """The engine has one."""
        if not self.waker:
            self.waker = _Waker(self._loop.waker.ring)

    def disconnectAll(self) -> None:
        """Tell everything that is open of its end."""
        self.engine._disconnectAll()
        # What only a program's own `removeAll` knows of.
        PosixReactorBase.disconnectAll(self)

    def _closeEngine(self) -> None:
        # Of what programs for our API have used of it.
        self.engine._closed(_nothing)

    # Calls.

    def callFromThread(self, f: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Call `f(*args, **kwargs)` in the reactor's thread, soon. From any thread, and from signal handlers."""
        assert callable(f), f"{f} is not callable"
        self._loop.callFromThread(f, args, kwargs)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Every call that is still to come."""
        return self._loop.timers.calls()  # type: ignore[return-value]

    # Descriptors.

    def addReader(self, reader: IReadDescriptor) -> None:
        """Call `reader.doRead()` whenever its descriptor is readable."""
        self.engine.addReader(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """Call `writer.doWrite()` whenever its descriptor is writable."""
        self.engine.addWriter(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """No longer do."""
        self.engine.removeReader(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """No longer do."""
        self.engine.removeWriter(writer)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        """Forget every descriptor that is watched, but the reactor's own, and return whose they were. As there, what
        has been paused is not among them.
        """
        return self.engine._descriptors.removeAll(READ | WRITE)

    def getReaders(self) -> list[IReadDescriptor]:
        """What is watched for reading."""
        return self.engine.getReaders()

    def getWriters(self) -> list[IWriteDescriptor]:
        """What is watched for writing."""
        return self.engine.getWriters()


def _nothing() -> None:
    """Nobody waits for the engine's threads: they end by themselves."""


def install() -> TwistedReactor:
    """Make a `TwistedReactor` the one that `twisted.internet.reactor` is, and its engine the one that `from reactor
    import reactor` is. What it returns is the former.

    :raises twisted.internet.error.ReactorAlreadyInstalledError: when Twisted has one, for example because
        `twisted.internet.reactor` was imported before.
    """
    reactor = TwistedReactor()
    put(reactor)
    return reactor


def put(reactor: TwistedReactor) -> None:
    """Make `reactor` Twisted's, and its engine ours."""
    from twisted.internet.main import installReactor

    installReactor(reactor)
    package.reactor = reactor.engine


# Programs compare classes by the names that they are installed under.
TwistedReactor.__module__ = "reactor.twisted"
