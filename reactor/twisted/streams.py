"""Connections of ours under Twisted's protocols: the transports, with every name that programs have come to use.

A byte takes the way that it takes under a protocol of ours: the wire calls `dataReceived` itself. Words are put on
where something ends or is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, overload

from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
    ITransport,
)
from twisted.python import log
from twisted.python.failure import Failure as TwistedFailure
from zope.interface import implementer

from reactor._transport.stream.closing import endForAll
from reactor._transport.stream.lifecycle import DRAINING, State
from reactor._transport.stream.tcp import TCPTransport
from reactor._transport.stream.wire import Wire
from reactor.twisted.answers import MOST
from reactor.twisted.words import addressOf, isStandard, prefixOf, reasonOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from reactor._transport.stream.transport import Top

if TYPE_CHECKING:
    from reactor._transport.stream.transport import StreamTransport as Base
else:
    Base = object

Told = TypeVar("Told")


class asked(Generic[Told]):
    """An attribute that is worked out when it is asked for, and that a program may set to what it likes."""

    def __init__(self, f: Callable[[Any], Told]) -> None:
        self._f = f
        self.__doc__ = f.__doc__

    @overload
    def __get__(self, obj: None, kind: type) -> asked[Told]: ...

    @overload
    def __get__(self, obj: object, kind: type) -> Told: ...

    def __get__(self, obj: object, kind: type) -> asked[Told] | Told:
        return self if obj is None else self._f(obj)


class TwistedWire(Wire):
    """The wire of a connection of Twisted's."""

    __slots__ = ()

    def _accepts(self) -> bool:
        # There, what is written behind loseConnection goes out as long as the connection stands.
        return self.state is State.HEARD or self.state in DRAINING

    def _answered(self) -> None:
        if self.state is State.OPEN and self.buffered <= MOST:
            self._marked = True
            self.loop.reactor.answers.add(self)
        else:
            self._flush()


class Connection(Base):
    """A connection as a protocol of Twisted's sees it, whatever it goes over."""

    __slots__ = ()

    # Until the end: one that is registered behind loseConnection holds it up.
    feeding = frozenset(State) - {State.ENDING, State.CLOSED}
    _tlsClientDefault = False

    @staticmethod
    def _asBytes(method: str, data: object) -> bytes:
        if isinstance(data, bytes | bytearray | memoryview):
            return bytes(data)
        raise TypeError("Data must be bytes")

    def writeSequence(self, iovec: Iterable[Any]) -> None:
        """Send every piece of `iovec`, in order. TypeError when one is no bytes."""
        # They are looked at by who joins them: of 0.18 us for a line and its end, 0.12 go.
        try:
            data = b"".join(iovec)
        except TypeError as e:
            raise TypeError("Data must be bytes") from e
        if data:
            self._top.write(data)

    # What the wire tells.

    def _halfCloseable(self) -> Any:
        return IHalfCloseableProtocol(self._protocol, None)

    def _handshakeListener(self) -> Any:
        return IHandshakeListener(self._protocol, None)

    def wording(self, reason: Any) -> Any:
        """The end's reason in Twisted's words."""
        # It keeps its name when its protocol is gone.
        self.logstr = self.logstr
        return reasonOf(reason)

    def raised(self, problem: BaseException) -> Any:
        """The protocol raised `problem`: log it. The Failure to end the connection with."""
        failure = TwistedFailure(problem, type(problem), problem.__traceback__)
        log.err(failure)
        return failure

    # Names of Twisted's.

    @asked
    def reactor(self) -> Any:
        """The `TwistedReactor`."""
        return self._wire.loop.reactor.frame

    @asked
    def logstr(self) -> str:
        """What logs call this connection."""
        return self._called()

    def logPrefix(self) -> str:
        """What logs call this connection."""
        return self.logstr

    def _called(self) -> str:
        raise NotImplementedError

    def connectionLost(self, reason: TwistedFailure) -> None:
        """End the connection at once, with that reason. For programs that do not care to wait."""
        self._wire._end(reason)  # type: ignore[arg-type]

    def stopConsuming(self) -> None:
        """Forget the producer, and close."""
        self.unregisterProducer()
        self.loseConnection()

    @asked
    def streamingProducer(self) -> bool:
        """Whether the producer is one that pushes."""
        source = self._wire.source
        return source is not None and source.streaming

    @asked
    def producerPaused(self) -> bool:
        """Whether it has been told to wait."""
        source = self._wire.source
        return source is not None and source.streaming and source.paused

    @asked
    def _writeDisconnected(self) -> bool:
        return self._wire.state in (State.FINISHED, State.CLOSED)

    # What is queued, by the names that programs count it under.

    @asked
    def dataBuffer(self) -> bytes:
        """All that is queued."""
        piece, outbox = self._wire._piece, self._wire._outbox
        if outbox is not None:
            return b"".join(outbox.pieces)
        return b"" if piece is None else bytes(piece)

    @asked
    def _tempDataBuffer(self) -> list[bytes]:
        return []

    @asked
    def _tempDataLen(self) -> int:
        return 0

    # TLS.

    @asked
    def negotiatedProtocol(self) -> bytes | None:
        """What only a connection over TLS has: there, programs ask for it to know whether it is one."""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute 'negotiatedProtocol': it is not over TLS"
        )

    def startTLS(self, ctx: Any, normal: bool = True, hostname: str | None = None) -> None:
        """Speak TLS from here on.

        :param ctx: a context factory of Twisted's; or an `ssl.SSLContext`, or what `reactor.ssl` makes.
        :param normal: whether whoever connected is TLS's client.
        :param hostname: with the latter two, the name to verify, where `ctx` has none; None: the host that was
            connected to.
        """
        if isStandard(ctx):
            from reactor.twisted import secure

            secure.startTLS(self, ctx, normal, hostname)
            return
        from reactor.twisted.tls import startTLS

        plain = type(self)
        startTLS(self, ctx, normal, plain, _overTLS(plain))


class Accepted(Connection):
    """One that a port accepted, or that was adopted."""

    __slots__ = ()

    #: The port; None when it was adopted.
    server: Any = None

    def begin(self) -> None:
        """The connection is made: tell the protocol, and read."""
        self.server = port = self._connector
        self.__dict__["_session"] = self.client[1] or 0 if port is None else port.nextSession()
        super().begin()

    def closing(self) -> None:
        """The socket is about to be closed."""
        super().closing()
        if self.server is None:
            # As there: the peer hears of it also when whoever gave it away keeps a copy.
            endForAll(self._wire.socket)

    def _notMade(self, problem: BaseException) -> None:
        # As there: a server's connection goes on.
        self.raised(problem)

    @asked
    def sessionno(self) -> int:
        """A number of this connection among those that its port accepted."""
        number: int = self.__dict__["_session"]
        return number

    @asked
    def client(self) -> Any:
        """What the socket module calls the other end."""
        return socketAddress(self._peer)

    @asked
    def hostname(self) -> Any:
        """The other end's host."""
        return self.client[0]

    def _called(self) -> str:
        return f"{prefixOf(self._protocol)},{self.sessionno},{self.hostname}"

    def __repr__(self) -> str:
        where = self._number() if self.server is None else self.server._realPortNumber
        return f"<{type(self._protocol).__name__} #{self.sessionno} on {where}>"

    def _number(self) -> Any:
        return self.getHost().port


class Made(Connection):
    """One that was made from here."""

    __slots__ = ()

    _tlsClientDefault = True

    #: What `connectTCP` returned.
    connector: Any = None

    def __init__(self, wire: Wire, top: Top, peer: Any, protocol: Any, connector: Any, factory: Any) -> None:
        """As for every stream."""
        super().__init__(wire, top, peer, protocol, connector, factory)
        self.connector = connector

    @asked
    def addr(self) -> Any:
        """What was asked for, as a tuple."""
        return self.connector.host, self.connector.port

    @asked
    def realAddress(self) -> Any:
        """What was connected to, as the socket module calls it."""
        return socketAddress(self._peer)

    def failIfNotConnected(self, err: object) -> None:
        """Nothing: it is connected."""

    def stopConnecting(self) -> None:
        """Nothing: it is connected."""

    def _called(self) -> str:
        return f"{prefixOf(self._protocol)},client"

    def __repr__(self) -> str:
        return f"<{type(self)} to {self.addr} at {id(self):x}>"


@implementer(ITransport, ITCPTransport, ITLSTransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class Server(Accepted, TCPTransport):
    """One over TCP that a port accepted, or that was adopted."""

    __slots__ = ()

    def _address(self, sockaddr: Any) -> Any:
        return addressOf(sockaddr)


@implementer(ITransport, ITCPTransport, ITLSTransport, IConsumer, IPushProducer, ISystemHandle, ILoggingContext)
class Client(Made, TCPTransport):
    """One over TCP that was made from here."""

    __slots__ = ()

    def _address(self, sockaddr: Any) -> Any:
        return addressOf(sockaddr)


def socketAddress(address: Any) -> Any:
    """What the socket module calls `address`."""
    if hasattr(address, "flowInfo"):
        return address.host, address.port, address.flowInfo, address.scopeID
    return address.host, address.port


class _OverTLS(Base):
    """What changes of a connection's transport when Twisted's layer of TLS is put on: who is asked to write, to close
    and to listen to a producer is that layer, which is the protocol here.
    """

    __slots__ = ()

    def write(self, data: Any) -> None:
        """Send it, encrypted."""
        if self.connected:
            self.protocol.write(data)

    def writeSequence(self, iovec: Any) -> None:
        """Send them, encrypted."""
        if self.connected:
            self.protocol.writeSequence(iovec)

    def loseConnection(self) -> None:
        """Send what is queued, end TLS, then close."""
        if self.connected and not self.disconnecting:
            self.protocol.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write."""
        self.protocol.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if not self.TLS:
            # It was registered with the connection, while that was a plain one.
            super().unregisterProducer()
        elif self.connected:
            self.protocol.unregisterProducer()


_made: dict[type, type] = {}


def _overTLS(plain: type) -> type:
    """The class of a transport that was a `plain` one."""
    if issubclass(plain, _OverTLS):
        return plain
    if plain not in _made:
        _made[plain] = type(plain.__name__, (_OverTLS, plain), {"__slots__": ()})
    return _made[plain]
