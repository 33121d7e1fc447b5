"""Rows E24 to E27: one direction of a connection ends and the other goes on."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Any

import pytest
import unixnet
from net import Net, Traced
from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Traced):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


def halfCloseable(net: Net, **on: Any) -> tuple[HalfCloseable, socket.socket]:
    """A connected client that wants to know of each direction's end, and a plain socket."""
    protocol, peer = net.socketPair(build=lambda address: HalfCloseable(**on))
    assert isinstance(protocol, HalfCloseable)
    return protocol, peer


def merged(protocol: Traced) -> list[str]:
    """What the protocol and its factory heard after connectionMade."""
    return protocol.short[protocol.short.index("CM") + 1 :]


DONE = ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
LOST = ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]


def test_E24_peerHalfCloses(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(bytes(20_000_000))
    net.turn()
    peer.sendall(b"last words")
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["DR*", *DONE]
    # What was pending is dropped.
    assert len(net.receive(peer)) < 20_000_000


def test_E25_peerHalfCloses(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    peer.sendall(b"question")
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    net.assertIdle()
    assert merged(protocol) == ["DR*", "RCL"]
    assert protocol.transport.connected
    assert not protocol.transport.disconnecting
    protocol.write(b"x" * 5_000_000)
    assert net.receive(peer, 5_000_000) == b"x" * 5_000_000
    net.assertIdle()
    protocol.write(b"bye")
    protocol.lose()
    assert net.receive(peer) == b"bye"
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["DR*", "RCL", *DONE]


def test_E25_peerHalfClosesAndGoes(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    net.reset(peer)
    net.assertIdle()
    protocol.write(b"x")
    protocol.write(b"y")
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", *LOST]


@oneSelector
def test_E25_abortAfterTheEndOfReading(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    protocol.write(bytes(1000))
    protocol.abort()
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", "CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"]


@oneSelector
@pytest.mark.parametrize("method", ["loseConnection", "loseWriteConnection"])
def test_E25_endedInReadConnectionLost(net: Net, method: str) -> None:
    def end(protocol: Traced) -> None:
        protocol.write(b"answer")
        protocol.ask(method)
        protocol.write(b"dropped")

    protocol, peer = halfCloseable(net, readLost=end)
    peer.shutdown(socket.SHUT_WR)
    assert net.receive(peer) == b"answer"
    net.until(lambda: net.clients[0].over)
    wcl = ["WCL"] if method == "loseWriteConnection" else []
    assert merged(protocol) == ["RCL", *wcl, *DONE]


@oneSelector
def test_E25_readConnectionLostRaises(net: Net) -> None:
    def fail(protocol: Traced) -> None:
        raise ValueError

    protocol, peer = halfCloseable(net, readLost=fail)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", "CL(ValueError)", "CCL(ValueError)", "doStop"]
    net.expectErrors(1)


def test_E25_pausedAndResumedAfterTheEndOfReading(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    protocol.ask("pauseProducing")
    protocol.ask("resumeProducing")
    net.assertIdle()
    assert merged(protocol) == ["RCL"]


def test_E25_endWhilePaused(net: Net) -> None:
    protocol, peer = halfCloseable(net, made=lambda p: p.ask("pauseProducing"))
    peer.sendall(b"data")
    peer.shutdown(socket.SHUT_WR)
    net.assertIdle()
    assert merged(protocol) == []
    protocol.ask("resumeProducing")
    net.until(lambda: "RCL" in protocol.events)
    assert merged(protocol) == ["DR*", "RCL"]


@oneSelector
@pytest.mark.parametrize("paused", [False, True])
def test_E25_resetBehindThePeersEnd(net: Net, paused: bool) -> None:
    """It is told though nothing is read or written any more; but not while the connection is paused."""
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    net.assertIdle()
    if paused:
        protocol.ask("pauseProducing")
    net.reset(peer)
    if paused:
        net.turn(5)
        net.assertIdle()
        assert not protocol.lost
        protocol.ask("resumeProducing")
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", *LOST]
    # As Linux calls a reset that comes behind an end.
    assert protocol.reason.value.osError == errno.EPIPE


@oneSelector
@pytest.mark.parametrize("queued", [0, 20_000_000])
def test_E25_resetWhileItCloses(net: Net, queued: int) -> None:
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    protocol.write(bytes(queued))
    net.turn()
    net.reset(peer)
    if queued:
        protocol.lose()
    else:
        protocol.abort()
    net.until(lambda: net.clients[0].over)
    assert merged(protocol)[1:] == (LOST if queued else ["CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"])


@oneSelector
def test_E25_gonePeerOfAUNIXSocket(net: Net, tmp_path: Path) -> None:
    """There is no reset over a UNIX socket; who closes is gone for both directions."""
    client, server = unixnet.pair(net, tmp_path / "s", build=HalfCloseable)
    server.transport.loseWriteConnection()
    net.until(lambda: "RCL" in client.events)
    net.assertIdle()
    server.lose()
    net.until(lambda: client.lost)
    assert merged(client) == ["RCL", *LOST]


def test_E26_loseWriteConnection(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    data = b"0123456789" * 1_000_000
    protocol.write(data)
    protocol.ask("loseWriteConnection")
    protocol.ask("loseWriteConnection")
    protocol.write(b"dropped")
    net.turn()
    # Not before all is sent.
    assert merged(protocol) == []
    assert net.receive(peer) == data
    net.until(lambda: "WCL" in protocol.events)
    protocol.write(b"dropped")
    protocol.ask("loseWriteConnection")
    net.assertIdle()
    assert protocol.transport.connected
    peer.sendall(b"going on")
    net.until(lambda: protocol.received == b"going on")
    assert merged(protocol) == ["WCL", "DR*"]
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert merged(protocol)[-3:] == DONE


@oneSelector
def test_E26_withoutTheInterface(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(b"question")
    protocol.ask("loseWriteConnection")
    assert net.receive(peer) == b"question"
    peer.setblocking(True)
    peer.sendall(b"answer")
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"answer"
    assert merged(protocol) == ["DR*", *DONE]


@oneSelector
@pytest.mark.parametrize("queued", [0, 10_000_000])
def test_E26_thenLoseConnection(net: Net, queued: int) -> None:
    protocol, peer = halfCloseable(net)
    protocol.write(bytes(queued))
    protocol.ask("loseWriteConnection")
    protocol.lose()
    assert net.receive(peer) == bytes(queued)
    net.until(lambda: net.clients[0].over)
    # The whole connection's end takes the place of the half's.
    assert merged(protocol) == DONE


@oneSelector
def test_E26_thenLoseConnectionLater(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    protocol.ask("loseWriteConnection")
    net.until(lambda: "WCL" in protocol.events)
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["WCL", *DONE]


@oneSelector
def test_E26_loseConnectionInWriteConnectionLost(net: Net) -> None:
    protocol, peer = halfCloseable(net, writeLost=lambda p: p.lose())
    protocol.ask("loseWriteConnection")
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["WCL", *DONE]


@oneSelector
def test_E26_writeConnectionLostRaises(net: Net) -> None:
    def fail(protocol: Traced) -> None:
        raise ValueError

    protocol, peer = halfCloseable(net, writeLost=fail)
    protocol.ask("loseWriteConnection")
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["WCL", "CL(ValueError)", "CCL(ValueError)", "doStop"]
    net.expectErrors(1)


def test_E26_peerResetsWhileTheRestIsSent(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    protocol.write(bytes(10_000_000))
    protocol.ask("loseWriteConnection")
    net.turn()
    net.reset(peer)
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == LOST


def test_E26_peerHasResetAlready(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    net.reset(peer)
    protocol.ask("loseWriteConnection")
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == LOST


def test_E26_peerResetsAfterwards(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    protocol.ask("loseWriteConnection")
    net.until(lambda: "WCL" in protocol.events)
    net.reset(peer)
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["WCL", *LOST]


def test_E27_bothHalvesOursFirst(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    protocol.ask("loseWriteConnection")
    net.until(lambda: "WCL" in protocol.events)
    peer.sendall(b"last words")
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["WCL", "DR*", "RCL", *DONE]


def test_E27_bothHalvesThePeersFirst(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    protocol.write(b"last words")
    protocol.ask("loseWriteConnection")
    assert net.receive(peer) == b"last words"
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", "WCL", *DONE]


def test_E27_peersEndWhileTheRestIsSent(net: Net) -> None:
    protocol, peer = halfCloseable(net)
    data = b"0123456789" * 1_000_000
    protocol.write(data)
    protocol.ask("loseWriteConnection")
    net.turn()
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: "RCL" in protocol.events)
    assert merged(protocol) == ["RCL"]
    assert net.receive(peer) == data
    net.until(lambda: net.clients[0].over)
    assert merged(protocol) == ["RCL", "WCL", *DONE]


def test_E27_bothEndsAtOnce(net: Net) -> None:
    client, server = net.pair(server={"build": lambda address: HalfCloseable()}, build=lambda address: HalfCloseable())
    client.write(b"a")
    server.write(b"b")
    client.ask("loseWriteConnection")
    server.ask("loseWriteConnection")
    net.until(lambda: client.lost and server.lost)
    assert (client.received, server.received) == (b"b", b"a")
    for protocol, last in ((client, DONE), (server, DONE[:1])):
        heard = merged(protocol)
        assert sorted(heard[:3]) == ["DR*", "RCL", "WCL"]
        assert heard[3:] == last
