"""A transport that writes into memory and does nothing else, for tests of one protocol alone.

What a protocol asks of it can be read off afterwards, and no more happens than that. A protocol with a peer that
answers, on a connection that behaves as real ones do, is the business of `reactor.testing.pair`.
"""

from __future__ import annotations

from io import BytesIO

from reactor._transport.stream.transport import asBytes
from reactor.address import IPv4Address
from reactor.defer import Deferred
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.protocol import Protocol, connectionDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from zope.interface import implementer

    from reactor._ground.typing import Bytes
    from reactor.interfaces import IConsumer, IPullProducer, IPushProducer, ITransport
else:
    from reactor._ground.declare import IConsumer, IPullProducer, IPushProducer, ITransport, implementer


@implementer(ITransport, IConsumer, IPushProducer)
class StringTransport:
    """Keeps what is written (`value`, `clear`) and what is asked of it.

    :ivar io: the `BytesIO` with what was written since the last `clear`.
    :ivar connected: whether the connection stands.
    :ivar disconnecting: whether `loseConnection` or `abortConnection` was called.
    :ivar disconnected: whether `abortConnection` was called.
    :ivar producer: the registered producer, or None.
    :ivar streaming: what was said about it, or None.
    :ivar producerState: "producing", "paused" or "stopped", as the protocol asked for.
    :ivar hostAddr: what `getHost` returns; None: 10.0.0.1, port 12345.
    :ivar peerAddr: what `getPeer` returns; None: 192.168.1.1, port 54321.
    """

    disconnecting = False
    disconnected = False
    producer: Any = None
    streaming: bool | None = None
    producerState = "producing"
    hostAddr: Any = None
    peerAddr: Any = None
    io: BytesIO

    def __init__(self, hostAddress: Any = None, peerAddress: Any = None, lenient: bool = False) -> None:
        """Connected, with nothing written.

        :param hostAddress: what `getHost` returns. `peerAddress`: what `getPeer` does.
        :param lenient: whether a protocol may pause and resume after `loseConnection`, which otherwise is a
            RuntimeError, since whoever does it waits for data that no longer comes.
        """
        self.connected = True
        self._lenient = lenient
        if hostAddress is not None:
            self.hostAddr = hostAddress
        if peerAddress is not None:
            self.peerAddr = peerAddress
        self.clear()

    def value(self) -> bytes:
        """All that was written since the last `clear`. For the test; real transports have no such method."""
        return self.io.getvalue()

    def clear(self) -> None:
        """Forget what was written. For the test; real transports have no such method."""
        self.io = BytesIO()

    def write(self, data: Bytes) -> None:
        """Keep `data`. TypeError for anything but bytes, as real transports."""
        self.io.write(asBytes("transport.write", data))

    def writeSequence(self, data: Iterable[Bytes]) -> None:
        """Keep every piece of `data`."""
        self.io.write(b"".join([asBytes("transport.writeSequence", piece) for piece in data]))

    def loseConnection(self) -> None:
        """Be `disconnecting`; the protocol is told nothing."""
        self.disconnecting = True

    def abortConnection(self) -> None:
        """Be `disconnected`, and do what `loseConnection` does."""
        self.disconnected = True
        self.loseConnection()

    def getPeer(self) -> Any:
        """The other end's address."""
        return IPv4Address("TCP", "192.168.1.1", 54321) if self.peerAddr is None else self.peerAddr

    def getHost(self) -> Any:
        """This end's address."""
        return IPv4Address("TCP", "10.0.0.1", 12345) if self.hostAddr is None else self.hostAddr

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Keep `producer`, without asking anything of it. RuntimeError when there is one."""
        if self.producer is not None:
            raise RuntimeError(f"registerProducer(): {self.producer!r} is registered and was not unregistered")
        self.producer, self.streaming = producer, streaming

    def unregisterProducer(self) -> None:
        """Forget the producer. RuntimeError when there is none."""
        if self.producer is None:
            raise RuntimeError("unregisterProducer(): no producer is registered")
        self.producer = self.streaming = None

    def pauseProducing(self) -> None:
        """Be "paused". RuntimeError once it was stopped, or is disconnecting."""
        self._produce("pauseProducing", "paused")

    def resumeProducing(self) -> None:
        """Be "producing". RuntimeError once it was stopped, or is disconnecting."""
        self._produce("resumeProducing", "producing")

    def stopProducing(self) -> None:
        """Be "stopped"."""
        self.producerState = "stopped"

    def _produce(self, method: str, state: str) -> None:
        if self.disconnecting and not self._lenient:
            raise RuntimeError(f"{method}(): after loseConnection nothing more is delivered")
        if self.producerState == "stopped":
            raise RuntimeError(f"{method}(): after stopProducing nothing more is delivered")
        self.producerState = state


class StringTransportWithDisconnection(StringTransport):
    """A `StringTransport` that tells its protocol of the end.

    :ivar protocol: who is told; the test sets it.
    """

    protocol: Any

    def loseConnection(self) -> None:
        """Call `protocol.connectionLost(ConnectionDone)`, at once and the first time only."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone()))


class StringIOWithoutClosing(BytesIO):
    """A file in memory whose contents can be read off after whoever wrote it has closed it."""

    def close(self) -> None:
        """Stay open."""


class FakeDatagramTransport:
    """Keeps the datagrams that are written.

    :ivar written: pairs of data and address; `noAddr` where none was given.
    """

    noAddr = object()

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []

    def write(self, packet: bytes, addr: Any = noAddr) -> None:
        """Keep `packet`, sent to `addr`."""
        self.written.append((packet, addr))


class AccumulatingProtocol(Protocol):
    """Collects what it receives, and says when it is connected and when no longer.

    If its factory has a Deferred `protocolConnectionMade`, that fires with the first protocol that is connected.

    :ivar made: 1 from `connectionMade` on.
    :ivar data: everything that was received.
    :ivar closed: 1 from `connectionLost` on, whose reason is `closedReason`.
    :ivar closedDeferred: a Deferred that the test may set: fires with None in `connectionLost`.
    """

    made = 0
    closed = 0
    data = b""
    closedReason: Failure | None = None
    closedDeferred: Deferred[None] | None = None

    def connectionMade(self) -> None:
        """Remember it, and tell whoever waits at the factory."""
        self.made = 1
        waiting = getattr(self.factory, "protocolConnectionMade", None)
        if waiting is not None:
            self.factory.protocolConnectionMade = None
            waiting.callback(self)

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Keep the reason, and tell whoever waits for it."""
        self.closed = 1
        self.closedReason = reason
        waiting, self.closedDeferred = self.closedDeferred, None
        if waiting is not None:
            waiting.callback(None)


@implementer(IPullProducer)
class NonStreamingProducer:
    """A pull producer that writes the digits 0 to 9, one each time it is asked, then unregisters itself.

    :ivar counter: the next digit.
    :ivar stopped: whether it was told to stop.
    :ivar result: a Deferred that fires with None at the end, however it comes.
    """

    counter = 0
    stopped = False

    def __init__(self, consumer: Any) -> None:
        """Write to `consumer`, where the test has to register this."""
        self.consumer = consumer
        self.result: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        """Write one digit. RuntimeError after the end."""
        consumer = self.consumer
        if consumer is None:
            raise RuntimeError("resumeProducing(): this producer has ended")
        digit, self.counter = self.counter, self.counter + 1
        consumer.write(str(digit).encode())
        if digit == 9:
            consumer.unregisterProducer()
            self._end()

    def pauseProducing(self) -> None:
        """RuntimeError: nobody pauses a pull producer."""
        raise RuntimeError("pauseProducing(): this is a pull producer, which is not paused")

    def stopProducing(self) -> None:
        """Write no more."""
        self.stopped = True
        self._end()

    def _end(self) -> None:
        self.consumer = None
        self.result.callback(None)
