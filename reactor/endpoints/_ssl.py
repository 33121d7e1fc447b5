"""Endpoints that speak TLS: over TCP, and around any other client endpoint.

What a handshake is, and who is trusted, is the context factory's and the transport's business.
"""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor._ground.declare import provides
from reactor.defer import Deferred, execute, fail
from reactor.endpoints._connecting import connecting
from reactor.error import ConnectingCancelledError, NoProtocol
from reactor.failure import Failure
from reactor.protocol import Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IHandshakeListener, IStreamClientEndpoint, IStreamServerEndpoint
else:
    from reactor._ground.declare import (
        IHandshakeListener,
        IStreamClientEndpoint,
        IStreamServerEndpoint,
        implementer,
    )


@implementer(IStreamClientEndpoint)
class SSL4ClientEndpoint:
    """Connects to a TCP server and speaks TLS with it."""

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        sslContextFactory: Any,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
    ) -> None:
        """The arguments are those of `reactor.connectSSL`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._host = host
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._timeout = timeout
        self._bindAddress = bindAddress

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect. The Deferred fires with the protocol when the handshake is verified and its `connectionMade` has
        returned; otherwise it fails as that of `TCP4ClientEndpoint.connect`, or with what was wrong with the handshake.
        """

        def begin(factory: Any) -> Any:
            reactor: Any = self._reactor if self._reactor is not None else currentReactor()
            return reactor.connectSSL(
                self._host,
                self._port,
                factory,
                self._sslContextFactory,
                timeout=self._timeout,
                bindAddress=self._bindAddress,
            )

        try:
            return connecting(protocolFactory, begin)
        except Exception:
            return fail()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._host}:{self._port}>"


@implementer(IStreamServerEndpoint)
class SSL4ServerEndpoint:
    """Listens for TCP clients that speak TLS."""

    def __init__(
        self,
        reactor: Any,
        port: int,
        sslContextFactory: Any,
        backlog: int = 50,
        interface: str = "",
        *,
        reusePort: bool = False,
    ) -> None:
        """The arguments are those of `reactor.listenSSL`; `reactor` None is the one that runs in this thread, else the
        default one.
        """
        self._reactor = reactor
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._backlog = backlog
        self._interface = interface
        # Said only where it is wanted: other reactors may not know of it.
        self._more: dict[str, Any] = {"reusePort": True} if reusePort else {}

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen. The Deferred fires with the port (`IListeningPort`), or fails as `reactor.listenSSL` does."""
        reactor: Any = self._reactor if self._reactor is not None else currentReactor()
        return execute(
            reactor.listenSSL,
            self._port,
            protocolFactory,
            self._sslContextFactory,
            backlog=self._backlog,
            interface=self._interface,
            **self._more,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._interface or '*'}:{self._port}>"


def handOver(transport: Any, protocol: Any) -> None:
    """The handshake is done: from here on the connection is `protocol`'s."""
    transport.protocol = protocol
    protocol.makeConnection(transport)
    if provides(protocol, "IHandshakeListener"):
        protocol.handshakeCompleted()


def wrapClientTLS(connectionCreator: Any, wrappedEndpoint: Any, clock: Any = None) -> Any:
    """A client endpoint that connects through another one and then speaks TLS.

    :param connectionCreator: what makes the TLS context, mostly `reactor.ssl.optionsForClientTLS(hostname)`.
    :param wrappedEndpoint: any client endpoint whose transports have `startTLS`.
    :param clock: not used: the deadlines are those of the transport's reactor. Twisted's programs may give one.
    :return: an `IStreamClientEndpoint`; its Deferred fires when the handshake is verified.
    """
    return _TLSClientEndpoint(connectionCreator, wrappedEndpoint)


@implementer(IStreamClientEndpoint)
class _TLSClientEndpoint:
    def __init__(self, connectionCreator: Any, wrappedEndpoint: Any) -> None:
        self._connectionCreator = connectionCreator
        self._wrappedEndpoint = wrappedEndpoint

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect, and wait for the handshake. Cancelled, the Deferred closes the socket at either stage."""
        securing = _Securing(protocolFactory, self._connectionCreator)
        secured: Deferred[Any] = Deferred(securing.cancel)
        securing.waiting = secured
        connected = self._wrappedEndpoint.connect(_SecuringFactory(protocolFactory, securing))
        if securing.waiting is not None:
            securing.connected = connected
        connected.addErrback(securing.failed)
        return secured

    def __repr__(self) -> str:
        return f"<TLS over {self._wrappedEndpoint!r}>"


class _SecuringFactory(Factory):
    noisy = False

    def __init__(self, factory: Any, securing: _Securing) -> None:
        self._factory = factory
        self._securing = securing
        self.writeBufferLimit = getattr(factory, "writeBufferLimit", None)

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        self._securing.address = addr
        return self._securing


@implementer(IHandshakeListener)
class _Securing:
    """The protocol of a connection until its handshake is done; then it makes way for the program's."""

    def __init__(self, factory: Any, connectionCreator: Any) -> None:
        self._factory = factory
        self._connectionCreator = connectionCreator
        self._transport: Any = None
        self.address: Any = None
        # Invariant: these two and the transport are None when the Deferred has fired.
        self.waiting: Deferred[Any] | None = None
        self.connected: Deferred[Any] | None = None

    def makeConnection(self, transport: Any) -> None:
        self._transport = transport
        transport.startTLS(self._connectionCreator)

    def handshakeCompleted(self) -> None:
        """The peer is verified: now the connection is made."""
        if self.waiting is None:
            return
        transport, factory = self._transport, self._factory
        try:
            protocol = factory.buildProtocol(self.address)
            if protocol is None:
                raise NoProtocol(f"{type(factory).__name__}.buildProtocol returned None for {self.address}")
        except Exception:
            self.failed(Failure())
            transport.abortConnection()
            return
        try:
            handOver(transport, protocol)
        except BaseException as e:
            self.failed(Failure(e))
            raise
        waiting = self._fired()
        if waiting is not None:
            waiting.callback(protocol)

    def dataReceived(self, data: bytes) -> None:
        """Nothing can be received before the handshake is done."""

    def connectionLost(self, reason: Failure) -> None:
        """The handshake failed, or there was none."""
        self.failed(reason)

    def failed(self, reason: Failure) -> None:
        """It came to nothing."""
        waiting = self._fired()
        if waiting is not None:
            waiting.errback(reason)

    def cancel(self, deferred: Deferred[Any]) -> None:
        """The program cancelled the Deferred."""
        connected, transport = self.connected, self._transport
        if transport is not None:
            self._fired()
            deferred.errback(ConnectingCancelledError(self.address, phase="handshake"))
            transport.abortConnection()
        else:
            # Fails, and `failed` is told.
            assert connected is not None
            connected.cancel()

    def _fired(self) -> Deferred[Any] | None:
        waiting = self.waiting
        self.waiting = self.connected = self._transport = None
        return waiting
