"""TLS around any server endpoint, as `wrapClientTLS` puts it around any client's."""

from __future__ import annotations

from reactor.endpoints._ssl import handOver
from reactor.protocol import Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zope.interface import implementer

    from reactor.defer import Deferred
    from reactor.failure import Failure
    from reactor.interfaces import IHandshakeListener, IStreamServerEndpoint
else:
    from reactor._ground.declare import IHandshakeListener, IStreamServerEndpoint, implementer


def wrapServerTLS(connectionCreator: Any, wrappedEndpoint: Any, clock: Any = None) -> Any:
    """A server endpoint that listens through another one and speaks TLS with whoever comes.

    :param connectionCreator: an `ssl.SSLContext`, or what `reactor.ssl` makes for a server.
    :param wrappedEndpoint: any server endpoint whose transports have `startTLS`: on TCP, on a UNIX socket, on an
        adopted socket.
    :param clock: not used: the deadlines are those of the transport's reactor. Twisted's programs may give one.
    :return: an `IStreamServerEndpoint`. `buildProtocol` of the factory it is given is called when a handshake is done;
        one that fails is logged, and nobody else is told.
    :raises TypeError, ValueError: as `reactor.listenSSL`, for a `connectionCreator` that is none.
    """
    from reactor._transport.tls.halfopen import limitOf
    from reactor._transport.tls.side import sideOf

    sideOf(connectionCreator, "wrapServerTLS", True)
    return _TLSServerEndpoint(connectionCreator, wrappedEndpoint, limitOf(connectionCreator, "wrapServerTLS"))


@implementer(IStreamServerEndpoint)
class _TLSServerEndpoint:
    def __init__(self, connectionCreator: Any, wrappedEndpoint: Any, limit: int | None) -> None:
        self._connectionCreator = connectionCreator
        self._wrappedEndpoint = wrappedEndpoint
        self._limit = limit

    def listen(self, protocolFactory: Any) -> Deferred[Any]:
        """Listen, as the wrapped endpoint does."""
        securing = _SecuringFactory(protocolFactory, self._connectionCreator, self._limit, repr(self))
        listening: Deferred[Any] = self._wrappedEndpoint.listen(securing)
        return listening

    def __repr__(self) -> str:
        return f"<TLS over {self._wrappedEndpoint!r}>"


class _SecuringFactory(Factory):
    noisy = False

    def __init__(self, factory: Any, connectionCreator: Any, limit: int | None, whose: str) -> None:
        from reactor._transport.tls.halfopen import HalfOpen

        self.factory = factory
        self.connectionCreator = connectionCreator
        self.whose = whose
        self.writeBufferLimit = getattr(factory, "writeBufferLimit", None)
        # Those who came and have not shaken hands yet.
        self.halfOpen = HalfOpen(limit, whose)

    def doStart(self) -> None:
        self.factory.doStart()

    def doStop(self) -> None:
        self.halfOpen.clear()
        self.factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        return _Securing(self, addr)


@implementer(IHandshakeListener)
class _Securing:
    """The protocol of a connection until its handshake is done; then it makes way for the program's."""

    def __init__(self, owner: _SecuringFactory, address: Any) -> None:
        self._owner = owner
        self._address = address
        # Invariant: None before the connection, and when the handshake is over.
        self._transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        self._transport = transport
        self._owner.halfOpen.enter(self, self._address)
        transport.startTLS(self._owner.connectionCreator)

    def sendAway(self) -> None:
        """There are too many, or nobody listens any more."""
        self._transport.abortConnection()

    def handshakeCompleted(self) -> None:
        """The connection is made; what is raised here ends it, and is logged by the transport."""
        transport, self._transport = self._transport, None
        self._owner.halfOpen.leave(self)
        protocol = self._owner.factory.buildProtocol(self._address)
        if protocol is None:
            transport.loseConnection()
        else:
            handOver(transport, protocol)

    def dataReceived(self, data: bytes) -> None:
        """Nothing can be received before the handshake is done."""

    def connectionLost(self, reason: Failure) -> None:
        """The handshake failed, there was none, or the factory wanted no connection."""
        if self._transport is not None:
            self._transport = None
            among = self._owner.halfOpen
            among.leave(self)
            text = "%s: no TLS connection with %s: %s"
            among.tellFailure(self._address, text, self._owner.whose, self._address, reason.value)
