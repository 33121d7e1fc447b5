"""What a protocol sees as `self.transport`: the protocol, the addresses, and the top of the stack of what its bytes go
through.

Calls the protocol, and is the place where what escapes from it is reported; knows nothing of recv and send, which are
its wire's.
"""

from __future__ import annotations

from reactor._ground.declare import provides
from reactor._ground.log import reportException
from reactor._ground.naming import shown
from reactor._transport.stream.descriptor import Descriptor
from reactor._transport.stream.lifecycle import LEAVING, READING, WRITING, State
from reactor._transport.stream.producers import Source
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from reactor._transport.stream.tcp import Address
    from reactor._transport.stream.wire import Wire
    from reactor._transport.tls.layer import Layer
    from reactor.defer import Deferred

    Top = Wire | Layer

    Bytes = bytes | bytearray | memoryview

    from zope.interface import implementer

    from reactor.interfaces import IConsumer, ILoggingContext, IPushProducer, ISystemHandle, ITransport
else:
    from reactor._ground.declare import (
        IConsumer,
        ILoggingContext,
        IPushProducer,
        ISystemHandle,
        ITransport,
        implementer,
    )


def asBytes(method: str, data: object) -> bytes:
    """`data`, which is not exactly `bytes`, as bytes of its own; a TypeError that helps when it cannot be sent."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    hint = f"; encode the text first: {method}(data.encode())" if isinstance(data, str) else ""
    raise TypeError(f"{method}(): data must be bytes, not {type(data).__name__} ({repr(data)[:60]}){hint}")


@implementer(ITransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class StreamTransport(Descriptor):
    """One connection, as its protocol sees it.

    `reactor.connectTCP` and `reactor.listenTCP` make these; programs do not.
    """

    __slots__ = ("_connector", "_host", "_peer", "_protocol", "_top", "_wire")

    # What the repr calls it.
    kind = "stream"
    # Nothing waits here to be delivered.
    resuming = False
    # How the program is told of a reason, where that is not in our words.
    wording: Callable[[Any], Any] | None = None
    # What is made of what is no bytes.
    _asBytes = staticmethod(asBytes)
    # In which states a producer is taken.
    feeding = WRITING

    def __init__(
        self,
        wire: Wire,
        top: Top,
        peer: Address,
        protocol: Any,
        connector: Any,
        factory: Any,
    ) -> None:
        """Stand on `top`, which is `wire` or a layer above it; `connector`, if there is one, is told after the
        protocol. `factory` may have options.
        """
        self._protocol = protocol
        self._peer = peer
        # Our end's address, once it was asked for.
        self._host: Address | None = None
        # Where the connection came from and who is told of its end: a connector, or a port; None when it was adopted.
        self._connector = connector
        self._wire = wire
        self._top = top
        top.receiver = protocol
        top.owner = self
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
            data = self._asBytes("transport.write", data)
        if data:
            self._top.write(data)

    def writeSequence(self, iovec: Iterable[Bytes]) -> None:
        """Send every piece of `iovec`, in order, as `write` would."""
        kind = iovec.__class__
        # What nearly all bring is seen at once (0.07 us of 0.46 for a line and its end).
        if kind is not tuple and kind is not list and isinstance(iovec, (str, bytes, bytearray, memoryview)):
            raise TypeError(
                f"transport.writeSequence(): iovec must be an iterable of bytes, not "
                f"{type(iovec).__name__}; for one piece use transport.write()"
            )
        # All are looked at before the first is sent, so that a bad one sends nothing.
        asked = "transport.writeSequence"
        pieces = [piece if piece.__class__ is bytes else self._asBytes(asked, piece) for piece in iovec]
        data = b"".join(pieces)
        if data:
            self._top.write(data)

    def sendFile(self, file: Any, offset: int = 0, count: int | None = None) -> Deferred[int]:
        """Send a file, in order with what is written before and after. Not in Twisted.

        A regular file, opened for reading bytes, is copied by the kernel (`os.sendfile`) and may be closed at once; of
        anything else with a ``read`` method, pieces are read and sent as there is room. Under TLS the latter is done
        with every file, and what is written meanwhile goes out between the pieces.

        :param offset: where to begin, in bytes from the beginning of the file.
        :param count: how many bytes; None: up to the file's end.
        :return: a Deferred of the number of bytes sent, less than `count` if the file was shorter. It fails with what
            reading raised, or with ConnectionLost. Cancelling it sends no more of the file.
        :raises RuntimeError: when a producer is registered; none can be while a file is being sent. ValueError,
            TypeError: for an `offset` or a `count` that is none.
        """
        from reactor._transport.stream.sendfile import sendFile

        return sendFile(self, file, offset, count)

    # Closing.

    def loseConnection(self) -> None:
        """Send what is queued, then close. The protocol hears no more but `connectionLost(ConnectionDone)`; over TLS
        also what the peer says until it agrees (close_notify), unless the protocol has paused.

        With a producer registered, the close waits until it is unregistered, and what it writes until then is sent; it
        does not wait for a producer that is itself a connection that closes.
        """
        self._top.lose()
        if self._top is not self._wire:
            self._wire.limitClose()

    def abortConnection(self) -> None:
        """Close at once: drop what is queued, reset the connection. `connectionLost(ConnectionAborted)` follows in the
        next turn of the loop.
        """
        self._top.abort()

    def loseWriteConnection(self) -> None:
        """Send what is queued, then tell the peer that no more comes; reading goes on. Later writes are dropped."""
        self._top.finish()

    @property
    def connected(self) -> bool:
        """Whether the connection stands; False from its `connectionLost` on."""
        return self._top.state is not State.CLOSED

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close and has not yet."""
        return self._top.state in LEAVING

    @property
    def disconnected(self) -> bool:
        """Whether the connection is over."""
        return self._top.state is State.CLOSED

    @property
    def closeTimeout(self) -> float | None:
        """Seconds after `loseConnection` at which a connection whose peer does not take the rest is aborted; None (the
        default): never.
        """
        return self._wire.closeTimeout

    @closeTimeout.setter
    def closeTimeout(self, seconds: float | None) -> None:
        self._wire.closeTimeout = seconds

    @property
    def lingerTimeout(self) -> float | None:
        """Seconds for which `loseConnection`, when all is sent, waits for the peer to end its half, reading and
        discarding what it sends; None (the default): not at all. For whoever answers and closes while the peer may
        still be sending, as a server of HTTP does: unread bytes would make the system reset the connection, and the
        peer lose the answer. Not in Twisted.

        A peer that does not end its half in time, or sends more than `lingerLimit`, is aborted with ConnectionLost.
        ValueError, TypeError for what is no number of seconds.
        """
        lingering = self._wire.lingering
        return None if lingering is None else lingering.timeout

    @lingerTimeout.setter
    def lingerTimeout(self, seconds: float | None) -> None:
        from reactor._transport.stream.lingering import Lingering

        wire = self._wire
        if wire.state in READING:
            wire.lingering = None if seconds is None else Lingering(seconds)

    @property
    def lingerLimit(self) -> int | None:
        """Bytes of the peer's that are discarded meanwhile at most: 16 MiB, unless it is set when `lingerTimeout` is.
        None without that.
        """
        lingering = self._wire.lingering
        return None if lingering is None else lingering.limit

    @lingerLimit.setter
    def lingerLimit(self, limit: int) -> None:
        if self._wire.lingering is None:
            raise RuntimeError("transport.lingerLimit: set transport.lingerTimeout first")
        self._wire.lingering.limit = limit

    # Producing for the protocol.

    def pauseProducing(self) -> None:
        """Deliver nothing to the protocol until `resumeProducing`: not data, and not the connection's end."""
        self._top.pause()

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._top.resume()

    def stopProducing(self) -> None:
        """The same as `loseConnection`."""
        self.loseConnection()

    # Consuming from a producer.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write.

        A push producer (`streaming` true) is paused when more than `bufferSize` bytes are queued and resumed when all
        are sent; a pull producer is asked for one more write each time all are sent. `producer.stopProducing()` is
        called when the connection gets lost, and at once when nothing more is sent anyway: it is over, or asked to
        close or to end its half. RuntimeError when there is one; what a pull producer raises when it is asked for the
        first time comes out, and it is not registered then.
        """
        wire = self._wire
        if wire.source is not None:
            other = wire.source.producer
            what = "a file is being sent" if other is None else f"{shown(other)} is registered and was not unregistered"
            raise RuntimeError(f"cannot register {shown(producer)}: {what}")
        if self._top.state not in self.feeding:
            producer.stopProducing()
            return
        wire.source = Source(producer, bool(streaming), self.bufferSize)
        if not streaming:
            try:
                producer.resumeProducing()
            except BaseException:
                # Whoever catches that has a connection without a producer, which can still be closed.
                wire.source = None
                raise

    def unregisterProducer(self) -> None:
        """Forget the producer. A `loseConnection` that waited for it goes on."""
        source = self._wire.source
        # A file that is being sent is no producer of the program's.
        if source is None or source.producer is not None:
            self._wire.sourceGone()
            if self._top is not self._wire:
                self._top.sourceGone()

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
        """Bytes that are queued and that the kernel has not taken yet, as they are sent: encrypted, under TLS."""
        return self._top.buffered

    # TLS.

    def startTLS(self, contextFactory: Any, normal: bool = True, hostname: str | None = None) -> None:
        """Speak TLS from here on. What was written before goes out as it is, what is written from now on behind the
        handshake; a protocol that provides IHandshakeListener hears `handshakeCompleted`.

        :param contextFactory: an `ssl.SSLContext`, or what `reactor.ssl` makes.
        :param normal: whether whoever connected is TLS's client; False turns that round.
        :param hostname: the name to ask a server for and to verify, where `contextFactory` has none; None: the host
            that was connected to.
        :raises TypeError: when `contextFactory` is none. ValueError: when it is for the other side only, or of no use
            with the name. RuntimeError: when the connection is closing or closed.
        """
        # What TLS adds to a transport is not known here: this is the one door from streams to TLS.
        from reactor._transport.tls.transport import startTLS

        startTLS(self, contextFactory, normal, hostname)

    def _serverName(self) -> str | None:
        """The name that the server is to be verified against when nobody says another."""
        name: str = self._connector.host
        return name

    #: Whether what is written is encrypted.
    TLS: bool = False
    #: The protocol that the two ends agreed on (ALPN, RFC 7301), as bytes; None for none.
    negotiatedProtocol: bytes | None = None

    def getTLS(self) -> Any:
        """The `ssl.SSLObject` of the topmost TLS layer, for what it tells of the connection; None without TLS."""
        return None

    def handshakeCompleted(self) -> None:
        """The handshake of a TLS layer is verified."""
        protocol = self._handshakeListener()
        if protocol is not None:
            try:
                protocol.handshakeCompleted()
            except BaseException as e:
                self._wire.endWith(e)

    def _handshakeListener(self) -> Any:
        """Who is told of a handshake's end; None when nobody wants to be."""
        protocol = self._protocol
        return protocol if provides(protocol, "IHandshakeListener") else None

    # Who and where.

    @property
    def _receiver(self) -> Any:
        """Who stands above the wire where nothing is between."""
        return self._protocol

    @property
    def protocol(self) -> Any:
        """Who gets the bytes; may be replaced while the connection stands. None when it is over."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        self._top.receiver = protocol

    def getPeer(self) -> Any:
        """The other end's address."""
        return self._peer

    def getHost(self) -> Any:
        """This end's address."""
        if self._host is None:
            self._host = self._address(self._wire.ownName())
        return self._host

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
        return f"<{self.kind} connection {host} to {self._peer}, {self._top.state.value}{protocol}>"

    # What the wire tells its owner.

    def begin(self) -> None:
        """The connection is made: tell the protocol, and read."""
        top = self._top
        if top is self._wire:
            self._wire.start()
        try:
            self._protocol.makeConnection(self)
        except BaseException as e:
            self._notMade(e)
        if top is not self._wire and top is self._top and top.state in WRITING:
            self.handshakeCompleted()

    def _notMade(self, problem: BaseException) -> None:
        """The protocol raised when it was told."""
        self._wire.endWith(problem)

    def refuse(self) -> None:
        """The connection is made, and nobody wants it."""
        if self._top is self._wire:
            self._wire.start()
        self._top.receiver = _NOBODY
        self._top.lose()

    def endReceived(self) -> bool:
        """The peer ended its half; whether the protocol wants to go on with ours."""
        protocol = self._halfCloseable()
        if protocol is None:
            return False
        try:
            protocol.readConnectionLost()
        except BaseException as e:
            self._wire.endWith(e)
        return True

    def writingEnded(self) -> None:
        """Our half is ended."""
        protocol = self._halfCloseable()
        if protocol is not None:
            try:
                protocol.writeConnectionLost()
            except BaseException as e:
                self._wire.endWith(e)

    def _halfCloseable(self) -> Any:
        """Who is told of the end of one half; None when nobody wants to be."""
        protocol = self._protocol
        return protocol if provides(protocol, "IHalfCloseableProtocol") else None

    def farewell(self) -> None:
        """The reactor stops; the protocol will hear of it by `connectionLost`."""

    def closing(self) -> None:
        """The socket is about to be closed: keep the address that it would no longer tell."""
        try:
            self._wire.ownName()
        except OSError:
            self._host = self._peer

    def lost(self, reason: Failure) -> None:
        """The connection is over. Lets go of the protocol, so that both are freed with their last reference."""
        protocol, connector = self._protocol, self._connector
        value = reason.value
        if isinstance(value, ConnectionLost) and value.host is None:
            value.host, value.port = self._place()
        if self.wording is not None:
            reason = self.wording(reason)
        self._top.receiver = _NOBODY
        if protocol is not None:
            try:
                protocol.connectionLost(reason)
            except BaseException as e:
                self.raised(e)
        self._protocol = self._connector = None
        if connector is not None:
            connector.lost(reason)

    def _place(self) -> tuple[Any, Any]:
        """Host and port of the peer, for errors; None for what it has not."""
        return getattr(self._peer, "host", None), getattr(self._peer, "port", None)

    def raised(self, problem: BaseException) -> Failure | None:
        """User code raised `problem`: report it. The failure to end the connection with, None when the reactor stops
        instead.
        """
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._wire.escape(problem)
            return None
        reportException("%r raised", problem, self)
        return Failure(problem)


class _Nobody:
    __slots__ = ()

    def dataReceived(self, data: bytes, /) -> None:
        """Nobody is there any more."""


_NOBODY = _Nobody()
