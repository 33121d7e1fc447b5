"""Child processes under Twisted: its own `Process`, whose pipes are ours, and whose program is started by `spawn`.

What a program sees of a child is in Twisted's class (ids, states, reasons, who waits for it), and subclasses of that
class, which programs bring, run on any reactor. What costs is below it: reading and writing the pipes, looking at all
descriptors of this process before each start, and a copy of this process where a directory is asked for. Those three
are done here. Another user or group, and a terminal, are left to Twisted, whose child says itself what it could not do.
"""

from __future__ import annotations

import os
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet import process
from twisted.internet.interfaces import IConsumer, ILoggingContext, IPushProducer
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from reactor._core.contexts import inside
from reactor._transport.process.pipe import PipeReader, PipeWriter
from reactor._transport.process.spawn import Program, ignoredSignals, isPlain, located, popen, spawn
from reactor._transport.stream.lifecycle import State
from reactor._transport.stream.transport import asBytes
from reactor.failure import Failure
from reactor.twisted import logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Text = str | bytes

# Programs, and Twisted's tests, put others in their places.
_READER, _WRITER = process.ProcessReader, process.ProcessWriter
_SPAWN = getattr(process.Process, "_trySpawnInsteadOfFork", None)


class _Ended:
    """What both directions say in Twisted's words."""

    __slots__ = ()

    if TYPE_CHECKING:
        fd: int
        name: int
        state: State

        def lose(self) -> None: ...

    def fileno(self) -> int:
        """Our end's descriptor; -1 when it is closed."""
        return self.fd

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self.state is not State.CLOSED

    @property
    def disconnecting(self) -> bool:
        """Whether it is being closed."""
        return self.state is not State.OPEN and self.state is not State.CLOSED

    def loseConnection(self) -> None:
        """Close it, when all that was written is sent."""
        self.lose()

    def logPrefix(self) -> str:
        """What its entries in the log begin with."""
        return "-"

    def public(self) -> object:
        """A descriptor of its own, as in Twisted."""
        return self


@implementer(IPushProducer, ILoggingContext)
class Reader(_Ended, PipeReader):
    """A pipe that the child writes."""

    # With a place for attributes of the program's own.

    def __init__(self, reactor: Any, proc: Process, name: int, fileno: int) -> None:
        """Take over `fileno`, and read."""
        super().__init__(reactor._loop, fileno, name, proc)
        self.reactor = reactor
        #: The child.
        self.proc = proc
        self.context = proc.context
        self.start()

    def stopReading(self) -> None:
        """Deliver nothing."""
        self.pause()

    def startReading(self) -> None:
        """Deliver again."""
        self.resume()

    pauseProducing = stopReading
    resumeProducing = startReading

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.lose()


@implementer(IConsumer, ILoggingContext)
class Writer(_Ended, PipeWriter):
    """A pipe that the child reads."""

    def __init__(self, reactor: Any, proc: Process, name: int, fileno: int, forceReadHack: bool = False) -> None:
        """Take over `fileno`."""
        super().__init__(reactor._loop, fileno, name, proc)
        self.reactor = reactor
        #: The child.
        self.proc = proc
        self.context = proc.context
        self.start(hears=True)

    def write(self, data: bytes) -> None:
        """Send `data` when the callback that is being made returns. TypeError for anything but bytes."""
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if data:
            super().write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Send every piece of `seq`, in order."""
        self.write(b"".join(seq))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write. RuntimeError when there is one already."""
        self.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.unregister()


class Process(process.Process):
    """What `spawnProcess` of a Twisted reactor returns, where it is no terminal."""

    def __init__(self, reactor: Any, *args: Any) -> None:
        """Start it; what to start is as Twisted's class has it."""
        # What its protocol is told in, whichever pipe has something to tell.
        self.context = copy_context()
        # Whether it was started here, and not by a fork.
        self._spawned = False
        super().__init__(reactor, *args)
        if self._spawned and self.pid is not None:
            # A reactor that hears of no signals, because it runs in a thread or was told so, would never know.
            reactor.engine._watched().watch(self.pid, partial(inside, self.context, self._exited))

    @property
    def processReaderFactory(self) -> Any:  # type: ignore[override]
        """What reads a pipe."""
        theirs: Any = process.Process.processReaderFactory
        return Reader if theirs is _READER else theirs

    @property
    def processWriterFactory(self) -> Any:  # type: ignore[override]
        """What writes one."""
        theirs: Any = process.Process.processWriterFactory
        return Writer if theirs is _WRITER else theirs

    # Starting it.

    def _trySpawnInsteadOfFork(
        self,
        path: Text | None,
        uid: int | None,
        gid: int | None,
        executable: Text,
        args: Sequence[Text],
        environment: Mapping[str, str] | None,
        kwargs: Mapping[str, Any],
    ) -> bool:
        """Start it without a fork of this process, and return whether that was done."""
        theirs = getattr(process.Process, "_trySpawnInsteadOfFork", None)
        if theirs is not _SPAWN or not args:
            return bool(theirs and theirs(self, path, uid, gid, executable, args, environment, kwargs))
        if uid is not None or gid is not None or getattr(self._reactor, "_neverUseSpawn", False):
            return False
        fds: dict[int, int] = kwargs["fdmap"]
        if path is None or os.path.abspath(path) == os.path.abspath("."):
            self.pid = spawn(Program(located(executable), list(args), environment, None, None, None), fds)
        else:
            if not isPlain(fds, ignoredSignals()):
                return False
            try:
                self.pid = popen(Program(executable, list(args), environment, path, None, None), fds)
            except OSError:
                # In a fork, it is the child that says why.
                return False
        self.status = -1
        self._spawned = True
        return True

    # What happens.

    def _exited(self, status: int | None) -> None:
        """It has ended. With `status` None somebody else has waited for it: Twisted's own, by SIGCHLD, or a stranger,
        and then nobody knows how it ended.
        """
        if self.pid is not None and status is not None:
            process.reapProcessHandlers.pop(self.pid, None)
            self.processEnded(status)

    def pipeReceived(self, name: int, data: bytes) -> None:
        """The child wrote `data` to its descriptor `name`."""
        self.childDataReceived(name, data)

    def pipeLost(self, name: int, reason: Failure) -> None:
        """A pipe is closed."""
        del self.pipes[name]
        try:
            if self.proto is not None:
                self.proto.childConnectionLost(name)
        except BaseException as e:
            self.raised(e)
        self.maybeCallProcessEnded()

    def raised(self, problem: BaseException) -> Failure:
        """The protocol or a producer raised `problem`: log it. The pipe is closed with it."""
        logs.report("%r of %r raised", problem, self.proto, self)
        return Failure(problem)

    # Reading.

    def pauseProducing(self) -> None:
        """Read nothing that the child writes until `resumeProducing`."""
        for pipe in self.pipes.values():
            if isinstance(pipe, (Reader, _READER)):
                pipe.stopReading()

    def resumeProducing(self) -> None:
        """Read again."""
        for pipe in self.pipes.values():
            if isinstance(pipe, (Reader, _READER)):
                pipe.startReading()


class ReactorProcesses:
    """A part of `TwistedReactor`."""

    def spawnProcess(
        self,
        processProtocol: Any,
        executable: Text,
        args: Sequence[Text] = (),
        env: Mapping[str, str] | None = {},
        path: Text | None = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = 0,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> Any:
        """Run a program, as `IReactorProcess` says."""
        if usePTY:
            return PosixReactorBase.spawnProcess(
                self,  # type: ignore[arg-type]
                *(processProtocol, executable, args, env, path, uid, gid, usePTY, childFDs),
            )
        return Process(self, executable, args, env, path, processProtocol, uid, gid, childFDs)
