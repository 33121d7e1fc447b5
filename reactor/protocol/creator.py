"""One connection of one protocol, as one Deferred: the way to connect from before there were endpoints.

`reactor.protocol` offers `ClientCreator` and loads it when asked.
"""

from __future__ import annotations

from reactor.defer import Deferred
from reactor.protocol.protocols import ClientFactory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.timers import DelayedCall
    from reactor.failure import Failure


class ClientCreator:
    """Makes a protocol for one connection and connects it. An endpoint does the same, and leaves to its caller how.

    Each `connect...` method returns a Deferred that fires with the protocol in the turn after its `connectionMade`, or
    fails as the factory's `clientConnectionFailed` would. Cancelling it ends the attempt, and the connection if there
    is one already.
    """

    def __init__(self, reactor: Any, protocolClass: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """`protocolClass(*args, **kwargs)` makes the protocol of each connection."""
        self.reactor = reactor
        self.protocolClass = protocolClass
        self.args = args
        self.kwargs = kwargs

    def connectTCP(
        self, host: str, port: int, timeout: float | None = 30, bindAddress: tuple[str, int] | str | None = None
    ) -> Deferred[Any]:
        """Connect to a TCP server; the arguments are those of `reactor.connectTCP`."""
        return self._connect(
            lambda factory: self.reactor.connectTCP(host, port, factory, timeout=timeout, bindAddress=bindAddress)
        )

    def connectUNIX(self, address: str, timeout: float | None = 30, checkPID: bool = False) -> Deferred[Any]:
        """Connect to a UNIX socket; the arguments are those of `reactor.connectUNIX`."""
        return self._connect(
            lambda factory: self.reactor.connectUNIX(address, factory, timeout=timeout, checkPID=checkPID)
        )

    def connectSSL(
        self,
        host: str,
        port: int,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: tuple[str, int] | str | None = None,
    ) -> Deferred[Any]:
        """Connect to a TLS server; the arguments are those of `reactor.connectSSL`."""
        return self._connect(
            lambda factory: self.reactor.connectSSL(
                host, port, factory, contextFactory, timeout=timeout, bindAddress=bindAddress
            )
        )

    def _connect(self, begin: Callable[[_Once], Any]) -> Deferred[Any]:
        factory = _Once(self.reactor, self.protocolClass(*self.args, **self.kwargs))
        deferred: Deferred[Any] = Deferred(factory.cancel)
        factory.waiting = deferred
        factory.connector = begin(factory)
        return deferred


class _Once:
    """The factory of one connection. Fires in a turn of its own, when the connector knows where it stands."""

    noisy = False
    numPorts = 0

    def __init__(self, reactor: Any, protocol: Any) -> None:
        self._reactor = reactor
        self._protocol = protocol
        self.connector: Any = None
        # Invariant: None when the Deferred has fired.
        self.waiting: Deferred[Any] | None = None
        self._pending: DelayedCall | None = None

    def doStart(self) -> None:
        """Nothing to start."""

    def doStop(self) -> None:
        """Nothing to stop."""

    def startedConnecting(self, connector: Any) -> None:
        """Nothing to be told."""

    def buildProtocol(self, addr: Any) -> Any:
        """The one protocol."""
        self._soon(self._protocol)
        return self._protocol

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No connection came about."""
        self._soon(reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The protocol has been told."""

    def _soon(self, result: Any) -> None:
        if self.waiting is not None and self._pending is None:
            self._pending = self._reactor.callLater(0, self._fire, result)

    def _fire(self, result: Any) -> None:
        waiting, self.waiting, self._pending = self.waiting, None, None
        self.connector = self._protocol = None
        if waiting is not None:
            waiting.callback(result)

    def cancel(self, deferred: Deferred[Any]) -> None:
        """The program cancelled the Deferred."""
        self.waiting = None
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        if self.connector is not None:
            self.connector.disconnect()


class _InstanceFactory(_Once, ClientFactory):
    """The factory of one connection, as programs make it that know what `ClientCreator` does inside."""

    def __init__(self, reactor: Any, instance: Any, deferred: Deferred[Any]) -> None:
        """Fire `deferred` with the protocol `instance` when it is connected, or with why it is not."""
        super().__init__(reactor, instance)
        self.waiting = deferred
