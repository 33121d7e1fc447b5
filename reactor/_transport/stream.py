"""What a protocol sees as `self.transport`: the protocol, the addresses, and the top of the stack of what its bytes go
through.

Calls the protocol, and is the place where what escapes from it is reported; knows nothing of recv and send, which are
its wire's.
"""

from __future__ import annotations

from reactor._declare import provides
from reactor._log import reportException
from reactor._transport.lifecycle import WRITING, State
from reactor._transport.producers import Source
from reactor._transport.wire import Wire
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from typing import Any

    from reactor._core.loop import Loop
    from reactor._transport.tcp import Address

    Bytes = bytes | bytearray | memoryview

    from zope.interface import implementer

    from reactor.interfaces import IConsumer, ILoggingContext, IPushProducer, ISystemHandle, ITransport
else:
    from reactor._declare import IConsumer, ILoggingContext, IPushProducer, ISystemHandle, ITransport, implementer


def asBytes(method: str, data: object) -> bytes:
    """`data`, which is not exactly `bytes`, as bytes of its own; a TypeError that helps when it cannot be sent."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    hint = f"; encode the text first: {method}(data.encode())" if isinstance(data, str) else ""
    raise TypeError(f"{method}(): data must be bytes, not {type(data).__name__} ({repr(data)[:60]}){hint}")


@implementer(ITransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class StreamTransport:
    """One connection, as its protocol sees it.

    `reactor.connectTCP` and `reactor.listenTCP` make these; programs do not.
    """

    __slots__ = ("__weakref__", "_connector", "_host", "_peer", "_protocol", "_wire")

    # What the repr calls it.
    kind = "stream"

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        peer: Address,
        protocol: Any,
        connector: Any,
        factory: Any,
    ) -> None:
        """Take over `sock`; `connector`, if there is one, is told after the protocol. `factory` may have options."""
        self._protocol = protocol
        self._peer = peer
        self._host: Address | None = None
        self._connector = connector
        self._wire = wire = Wire(loop, sock, protocol, self)
        limit = getattr(factory, "writeBufferLimit", None)
        if limit is not None:
            wire.writeBufferLimit = limit

    # Writing.

    def write(self, data: Bytes) -> None:
        """Send `data` (bytes; a bytearray or memoryview is copied now) when the callback that is being made returns.

        What is written after the connection was lost, or after loseConnection without a producer, is dropped. TypeError
        for anything but bytes.
        """
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if data:
            self._wire.write(data)

    def writeSequence(self, iovec: Iterable[Bytes]) -> None:
        """Send every piece of `iovec`, in order, as `write` would."""
        if isinstance(iovec, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"transport.writeSequence(): iovec must be an iterable of bytes, not "
                f"{type(iovec).__name__}; for one piece use transport.write()"
            )
        # All are looked at before the first is sent, so that a bad one sends nothing.
        pieces = [piece if piece.__class__ is bytes else asBytes("transport.writeSequence", piece) for piece in iovec]
        data = b"".join(pieces)
        if data:
            self._wire.write(data)

    # Closing.

    def loseConnection(self) -> None:
        """Send what is queued, then close. The protocol hears no more but `connectionLost(ConnectionDone)`.

        With a producer registered, the close waits until it is unregistered, and what it writes until then is sent; it
        does not wait for a producer that is itself a connection that closes.
        """
        self._wire.lose()

    def abortConnection(self) -> None:
        """Close at once: drop what is queued, reset the connection. `connectionLost(ConnectionAborted)` follows in the
        next turn of the loop.
        """
        self._wire.abort()

    def loseWriteConnection(self) -> None:
        """Send what is queued, then tell the peer that no more comes; reading goes on. Later writes are dropped."""
        self._wire.finish()

    @property
    def connected(self) -> bool:
        """Whether the connection stands; False from its `connectionLost` on."""
        return self._wire.state is not State.CLOSED

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close and has not yet."""
        return self._wire.state in (State.CLOSING, State.ENDING)

    @property
    def disconnected(self) -> bool:
        """Whether the connection is over."""
        return self._wire.state is State.CLOSED

    @property
    def closeTimeout(self) -> float | None:
        """Seconds after `loseConnection` at which a connection whose peer does not take the rest is aborted; None (the
        default): never.
        """
        return self._wire.closeTimeout

    @closeTimeout.setter
    def closeTimeout(self, seconds: float | None) -> None:
        self._wire.closeTimeout = seconds

    # Producing for the protocol.

    def pauseProducing(self) -> None:
        """Deliver nothing to the protocol until `resumeProducing`: not data, and not the connection's end."""
        self._wire.pause()

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._wire.resume()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self._wire.lose()

    # Consuming from a producer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write.

        A push producer (`streaming` true) is paused when more than 65536 bytes are queued and resumed when all are
        sent; a pull producer is asked for one more write each time all are sent. `producer.stopProducing()` is called
        when the connection gets lost, and at once when nothing more is sent anyway: it is over, or asked to close or
        to end its half. RuntimeError when there is one.
        """
        wire = self._wire
        if wire.source is not None:
            raise RuntimeError(
                f"cannot register {producer!r}: {wire.source.producer!r} is registered and was not unregistered"
            )
        if wire.state not in WRITING:
            producer.stopProducing()
            return
        wire.source = Source(producer, bool(streaming))
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer. A `loseConnection` that waited for it goes on."""
        self._wire.sourceGone()

    @property
    def producer(self) -> Any:
        """The registered producer, or None."""
        source = self._wire.source
        return None if source is None else source.producer

    @property
    def writeBufferLimit(self) -> int | None:
        """Bytes that may be queued; one more aborts the connection with WriteBufferFull. None: no limit. A factory's
        attribute of this name sets it.
        """
        return self._wire.writeBufferLimit

    @writeBufferLimit.setter
    def writeBufferLimit(self, limit: int | None) -> None:
        self._wire.writeBufferLimit = limit

    @property
    def buffered(self) -> int:
        """Bytes that are queued and that the kernel has not taken yet."""
        return self._wire.buffered

    # Who and where.

    @property
    def protocol(self) -> Any:
        """Who gets the bytes; may be replaced while the connection stands. None when it is over."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self._wire.receiver = protocol

    def getPeer(self) -> Any:
        """The other end's address."""
        return self._peer

    def getHost(self) -> Any:
        """This end's address."""
        if self._host is None:
            self._host = self._address(self._wire.socket.getsockname())
        return self._host

    def getHandle(self) -> socket.socket:
        """The socket itself."""
        return self._wire.socket

    def fileno(self) -> int:
        """The socket's descriptor, -1 when the connection is over."""
        return self._wire.fd

    def logPrefix(self) -> str:
        """The protocol's name, for logs; that of the kind of connection when it is over."""
        return self.kind if self._protocol is None else type(self._protocol).__name__

    def _address(self, sockaddr: Any) -> Address:
        raise NotImplementedError

    def __repr__(self) -> str:
        try:
            host: object = self.getHost()
        except OSError:
            host = "gone"
        protocol = "" if self._protocol is None else f", {type(self._protocol).__name__}"
        return f"<{self.kind} connection {host} to {self._peer}, {self._wire.state.value}{protocol}>"

    # What the wire tells its owner.

    def begin(self) -> None:
        """The connection is made: tell the protocol, and read."""
        self._wire.start()
        try:
            self._protocol.makeConnection(self)
        except BaseException as e:
            self._wire.endWith(e)

    def refuse(self) -> None:
        """The connection is made, and nobody wants it."""
        self._wire.start()
        self._wire.receiver = _NOBODY
        self._wire.lose()

    def endReceived(self) -> bool:
        """The peer ended its half; whether the protocol wants to go on with ours."""
        protocol = self._protocol
        if not provides(protocol, "IHalfCloseableProtocol"):
            return False
        try:
            protocol.readConnectionLost()
        except BaseException as e:
            self._wire.endWith(e)
        return True

    def writingEnded(self) -> None:
        """Our half is ended."""
        protocol = self._protocol
        if provides(protocol, "IHalfCloseableProtocol"):
            try:
                protocol.writeConnectionLost()
            except BaseException as e:
                self._wire.endWith(e)

    def closing(self) -> None:
        """The socket is about to be closed: keep the address that it would no longer tell."""
        try:
            self.getHost()
        except OSError:
            self._host = self._peer

    def lost(self, reason: Failure) -> None:
        """The connection is over. Lets go of the protocol, so that both are freed with their last reference."""
        protocol, connector = self._protocol, self._connector
        value = reason.value
        if isinstance(value, ConnectionLost) and value.host is None:
            value.host, value.port = getattr(self._peer, "host", None), getattr(self._peer, "port", None)
        self._connector = None
        self._wire.receiver = _NOBODY
        if protocol is not None:
            try:
                protocol.connectionLost(reason)
            except BaseException as e:
                self.raised(e)
        self._protocol = None
        if connector is not None:
            connector.lost(reason)

    def raised(self, problem: BaseException) -> Failure | None:
        """User code raised `problem`: report it. The failure to end the connection with, None when the reactor stops
        instead.
        """
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._wire.escape(problem)
            return None
        reportException(f"{self!r} raised", problem)
        return Failure(problem)


class _Nobody:
    __slots__ = ()

    def dataReceived(self, data: bytes, /) -> None:
        """Nobody is there any more."""


_NOBODY = _Nobody()
