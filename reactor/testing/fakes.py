"""What a reactor that does nothing hands out: ports that listen to nobody, connectors that connect to nothing, and a
resolver that needs no network.
"""

from __future__ import annotations

from reactor.address import IPv4Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IConnector, IHostnameResolver, IHostResolution, IListeningPort
else:
    from reactor._ground.declare import IConnector, IHostnameResolver, IHostResolution, IListeningPort, implementer


@implementer(IListeningPort)
class FakePort:
    """What the `listen` methods of a `MemoryReactor` return: has an address, and listens to nobody."""

    def __init__(self, hostAddress: Any) -> None:
        """At `hostAddress`."""
        self._hostAddress = hostAddress

    def startListening(self) -> None:
        """Nothing."""

    def stopListening(self) -> None:
        """Nothing."""

    def getHost(self) -> Any:
        """The address."""
        return self._hostAddress


@implementer(IConnector)
class FakeConnector:
    """What the `connect` methods of a `MemoryReactor` return, and give to `factory.startedConnecting`.

    :ivar stoppedConnecting: whether `stopConnecting` was called.
    """

    stoppedConnecting = False
    # Under this name the tests of Twisted's users look for it.
    _disconnected = False

    def __init__(self, address: Any) -> None:
        """On the way to `address`."""
        self._address = address

    def connect(self) -> None:
        """Nothing."""

    def stopConnecting(self) -> None:
        """Remember that it was asked for."""
        self.stoppedConnecting = True

    def disconnect(self) -> None:
        """Remember that it was asked for."""
        self._disconnected = True

    def getDestination(self) -> Any:
        """The address."""
        return self._address


@implementer(IHostResolution)
class _Resolved:
    """A look-up that is over."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Too late."""


@implementer(IHostnameResolver)
class SynchronousResolver:
    """Finds 127.0.0.1 for every name, before it returns."""

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> _Resolved:
        """Tell `resolutionReceiver` the one address, and that there are no more."""
        found = _Resolved(hostName)
        resolutionReceiver.resolutionBegan(found)
        resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        resolutionReceiver.resolutionComplete()
        return found
