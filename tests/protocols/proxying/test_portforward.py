"""What comes in goes out, all of it, either way, at the speed of the slower end; and ends as it should."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, pattern

from protocols.policies import LimitConnectionsByPeer, ThrottlingFactory, TimeoutFactory
from protocols.portforward import Proxy, ProxyClientFactory, ProxyFactory, ProxyServer

once = pytest.mark.parametrize("net", ["default"], indirect=True)


class Forwarder:
    """A forwarder on the reactor of `net`, and the plain sockets around it."""

    def __init__(self, net: Net, *wraps: Any, to: int | None = None) -> None:
        self.net = net
        self.servers: list[ProxyServer] = []
        self.target = net.plainListener()
        proxies = ProxyFactory("127.0.0.1", to or self.target.getsockname()[1])
        proxies.protocol = self.build  # type: ignore[assignment]
        factory: Any = proxies
        factory.noisy = False
        for wrap in wraps:
            factory = wrap(factory)
            factory.noisy = False
        listening = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
        net.ports.append(listening)
        self.port = listening.getHost().port

    def build(self) -> ProxyServer:
        server = ProxyServer()
        server.reactor = self.net.reactor
        self.servers.append(server)
        return server

    def client(self) -> socket.socket:
        return self.net.keep(socket.create_connection(("127.0.0.1", self.port), 5))

    def pair(self) -> tuple[socket.socket, socket.socket]:
        client = self.client()
        self.net.until(lambda: self.servers and self.servers[-1].peer is not None)
        server = self.net.keep(self.target.accept()[0])
        return client, server


WRAPS: list[Any] = [(), (TimeoutFactory, ThrottlingFactory, LimitConnectionsByPeer)]


@pytest.mark.parametrize("wraps", WRAPS, ids=["bare", "wrapped"])
@once
def test_nothingIsLostEitherWayAndHalvesEndAlone(net: Net, wraps: Any) -> None:
    client, server = Forwarder(net, *wraps).pair()
    question, answer = pattern(3_000_000), pattern(2_000_000)
    copy(net, client, server, question)
    client.shutdown(socket.SHUT_WR)
    assert net.receive(server) == b""
    copy(net, server, client, answer)
    server.close()
    assert net.receive(client) == b""


def copy(net: Net, source: socket.socket, sink: socket.socket, data: bytes) -> None:
    source.setblocking(False)
    sink.setblocking(False)
    rest, received = memoryview(data), bytearray()

    def step() -> bool:
        nonlocal rest
        try:
            rest = rest[source.send(rest) :] if rest else rest
        except BlockingIOError:
            pass
        try:
            received.extend(sink.recv(1 << 20))
        except BlockingIOError:
            pass
        return len(received) == len(data)

    net.until(step)
    assert received == data


@pytest.mark.parametrize("wraps", WRAPS, ids=["bare", "wrapped"])
@pytest.mark.parametrize("way", ["in", "out"])
@once
def test_aSlowReaderHoldsTheSender(net: Net, way: str, wraps: Any) -> None:
    forwarder = Forwarder(net, *wraps)
    ends = forwarder.pair()
    source, sink = ends if way == "in" else ends[::-1]
    source.setblocking(False)
    proxy = forwarder.servers[0]
    full, sent, peak = 0, 0, 0
    while full < 20:
        try:
            sent += source.send(bytes(1 << 20))
            full = 0
        except BlockingIOError:
            full += 1
        net.turn(2)
        peak = max(peak, proxy.transport.buffered, proxy.peer.transport.buffered)
    assert peak <= 65_536 + 262_144
    net.assertIdle()
    # The sender goes in the midst of it: what was taken from it still arrives.
    source.close()
    assert len(net.receive(sink)) == sent


@once
def test_theEndOfOneIsTheEndOfTheOther(net: Net) -> None:
    forwarder = Forwarder(net)
    client, server = forwarder.pair()
    net.reset(server)
    assert net.receive(client) == b""
    client, server = forwarder.pair()
    net.reset(client)
    assert net.receive(server) == b""
    assert [each.peer for each in forwarder.servers] == [None, None]


@once
def test_nobodyToForwardTo(net: Net) -> None:
    forwarder = Forwarder(net, to=net.closedPort())
    client = forwarder.client()
    client.sendall(b"is anybody there?")
    # The end, and no reset for what was not read.
    assert net.receive(client) == b""


@once
def test_whatWasSentBeforeItStandsArrives(net: Net) -> None:
    forwarder = Forwarder(net)
    client = forwarder.client()
    client.sendall(b"early")
    client.shutdown(socket.SHUT_WR)
    net.until(lambda: forwarder.servers and forwarder.servers[0].peer is not None)
    server = net.keep(forwarder.target.accept()[0])
    assert net.receive(server) == b"early"
    server.sendall(b"late")
    server.close()
    assert net.receive(client) == b"late"


@once
def test_whoIsLostWhileConnectingIsConnectedToNobody(net: Net) -> None:
    forwarder = Forwarder(net, to=net.silentPort())
    client = forwarder.client()
    net.until(lambda: forwarder.servers and forwarder.servers[0].transport)
    forwarder.servers[0].transport.abortConnection()
    with pytest.raises(ConnectionResetError):
        net.receive(client)
    net.turn()
    assert not net.reactor._pending


@once
def test_whoClosesWhileConnectingIsNotJoined(net: Net) -> None:
    forwarder = Forwarder(net)
    client = forwarder.client()
    net.until(lambda: forwarder.servers and forwarder.servers[0].transport)
    proxy: Any = forwarder.servers[0]
    # Registered: it closes only when that is unregistered, and is met while it closes.
    proxy.transport.registerProducer(object(), True)
    proxy.transport.loseConnection()
    server = net.keep(forwarder.target.accept()[0])
    assert net.receive(server) == b""
    assert proxy.peer is None
    proxy.transport.unregisterProducer()
    assert net.receive(client) == b""


@once
def test_whoeverHasATransportMayBeThePeer(net: Net) -> None:
    class Mine(Proxy):
        def connectionMade(self) -> None:
            self.transport.pauseProducing()
            outgoing = ProxyClientFactory()
            outgoing.noisy = False
            outgoing.setServer(self)
            net.reactor.connectTCP("127.0.0.1", target.getsockname()[1], outgoing)

    target = net.plainListener()
    incoming = net.listen(lambda address: Mine())
    client = net.keep(socket.create_connection(("127.0.0.1", incoming.port), 5))
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    server = net.keep(net.until(lambda: acceptedBy(target)))
    assert net.receive(server) == b"question"
    server.sendall(b"answer")
    server.close()
    assert net.receive(client) == b"answer"


def acceptedBy(listener: socket.socket) -> Any:
    listener.setblocking(False)
    try:
        return listener.accept()[0]
    except BlockingIOError:
        return None
