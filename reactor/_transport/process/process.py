"""A child process, as its protocol sees it: what it is sent, what it says, and how it ended.

Calls the protocol, and reports what escapes from it. How the child is started is `spawn`'s business, how its end is
noticed that of `_core.children`; what is read and written goes through a `Pipe` for each descriptor.
"""

from __future__ import annotations

import os
from contextvars import copy_context
from enum import Enum

from reactor._core.contexts import inside
from reactor._ground.log import message, reportException
from reactor._transport.process.pipe import PipeReader, PipeWriter
from reactor._transport.stream.transport import asBytes
from reactor.address import ProcessAddress
from reactor.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from zope.interface import implementer

    from reactor._core.children import Children
    from reactor._core.loop import Loop
    from reactor._transport.stream.transport import Bytes
    from reactor.interfaces import IConsumer, IProcessTransport, IPushProducer
else:
    from reactor._ground.declare import IConsumer, IProcessTransport, IPushProducer, implementer


class Life(Enum):
    """Where a child is in its life; from each state only the next one."""

    RUNNING = "running"
    # It was waited for, and processExited called.
    EXITED = "exited"
    # Its pipes are closed too, and processEnded was called.
    ENDED = "ended"


def reasonOf(status: int | None) -> Failure:
    """Why a child ended: `status` is what ``waitpid`` said, None when somebody else was told that."""
    if status is None:
        return Failure(ProcessTerminated())
    if os.WIFSIGNALED(status):
        return Failure(ProcessTerminated(None, os.WTERMSIG(status), status))
    code = os.WEXITSTATUS(status)
    return Failure(ProcessTerminated(code, None, status) if code else ProcessDone(status))


def signalNumber(signalID: object) -> int:
    """The number of a signal: a number, or a name, such as "TERM" or "SIGTERM". ValueError for another name."""
    if isinstance(signalID, int):
        return int(signalID)
    import signal

    if not isinstance(signalID, str):
        raise TypeError(f"signalProcess(): signalID must be a signal's name or number, not {signalID!r}")
    number = getattr(signal, signalID if signalID.startswith("SIG") else "SIG" + signalID, None)
    if not isinstance(number, signal.Signals):
        raise ValueError(f"signalProcess(): there is no signal called {signalID!r}")
    return int(number)


@implementer(IProcessTransport, IConsumer, IPushProducer)
class Process:
    """A child process. `reactor.spawnProcess` makes these; programs do not."""

    def __init__(self, loop: Loop, protocol: Any) -> None:
        """Not started yet."""
        self._loop = loop
        # What its protocol is told in, whichever pipe has something to tell.
        self.context = copy_context()
        self._life = Life.RUNNING
        self._reason: Failure | None = None
        #: The protocol; None from `processEnded` on.
        self.proto = protocol
        #: The child's process id; None once it has ended.
        self.pid: int | None = None
        #: What ``waitpid`` said; -1 while the child runs.
        self.status: int | None = -1
        #: Our ends of the pipes that are open, by the child's descriptor.
        self.pipes: dict[int, PipeReader | PipeWriter] = {}

    def begin(self, pid: int, children: Children, readers: Mapping[int, int], writers: Mapping[int, int]) -> None:
        """The child runs, as `pid`. `readers` and `writers` are our ends of its pipes, by its own descriptors."""
        self.pid = pid
        children.watch(pid, self._exited)
        for childFD, fd in readers.items():
            self.pipes[childFD] = reader = PipeReader(self._loop, fd, childFD, self)
            reader.context = self.context
            reader.start()
        for childFD, fd in writers.items():
            self.pipes[childFD] = writer = PipeWriter(self._loop, fd, childFD, self)
            writer.context = self.context
            writer.start(hears=True)
        inside(self.context, self._tell, "makeConnection", self)

    # Writing.

    def write(self, data: Bytes) -> None:
        """Send `data` to the child's standard input when the callback that is being made returns.

        Dropped when there is none, or when it is closed. TypeError for anything but bytes.
        """
        self._write(self._stdin, "transport.write", data)

    def writeSequence(self, seq: Iterable[Bytes]) -> None:
        """Send every piece of `seq`, in order, as `write` would."""
        if isinstance(seq, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"transport.writeSequence(): seq must be an iterable of bytes, not {type(seq).__name__}; "
                "for one piece use transport.write()"
            )
        pieces = [asBytes("transport.writeSequence", piece) for piece in seq]
        self._write(self._stdin, "transport.writeSequence", b"".join(pieces))

    def writeToChild(self, childFD: int, data: Bytes) -> None:
        """Send `data` to the pipe of `childFD`. KeyError when there is none, or when it is closed; ValueError for one
        that the child writes.
        """
        pipe = self.pipes[childFD]
        if not isinstance(pipe, PipeWriter):
            raise ValueError(f"writeToChild(): descriptor {childFD} is one that the child writes")
        self._write(pipe, "transport.writeToChild", data)

    @staticmethod
    def _write(pipe: PipeWriter | None, method: str, data: Any) -> None:
        if data.__class__ is not bytes:
            data = asBytes(method, data)
        if data and pipe is not None:
            pipe.write(data)

    @property
    def _stdin(self) -> PipeWriter | None:
        pipe = self.pipes.get(0)
        return pipe if isinstance(pipe, PipeWriter) else None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write to the child's standard input, as `ITransport` transports do."""
        stdin = self._stdin
        if stdin is None:
            producer.stopProducing()
        else:
            stdin.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer. A `closeStdin` that waited for it goes on."""
        stdin = self._stdin
        if stdin is not None:
            stdin.unregister()

    # Reading.

    def pauseProducing(self) -> None:
        """Read nothing that the child writes until `resumeProducing`."""
        for pipe in self.pipes.values():
            if isinstance(pipe, PipeReader):
                pipe.pause()

    def resumeProducing(self) -> None:
        """Read again."""
        for pipe in self.pipes.values():
            if isinstance(pipe, PipeReader):
                pipe.resume()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    # Closing.

    def closeChildFD(self, descriptor: int) -> None:
        """Close the pipe of `descriptor`, when all that was written to it is sent. Nothing when there is none."""
        pipe = self.pipes.get(descriptor)
        if pipe is not None:
            pipe.lose()

    def closeStdin(self) -> None:
        """Close the child's standard input when all that was written is sent."""
        self.closeChildFD(0)

    def closeStdout(self) -> None:
        """Read the child's standard output no longer. What it writes from then on fails."""
        self.closeChildFD(1)

    def closeStderr(self) -> None:
        """Read the child's standard error no longer."""
        self.closeChildFD(2)

    def loseConnection(self) -> None:
        """Close stdin, stdout and stderr. The child is not ended by that, but it will notice."""
        self.closeStderr()
        self.closeStdout()
        self.closeStdin()

    # The child.

    def signalProcess(self, signalID: str | int) -> None:
        """Send a signal to the child.

        :param signalID: a number, or a name such as "HUP", "INT", "TERM" or "KILL".
        :raises ProcessExitedAlready: when it has ended. ValueError: when there is no such signal.
        """
        number = signalNumber(signalID)
        if self.pid is None:
            raise ProcessExitedAlready(f"it was sent signal {signalID}")
        try:
            os.kill(self.pid, number)
        except ProcessLookupError as e:
            raise ProcessExitedAlready(f"process {self.pid} was sent signal {signalID}") from e

    def getHost(self) -> ProcessAddress:
        """Where this end is, which says nothing."""
        return ProcessAddress()

    def getPeer(self) -> ProcessAddress:
        """Where the child is, which says nothing."""
        return ProcessAddress()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} pid={self.pid} status={self.status}>"

    # What happens.

    def pipeReceived(self, name: int, data: bytes) -> None:
        """The child wrote `data` to its descriptor `name`."""
        if self.proto is not None:
            self.proto.childDataReceived(name, data)

    def pipeLost(self, name: int, reason: Failure) -> None:
        """A pipe is closed."""
        del self.pipes[name]
        self._tell("childConnectionLost", name)
        self._ifOver()

    def _exited(self, status: int | None) -> None:
        inside(self.context, self._hasExited, status)

    def _hasExited(self, status: int | None) -> None:
        if status is None:
            message("warning", "somebody else waited for process %s; how it ended is not known", self.pid)
        self.status = status
        self.pid = None
        self._life = Life.EXITED
        self._reason = reasonOf(status)
        self._tell("processExited", self._reason)
        self._ifOver()

    def _ifOver(self) -> None:
        if self._life is Life.EXITED and not self.pipes:
            self._life = Life.ENDED
            self._tell("processEnded", self._reason)
            self.proto = None

    def _tell(self, method: str, argument: Any) -> None:
        if self.proto is not None:
            try:
                getattr(self.proto, method)(argument)
            except BaseException as e:
                self.raised(e)

    def raised(self, problem: BaseException) -> Failure | None:
        """The protocol or a producer raised `problem`: report it. None when the reactor stops with it."""
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._loop.escape(problem)
            return None
        reportException("%r of %r raised", problem, self.proto, self)
        return Failure(problem)


class PTYProcess(Process):
    """A child process on a terminal: it has one line to and fro, and no pipes that could be closed singly."""

    _reader: PipeReader | None = None
    _writer: PipeWriter | None = None

    def onTerminal(self, pid: int, children: Children, reads: int, writes: int) -> None:
        """The child runs, as `pid`; `reads` and `writes` are two descriptors of our end of its terminal."""
        self.pid = pid
        children.watch(pid, self._exited)
        self._writer = PipeWriter(self._loop, writes, "w", self)
        self._reader = PipeReader(self._loop, reads, "r", self)
        self._reader.context = self._writer.context = self.context
        self._reader.start()
        self._writer.start(hears=False)
        inside(self.context, self._tell, "makeConnection", self)

    @property
    def _stdin(self) -> PipeWriter | None:
        return self._writer

    def closeChildFD(self, descriptor: int) -> None:
        """NotImplementedError: a terminal is closed as a whole, by `loseConnection`."""
        raise NotImplementedError("closeChildFD(): a terminal is closed as a whole, by loseConnection()")

    def writeToChild(self, childFD: int, data: Bytes) -> None:
        """NotImplementedError: a terminal is written to by `write`."""
        raise NotImplementedError("writeToChild(): a terminal is written to by write()")

    def closeStdin(self) -> None:
        """Nothing: a terminal is closed as a whole."""

    def closeStdout(self) -> None:
        """Nothing: a terminal is closed as a whole."""

    def closeStderr(self) -> None:
        """Nothing: a terminal is closed as a whole."""

    def loseConnection(self) -> None:
        """Close the terminal when all that was written is sent; the child gets a SIGHUP."""
        if self._writer is not None:
            self._writer.lose()

    def pauseProducing(self) -> None:
        """Read nothing until `resumeProducing`."""
        if self._reader is not None:
            self._reader.pause()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._reader is not None:
            self._reader.resume()

    def pipeReceived(self, name: Any, data: bytes) -> None:
        """The child, or the terminal in its place, wrote `data`."""
        super().pipeReceived(1, data)

    def pipeLost(self, name: Any, reason: Failure) -> None:
        """One direction is over, so is the other."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = None
        if reader is not None and writer is not None:
            (writer if name == "r" else reader).disconnect(reason)
            self._ifOver()

    def _ifOver(self) -> None:
        if self._reader is None and self._writer is None:
            super()._ifOver()
