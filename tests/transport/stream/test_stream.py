"""What a protocol sees as its transport besides the bytes: addresses, options, its state, its name in logs."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from zope.interface.verify import verifyObject

from reactor.address import IPv4Address, IPv6Address
from reactor.interfaces import IConsumer, IPushProducer, ISystemHandle, ITCPTransport, ITransport
from reactor.protocol import Protocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def transports(net: Net) -> tuple[Any, Any]:
    """The transports of a connected client and its server."""
    client, server = net.pair()
    return client.transport, server.transport


def test_interfaces(net: Net) -> None:
    for transport in transports(net):
        for interface in (ITransport, ITCPTransport, IConsumer, IPushProducer, ISystemHandle):
            assert verifyObject(interface, transport)


def test_addresses(net: Net) -> None:
    client, server = transports(net)
    listening = net.ports[0].getHost()
    assert client.getPeer() == server.getHost() == listening
    assert client.getHost() == server.getPeer()
    assert client.getHost() == IPv4Address("TCP", *client.getHandle().getsockname())


def test_addressesIPv6(net: Net) -> None:
    listening = net.listen(interface="::1")
    client = net.connect(listening.port, host="::1")
    net.until(lambda: listening.built and client.built)
    transport: Any = client.built[0].transport
    assert transport.getPeer() == IPv6Address("TCP", "::1", listening.port)
    assert transport.getHost() == IPv6Address("TCP", *transport.getHandle().getsockname())


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection", "reset"])
def test_addressesAfterTheEnd(net: Net, end: str) -> None:
    # Nobody asked before: they are kept when the socket is closed.
    protocol, peer = net.socketPair()
    ours, theirs = peer.getpeername(), peer.getsockname()
    if end == "reset":
        net.reset(peer)
    else:
        protocol.ask(end)
    net.until(lambda: protocol.lost)
    assert protocol.transport.getHost() == IPv4Address("TCP", *ours)
    assert protocol.transport.getPeer() == IPv4Address("TCP", *theirs)


def test_addressesInConnectionLost(net: Net) -> None:
    seen: list[Any] = []
    protocol, peer = net.socketPair(lost=lambda p, reason: seen.extend([p.transport.getHost(), p.transport.getPeer()]))
    ours, theirs = peer.getpeername(), peer.getsockname()
    peer.close()
    net.until(lambda: seen)
    assert seen == [IPv4Address("TCP", *ours), IPv4Address("TCP", *theirs)]


def test_stateAsItIsSeen(net: Net) -> None:
    seen: list[tuple[bool, bool, bool]] = []

    def look(protocol: Traced, *args: Any) -> None:
        transport: Any = protocol.transport
        seen.append((transport.connected, transport.disconnecting, transport.disconnected))

    protocol, peer = net.socketPair(made=look, lost=look)
    look(protocol)
    protocol.lose()
    look(protocol)
    net.until(lambda: protocol.lost)
    look(protocol)
    assert seen == [
        (True, False, False),
        (True, False, False),
        (True, True, False),
        (False, False, True),
        (False, False, True),
    ]


def test_repr(net: Net) -> None:
    protocol, peer = net.socketPair()
    host, port = peer.getpeername()
    said = repr(protocol.transport)
    assert said.startswith("<TCP connection IPv4Address(")
    assert said.endswith(", open, Traced>")
    for number in (port, peer.getsockname()[1]):
        assert str(number) in said
    assert protocol.transport.logPrefix() == "Traced"
    protocol.lose()
    assert repr(protocol.transport).endswith(", closing, Traced>")
    net.until(lambda: protocol.lost)
    assert repr(protocol.transport).endswith(", closed>")
    assert str(port) in repr(protocol.transport)
    assert protocol.transport.logPrefix() == "TCP"


def test_reprOfAConnectionThatIsGoneAlready(net: Net) -> None:
    client, server = net.pair()
    client.transport.getHandle().close()
    # Who has connected was told its own end's address by that.
    assert f"connection {client.transport.getHost()} to" in repr(client.transport)
    server.transport.getHandle().close()
    assert "connection gone to" in repr(server.transport)
    client.abort(), server.abort()
    net.until(lambda: client.lost and server.lost)


def test_noDelay(net: Net) -> None:
    for transport in transports(net):
        # RFC 896's delay is off from the start, whoever opened the connection.
        assert transport.getTcpNoDelay() is True
        transport.setTcpNoDelay(False)
        assert transport.getTcpNoDelay() is False
        transport.setTcpNoDelay(1)
        assert transport.getTcpNoDelay() is True


def test_noDelayOfAnAdoptedConnection(net: Net) -> None:
    factory = TracedServer()
    net.servers.append(factory)
    listening = net.plainListener()
    with socket.create_connection(listening.getsockname()) as sock:
        transport = net.reactor.adoptStreamConnection(sock.fileno(), socket.AF_INET, factory)
    assert transport is not None
    assert transport.getTcpNoDelay() is True


def test_keepAlive(net: Net) -> None:
    for transport in transports(net):
        sock = transport.getHandle()
        assert transport.getTcpKeepAlive() is False
        transport.setTcpKeepAlive(True, idle=100, interval=20, count=3)
        assert transport.getTcpKeepAlive() is True
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [100, 20, 3]
        # What is not given stays.
        transport.setTcpKeepAlive(1, interval=30)
        assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [100, 30, 3]
        transport.setTcpKeepAlive(False)
        assert transport.getTcpKeepAlive() is False
        with pytest.raises(OSError, match="Invalid argument"):
            transport.setTcpKeepAlive(True, count=100_000)


def test_optionsAfterTheEnd(net: Net) -> None:
    """Inside connectionLost, and later: nothing raises, setting has no effect, asking gives the last value."""
    client, server = net.pair()
    transport: Any = client.transport
    transport.setTcpNoDelay(False)
    transport.setTcpKeepAlive(True, idle=100)
    told: list[bool] = []
    trace = client.connectionLost

    def lost(reason: Any) -> None:
        assert transport.fileno() == -1
        transport.setTcpNoDelay(True)
        transport.setTcpKeepAlive(False, idle=1, count=100_000)
        told.extend((transport.getTcpNoDelay(), transport.getTcpKeepAlive()))
        trace(reason)

    client.connectionLost = lost  # type: ignore[method-assign]
    other: Any = server.transport
    client.abort()
    net.until(lambda: told and server.lost)
    assert told == [False, True]
    assert (transport.getTcpNoDelay(), transport.getTcpKeepAlive()) == (False, True)
    # What every connection begins with, where nobody set anything.
    assert (other.getTcpNoDelay(), other.getTcpKeepAlive()) == (True, False)


def test_handle(net: Net) -> None:
    protocol, _ = net.socketPair()
    transport: Any = protocol.transport
    assert transport.fileno() == transport.getHandle().fileno() > 0
    assert transport.getHandle().getblocking() is False


def test_buffered(net: Net) -> None:
    protocol, peer = net.socketPair()
    transport: Any = protocol.transport
    assert transport.buffered == 0
    protocol.write(b"123")
    protocol.write(bytearray(b"45"))
    assert transport.buffered == 5
    net.turn()
    assert transport.buffered == 0
    protocol.write(bytes(50_000_000))
    net.turn()
    before = transport.buffered
    assert 0 < before < 50_000_000
    net.receive(peer, 1_000_000)
    net.until(lambda: transport.buffered < before)


def test_limitsAreNoneUnlessAsked(net: Net) -> None:
    for transport in transports(net):
        assert (transport.writeBufferLimit, transport.closeTimeout) == (None, None)


def test_limitOfAClientFactory(net: Net) -> None:
    listening = net.listen()

    def build(address: Any) -> Traced:
        net.clients[0].writeBufferLimit = 77  # type: ignore[attr-defined]
        return Traced()

    client = net.connect(listening.port, build=build)
    net.until(lambda: client.built)
    assert client.built[0].transport.writeBufferLimit == 77


def test_whoIsWatched(net: Net) -> None:
    protocol, _ = net.socketPair()
    transport = protocol.transport
    assert net.reactor.getReaders() == [transport]
    assert net.reactor.getWriters() == []
    protocol.ask("pauseProducing")
    protocol.write(bytes(20_000_000))
    net.turn()
    assert net.reactor.getReaders() == []
    assert net.reactor.getWriters() == [transport]
    protocol.abort()
    net.until(lambda: protocol.lost)
    assert net.reactor.getWriters() == []


def test_anotherProtocolTakesOver(net: Net) -> None:
    client, server = net.pair()
    server.write(b"for the first")
    net.until(lambda: client.received == b"for the first")
    successor = Traced()
    transport: Any = client.transport
    transport.protocol = successor
    assert transport.protocol is successor
    successor.makeConnection(transport)
    server.write(b"for the second")
    net.until(lambda: successor.received == b"for the second")
    server.lose()
    net.until(lambda: successor.lost)
    assert successor.short == ["CM", "DR*", "CL(ConnectionDone)"]
    assert client.short == [
        "doStart",
        "startedConnecting",
        "buildProtocol",
        "CM",
        "DR*",
        "CCL(ConnectionDone)",
        "doStop",
    ]
    assert transport.protocol is None
    # For the books: the first one has heard all that it is going to.
    client.events.append("CL of its successor")


def test_aBareProtocol(net: Net) -> None:
    # Every hook is the base class's.
    listening = net.listen(build=lambda address: Protocol())
    client = net.connect(listening.port, build=lambda address: Protocol())
    net.until(lambda: client.connector.state == "connected")
    client.connector.transport.write(b"to nobody")
    client.connector.disconnect()
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCL(ConnectionDone)", "doStop"]
