"""How many connections: in all, from one peer, and never more than there are descriptors."""

from __future__ import annotations

import gc
import resource
import socket
from typing import Any

import pytest
from net import Net, Traced

from protocols.policies import LimitConnectionsByPeer, LimitTotalConnectionsFactory, ProtocolWrapper, WrappingFactory
from protocols.policies import _limits as limits
from reactor.address import IPv4Address, IPv6Address, UNIXAddress
from reactor.protocol import Factory, Protocol

once = pytest.mark.parametrize("net", ["default"], indirect=True)


class Greeting(Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"hello")


class Sorry(Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"sorry")
        self.transport.loseConnection()


def listen(net: Net, factory: Any) -> int:
    factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    return int(port.getHost().port)


def connect(net: Net, port: int, source: str = "127.0.0.1") -> socket.socket:
    return net.keep(socket.create_connection(("127.0.0.1", port), 5, (source, 0)))


def greeter() -> Factory:
    factory = Factory.forProtocol(Greeting)
    factory.noisy = False
    return factory


@once
def test_S_connections_perPeer(net: Net) -> None:
    factory = LimitConnectionsByPeer(greeter())
    port = listen(net, factory)
    held = [connect(net, port) for _ in range(5)]
    assert [net.receive(each, 5) for each in held] == [b"hello"] * 5
    assert net.receive(connect(net, port)) == b""
    # Another peer is not affected.
    assert net.receive(connect(net, port, "127.0.0.2"), 5) == b"hello"
    held[0].close()
    net.until(lambda: factory.peerConnections["127.0.0.1"] == 4)
    assert net.receive(connect(net, port), 5) == b"hello"
    for each in net.sockets:
        each.close()
    net.until(lambda: not factory.peerConnections)
    assert factory.protocols == {}


@pytest.mark.parametrize(
    "one, other, same",
    [
        (IPv4Address("TCP", "192.0.2.1", 1), IPv4Address("TCP", "192.0.2.1", 2), True),
        (IPv4Address("TCP", "192.0.2.1", 1), IPv4Address("TCP", "192.0.2.2", 1), False),
        (IPv4Address("TCP", "192.0.2.1", 1), IPv6Address("TCP", "::ffff:192.0.2.1", 1), True),
        (IPv6Address("TCP", "2001:db8::1", 1), IPv6Address("TCP", "2001:db8::ffff:1", 1), True),
        (IPv6Address("TCP", "2001:db8::1", 1), IPv6Address("TCP", "2001:db8:0:1::1", 1), False),
        (IPv6Address("TCP", "fe80::1", 1), IPv6Address("TCP", "fe80::2", 1), False),
        (IPv6Address("TCP", "fe80::1", 1, 0, 2), IPv6Address("TCP", "fe80::1", 1, 0, 3), False),
    ],
)
def test_whoIsAPeer(one: Any, other: Any, same: bool) -> None:
    factory = LimitConnectionsByPeer(greeter())
    assert (factory.peerOf(one) == factory.peerOf(other)) is same


def test_aPeerWithoutAnAddressHasNoLimit() -> None:
    factory = LimitConnectionsByPeer(greeter())
    built = [factory.buildProtocol(UNIXAddress(None)) for _ in range(20)]
    assert None not in built


def test_whatIsBuiltAndNeverConnectedStopsCounting() -> None:
    factory = LimitConnectionsByPeer(greeter())
    addr = IPv4Address("TCP", "192.0.2.1", 1)
    for _ in range(20):
        assert factory.buildProtocol(addr) is not None
    gc.collect()
    assert factory.peerConnections == {}


@once
def test_S_connections_total(net: Net) -> None:
    class Server(LimitTotalConnectionsFactory):
        protocol = Greeting
        connectionLimit = 2

    factory = Server()
    port = listen(net, factory)
    held = [connect(net, port) for _ in range(2)]
    assert [net.receive(each, 5) for each in held] == [b"hello"] * 2
    assert net.receive(connect(net, port)) == b""
    factory.overflowProtocol = Sorry
    assert net.receive(connect(net, port)) == b"sorry"
    net.until(lambda: factory.connectionCount == 2)
    held[1].close()
    net.until(lambda: factory.connectionCount == 1)
    assert net.receive(connect(net, port), 5) == b"hello"


@once
def test_S_connections_totalIsBelowTheDescriptors(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (67, 4096))

    class Server(LimitTotalConnectionsFactory):
        protocol = Greeting
        overflowProtocol = Sorry

    port = listen(net, Server())
    held = [connect(net, port) for _ in range(3)]
    assert [net.receive(each, 5) for each in held] == [b"hello"] * 3
    assert net.receive(connect(net, port)) == b""


def test_S_connections_theLimitIsTheProcess() -> None:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    expected = float("inf") if soft == resource.RLIM_INFINITY else soft - 64
    assert limits.connectionsAllowed(None) == limits.connectionsAllowed(10**12) == expected
    assert limits.connectionsAllowed(7) == 7


@once
def test_aRefusalOfTheWrappedFactoryIsOne(net: Net) -> None:
    class Refusing(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> None:
            return None

    factory = LimitConnectionsByPeer(Refusing())
    assert net.receive(connect(net, listen(net, factory))) == b""
    assert factory.peerConnections == {}


@once
def test_aProtocolThatRaisesIsCountedOut(net: Net) -> None:
    class Raising(ProtocolWrapper):
        def connectionMade(self) -> None:
            raise KeyError("at once")

    wrapped = Traced()
    inner = Factory.forProtocol(lambda: wrapped)
    inner.noisy = False
    factory = LimitConnectionsByPeer(inner)
    factory.protocol = Raising
    net.expectErrors(1)
    assert net.receive(connect(net, listen(net, factory))) == b""
    assert (factory.peerConnections, factory.protocols) == ({}, {})
    # Never told that it was made, so not told that it is lost.
    assert wrapped.events == []


def test_wrappingFactoryHandsOnTheLimitOfWrites() -> None:
    inner: Any = greeter()
    assert not hasattr(WrappingFactory(inner), "writeBufferLimit")
    inner.writeBufferLimit = 99
    assert WrappingFactory(inner).writeBufferLimit == 99
