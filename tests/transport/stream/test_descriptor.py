"""What programs for Twisted do with transports, ports and connectors as the descriptors that those are there."""

from __future__ import annotations

import gc
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import unixnet
from net import Net, Traced, TracedServer, pattern
from zope.interface.verify import verifyObject

from reactor._transport.stream.transport import StreamTransport
from reactor.interfaces import ITCPTransport, ITLSTransport, IUNIXTransport
from reactor.protocol import DatagramProtocol

default = pytest.mark.parametrize("net", ["default"], indirect=True)


def pairOf(net: Net, kind: str, path: Path) -> tuple[Any, Any]:
    return net.pair() if kind == "tcp" else unixnet.pair(net, path / "s")


eachKind = pytest.mark.parametrize("kind", ["tcp", "unix"])


@default
@eachKind
def test_attributesOfOnesOwn(net: Net, kind: str, tmp_path: Path) -> None:
    for protocol in pairOf(net, kind, tmp_path):
        transport = protocol.transport
        # Nobody has a dictionary who did not ask for one.
        before = sys.getsizeof(transport)
        transport.session = {"user": "ann"}
        transport.session["user"] += "a"
        assert transport.session == {"user": "anna"}
        del transport.session
        assert not hasattr(transport, "session")
        assert sys.getsizeof(transport) == before
        transport.whatever = 1
    port = net.listen().listening
    port.limit = 5
    assert port.limit == 5
    udp: Any = net.reactor.listenUDP(0, DatagramProtocol(), "127.0.0.1")
    udp.limit = 6
    assert udp.limit == 6
    connector = net.connect(net.closedPort()).connector
    connector.attempts = 3
    assert connector.attempts == 3
    udp.stopListening()


def test_noDictionaryForThoseWhoSetNothing() -> None:
    """The place for one is there with that of the weak references, from CPython 3.12 on."""

    class Without:
        __slots__ = ("__weakref__", *StreamTransport.__slots__)

    transport, without = StreamTransport.__new__(StreamTransport), Without()
    assert sys.getsizeof(transport) - sys.getsizeof(without) == (0 if sys.version_info >= (3, 12) else 16)
    assert gc.get_referents(transport) == [StreamTransport]


@default
@eachKind
def test_socketAndReactor(net: Net, kind: str, tmp_path: Path) -> None:
    client, server = pairOf(net, kind, tmp_path)
    for protocol in (client, server):
        transport = protocol.transport
        assert transport.socket is transport.getHandle()
        assert transport.socket.fileno() == transport.fileno()
        assert isinstance(transport.socket, socket.socket)
        assert transport.reactor is net.reactor
    client.lose()
    net.until(lambda: client.lost and server.lost)
    assert client.transport.reactor is net.reactor
    assert client.transport.socket.fileno() == -1


@default
@eachKind
def test_connector(net: Net, kind: str, tmp_path: Path) -> None:
    client, server = pairOf(net, kind, tmp_path)
    known = net.clients[0].connector
    assert client.transport.connector is known
    assert known.transport is client.transport
    assert known.reactor is net.reactor
    assert not hasattr(server.transport, "connector")
    found: list[Any] = []
    client.on["lost"] = lambda protocol, reason: found.append(protocol.transport.connector)
    client.transport.connector.disconnect()
    net.until(lambda: client.lost and server.lost)
    assert found == [known]
    # Let go of, so that all are freed with their last reference.
    assert not hasattr(client.transport, "connector")


@default
def test_connectAgainFromConnectionLost(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port, lost=lambda protocol, reason: connectors.append(protocol.transport.connector))
    connectors: list[Any] = []
    client.on["connectionLost"] = lambda factory, connector, reason: len(connectors) < 2 and connectors[-1].connect()
    for count in range(2):
        net.until(lambda count=count: len(client.built) == count + 1 and client.built[count].transport)
        client.built[count].lose()
    net.until(lambda: client.over)
    assert connectors == [client.connector] * 2


@default
def test_sessionno(net: Net) -> None:
    numbers: list[int] = []
    server = net.listen(made=lambda protocol: numbers.append(protocol.transport.sessionno))
    clients = [net.connect(server.port) for _ in range(3)]
    net.until(lambda: len(numbers) == 3 and all("CM" in client.events for client in clients))
    assert sorted(numbers) == [0, 1, 2]
    assert sorted(protocol.transport.sessionno for protocol in server.built) == [0, 1, 2]
    assert server.listening.sessionno == 3
    assert not hasattr(clients[0].built[0].transport, "sessionno")
    # Of a port of its own; and asked for while that is drained.
    drained = net.listen()
    client = net.connect(drained.port)
    net.until(lambda: drained.built and "CM" in client.events)
    waiting = drained.listening.drain()
    assert drained.built[0].transport.sessionno == 0
    client.built[0].lose()
    assert net.result(waiting) == 0


@default
def test_sessionnoOfAnAdoptedOne(net: Net) -> None:
    ours, theirs = socket.socketpair()
    server = TracedServer()
    transport: Any = net.reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, server)
    ours.close()
    net.keep(theirs)
    assert transport.sessionno == 0
    theirs.close()
    net.until(lambda: server.built[0].lost)


# One direction by itself.


@eachKind
def test_stopReading(net: Net, kind: str, tmp_path: Path) -> None:
    client, server = pairOf(net, kind, tmp_path)
    server.transport.stopReading()
    client.write(b"abc")
    net.turn(5)
    net.assertIdle()
    assert server.received == b""
    server.transport.startReading()
    net.until(lambda: server.received == b"abc")


@eachKind
@pytest.mark.parametrize("how", ["startWriting", "write", "lose", "finish"])
def test_stopWriting(net: Net, kind: str, how: str, tmp_path: Path) -> None:
    """What is queued waits, in order, and nothing spins; reading goes on."""
    client, server = pairOf(net, kind, tmp_path)
    client.transport.write(b"ab")
    client.transport.write(b"cd")
    client.transport.stopWriting()
    client.transport.stopWriting()
    net.turn(3)
    assert client.transport.buffered == 4
    server.write(b"x")
    net.until(lambda: client.received == b"x")
    client.transport.pauseProducing()
    client.transport.resumeProducing()
    net.turn(3)
    net.assertIdle()
    assert server.received == b""
    if how == "startWriting":
        client.transport.startWriting()
    elif how == "write":
        client.write(b"ef")
    elif how == "lose":
        client.lose()
    else:
        client.transport.loseWriteConnection()
    net.until(lambda: server.received == (b"abcdef" if how == "write" else b"abcd"))
    client.transport.startWriting()
    client.lose()
    net.until(lambda: client.lost and server.lost)


def test_stopWritingOfWhatTheKernelHasNoRoomFor(net: Net) -> None:
    client, peer = net.socketPair()
    data = pattern(8_000_000)
    client.write(data)
    net.turn(2)
    client.transport.stopWriting()
    queued = client.transport.buffered
    assert 0 < queued < len(data)
    received = net.receive(peer, len(data) - queued)
    net.turn(3)
    net.assertIdle()
    assert client.transport.buffered == queued
    client.transport.startWriting()
    received += net.receive(peer, queued)
    assert received == data


@default
def test_stopWritingInsideDataReceived(net: Net) -> None:
    def received(protocol: Traced, data: bytes) -> None:
        protocol.transport.write(data)
        protocol.transport.stopWriting()

    client, server = net.pair(server={"data": received})
    client.write(b"a")
    net.until(lambda: server.received == b"a")
    net.turn(3)
    assert client.received == b""
    # A write lets go of it, and it is kept back anew.
    client.write(b"b")
    net.until(lambda: server.received == b"ab")
    net.turn(3)
    assert client.received == b""
    server.transport.startWriting()
    net.until(lambda: client.received == b"ab")


@default
def test_stopWritingWithNothingQueued(net: Net) -> None:
    client, server = net.pair()
    client.transport.stopWriting()
    client.transport.startWriting()
    client.write(b"x")
    net.until(lambda: server.received == b"x")


@default
def test_stopWritingWhenTheConnectionEnds(net: Net) -> None:
    client, server = net.pair()
    client.transport.write(b"never")
    client.transport.stopWriting()
    server.abort()
    net.until(lambda: client.lost)
    for method in ("startWriting", "stopWriting", "startReading", "stopReading"):
        getattr(client.transport, method)()
    net.turn()
    assert server.received == b""


# Ports.


@default
def test_ports(net: Net) -> None:
    server = net.listen()
    port = server.listening
    assert (port.connected, port.disconnected) == (True, False)
    assert port.socket is port.getHandle()
    assert port.reactor is net.reactor
    port.stopReading()
    client = net.connect(server.port)
    net.until(lambda: client.built)
    net.turn(3)
    assert server.built == []
    port.startReading()
    net.until(lambda: server.built)
    net.result(port.stopListening())
    assert (port.connected, port.disconnected, port.socket) == (False, True, None)
    port.startListening()
    assert (port.connected, port.disconnected) == (True, False)


@default
def test_datagramPorts(net: Net) -> None:
    received: list[bytes] = []

    class Receives(DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            received.append(datagram)

    port: Any = net.reactor.listenUDP(0, Receives(), "127.0.0.1")
    other: Any = net.reactor.listenUDP(0, DatagramProtocol(), "127.0.0.1")
    at = ("127.0.0.1", port.getHost().port)
    assert (port.connected, port.disconnected, port.socket) == (True, False, port.getHandle())
    other.writeSequence([b"ab", bytearray(b"cd"), memoryview(b"ef")], at)
    net.until(lambda: received == [b"abcdef"])
    other.connect(*at)
    other.writeSequence(iter([b"1", b"2"]))
    net.until(lambda: received[1:] == [b"12"])
    for wrong in (b"text", "text"):
        with pytest.raises(TypeError, match="seq must be an iterable of bytes"):
            other.writeSequence(wrong, at)
    with pytest.raises(TypeError, match="must be bytes, not str"):
        other.writeSequence(["text"])
    for each in (port, other):
        net.result(each.stopListening())
        assert (each.connected, each.disconnected, each.socket) == (False, True, None)


# What a protocol for TCP does over a UNIX socket.


@default
def test_optionsOfUNIXSockets(net: Net, tmp_path: Path) -> None:
    client, server = unixnet.pair(net, tmp_path / "s")
    for protocol in (client, server):
        transport = protocol.transport
        for interface in (ITCPTransport, ITLSTransport, IUNIXTransport):
            assert verifyObject(interface, transport)
        transport.setTcpNoDelay(True)
        assert transport.getTcpNoDelay() is False
        assert transport.getTcpKeepAlive() is False
        transport.setTcpKeepAlive(True, idle=100, interval=20, count=3)
        assert transport.getTcpKeepAlive() is True
        assert transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    client.lose()
    net.until(lambda: client.lost and server.lost)
    client.transport.setTcpKeepAlive(False)
    client.transport.setTcpNoDelay(False)
    assert (client.transport.getTcpKeepAlive(), client.transport.getTcpNoDelay()) == (True, False)
