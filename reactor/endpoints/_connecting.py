"""From a connector's hooks to one Deferred: what every client endpoint does when it connects."""

from __future__ import annotations

from reactor.defer import Deferred
from reactor.error import ConnectingCancelledError, NoProtocol
from reactor.protocol import ClientFactory, Factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


def connecting(factory: Any, begin: Callable[[Connecting], Any], address: Any = None) -> Deferred[Any]:
    """`begin(client factory)` begins to connect and returns the connector; what it raises comes out.

    The Deferred fires with the protocol that `factory` builds.
    """
    between = Connecting(factory, address)
    connected: Deferred[Any] = Deferred(between.cancel)
    between.waiting = connected
    connector = begin(between)
    if between.waiting is not None:
        between.connector = connector
    return connected


class Connecting(ClientFactory):
    """Stands between a connector and the program's factory for one connection.

    Costs nothing once the connection is made: the transport then knows the program's protocol itself.
    """

    noisy = False

    def __init__(self, factory: Any, address: Any) -> None:
        self._factory = factory
        self._address = address
        self.writeBufferLimit = getattr(factory, "writeBufferLimit", None)
        # Invariant: both are None when the Deferred has fired. They know this object as well, and a connection that is
        # over is to be freed at once.
        self.waiting: Deferred[Any] | None = None
        self.connector: Any = None

    def _fired(self) -> Deferred[Any] | None:
        waiting, self.waiting, self.connector = self.waiting, None, None
        return waiting

    def cancel(self, deferred: Deferred[Any]) -> None:
        """The program cancelled the Deferred."""
        connector = self.connector
        self._fired()
        # Of a connector of ours, how far it had come.
        underway = getattr(connector, "_underway", None)
        phase: Any = "connect" if underway is None else underway.phase
        deferred.errback(ConnectingCancelledError(self._address or connector.getDestination(), phase=phase))
        # Connected already when it is the protocol's connectionMade that cancels.
        connector.disconnect()

    def doStart(self) -> None:
        """Count for the program's factory."""
        self._factory.doStart()

    def doStop(self) -> None:
        """Count for the program's factory."""
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        """The program's protocol, with a stand-in that is there until it is connected."""
        try:
            protocol = self._factory.buildProtocol(addr)
        except Exception as e:
            # The Deferred tells of it, so the connector need not.
            self.failed(e)
            return None
        if protocol is None:
            self.failed(NoProtocol(f"{type(self._factory).__name__}.buildProtocol returned None for {addr}"))
            return None
        return _StandIn(protocol, self)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about."""
        self.failed(reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection is over; it was never made if somebody still waits."""
        self.failed(reason)

    def made(self, protocol: Any) -> None:
        """`protocol` is connected and knows."""
        waiting = self._fired()
        if waiting is not None:
            waiting.callback(protocol)

    def failed(self, reason: Any) -> None:
        """It came to nothing; `reason` is a Failure or an exception."""
        waiting = self._fired()
        if waiting is not None:
            waiting.errback(reason)


class _StandIn:
    def __init__(self, protocol: Any, connecting: Connecting) -> None:
        self._protocol = protocol
        self._connecting = connecting

    def makeConnection(self, transport: Any) -> None:
        protocol = self._protocol
        transport.protocol = protocol
        try:
            protocol.makeConnection(transport)
        except BaseException as e:
            self._connecting.failed(e)
            raise
        self._connecting.made(protocol)

    def connectionLost(self, reason: Failure) -> None:
        """Lost before it was made; the program's protocol never heard of it."""


class _OneProtocol(Factory):
    noisy = False

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: Any) -> Any:
        return self._protocol


def connectProtocol(endpoint: Any, protocol: Any) -> Deferred[Any]:
    """Connect `protocol`, an instance, through a client endpoint.

    The Deferred fires with it when it is connected; see the endpoint's `connect` for errors.
    """
    connected: Deferred[Any] = endpoint.connect(_OneProtocol(protocol))
    return connected
