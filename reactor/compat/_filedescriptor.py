"""A transport on a descriptor that the program brings itself: a serial line, a tunnel, a FIFO.

A subclass says how to read (`doRead`), how to write (`writeSomeData`) and which descriptor it is (`fileno`), and sets
`connected` once it is open; this is the rest: what is queued, producers, closing when all is written, halves.
Everything goes by `reactor.addReader` and `addWriter`, so the reactor may be anybody's.
"""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor._transport.stream.outbox import Outbox
from reactor._transport.stream.transport import asBytes
from reactor.compat.main import CONNECTION_DONE, CONNECTION_LOST
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import (
        IConsumer,
        IHalfCloseableDescriptor,
        ILoggingContext,
        IPushProducer,
        IReadWriteDescriptor,
        ITransport,
    )

    Bytes = bytes | bytearray | memoryview
else:
    from reactor._ground.declare import (
        IConsumer,
        IHalfCloseableDescriptor,
        ILoggingContext,
        IPushProducer,
        IReadWriteDescriptor,
        ITransport,
        implementer,
    )


@implementer(IPushProducer, IReadWriteDescriptor, IConsumer, ITransport, IHalfCloseableDescriptor, ILoggingContext)
class FileDescriptor:
    """What programs subclass for a transport of their own."""

    #: Whether it is open; for the subclass to set, in its constructor mostly.
    connected: int = 0
    #: Whether it was, and is over.
    disconnected: int = 0
    #: Whether it closes as soon as all is written.
    disconnecting: int = 0
    #: Who writes, and whether without being asked; see `registerProducer`.
    producer: Any = None
    streamingProducer: bool | int = False
    #: Whether a streaming producer was told to wait.
    producerPaused: bool | int = False
    #: Bytes queued; one more pauses a streaming producer.
    bufferSize: int = 2**16
    #: Bytes that `writeSomeData` is given at most.
    SEND_LIMIT: int = 128 * 1024

    # Our half is to be ended when all is written; it is ended.
    _writeDisconnecting = False
    _writeDisconnected = False

    def __init__(self, reactor: Any = None) -> None:
        """Not connected. `reactor` watches it; None: the one that runs in this thread, else the default one."""
        self.reactor = currentReactor() if reactor is None else reactor
        self._outbox = Outbox()

    # For the subclass.

    def fileno(self) -> int:
        """The descriptor. To be overridden; -1 when it is closed."""
        return -1

    def doRead(self) -> Any:
        """It is readable. To be overridden, by `fdesc.readFromFD` mostly: None, or why it is over."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read: it needs a doRead()")

    def writeSomeData(self, data: bytes | memoryview) -> Any:
        """Write what can be written of `data`. To be overridden, by `fdesc.writeToFD` mostly: how many bytes were
        taken, or why it is over.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to write: it needs a writeSomeData()")

    def getPeer(self) -> Any:
        """The other end's address. To be overridden where there is one."""
        raise NotImplementedError(f"{type(self).__name__} has no address of a peer")

    def getHost(self) -> Any:
        """This end's address. To be overridden where there is one."""
        raise NotImplementedError(f"{type(self).__name__} has no address")

    def connectionLost(self, reason: Failure) -> None:
        """It is over: it is watched no more, what is queued is dropped, the producer stopped. For subclasses: call
        this, close the descriptor, tell the protocol.
        """
        self.disconnected, self.connected = 1, 0
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        self._outbox = Outbox()
        self.stopReading()
        self.stopWriting()

    def readConnectionLost(self, reason: Failure) -> None:
        """The other end sends no more: `doRead` returned ConnectionDone. The same as `connectionLost` unless it is
        overridden.
        """
        self.connectionLost(reason)

    def writeConnectionLost(self, reason: Failure) -> None:
        """Nothing can be written any more. The same as `connectionLost` unless it is overridden."""
        self.connectionLost(reason)

    def _postLoseConnection(self) -> Any:
        # All is written after loseConnection: why it is over, None while a subclass still has something to finish.
        return CONNECTION_DONE

    def _closeWriteConnection(self) -> Any:
        # All is written after loseWriteConnection. For subclasses that can end a half.
        return None

    # Writing.

    def write(self, data: Bytes) -> None:
        """Write `data` as soon as can be, in order. Nothing happens to it when this is not connected, or our half is
        ended. TypeError for anything but bytes.
        """
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if data and self.connected and not self._writeDisconnected:
            self._outbox.append(data)
            self._queued()

    def writeSequence(self, data: Iterable[Bytes]) -> None:
        """Write each of `data`, as `write` does."""
        if isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"transport.writeSequence(): data must be an iterable of bytes, not {type(data).__name__}")
        pieces = [asBytes("transport.writeSequence", piece) for piece in data]
        if self.connected and not self._writeDisconnected:
            for piece in filter(None, pieces):
                self._outbox.append(piece)
            if self._outbox.pieces:
                self._queued()

    def _queued(self) -> None:
        if self.producer is not None and self.streamingProducer and not self.producerPaused:
            if self._outbox.size > self.bufferSize:
                self.producerPaused = True
                self.producer.pauseProducing()
        self.startWriting()

    def doWrite(self) -> Any:
        """It is writable: the reactor calls this. None, or why it is over."""
        outbox = self._outbox
        if outbox.pieces:
            taken = self.writeSomeData(memoryview(outbox.head())[: self.SEND_LIMIT])
            if isinstance(taken, (BaseException, Failure)):
                return taken
            if taken < 0:
                return CONNECTION_LOST
            if not outbox.sent(taken):
                return None
        self.stopWriting()
        if self.producer is not None and (not self.streamingProducer or self.producerPaused):
            self.producerPaused = False
            self.producer.resumeProducing()
        elif self.disconnecting:
            return self._postLoseConnection()
        elif self._writeDisconnecting:
            self._writeDisconnected = True
            return self._closeWriteConnection()
        return None

    # Closing.

    def loseConnection(self, _connDone: Any = CONNECTION_DONE) -> None:
        """Read no more, write what is queued, then it is over: `connectionLost` is called with ConnectionDone."""
        if not self.connected or self.disconnecting:
            return
        if self._writeDisconnected:
            # Nothing is left to write, so nothing would ever tell.
            self.stopReading()
            self.stopWriting()
            reason = _connDone if isinstance(_connDone, Failure) else Failure(_connDone)
            self.reactor.callLater(0, self.connectionLost, reason)
        else:
            self.stopReading()
            self.startWriting()
        self.disconnecting = 1

    def loseWriteConnection(self) -> None:
        """Write what is queued, then end our half, where the subclass can."""
        self._writeDisconnecting = True
        self.startWriting()

    # Being watched.

    def startReading(self) -> None:
        """Have `doRead` called when there is something to read."""
        self.reactor.addReader(self)

    def stopReading(self) -> None:
        """No longer."""
        self.reactor.removeReader(self)

    def startWriting(self) -> None:
        """Have `doWrite` called when there is room to write."""
        self.reactor.addWriter(self)

    def stopWriting(self) -> None:
        """No longer."""
        self.reactor.removeWriter(self)

    # Producing for whoever reads from here.

    def pauseProducing(self) -> None:
        """Read nothing until `resumeProducing`."""
        self.stopReading()

    def resumeProducing(self) -> None:
        """Read again, unless it closes."""
        if self.connected and not self.disconnecting:
            self.startReading()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    # Consuming from a producer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write: one that is `streaming` when to wait (more than `bufferSize` bytes are
        queued) and when to go on, any other one each time that all is written. It is stopped when the connection is
        lost, at once when that is so already. RuntimeError when there is one.
        """
        if self.producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self.producer!r} is registered already")
        if self.disconnected:
            producer.stopProducing()
            return
        self.producer, self.streamingProducer, self.producerPaused = producer, streaming, False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer. A `loseConnection` that waited for it goes on."""
        self.producer = None
        if self.connected and self.disconnecting:
            self.startWriting()

    def stopConsuming(self) -> None:
        """Take nothing from the producer any more: forget it, and `loseConnection`."""
        self.unregisterProducer()
        self.loseConnection()

    def logPrefix(self) -> str:
        """What stands for it in logs."""
        return "-"
