"""A wrapper is the protocol below and the transport above."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced
from zope.interface import implementer
from zope.interface.verify import verifyObject

from protocols.policies import ProtocolWrapper, TimeoutFactory, WrappingFactory
from reactor.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IProtocol,
    IPushProducer,
    ITLSTransport,
    ITransport,
    IUNIXTransport,
)
from reactor.protocol import Factory

once = pytest.mark.parametrize("net", ["default"], indirect=True)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Traced):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readEnd")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeEnd")


def server(net: Net, protocol: Any, *wraps: Any) -> socket.socket:
    """A plain socket connected to `protocol`, around which `wraps` are put, the first one innermost."""
    factory: Any = Factory.forProtocol(lambda: protocol)
    factory.noisy = False
    for wrap in wraps:
        factory = wrap(factory)
        factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    peer = net.keep(socket.create_connection(("127.0.0.1", port.getHost().port), 5))
    net.until(lambda: protocol.events)
    return peer


def test_everythingPasses(net: Net) -> None:
    protocol = Traced(data=lambda self, data: self.write(data * 2))
    peer = server(net, protocol, WrappingFactory, WrappingFactory)
    peer.sendall(b"ab")
    assert net.receive(peer, 4) == b"abab"
    transport = protocol.transport
    assert type(transport) is ProtocolWrapper
    assert (transport.getPeer().port, transport.getHost().port) == (peer.getsockname()[1], peer.getpeername()[1])
    assert transport.getTcpNoDelay() in (True, False)
    assert list(transport.factory.protocols) == [transport]
    assert transport.logPrefix() == "Traced (ProtocolWrapper)"
    assert transport.transport.logPrefix() == "Traced (ProtocolWrapper) (ProtocolWrapper)"
    transport.closeTimeout = 7.0
    transport.writeBufferLimit = 10**6
    below = transport.transport.transport
    assert (below.closeTimeout, below.writeBufferLimit) == (7.0, 10**6)
    transport.writeSequence([b"by", b"e"])
    assert not transport.disconnecting
    protocol.lose()
    assert transport.disconnecting
    assert net.receive(peer) == b"bye"
    net.until(lambda: protocol.lost)
    assert protocol.events[-1] == "CL(ConnectionDone)"
    assert transport.wrappedProtocol is None and transport.factory.protocols == {}


@once
def test_itProvidesWhatTheTransportProvides(net: Net) -> None:
    protocol = Traced()
    server(net, protocol, WrappingFactory, TimeoutFactory)
    for interface in (ITransport, IConsumer, IPushProducer, ITLSTransport):
        assert verifyObject(interface, protocol.transport, tentative=True)
        assert interface.providedBy(protocol.transport)
    assert IProtocol.providedBy(protocol.transport)
    assert not IUNIXTransport.providedBy(protocol.transport)
    assert not IHalfCloseableProtocol.providedBy(protocol.transport)


@once
def test_halvesEndThroughWrappers(net: Net) -> None:
    protocol = HalfCloseable()
    peer = server(net, protocol, WrappingFactory, TimeoutFactory)
    peer.sendall(b"question")
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    assert not protocol.lost
    protocol.write(b"answer")
    protocol.ask("loseWriteConnection")
    assert net.receive(peer) == b"answer"
    net.until(lambda: protocol.lost)
    assert protocol.short == ["CM", "DR*", "RCL", "WCL", "CL(ConnectionDone)"]


@once
def test_withoutHalvesTheEndIsTheEnd(net: Net) -> None:
    protocol = Traced()
    peer = server(net, protocol, WrappingFactory)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: protocol.lost)
    assert protocol.events == ["CM", "CL(ConnectionDone)"]


@once
def test_abortGoesThrough(net: Net) -> None:
    protocol = Traced()
    peer = server(net, protocol, WrappingFactory)
    protocol.abort()
    assert protocol.transport.disconnecting
    net.until(lambda: protocol.lost)
    assert protocol.events == ["CM", "CL(ConnectionAborted)"]
    with pytest.raises(ConnectionResetError):
        net.receive(peer)


def test_noAttributeBeforeThereIsATransport() -> None:
    wrapper = ProtocolWrapper(WrappingFactory(Factory()), Traced())
    with pytest.raises(AttributeError, match="ProtocolWrapper has no attribute 'startTLS', and no transport"):
        wrapper.startTLS  # noqa: B018
    assert not wrapper.disconnecting


@once
def test_aClientIsWrappedAsWell(net: Net) -> None:
    client = net.connect(net.closedPort())
    inner: Any = client
    wrapping = WrappingFactory(inner)
    wrapping.noisy = False
    listening = net.listen()
    net.reactor.connectTCP("127.0.0.1", listening.port, wrapping)
    net.until(lambda: client.built and listening.built)
    assert type(client.built[0].transport) is ProtocolWrapper
    listening.built[0].lose()
    net.until(lambda: "CCL(ConnectionDone)" in client.events)
