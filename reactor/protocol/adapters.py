"""Protocols, consumers and files in each other's clothes.

`reactor.protocol` offers these under its name and loads them when asked, since few programs do.
``IConsumer(protocol)`` and ``IProtocol(consumer)`` make the first two.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor._ground.typing import Bytes
    from reactor.failure import Failure
    from reactor.interfaces import IConsumer, IProtocol, ITransport
else:
    from reactor._ground.declare import IConsumer, IProtocol, ITransport, implementer


@implementer(IConsumer)
class ProtocolToConsumerAdapter:
    """A consumer that gives what is written to it to a protocol, as received data. Nothing holds back a producer.

    :param original: the protocol.
    """

    def __init__(self, original: Any) -> None:
        self.original = original

    def write(self, data: bytes) -> None:
        """`dataReceived` of the protocol."""
        self.original.dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Does nothing: a protocol never asks for less."""

    def unregisterProducer(self) -> None:
        """Does nothing."""


@implementer(IProtocol)
class ConsumerToProtocolAdapter:
    """A protocol that writes what it receives to a consumer. The consumer learns nothing of connections.

    :param original: the consumer.
    """

    def __init__(self, original: Any) -> None:
        self.original = original

    def makeConnection(self, transport: Any) -> None:
        """Does nothing."""

    def connectionMade(self) -> None:
        """Does nothing."""

    def dataReceived(self, data: bytes) -> None:
        """`write` of the consumer."""
        self.original.write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Does nothing: the end of a connection is not the end of a consumer."""


@implementer(ITransport, IConsumer)
class FileWrapper:
    """A transport whose peer is a file: what is written goes there at once, in the calling thread.

    An error of the file's is logged, and the wrapper stays open.

    :param file: opened for writing bytes; `loseConnection` closes it.
    """

    closed = 0
    disconnecting = 0
    producer: Any = None
    streamingProducer: bool = False
    _asked = 0
    _asking = False

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: Bytes) -> None:
        """Write `data` to the file, then ask a pull producer for more. Nothing happens after the wrapper was closed."""
        if self.closed:
            return
        try:
            self.file.write(data)
        except Exception as e:
            self.handleException(e)
        else:
            self._askProducer()

    def writeSequence(self, data: Iterable[Bytes]) -> None:
        """Write all pieces, joined."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close the file. A second time does nothing."""
        if self.closed:
            return
        self.closed = 1
        try:
            self.file.close()
        except Exception as e:
            self.handleException(e)

    def handleException(self, error: BaseException) -> None:
        """The file refused. Logs `error`; override it to do something else, such as `loseConnection`."""
        from reactor._ground.log import reportException

        reportException("%r failed", error, self.file)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """`producer` wants to write. A pull producer (`streaming` false) is asked now and after each write."""
        self.producer = producer
        self.streamingProducer = streaming
        if not streaming:
            self._askProducer()

    def unregisterProducer(self) -> None:
        """The producer has no more to write."""
        self.producer = None

    def stopConsuming(self) -> None:
        """Stop the producer and close the file."""
        producer = self.producer
        self.unregisterProducer()
        if producer is not None:
            producer.stopProducing()
        self.loseConnection()

    # A pull producer writes within resumeProducing, so its next turn is counted here instead of nested.
    def _askProducer(self) -> None:
        self._asked += 1
        if self._asking:
            return
        self._asking = True
        try:
            while self._asked:
                self._asked -= 1
                if self.producer is not None and not self.streamingProducer and not self.closed:
                    self.producer.resumeProducing()
        finally:
            self._asking = False
            self._asked = 0

    def getPeer(self) -> Any:
        """``("file", "file")``: there is no address."""
        return ("file", "file")

    def getHost(self) -> Any:
        """``"file"``: there is no address."""
        return "file"

    def pauseProducing(self) -> None:
        """Does nothing: a file that is written to produces nothing."""

    def resumeProducing(self) -> None:
        """Does nothing."""

    def stopProducing(self) -> None:
        """Closes the file."""
        self.loseConnection()


def register() -> None:
    """Make ``IConsumer(protocol)`` and ``IProtocol(consumer)`` work."""
    from reactor.components import registerAdapter
    from reactor.interfaces import IConsumer, IProtocol

    registerAdapter(ProtocolToConsumerAdapter, IProtocol, IConsumer)
    registerAdapter(ConsumerToProtocolAdapter, IConsumer, IProtocol)
