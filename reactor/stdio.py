"""This program's standard input and output as a transport.

Whatever they are: pipes, terminals, sockets, files. They are put into non-blocking mode, which others that have them
open see as well (a shell, `print` in this program); that is undone when the connection ends. The descriptors stay open:
they are the program's.
"""

from __future__ import annotations

from enum import Enum

from reactor._core.contexts import inside
from reactor._ground.current import currentReactor
from reactor._ground.log import reportException
from reactor._transport.stream.transport import asBytes
from reactor.error import ConnectionDone
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor._transport.process.pipe import PipeReader, PipeWriter
    from reactor._transport.stream.transport import Bytes
    from reactor.interfaces import IAddress, IConsumer, IPushProducer, ITransport
else:
    from reactor._ground.declare import IAddress, IConsumer, IPushProducer, ITransport, implementer


@implementer(IAddress)
class PipeAddress:
    """Where standard input and output lead to, which nobody knows."""

    __slots__ = ()


class _State(Enum):
    OPEN = "open"
    # loseConnection was called, or the input ended: what is queued is being written.
    CLOSING = "closing"
    CLOSED = "closed"


@implementer(ITransport, IConsumer, IPushProducer)
class StandardIO:
    """A connection that reads standard input and writes standard output."""

    def __init__(self, proto: Any, stdin: int = 0, stdout: int = 1, reactor: Any = None) -> None:
        """Connect `proto`, an `IProtocol`, at once.

        :param stdin: the descriptor to read.
        :param stdout: the descriptor to write.
        :param reactor: None is the one that runs in this thread, else the default one.
        :raises OSError: when one of them is not open.
        """
        import os
        import stat

        from reactor._transport.process.pipe import PipeReader, PipeWriter

        loop = (currentReactor() if reactor is None else reactor)._loop
        self._loop = loop
        self._state = _State.OPEN
        #: Who gets the bytes; None when the connection is over.
        self.protocol = proto
        self._reader: PipeReader | None = None
        self._writer: PipeWriter | None = None
        # Copies: the numbers are the program's, which may close them, and the two may be one.
        reads = os.dup(stdin)
        try:
            writes = os.dup(stdout)
        except BaseException:
            os.close(reads)
            raise
        # Looked at before either is changed: on a terminal the two are one.
        blockingReads, blockingWrites = os.get_blocking(reads), os.get_blocking(writes)
        self._reader = PipeReader(loop, reads, "read", self, restore=blockingReads)
        self._writer = PipeWriter(loop, writes, "write", self, restore=blockingWrites)
        self._context = self._reader.context = self._writer.context
        hears = stat.S_ISFIFO(os.fstat(writes).st_mode)
        self._reader.start()
        self._writer.start(hears)
        try:
            inside(self._context, proto.makeConnection, self)
        except BaseException as e:
            self._raisedIn(e)

    # Writing.

    def write(self, data: Bytes) -> None:
        """Write `data` when the callback that is being made returns. Dropped after `loseConnection`."""
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if data and self._writer is not None:
            self._writer.write(data)

    def writeSequence(self, data: Iterable[Bytes]) -> None:
        """Write every piece of `data`, in order, as `write` would."""
        if isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"transport.writeSequence(): data must be an iterable of bytes, not {type(data).__name__}; "
                "for one piece use transport.write()"
            )
        self.write(b"".join([asBytes("transport.writeSequence", piece) for piece in data]))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write, as TCP's transports do."""
        if self._writer is None:
            producer.stopProducing()
        else:
            self._writer.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if self._writer is not None:
            self._writer.unregister()

    # Reading.

    def pauseProducing(self) -> None:
        """Read nothing until `resumeProducing`."""
        if self._reader is not None:
            self._reader.pause()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._reader is not None and self._state is _State.OPEN:
            self._reader.resume()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    # Closing.

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close."""
        return self._state is not _State.OPEN

    @property
    def disconnected(self) -> bool:
        """Whether it is over."""
        return self._state is _State.CLOSED

    def loseConnection(self) -> None:
        """Read no more, write what is queued, then it is over."""
        if self._state is not _State.OPEN:
            return
        self._state = _State.CLOSING
        if self._reader is not None:
            self._reader.pause()
        if self._writer is not None:
            self._writer.lose()
        else:
            self._loop.soonIn(self._context, self._over, Failure(ConnectionDone()))

    def loseWriteConnection(self) -> None:
        """Write what is queued, then no more; reading goes on. The descriptor stays open, so that whoever reads it sees
        no end before this program's.
        """
        if self._writer is not None:
            self._writer.lose()

    def getHost(self) -> PipeAddress:
        """Where this end is, which says nothing."""
        return PipeAddress()

    def getPeer(self) -> PipeAddress:
        """Where the other end is, which says nothing."""
        return PipeAddress()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state.value}, {type(self.protocol).__name__}>"

    # What happens.

    def pipeReceived(self, name: str, data: bytes) -> None:
        """Something came."""
        self.protocol.dataReceived(data)

    def pipeLost(self, name: str, reason: Failure) -> None:
        """One direction is over."""
        if self._state is _State.CLOSED:
            return
        other = self._writer if name == "read" else self._reader
        if other is not None:
            # Where the two are one, restoring the mode of the first has changed that of the second.
            other.unblock()
        if name == "read":
            self._reader = None
            self._inputEnded(reason)
            return
        self._writer = None
        if self._state is _State.CLOSING or self._reader is None:
            self._over(reason)
        elif not self._half("writeConnectionLost") and not reason.check(ConnectionDone):
            # Nobody reads what would be written: the end, unless it was loseWriteConnection.
            self._over(reason)

    def _inputEnded(self, reason: Failure) -> None:
        if self._half("readConnectionLost") and self._state is not _State.CLOSED:
            if self._writer is None:
                self._over(reason)
        elif reason.check(ConnectionDone) and self._writer is not None:
            # What is queued is written first: a filter's last words.
            self._state = _State.CLOSING
            self._writer.lose()
        else:
            self._over(reason)

    def _half(self, method: str) -> bool:
        """Tell a protocol that wants to hear of half-closes; whether it does."""
        from reactor._ground.declare import provides

        if not provides(self.protocol, "IHalfCloseableProtocol"):
            return False
        try:
            getattr(self.protocol, method)()
        except BaseException as e:
            self._raisedIn(e)
        return True

    def _raisedIn(self, problem: BaseException) -> None:
        failure = self.raised(problem)
        if failure is not None:
            self._over(failure)

    def _over(self, reason: Failure) -> None:
        if self._state is _State.CLOSED:
            return
        self._state = _State.CLOSED
        for pipe in (self._reader, self._writer):
            if pipe is not None:
                pipe.disconnect(reason)
        self._reader = self._writer = None
        try:
            self.protocol.connectionLost(reason)
        except BaseException as e:
            self.raised(e)
        self.protocol = None

    def raised(self, problem: BaseException) -> Failure | None:
        """The protocol or a producer raised `problem`: report it. None when the reactor stops with it."""
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._loop.escape(problem)
            return None
        reportException("%r raised", problem, self)
        return Failure(problem)
