"""The receivers of `protocols.basic` on other transports than the reactor's own: what holds there holds here."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from net import Net
from tls import connectSSL, serverOptions

from protocols.basic import LineReceiver
from protocols.policies import TimeoutFactory, WrappingFactory
from protocols.tls import TLSMemoryBIOFactory
from reactor.protocol import Factory

once = pytest.mark.parametrize("net", ["default"], indirect=True)


class OneByOne(LineReceiver):
    """Pauses with each line."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def lineReceived(self, line: bytes) -> None:
        self.events.append(line)
        self.pauseProducing()

    def connectionLost(self, reason: Any = None) -> None:
        self.events.append("CL")


def listening(net: Net, protocol: Any, wrap: Callable[[Any], Any]) -> int:
    factory: Any = Factory.forProtocol(lambda: protocol)
    factory.noisy = False
    wrapped = wrap(factory)
    wrapped.noisy = False
    port = net.reactor.listenTCP(0, wrapped, interface="127.0.0.1")
    net.ports.append(port)
    return int(port.getHost().port)


def twice(factory: Any) -> Any:
    return WrappingFactory(TimeoutFactory(factory, 30))


@pytest.mark.parametrize("wrap", [lambda factory: factory, WrappingFactory, twice], ids=["bare", "once", "twice"])
@once
def test_I1_linesThatWaitAreDroppedWhenTheConnectionIsLost(net: Net, wrap: Any) -> None:
    protocol = OneByOne()
    peer = net.keep(socket.create_connection(("127.0.0.1", listening(net, protocol, wrap)), 5))
    peer.sendall(b"a\r\nb\r\nc\r\n")
    net.until(lambda: protocol.events)
    net.reset(peer)

    def lost() -> bool:
        # A reset is noticed by writing: nothing is read.
        protocol.transport.write(b"still there?")
        return "CL" in protocol.events

    net.until(lost)
    assert not protocol.transport.connected
    protocol.resumeProducing()
    net.turn()
    assert protocol.events == [b"a", "CL"]


@once
def test_I1_linesThatWaitBehindTLSAreDroppedWhenTheConnectionIsLost(net: Net) -> None:
    protocol = OneByOne()
    port = listening(net, protocol, lambda factory: TLSMemoryBIOFactory(serverOptions(), False, factory))
    connecting = connectSSL(net, port)
    client = net.until(lambda: "CM" in connecting.events and connecting.built[0])
    client.write(b"a\r\nb\r\nc\r\n")
    net.until(lambda: protocol.events)
    client.abort()

    def lost() -> bool:
        protocol.transport.write(b"still there?")
        return "CL" in protocol.events

    net.until(lost)
    assert not protocol.transport.connected
    protocol.resumeProducing()
    net.turn()
    assert protocol.events == [b"a", "CL"]
