"""A port or a connector as a service, in the older form: what to listen on or connect to as arguments of the reactor's
method. `StreamServerEndpointService` and `ClientService` do it with endpoints, and the latter connects again.
"""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor.defer import Deferred, maybeDeferred
from reactor.service.base import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = [
    "MulticastServer",
    "SSLClient",
    "SSLServer",
    "TCPClient",
    "TCPServer",
    "UDPServer",
    "UNIXClient",
    "UNIXDatagramClient",
    "UNIXDatagramServer",
    "UNIXServer",
]


class _Begun(Service):
    """What both have in common: the arguments, kept until the start."""

    # What follows "listen" or "connect" in the name of the reactor's method.
    method: ClassVar[str] = ""
    #: Whose method it is; None: the reactor that runs in this thread at the start, else the default one.
    reactor: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The arguments of the reactor's method of this kind, and `reactor` by keyword."""
        reactor = kwargs.pop("reactor", None)
        if reactor is not None:
            self.reactor = reactor
        self.args = args
        self.kwargs = kwargs

    def _begin(self, verb: str) -> Any:
        reactor = currentReactor() if self.reactor is None else self.reactor
        return getattr(reactor, verb + self.method)(*self.args, **self.kwargs)


class _Server(_Begun):
    # What listens; None when nothing does.
    _port: Any = None

    def privilegedStartService(self) -> None:
        """Listen."""
        super().privilegedStartService()
        self._port = self._begin("listen")

    def startService(self) -> None:
        """Listen, unless `privilegedStartService` has seen to that."""
        super().startService()
        if self._port is None:
            self._port = self._begin("listen")

    def stopService(self) -> Any:
        """Listen no more; connections live on. The Deferred fires when the port is closed."""
        super().stopService()
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

    def drain(self, deadline: float | None) -> Deferred[int]:
        """Listen no more, and let the connections of this service finish; see `IDrainable`."""
        drain = getattr(self._port, "drain", None)
        if drain is None:
            return super().drain(deadline)

        def stop(count: int) -> Deferred[int]:
            return maybeDeferred(self.stopService).addCallback(lambda _: count)

        return maybeDeferred(drain, deadline).addCallback(stop)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_port"}


class _Client(_Begun):
    # The connector; None when it was not started. And what ends it.
    _connection: Any = None
    _ending = "disconnect"

    def startService(self) -> None:
        """Connect."""
        super().startService()
        self._connection = self._begin("connect")

    def stopService(self) -> None:
        """Close the connection, or give up the attempt. A factory that connects again has to be told not to."""
        super().stopService()
        connection, self._connection = self._connection, None
        if connection is not None:
            getattr(connection, self._ending)()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_connection"}


class TCPServer(_Server):
    """Listens with `reactor.listenTCP` while it runs, whose arguments the constructor takes."""

    method = "TCP"


class TCPClient(_Client):
    """Connects with `reactor.connectTCP` when it starts, whose arguments the constructor takes."""

    method = "TCP"


class SSLServer(_Server):
    """Listens with `reactor.listenSSL` while it runs, whose arguments the constructor takes."""

    method = "SSL"


class SSLClient(_Client):
    """Connects with `reactor.connectSSL` when it starts, whose arguments the constructor takes."""

    method = "SSL"


class UNIXServer(_Server):
    """Listens with `reactor.listenUNIX` while it runs, whose arguments the constructor takes."""

    method = "UNIX"


class UNIXClient(_Client):
    """Connects with `reactor.connectUNIX` when it starts, whose arguments the constructor takes."""

    method = "UNIX"


class UDPServer(_Server):
    """Listens with `reactor.listenUDP` while it runs, whose arguments the constructor takes."""

    method = "UDP"


class MulticastServer(_Server):
    """Listens with `reactor.listenMulticast` while it runs, whose arguments the constructor takes."""

    method = "Multicast"


class UNIXDatagramServer(_Server):
    """Listens with `reactor.listenUNIXDatagram` while it runs, whose arguments the constructor takes."""

    method = "UNIXDatagram"


class UNIXDatagramClient(_Client):
    """Connects with `reactor.connectUNIXDatagram` when it starts, whose arguments the constructor takes."""

    method = "UNIXDatagram"
    # What that returns is a port.
    _ending = "stopListening"
