"""Row E16: answered and closed while the peer is still sending, and not yet reading; over every kind of connection and
every selector. What the peer sends is discarded, within limits, and it gets all of the answer.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import eachKind, everywhere, meet

from reactor.protocol import Protocol

# More than the buffers of both ends hold.
UPLOAD = 12_000_000
ANSWER = pattern(2_000_000)


class Refuses(Traced):
    """Answers the first bytes of an upload, and closes."""

    timeout: float | None = 5.0
    limit: int | None = None

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.lingerTimeout = self.timeout
        if self.limit is not None:
            self.transport.lingerLimit = self.limit
        self.transport.write(ANSWER)
        self.lose()


class Uploads(Traced):
    """Sends all before it reads anything."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.pauseProducing()
        self.transport.write(bytes(UPLOAD))
        self.ask("loseWriteConnection")


def refusing(net: Net, **options: Any) -> tuple[Traced, socket.socket]:
    """A server that answers, and a plain client that has sent a first byte."""

    class Configured(Refuses):
        timeout = options.get("timeout", 5.0)
        limit = options.get("limit")

    server = net.listen(lambda address: Configured())
    peer = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
    peer.sendall(b"x")
    net.until(lambda: server.built and server.built[0].received)
    return server.built[0], peer


def uploads(net: Net, peer: socket.socket, size: int = UPLOAD) -> int:
    """Send so much while the reactor turns; how much could be sent."""
    peer.setblocking(False)
    left, piece = size, bytes(65536)
    end = net.reactor.seconds() + 20
    while left > 0 and net.reactor.seconds() < end:
        try:
            left -= peer.send(piece[:left])
        except BlockingIOError:
            net.reactor.iterate(0.01)
        except OSError:
            break
    return size - left


@everywhere
def test_E16_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind, lambda address: Refuses())
    peer.send(b"x")
    net.until(lambda: protocol.received)
    # While ours is stuck, the peer may send, and while it does we do not spin.
    net.turn(20)
    assert protocol.transport.disconnecting and protocol.transport.connected
    assert peer.receive(len(ANSWER)) == ANSWER
    peer.sock.close()
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_E16_theWholeAnswer(net: Net) -> None:
    protocol, peer = refusing(net)
    assert uploads(net, peer) == UPLOAD
    assert net.receive(peer, len(ANSWER)) == ANSWER
    assert protocol.transport.connected
    # What is still in the buffers is discarded, then there is nothing to do.
    net.turn(300)
    net.assertIdle()
    peer.shutdown(socket.SHUT_WR)
    assert net.receive(peer) == b""
    assert net.reasonOf(protocol) == "ConnectionDone"
    # Nothing of the rest was delivered.
    assert protocol.received == b"x"


def test_E16_ourOwnClient(net: Net) -> None:
    """Ends its half behind what it sends; the whole answer is there when it begins to read."""
    server = net.listen(lambda address: Refuses())
    client = net.connect(server.port, build=lambda address: Uploads())
    net.until(lambda: server.built and client.built and not client.built[0].transport.buffered)
    client.built[0].transport.resumeProducing()
    net.until(lambda: client.over and server.built[0].lost)
    assert client.built[0].received == ANSWER
    assert client.events[-3:-1] == ["CL(ConnectionDone)", "CCL(ConnectionDone)"]
    assert net.reasonOf(server.built[0]) == "ConnectionDone"


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_E16_offByDefault(net: Net) -> None:
    """Then it is closed as soon as all is sent."""
    protocol, peer = refusing(net, timeout=None)
    assert protocol.transport.lingerTimeout is None
    received = net.receive(peer)
    assert received == ANSWER
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_E16_thePeerDoesNotEnd(net: Net) -> None:
    protocol, peer = refusing(net, timeout=0.05)
    assert net.receive(peer, len(ANSWER)) == ANSWER
    begin = net.reactor.seconds()
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert net.reactor.seconds() - begin < 5
    assert "lingerTimeout=0.05 s" in str(protocol.reason.value)


def test_E16_thePeerSendsTooMuch(net: Net) -> None:
    protocol, peer = refusing(net, limit=100_000)
    assert uploads(net, peer) < UPLOAD
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert "lingerLimit=100000 bytes" in str(protocol.reason.value)


def test_E16_thePeerResets(net: Net) -> None:
    protocol, peer = refusing(net)
    net.turn(3)
    net.reset(peer)
    assert net.reasonOf(protocol) == "ConnectionLost"


@pytest.mark.parametrize("net", ["default"], indirect=True)
@pytest.mark.parametrize("how", ["abort", "stop", "again"])
def test_E16_inTheMiddle(net: Net, how: str) -> None:
    """Aborted, or closed once more, or the reactor stops."""
    protocol, peer = refusing(net)
    assert net.receive(peer, len(ANSWER)) == ANSWER
    if how == "abort":
        protocol.abort()
        assert net.reasonOf(protocol) == "ConnectionAborted"
    elif how == "stop":
        net.stopReactor()
        assert protocol.lost
    else:
        protocol.lose()
        protocol.transport.loseWriteConnection()
        net.turn(3)
        assert protocol.transport.connected
        peer.close()
        assert net.reasonOf(protocol) == "ConnectionDone"


@eachKind
def test_E16_closeTimeoutIsForTheSending(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    protocol.transport.closeTimeout = 0.05
    protocol.transport.lingerTimeout = 5
    protocol.write(b"bye")
    protocol.lose()
    assert peer.receive(3) == b"bye"
    begin = net.reactor.seconds()
    while net.reactor.seconds() - begin < 0.1:
        net.reactor.iterate(0.05)
    assert protocol.transport.connected or kind == "tls"
    peer.sock.close()
    assert net.reasonOf(protocol) in ("ConnectionDone", "ConnectionLost" if kind == "tls" else "")


@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_E16_settings(net: Net) -> None:
    client, server = net.pair()
    transport = client.transport
    assert (transport.lingerTimeout, transport.lingerLimit) == (None, None)
    with pytest.raises(RuntimeError, match=r"set transport\.lingerTimeout first"):
        transport.lingerLimit = 5
    with pytest.raises(ValueError, match=r"transport\.lingerTimeout\(\): seconds must not be negative"):
        transport.lingerTimeout = -1
    with pytest.raises(TypeError, match="must be a number of seconds, not '1'"):
        transport.lingerTimeout = "1"
    transport.lingerTimeout = 5
    assert (transport.lingerTimeout, transport.lingerLimit) == (5, 16 * 1024 * 1024)
    transport.lingerLimit = 10
    assert transport.lingerLimit == 10
    transport.lingerTimeout = None
    assert (transport.lingerTimeout, transport.lingerLimit) == (None, None)
    client.lose()
    net.until(lambda: client.lost and server.lost)
    transport.lingerTimeout = 5
    assert isinstance(client, Protocol)
