"""Something between a transport and a protocol: to the one it is the protocol, to the other the transport.

`ProtocolWrapper` hands everything on, either way, and subclasses look at what they like; `WrappingFactory` puts one
around each protocol of another factory. What is limited, timed or logged is the subclasses' business.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from zope.interface import directlyProvidedBy, directlyProvides, providedBy

from reactor.failure import Failure
from reactor.interfaces import (
    IDrainable,
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
)
from reactor.protocol import ClientFactory, Protocol

# What a transport tells only to protocols that want to know: a wrapper wants to if what it wraps does.
_WANTED = (IHalfCloseableProtocol, IHandshakeListener, IFileDescriptorReceiver, IDrainable)


def _wants(protocol: Any, interface: Any) -> bool:
    while isinstance(protocol, ProtocolWrapper) and not interface.implementedBy(type(protocol)):
        # Not what the wrapper provides: it is not connected yet, and then provides nothing of the kind.
        protocol = protocol.wrappedProtocol
    return bool(interface.providedBy(protocol))


def _logPrefix(wrapper: Any, wrapped: Any) -> str:
    prefix = wrapped.logPrefix() if ILoggingContext.providedBy(wrapped) else type(wrapped).__name__
    return f"{prefix} ({type(wrapper).__name__})"


class ProtocolWrapper(Protocol):
    """Goes between a transport and `wrappedProtocol`.

    From `makeConnection` on it provides the interfaces that the transport provides, and has whatever attribute the
    transport has; and it hears of ends of halves, handshakes and descriptors if the wrapped protocol wants to.
    """

    transport: Any = None
    _closing = False

    def __init__(self, factory: Any, wrappedProtocol: Any) -> None:
        """
        :param factory: told by `registerProtocol` and `unregisterProtocol` when the connection is made and lost.
        :param wrappedProtocol: whose transport this is going to be. None again when the connection is over.
        """
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol

    def __getattr__(self, name: str) -> Any:
        transport = self.transport
        if transport is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}, and no transport that has")
        found = getattr(transport, name)
        return partial(self._startTLS, found) if name == "startTLS" else found

    def _startTLS(self, startTLS: Any, *args: Any, **options: Any) -> None:
        startTLS(*args, **options)
        # What the transport provides from now on.
        directlyProvides(self, directlyProvidedBy(self), providedBy(self.transport))

    def logPrefix(self) -> str:
        """What stands for this protocol in logs: the wrapped one's prefix, and this one's class in parentheses."""
        return _logPrefix(self, self.wrappedProtocol)

    # What the transport tells.

    def makeConnection(self, transport: Any) -> None:
        """The connection is there. Registers with the factory, then tells the wrapped protocol."""
        wrapped = self.wrappedProtocol
        directlyProvides(self, providedBy(transport), *[each for each in _WANTED if _wants(wrapped, each)])
        try:
            super().makeConnection(transport)
            self.factory.registerProtocol(self)
        except BaseException:
            # It was never told of the connection, and is not to be told of its end.
            self.wrappedProtocol = None
            raise
        wrapped.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        """Hand `data` on."""
        self.wrappedProtocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone. Unregisters with the factory, then tells the wrapped protocol and lets go of it."""
        # As a transport's: it says so from here on.
        self.connected = 0
        try:
            self.factory.unregisterProtocol(self)
        finally:
            wrapped = self.wrappedProtocol
            try:
                if wrapped is not None:
                    wrapped.connectionLost(reason)
            finally:
                self.wrappedProtocol = None

    def readConnectionLost(self) -> None:
        """The peer will send no more. Called if the wrapped protocol is an `IHalfCloseableProtocol`."""
        self.wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """This end can send no more. Called if the wrapped protocol is an `IHalfCloseableProtocol`."""
        self.wrappedProtocol.writeConnectionLost()

    def handshakeCompleted(self) -> None:
        """TLS is ready. Called if the wrapped protocol is an `IHandshakeListener`."""
        self.wrappedProtocol.handshakeCompleted()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """A descriptor came. Called if the wrapped protocol is an `IFileDescriptorReceiver`."""
        self.wrappedProtocol.fileDescriptorReceived(descriptor)

    def drain(self) -> None:
        """The port is drained. Called if the wrapped protocol is an `IDrainable`."""
        self.wrappedProtocol.drain()

    # What the wrapped protocol asks of its transport.

    def write(self, data: Any) -> None:
        """Send `data`."""
        self.transport.write(data)

    def writeSequence(self, data: Any) -> None:
        """Send every piece of `data`."""
        self.transport.writeSequence(data)

    def loseConnection(self) -> None:
        """Close when everything is sent."""
        self._closing = True
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Close at once."""
        self._closing = True
        self.transport.abortConnection()

    @property
    def disconnecting(self) -> bool:
        """Whether the connection was asked to close, through this wrapper or below it."""
        return self._closing or bool(getattr(self.transport, "disconnecting", False))

    @disconnecting.setter
    def disconnecting(self, closing: bool) -> None:
        self._closing = bool(closing)

    def getPeer(self) -> Any:
        """The other end's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """This end's address."""
        return self.transport.getHost()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write. RuntimeError when there is one."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.transport.unregisterProducer()

    # What is set has to arrive below; __getattr__ only reads.

    @property
    def closeTimeout(self) -> float | None:
        """The transport's: seconds from `loseConnection` to `abortConnection`, None: no limit."""
        return self.transport.closeTimeout  # type: ignore[no-any-return]

    @closeTimeout.setter
    def closeTimeout(self, seconds: float | None) -> None:
        self.transport.closeTimeout = seconds

    @property
    def writeBufferLimit(self) -> int | None:
        """The transport's: bytes that may be queued, None: no limit."""
        return self.transport.writeBufferLimit  # type: ignore[no-any-return]

    @writeBufferLimit.setter
    def writeBufferLimit(self, limit: int | None) -> None:
        self.transport.writeBufferLimit = limit


class WrappingFactory(ClientFactory):
    """Puts a `protocol`, a subclass of `ProtocolWrapper`, around each protocol of another factory.

    For servers and clients: everything that a port or a connector says is handed on.
    """

    #: What is put around: called with this factory and the protocol that is to be wrapped.
    protocol: Any = ProtocolWrapper

    def __init__(self, wrappedFactory: Any) -> None:
        """
        :param wrappedFactory: whose protocols are wrapped.
        :ivar protocols: a dict whose keys are the wrappers of all connections that stand.
        """
        self.wrappedFactory = wrappedFactory
        self.protocols: dict[Any, int] = {}
        limit = getattr(wrappedFactory, "writeBufferLimit", None)
        if limit is not None:
            self.writeBufferLimit = limit

    def logPrefix(self) -> str:
        """What stands for this factory in logs: the wrapped one's prefix, and this one's class in parentheses."""
        return _logPrefix(self, self.wrappedFactory)

    def doStart(self) -> None:
        """A port or connector begins to use this factory, and so the wrapped one."""
        self.wrappedFactory.doStart()
        super().doStart()

    def doStop(self) -> None:
        """A port or connector no longer uses this factory."""
        self.wrappedFactory.doStop()
        super().doStop()

    def startedConnecting(self, connector: Any) -> None:
        """An attempt begins."""
        self.wrappedFactory.startedConnecting(connector)

    def _attemptBegan(self, connector: Any) -> None:
        # What a connector tells a ReconnectingClientFactory.
        began = getattr(self.wrappedFactory, "_attemptBegan", None)
        if began is not None:
            began(connector)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about."""
        self.wrappedFactory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection ended."""
        self.wrappedFactory.clientConnectionLost(connector, reason)

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds; None when that refuses the connection."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """The connection of `p` is made. Called by `p`."""
        self.protocols[p] = 1

    def unregisterProtocol(self, p: Any) -> None:
        """The connection of `p` is lost. Called by `p`."""
        self.protocols.pop(p, None)
