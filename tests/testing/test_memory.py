"""Transports and reactors in memory: what Twisted has no word for. The rest is compared with Twisted's."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementedBy
from zope.interface.verify import verifyObject

import reactor.interfaces  # noqa: F401 - which carries out what the classes declare
from reactor.address import IPv4Address, IPv6Address
from reactor.defer import CancelledError, Deferred
from reactor.protocol import Factory
from reactor.task import Clock
from reactor.testing import (
    AccumulatingProtocol,
    FakeConnector,
    FakePort,
    MemoryReactor,
    MemoryReactorClock,
    NonStreamingProducer,
    RaisingMemoryReactor,
    StringTransport,
    StringTransportWithDisconnection,
    SynchronousResolver,
    waitUntilAllDisconnected,
)

OBJECTS = [
    StringTransport(),
    StringTransportWithDisconnection(),
    MemoryReactor(),
    MemoryReactorClock(),
    RaisingMemoryReactor(),
    FakePort(None),
    FakeConnector(None),
    NonStreamingProducer(None),
    SynchronousResolver(),
    AccumulatingProtocol(),
]


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_interfaces(thing: Any) -> None:
    declared = list(implementedBy(type(thing)).flattened())
    assert len(declared) > 1
    for interface in declared:
        assert verifyObject(interface, thing)


def test_aStringIsRefusedAsByARealTransport() -> None:
    with pytest.raises(TypeError, match=r"transport\.write\(\).*encode"):
        StringTransport().write("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"transport\.writeSequence\(\)"):
        StringTransport().writeSequence([b"a", "b"])  # type: ignore[list-item]


def test_datagramPorts() -> None:
    made, protocol = MemoryReactor(), object()
    assert made.listenUDP(1, protocol).getHost() == IPv4Address("UDP", "0.0.0.0", 1)
    assert made.listenMulticast(2, protocol, "::", listenMultiple=True).getHost() == IPv6Address("UDP", "::", 2)
    assert made.udpPorts == [(1, protocol, "", 8192), (2, protocol, "::", 8192, True)]


def test_accumulatingProtocolTellsItsFactory() -> None:
    factory = Factory.forProtocol(AccumulatingProtocol)
    told: list[Any] = []
    factory.protocolConnectionMade = Deferred().addCallback(told.append)  # type: ignore[attr-defined]
    transport = StringTransportWithDisconnection()
    protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
    transport.protocol = protocol
    protocol.makeConnection(transport)
    assert told == [protocol]
    protocol.closedDeferred = Deferred().addCallback(told.append)
    transport.loseConnection()
    assert told == [protocol, None]


def test_waitingForDisconnectionsCanBeCancelled() -> None:
    clock, protocol = Clock(), AccumulatingProtocol()
    protocol.makeConnection(StringTransport())
    waiting, ended = waitUntilAllDisconnected(clock, [protocol]), []
    waiting.addErrback(lambda failure: ended.append(failure.type))
    waiting.cancel()
    assert ended == [CancelledError]
    assert clock.getDelayedCalls() == []
