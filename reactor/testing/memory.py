"""A reactor that writes down what it is asked for and does nothing.

Each call is kept as a tuple of its arguments, in the order of the signature, in a list for that kind of call; no
connection is ever made. The test takes the factory out of the tuple and plays the network.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6

from reactor.address import IPv4Address, IPv6Address, UNIXAddress
from reactor.error import UnsupportedAddressFamily
from reactor.task.clock import Clock
from reactor.testing.fakes import FakeConnector, FakePort, SynchronousResolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from zope.interface import implementer

    from reactor.interfaces import (
        IReactorCore,
        IReactorFDSet,
        IReactorMulticast,
        IReactorPluggableNameResolver,
        IReactorSocket,
        IReactorSSL,
        IReactorTCP,
        IReactorUDP,
        IReactorUNIX,
    )
else:
    from reactor._ground.declare import (
        IReactorCore,
        IReactorFDSet,
        IReactorMulticast,
        IReactorPluggableNameResolver,
        IReactorSocket,
        IReactorSSL,
        IReactorTCP,
        IReactorUDP,
        IReactorUNIX,
        implementer,
    )

# The port that an adopted descriptor is said to be bound to.
_ADOPTED = 1234


def _at(host: str, port: int, kind: Any = "TCP") -> IPv4Address | IPv6Address:
    return (IPv6Address if ":" in host else IPv4Address)(kind, host, port)


def _adopted(method: str, family: int, kind: str) -> IPv4Address | IPv6Address:
    if family not in (AF_INET, AF_INET6):
        raise UnsupportedAddressFamily(f"{method}(): addressFamily must be AF_INET or AF_INET6, not {family!r}")
    return _at("::" if family == AF_INET6 else "0.0.0.0", _ADOPTED, kind)


@implementer(
    IReactorCore,
    IReactorTCP,
    IReactorSSL,
    IReactorUNIX,
    IReactorUDP,
    IReactorMulticast,
    IReactorSocket,
    IReactorFDSet,
    IReactorPluggableNameResolver,
)
class MemoryReactor:
    """Keeps what it is asked for.

    :ivar tcpServers: (port, factory, backlog, interface) for each `listenTCP`.
    :ivar tcpClients: (host, port, factory, timeout, bindAddress) for each `connectTCP`.
    :ivar sslServers: (port, factory, contextFactory, backlog, interface).
    :ivar sslClients: (host, port, factory, contextFactory, timeout, bindAddress).
    :ivar unixServers: (address, factory, backlog, mode, wantPID).
    :ivar unixClients: (address, factory, timeout, checkPID).
    :ivar udpPorts: (port, protocol, interface, maxPacketSize); a fifth, listenMultiple, for `listenMulticast`.
    :ivar adoptedPorts: (fileDescriptor, addressFamily, factory); for datagrams (fileDescriptor, addressFamily,
        protocol, maxPacketSize).
    :ivar adoptedStreamConnections: (fileDescriptor, addressFamily, factory).
    :ivar connectors: the `FakeConnector` of each `connect` method.
    :ivar readers, writers: sets of what was added and not removed.
    :ivar whenRunningHooks: (function, args, kw) for each `callWhenRunning` before `run`.
    :ivar triggers: phase -> event -> list of (function, args, kw).
    :ivar running: whether `run` is calling the hooks. `hasRun`, `hasStopped`, `hasCrashed`: what has happened so far.
    """

    hasInstalled = False

    def __init__(self) -> None:
        self.running = self.hasRun = self.hasStopped = self.hasCrashed = False
        self.whenRunningHooks: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self.triggers: dict[str, dict[str, list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]]] = {}
        self.tcpServers: list[tuple[Any, ...]] = []
        self.tcpClients: list[tuple[Any, ...]] = []
        self.sslServers: list[tuple[Any, ...]] = []
        self.sslClients: list[tuple[Any, ...]] = []
        self.unixServers: list[tuple[Any, ...]] = []
        self.unixClients: list[tuple[Any, ...]] = []
        self.udpPorts: list[tuple[Any, ...]] = []
        self.adoptedPorts: list[tuple[Any, ...]] = []
        self.adoptedStreamConnections: list[tuple[Any, ...]] = []
        self.connectors: list[FakeConnector] = []
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.nameResolver: Any = SynchronousResolver()

    # Running.

    def run(self, installSignalHandlers: bool = True) -> None:
        """Call the `whenRunningHooks`, `running` meanwhile, and return. AssertionError when it is running already."""
        assert not self.running, "run(): this reactor is running already"
        self.running = self.hasRun = True
        for function, args, kw in self.whenRunningHooks:
            function(*args, **kw)
        self.stop()

    def stop(self) -> None:
        """Be `hasStopped`."""
        self.running = False
        self.hasStopped = True

    def crash(self) -> None:
        """Be `hasCrashed`."""
        self.running = False
        self.hasCrashed = True

    def iterate(self, delay: float = 0) -> NoReturn:
        """NotImplementedError: there is no loop."""
        raise NotImplementedError("iterate(): a MemoryReactor has no loop")

    def resolve(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> NoReturn:
        """NotImplementedError; `nameResolver` finds addresses."""
        raise NotImplementedError("resolve(): ask the nameResolver of a MemoryReactor")

    def installNameResolver(self, resolver: Any) -> Any:
        """Ask `resolver` from now on; returns the one that was asked before."""
        before, self.nameResolver = self.nameResolver, resolver
        return before

    def callWhenRunning(self, callable: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call it in `run`; at once when that has been."""
        if self.hasRun:
            callable(*args, **kw)
        else:
            self.whenRunningHooks.append((callable, args, kw))

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., object], /, *args: Any, **kw: Any
    ) -> None:
        """Keep it in `triggers`."""
        self.triggers.setdefault(phase, {}).setdefault(eventType, []).append((callable, args, kw))

    def removeSystemEventTrigger(self, triggerID: Any) -> NoReturn:
        """NotImplementedError: the test looks at `triggers`."""
        raise NotImplementedError("removeSystemEventTrigger(): a MemoryReactor only keeps its triggers")

    def fireSystemEvent(self, eventType: str) -> NoReturn:
        """NotImplementedError: the test calls what it finds in `triggers`."""
        raise NotImplementedError("fireSystemEvent(): a MemoryReactor only keeps its triggers")

    # Ports and connections.

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> FakePort:
        """Keep it in `tcpServers`."""
        self.tcpServers.append((port, factory, backlog, interface))
        return FakePort(_at(interface if ":" in interface else "0.0.0.0", port))

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> FakeConnector:
        """Keep it in `tcpClients`, and tell the factory that it began."""
        self.tcpClients.append((host, port, factory, timeout, bindAddress))
        return self._connecting(_at(host, port), factory)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> FakePort:
        """Keep it in `sslServers`."""
        self.sslServers.append((port, factory, contextFactory, backlog, interface))
        return FakePort(_at(interface if ":" in interface else "0.0.0.0", port))

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> FakeConnector:
        """Keep it in `sslClients`, and tell the factory that it began."""
        self.sslClients.append((host, port, factory, contextFactory, timeout, bindAddress))
        return self._connecting(_at(host, port), factory)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o600, wantPID: bool = False
    ) -> FakePort:
        """Keep it in `unixServers`."""
        self.unixServers.append((address, factory, backlog, mode, wantPID))
        return FakePort(UNIXAddress(address))

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float | None = 30, checkPID: bool = False
    ) -> FakeConnector:
        """Keep it in `unixClients`, and tell the factory that it began."""
        self.unixClients.append((address, factory, timeout, checkPID))
        return self._connecting(UNIXAddress(address), factory)

    def _connecting(self, address: Any, factory: Any) -> FakeConnector:
        connector = FakeConnector(address)
        factory.startedConnecting(connector)
        self.connectors.append(connector)
        return connector

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> FakePort:
        """Keep it in `udpPorts`."""
        self.udpPorts.append((port, protocol, interface, maxPacketSize))
        return FakePort(_at(interface or "0.0.0.0", port, "UDP"))

    def listenMulticast(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> FakePort:
        """Keep it in `udpPorts`."""
        self.udpPorts.append((port, protocol, interface, maxPacketSize, listenMultiple))
        return FakePort(_at(interface or "0.0.0.0", port, "UDP"))

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> FakePort:
        """Keep it in `adoptedPorts`. UnsupportedAddressFamily for other families than those of IP."""
        address = _adopted("adoptStreamPort", addressFamily, "TCP")
        self.adoptedPorts.append((fileDescriptor, addressFamily, factory))
        return FakePort(address)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        """Keep it in `adoptedStreamConnections`."""
        self.adoptedStreamConnections.append((fileDescriptor, addressFamily, factory))

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> FakePort:
        """Keep it in `adoptedPorts`. UnsupportedAddressFamily for other families than those of IP."""
        address = _adopted("adoptDatagramPort", addressFamily, "UDP")
        self.adoptedPorts.append((fileDescriptor, addressFamily, protocol, maxPacketSize))
        return FakePort(address)

    # Descriptors.

    def addReader(self, reader: Any) -> None:
        """Put it into `readers`."""
        self.readers.add(reader)

    def addWriter(self, writer: Any) -> None:
        """Put it into `writers`."""
        self.writers.add(writer)

    def removeReader(self, reader: Any) -> None:
        """Take it out of `readers`, if it is there."""
        self.readers.discard(reader)

    def removeWriter(self, writer: Any) -> None:
        """Take it out of `writers`, if it is there."""
        self.writers.discard(writer)

    def getReaders(self) -> list[Any]:
        """The `readers`."""
        return list(self.readers)

    def getWriters(self) -> list[Any]:
        """The `writers`."""
        return list(self.writers)

    def removeAll(self) -> list[Any]:
        """Empty `readers` and `writers`; what was in them, each once."""
        removed = list(self.readers | self.writers)
        self.readers.clear()
        self.writers.clear()
        return removed


class MemoryReactorClock(MemoryReactor, Clock):
    """A `MemoryReactor` that is also a `reactor.task.Clock`."""

    def __init__(self) -> None:
        MemoryReactor.__init__(self)
        Clock.__init__(self)
