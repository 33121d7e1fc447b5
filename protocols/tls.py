"""TLS around any transport: a factory and a protocol to put between a transport and the program's own.

For a connection of the reactor's, `connectSSL`, `listenSSL` and `transport.startTLS` do the same with less; this is for
transports of other kinds, and for programs that compose protocols themselves.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from zope.interface import directlyProvides, providedBy

from reactor._core.contexts import inside
from reactor._ground.current import currentReactor
from reactor._ground.declare import provides
from reactor._ground.log import reportException
from reactor._ground.naming import prefixOf
from reactor._transport.stream.lifecycle import WRITING, State
from reactor._transport.stream.producers import Source
from reactor._transport.stream.stack import NOBODY
from reactor._transport.stream.transport import asBytes
from reactor._transport.tls.layer import Layer
from reactor._transport.tls.side import sideOf
from reactor._transport.tls.transport import negotiatedProtocol, peerCertificate
from reactor.error import ConnectionAborted, ConnectionDone
from reactor.failure import Failure
from reactor.interfaces import INegotiated
from reactor.protocol import Factory, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Context


class _Turns:
    """A clock as a layer wants its loop."""

    def __init__(self, clock: Any) -> None:
        self.timers = clock

    def soonIn(self, context: Context, f: Callable[..., object], *args: Any) -> None:
        self.timers.callLater(0, inside, context, f, *args)


class _Under:
    """A transport as a layer wants what it stands on: while it is paused, it does not tell that the peer has ended."""

    writeBufferLimit = None
    buffered = 0

    def __init__(self, transport: Any, turns: _Turns) -> None:
        self.transport = transport
        self.turns = turns
        # Made in a callback of the transport, and so a copy of that one's.
        self.context = copy_context()
        self.receiver: Any = NOBODY
        self.owner: Any = NOBODY
        self.source: Source | None = None
        self.paused = False
        # Why it is over, while that waits for `resume`.
        self._ended: Failure | None = None

    def lost(self, reason: Failure) -> None:
        # Any other end cost bytes already, and waits for nobody: not for a paused protocol when the reactor stops.
        if self.paused and reason.check(ConnectionDone):
            self._ended = reason
        else:
            self.owner.lost(reason)

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def lose(self) -> None:
        self.transport.loseConnection()

    def abort(self, reason: Failure | None = None) -> None:
        if self._ended is not None:
            self._ended = None
            self.turns.soonIn(self.context, self.owner.lost, reason or Failure(ConnectionAborted()))
        else:
            getattr(self.transport, "abortConnection", self.transport.loseConnection)()

    def pause(self) -> None:
        self.paused = True
        if self._ended is None:
            self.transport.pauseProducing()

    def resume(self) -> None:
        self.paused = False
        ended, self._ended = self._ended, None
        if ended is None:
            self.transport.resumeProducing()
        else:
            self.turns.soonIn(self.context, self.lost, ended)

    def dropSource(self) -> None:
        source, self.source = self.source, None
        if source is not None:
            self.transport.unregisterProducer()
            source.stop()

    def endWith(self, problem: BaseException) -> None:
        self.owner.raised(problem)
        self.abort()


# What a transport has that would send bytes past the layer, or put something below it.
_BYTES = frozenset({"sendFile", "sendFileDescriptor", "startTLS"})


class TLSMemoryBIOProtocol(Protocol):
    """TLS on `transport`; the transport of the protocol that is wrapped. What it does not define is the transport's."""

    transport: Any = None
    # Nothing waits here to be delivered; see `_Under` for what is below.
    resuming = False

    def __init__(self, factory: TLSMemoryBIOFactory, wrappedProtocol: Any) -> None:
        """For `factory`, around `wrappedProtocol`: its `connectionMade` is called when the handshake is verified."""
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol
        self._layer: Layer | None = None
        self._made = False

    def __getattr__(self, name: str) -> Any:
        transport = self.transport
        if transport is None or name.startswith("_") or name in _BYTES:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(transport, name)

    # What the transport tells.

    def makeConnection(self, transport: Any) -> None:
        """The connection is there. From here on this provides INegotiated, and whatever of the transport's it has."""
        self.transport = transport
        theirs = [each for each in providedBy(transport) if all(hasattr(self, name) for name in each.names(all=True))]
        directlyProvides(self, INegotiated, *theirs)
        super().makeConnection(transport)

    def connectionMade(self) -> None:
        """The connection stands: shake hands."""
        factory, transport = self.factory, self.transport
        peer = transport.getPeer()
        facts = {"host": getattr(peer, "host", None), "port": getattr(peer, "port", None)}
        side = sideOf(factory.contextFactory, "TLSMemoryBIOFactory", not factory.isClient, facts["host"])
        turns = _Turns(factory.clock or currentReactor())
        under = _Under(transport, turns)
        self._layer = layer = Layer(turns, side, under, facts)
        layer.receiver, layer.owner = self.wrappedProtocol, self
        under.receiver = under.owner = layer
        layer.begin()

    def dataReceived(self, data: bytes) -> None:
        """Ciphertext came."""
        if self._layer is not None:
            self._layer.dataReceived(data)

    def connectionLost(self, reason: Any = None) -> None:
        """What is below is over."""
        if self._layer is not None:
            self._layer.below.lost(reason)  # type: ignore[attr-defined]

    # What the layer tells.

    def handshakeCompleted(self) -> None:
        """The peer is who it should be: begin."""
        layer, protocol = self._layer, self.wrappedProtocol
        if layer is None:
            return
        self._made = True
        protocol.makeConnection(self)
        if provides(protocol, "IHandshakeListener"):
            protocol.handshakeCompleted()

    def lost(self, reason: Failure) -> None:
        """The connection is over, for this reason."""
        # As a transport's: it says so from here on.
        self.connected = 0
        self._layer = None
        protocol, self.wrappedProtocol = self.wrappedProtocol, None
        self.factory.ended(self, reason, self._made)
        if self._made and protocol is not None:
            protocol.connectionLost(reason)

    def endReceived(self) -> bool:
        """The peer ended its half; whether the protocol wants to go on."""
        protocol = self.wrappedProtocol
        if not provides(protocol, "IHalfCloseableProtocol"):
            return False
        protocol.readConnectionLost()
        return True

    def writingEnded(self) -> None:
        """Our half is ended."""
        protocol = self.wrappedProtocol
        if provides(protocol, "IHalfCloseableProtocol"):
            protocol.writeConnectionLost()

    def farewell(self) -> None:
        """The reactor stops."""

    def closing(self) -> None:
        """Nothing to keep."""

    def raised(self, problem: BaseException) -> Any:
        """The wrapped protocol raised, where nobody else reports it."""
        reportException("%r raised", problem, self.wrappedProtocol)
        return None

    # What the wrapped protocol asks of its transport.

    def write(self, data: Any) -> None:
        """Send `data`, encrypted. As a stream transport's `write`."""
        if data.__class__ is not bytes:
            data = asBytes("transport.write", data)
        if data and self._layer is not None:
            self._layer.write(data)

    def writeSequence(self, iovec: Iterable[Any]) -> None:
        """Send every piece of `iovec`."""
        self.write(b"".join([asBytes("transport.writeSequence", piece) for piece in iovec]))

    def loseConnection(self) -> None:
        """Send what is queued, then close_notify, then close."""
        if self._layer is not None:
            self._layer.lose()

    def abortConnection(self) -> None:
        """Close at once."""
        if self._layer is not None:
            self._layer.abort()

    def loseWriteConnection(self) -> None:
        """Send what is queued, then close_notify; reading goes on."""
        if self._layer is not None:
            self._layer.finish()

    def pauseProducing(self) -> None:
        """Deliver nothing until `resumeProducing`."""
        if self._layer is not None:
            self._layer.pause()

    def resumeProducing(self) -> None:
        """Deliver again."""
        if self._layer is not None:
            self._layer.resume()

    stopProducing = loseConnection

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write, as the transport below does. RuntimeError when there is one."""
        layer = self._layer
        if layer is None or layer.state not in WRITING:
            producer.stopProducing()
            return
        self.transport.registerProducer(producer, streaming)
        layer.below.source = Source(producer, bool(streaming))  # type: ignore[misc]

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.transport.unregisterProducer()
        if self._layer is not None:
            self._layer.below.source = None  # type: ignore[misc]
            self._layer.sourceGone()

    @property
    def disconnecting(self) -> bool:
        """Whether it was asked to close and has not yet."""
        return self._layer is not None and self._layer.state in (State.CLOSING, State.ENDING)

    @property
    def protocol(self) -> Any:
        """Who gets the bytes: `wrappedProtocol`, which may be replaced while the connection stands."""
        return self.wrappedProtocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self.wrappedProtocol = protocol
        if self._layer is not None:
            self._layer.receiver = protocol

    TLS = True

    def getTLS(self) -> Any:
        """The `ssl.SSLObject`; None when the connection is over."""
        return None if self._layer is None else self._layer.sslObject

    def getPeerCertificate(self) -> Any:
        """The peer's certificate (`reactor.ssl.Certificate`); None when it showed none, and when it is over."""
        return None if self._layer is None else peerCertificate(self._layer)

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The protocol that the two ends agreed on (ALPN); None for none."""
        return None if self._layer is None else negotiatedProtocol(self._layer)

    def getPeer(self) -> Any:
        """The other end's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """This end's address."""
        return self.transport.getHost()


class TLSMemoryBIOFactory(Factory):
    """Puts TLS around the protocols of another factory."""

    noisy = False

    def __init__(self, contextFactory: Any, isClient: bool, wrappedFactory: Any, clock: Any = None) -> None:
        """
        :param contextFactory: an `ssl.SSLContext`, or what `reactor.ssl` makes.
        :param isClient: whether this end is TLS's client.
        :param wrappedFactory: whose protocols are wrapped. The handshake's failure is its `clientConnectionFailed`.
        :param clock: for the deadlines; None: the reactor's.
        :raises TypeError: for a context factory that is none. ValueError: for one of the other side.
        """
        sideOf(contextFactory, "TLSMemoryBIOFactory", not isClient)
        self.contextFactory = contextFactory
        self.isClient = isClient
        self.wrappedFactory = wrappedFactory
        self.clock = clock
        self._reason: Any = None
        self._failed = False

    def logPrefix(self) -> str:
        """What stands for this factory in logs: the wrapped one's prefix, and ``(TLS)``."""
        return f"{prefixOf(self.wrappedFactory)} (TLS)"

    def _attemptBegan(self, connector: Any) -> None:
        # What a connector tells a ReconnectingClientFactory.
        began = getattr(self.wrappedFactory, "_attemptBegan", None)
        if began is not None:
            began(connector)

    def ended(self, protocol: TLSMemoryBIOProtocol, reason: Failure, made: bool) -> None:
        """A connection is over; `made`: its handshake had been verified."""
        self._reason, self._failed = reason, not made

    def doStart(self) -> None:
        """A port or a connector begins to use it."""
        self.wrappedFactory.doStart()

    def doStop(self) -> None:
        """A port or a connector ends to use it."""
        self.wrappedFactory.doStop()

    def startedConnecting(self, connector: Any) -> None:
        """The connector begins."""
        self.wrappedFactory.startedConnecting(connector)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        """No connection came about."""
        self.wrappedFactory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        """The connection is over, or, for whom is wrapped, it never came about."""
        why, self._reason = self._reason or reason, None
        if self._failed:
            self.wrappedFactory.clientConnectionFailed(connector, why)
        else:
            self.wrappedFactory.clientConnectionLost(connector, why)

    def buildProtocol(self, addr: Any) -> Any:
        """TLS around what the wrapped factory builds; None when that is None."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else TLSMemoryBIOProtocol(self, wrapped)
