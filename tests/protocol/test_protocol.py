"""reactor.protocol: the hooks and defaults that programs build on, without any transport."""

from __future__ import annotations

import logging
import sys
import typing
from typing import Any, TypeVar

import pytest
from zope.interface import implementedBy
from zope.interface.verify import verifyClass, verifyObject

import reactor.protocol as protocol
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.interfaces import ILoggingContext, IProcessProtocol, IProtocol, IProtocolFactory
from reactor.protocol import (
    AbstractDatagramProtocol,
    BaseProtocol,
    ClientFactory,
    ConnectedDatagramProtocol,
    DatagramProtocol,
    Factory,
    ProcessProtocol,
    Protocol,
    ReconnectingClientFactory,
    ServerFactory,
    connectionDone,
)
from reactor.protocol import adapters as _adapters

# ---- Protocols ----


@pytest.mark.parametrize("cls", [BaseProtocol, Protocol, ProcessProtocol])
def test_makeConnection(cls: type[BaseProtocol]) -> None:
    class Recorded(cls):  # type: ignore[valid-type, misc]
        def connectionMade(self) -> None:
            self.seen = (self.connected, self.transport)

    made = Recorded()
    assert (made.connected, made.transport) == (0, None)
    transport = object()
    made.makeConnection(transport)
    assert made.seen == (1, transport)
    assert cls.connected == 0
    assert cls.transport is None


def test_defaultsIgnoreEverything() -> None:
    plain = Protocol()
    plain.makeConnection(object())
    assert plain.factory is None
    plain.dataReceived(b"x")
    plain.connectionLost(Failure(ConnectionDone()))
    assert plain.logPrefix() == "Protocol"


def test_connectionLostHasADefault() -> None:
    class Recorded(Protocol):
        def connectionLost(self, reason: Failure = connectionDone) -> None:
            self.reason = reason

    lost: Any = Recorded()
    lost.connectionLost()
    assert lost.reason is connectionDone
    assert Protocol.connectionLost.__defaults__ == (connectionDone,)
    assert connectionDone.check(ConnectionDone) is ConnectionDone
    assert connectionDone.value.host is None
    Protocol().connectionLost()  # type: ignore[call-arg]


def test_aConnectionPaysForWhatItSets() -> None:
    made = Protocol()
    assert vars(made) == {}
    made.makeConnection("transport")
    assert vars(made) == {"connected": 1, "transport": "transport"}


def test_subclassesMayHaveSlots() -> None:
    class Slotted(Protocol):
        __slots__ = ("buffer", "connected", "factory", "transport")

    made = Factory.forProtocol(Slotted).buildProtocol(None)
    assert made is not None
    made.makeConnection("transport")
    assert vars(made) == {}


def test_logPrefixIsTheClass() -> None:
    assert type("Echo", (Protocol,), {})().logPrefix() == "Echo"
    assert type("EchoFactory", (Factory,), {})().logPrefix() == "EchoFactory"
    assert type("Ping", (DatagramProtocol,), {})().logPrefix() == "Ping"


# ---- Factories ----


class Counted(Factory):
    noisy = False

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def startFactory(self) -> None:
        self.calls.append(("start", self.numPorts))

    def stopFactory(self) -> None:
        self.calls.append(("stop", self.numPorts))


def test_startedByTheFirstStoppedByTheLast() -> None:
    factory = Counted()
    factory.doStart()
    factory.doStart()
    factory.doStop()
    assert factory.calls == [("start", 0)]
    factory.doStop()
    assert factory.calls == [("start", 0), ("stop", 0)]
    factory.doStop()
    assert factory.numPorts == 0
    factory.doStart()
    assert factory.calls == [("start", 0), ("stop", 0), ("start", 0)]
    assert Counted.numPorts == 0


def test_aFailingStartDoesNotCount() -> None:
    class Failing(Factory):
        noisy = False

        def startFactory(self) -> None:
            raise OSError("no")

    factory = Failing()
    with pytest.raises(OSError, match="no"):
        factory.doStart()
    assert factory.numPorts == 0


def test_buildProtocol() -> None:
    class Echo(Protocol):
        pass

    class EchoFactory(Factory):
        protocol = Echo

    factory = EchoFactory()
    built = factory.buildProtocol(None)
    assert type(built) is Echo
    assert built.factory is factory
    assert factory.buildProtocol(None) is not built


def test_aFactoryWithoutAProtocolSaysSo() -> None:
    with pytest.raises(TypeError, match="has no protocol"):
        Factory().buildProtocol(None)


def test_forProtocol() -> None:
    class Configured(ServerFactory):
        def __init__(self, a: int, b: int = 0) -> None:
            self.configuration = (a, b)

    factory = Configured.forProtocol(Protocol, 1, b=2)
    assert type(factory) is Configured
    assert factory.configuration == (1, 2)
    assert factory.protocol is Protocol
    assert Configured.protocol is None
    built: Any = factory.buildProtocol(None)
    assert built.factory is factory


def test_clientFactoryIgnoresEverything() -> None:
    factory = ClientFactory()
    factory.startedConnecting(object())
    factory.clientConnectionFailed(object(), connectionDone)
    factory.clientConnectionLost(object(), connectionDone)
    assert vars(factory) == {}


# ---- What is logged ----


@pytest.mark.parametrize(("cls", "what"), [(Factory, "factory"), (DatagramProtocol, "protocol")])
def test_noisy(cls: Any, what: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reactor")
    noisy = cls()
    assert noisy.noisy is True
    for method in (noisy.doStart, noisy.doStart, noisy.doStop, noisy.doStop):
        method()
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("reactor", "INFO", f"Starting {what} {noisy!r}"),
        ("reactor", "INFO", f"Stopping {what} {noisy!r}"),
    ]


@pytest.mark.parametrize("cls", [Factory, DatagramProtocol])
def test_notNoisy(cls: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    quiet = cls()
    quiet.noisy = False
    quiet.doStart()
    quiet.doStop()
    assert caplog.records == []


# ---- Processes ----


class RecordedProcess(ProcessProtocol):
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def outReceived(self, data: bytes) -> None:
        self.calls.append(("out", data))

    def errReceived(self, data: bytes) -> None:
        self.calls.append(("err", data))

    def inConnectionLost(self) -> None:
        self.calls.append("in")

    def outConnectionLost(self) -> None:
        self.calls.append("out")

    def errConnectionLost(self) -> None:
        self.calls.append("err")


def test_aProcessIsToldByDescriptor() -> None:
    process = RecordedProcess()
    for descriptor in range(5):
        process.childDataReceived(descriptor, b"%d" % descriptor)
    for descriptor in range(5):
        process.childConnectionLost(descriptor)
    assert process.calls == [("out", b"1"), ("err", b"2"), "in", "out", "err"]


def test_processDefaultsIgnoreEverything() -> None:
    process = ProcessProtocol()
    for descriptor in range(5):
        process.childDataReceived(descriptor, b"")
        process.childConnectionLost(descriptor)
    process.processExited(connectionDone)
    process.processEnded(connectionDone)
    assert vars(process) == {}


# ---- Datagrams ----


class RecordedDatagrams(AbstractDatagramProtocol):
    noisy = False

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def startProtocol(self) -> None:
        self.calls.append(("start", self.numPorts, self.transport))

    def stopProtocol(self) -> None:
        self.calls.append(("stop", self.numPorts, self.transport))


def test_datagramLife() -> None:
    datagrams = RecordedDatagrams()
    datagrams.makeConnection("port")
    with pytest.raises(RuntimeError, match="has a transport already, 'port'"):
        datagrams.makeConnection("other")
    assert datagrams.transport == "port"
    datagrams.doStop()
    assert datagrams.calls == [("start", 0, "port"), ("stop", 0, None)]
    with pytest.raises(RuntimeError, match="more often"):
        datagrams.doStop()
    datagrams.makeConnection("other")
    assert datagrams.numPorts == 1


def test_datagramDefaultsIgnoreEverything() -> None:
    DatagramProtocol().datagramReceived(b"", ("127.0.0.1", 1))
    DatagramProtocol().connectionRefused()
    connected = ConnectedDatagramProtocol()
    connected.datagramReceived(b"")
    connected.connectionFailed(connectionDone)
    assert vars(connected) == {}


# ---- The module ----


@pytest.mark.parametrize(
    ("cls", "interfaces"),
    [
        (Protocol, [IProtocol, ILoggingContext]),
        (Factory, [IProtocolFactory, ILoggingContext]),
        (ClientFactory, [IProtocolFactory, ILoggingContext]),
        (ServerFactory, [IProtocolFactory, ILoggingContext]),
        (ProcessProtocol, [IProcessProtocol]),
        (DatagramProtocol, [ILoggingContext]),
        (ConnectedDatagramProtocol, [ILoggingContext]),
        (BaseProtocol, []),
        (AbstractDatagramProtocol, []),
    ],
)
def test_interfaces(cls: Any, interfaces: list[Any]) -> None:
    assert list(implementedBy(cls)) == interfaces
    for interface in interfaces:
        assert verifyClass(interface, cls)
        assert verifyObject(interface, cls())


def test_rarelyWantedNames() -> None:
    for name in ("FileWrapper", "ProtocolToConsumerAdapter", "ConsumerToProtocolAdapter"):
        assert getattr(protocol, name) is getattr(_adapters, name)
    with pytest.raises(AttributeError, match="Protokoll"):
        protocol.Protokoll  # noqa: B018
    assert sys.modules["reactor.protocol"] is protocol


# Factories of a kind of protocol.

Kind = TypeVar("Kind")


class Mine(Protocol):
    """A protocol of its own."""


@pytest.mark.parametrize("base", [Factory, ClientFactory, ServerFactory, ReconnectingClientFactory])
def test_factoriesCanBeSubscripted(base: Any) -> None:
    class OfMine(base[Mine]):  # type: ignore[misc]
        protocol = Mine

    class OfAny(base[Kind], typing.Generic[Kind]):  # type: ignore[misc]
        pass

    class OfMineAgain(OfAny[Mine]):  # type: ignore[misc]
        protocol = Mine

    for each in (OfMine(), OfMineAgain(), base[Mine].forProtocol(Mine), OfAny[Mine].forProtocol(Mine)):
        assert isinstance(each, base)
        protocol = each.buildProtocol(None)
        assert type(protocol) is Mine and protocol.factory is each
