"""Rows E9 to E13, E24 to E27 and E40 over every kind of connection and every selector: how this end closes, whole or
by halves, and what becomes of what is queued then.
"""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import BEGUN, eachKind, ended, everywhere, meet, over
from tls import clientOptions, impatient
from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol

LARGE = 10_000_000


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Traced):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


def halfCloseable(net: Net, kind: str, **on: Any) -> tuple[Traced, Any]:
    return meet(net, kind, lambda address: HalfCloseable(**on))


def stuck(net: Net, kind: str) -> tuple[Traced, Any]:
    """A connection that was asked to close, with a peer that does not read."""
    protocol, peer = meet(net, kind)
    protocol.write(bytes(LARGE))
    protocol.lose()
    # Until the kernel takes no more of it.
    left = 0
    while left != protocol.transport.buffered:
        left = protocol.transport.buffered
        net.turn(10)
    net.assertIdle()
    assert left and protocol.events == BEGUN
    return protocol, peer


@everywhere
def test_E9_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    protocol.write(bytes(LARGE))
    net.turn()
    assert protocol.transport.buffered > 0
    peer.sock.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionLost")
    assert protocol.transport.buffered == 0


@everywhere
def test_E10_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    data = pattern(LARGE)
    protocol.write(data)
    protocol.lose()
    net.turn()
    assert protocol.events == BEGUN and protocol.transport.disconnecting
    assert peer.receive(atOnce=300_001) == data
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")


@everywhere
def test_E11_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    data = pattern(2_000_000)
    protocol.write(data)
    protocol.lose()
    net.turn()
    protocol.write(b"after")
    protocol.ask("writeSequence", [b"after"])
    assert peer.receive() == data
    net.until(lambda: net.clients[0].over)
    protocol.write(b"after")
    assert protocol.transport.buffered == 0
    assert protocol.events == ended(by="ConnectionDone")


@eachKind
def test_E11_aProducerFinishesOverEveryKind(net: Net, kind: str) -> None:
    class Idle:
        def pauseProducing(self) -> None: ...
        def resumeProducing(self) -> None: ...
        def stopProducing(self) -> None: ...

    protocol, peer = meet(net, kind)
    protocol.transport.registerProducer(Idle(), True)
    protocol.lose()
    protocol.write(b"sent, ")
    net.assertIdle()
    protocol.write(b"all of it")
    protocol.ask("unregisterProducer")
    protocol.write(b"dropped")
    assert peer.receive() == b"sent, all of it"
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")


@everywhere
def test_E12_resetOverEveryKind(net: Net, kind: str) -> None:
    protocol, peer = stuck(net, kind)
    peer.reset()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionLost")


@eachKind
def test_E12_abortOverEveryKind(net: Net, kind: str) -> None:
    protocol, _ = stuck(net, kind)
    protocol.abort()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionAborted")


@eachKind
def test_E12_closeTimeoutOverEveryKind(net: Net, kind: str) -> None:
    protocol, _ = meet(net, kind)
    protocol.transport.closeTimeout = 0.03
    protocol.write(bytes(LARGE))
    begin = net.reactor.seconds()
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert net.reactor.seconds() - begin >= 0.03
    assert protocol.events == ended(by="ConnectionLost")
    assert "closeTimeout=0.03" in str(protocol.reason.value)


@over(("default", "tcp4"), ("default", "unix"))
def test_E12_closeTimeoutBeforeTheHandshake(net: Net, kind: str) -> None:
    """What is written behind startTLS waits for a handshake that the peer never answers."""
    protocol, _ = meet(net, kind)
    protocol.transport.closeTimeout = 0.03
    protocol.transport.startTLS(clientOptions())
    protocol.write(b"queued")
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionLost")
    assert "closeTimeout=0.03" in str(protocol.reason.value)


@eachKind
def test_E12_closeTimeoutIsNotForThePeersFarewell(net: Net, kind: str) -> None:
    """All is taken: under TLS, the answer to our close_notify has a limit of its own."""
    protocol, peer = meet(net, kind)
    protocol.transport.closeTimeout = 0.02
    if kind == "tls":
        impatient(protocol, 0.06)
    begin = net.reactor.seconds()
    protocol.write(b"bye")
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")
    assert net.reactor.seconds() - begin >= 0.06 or kind != "tls"
    assert peer.receive(3) == b"bye"


@everywhere
def test_E13_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    protocol.write(b"never sent")
    protocol.abort()
    protocol.abort()
    protocol.lose()
    protocol.write(b"never sent")
    assert protocol.events == BEGUN
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionAborted")
    if kind == "unix":
        # Which has no reset: what the peer sees is an end.
        assert peer.receive() == b""
    else:
        with pytest.raises(ConnectionResetError):
            peer.receive()


@everywhere
def test_E24_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    protocol.write(bytes(LARGE))
    net.turn()
    peer.send(b"last words")
    peer.finish()
    if kind == "tls":
        # A close_notify says nothing about the peer's reading: what was pending is sent, as long as it is taken.
        assert peer.receive() == bytes(LARGE)
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("DR*", by="ConnectionDone")
    assert protocol.transport.buffered == 0


@everywhere
def test_E25_everyKind(net: Net, kind: str) -> None:
    protocol, peer = halfCloseable(net, kind)
    peer.send(b"question")
    peer.finish()
    net.until(lambda: "RCL" in protocol.events)
    net.assertIdle()
    assert protocol.short == [*BEGUN, "DR*", "RCL"]
    data = pattern(1_000_000)
    protocol.write(data)
    assert peer.receive(len(data)) == data
    net.assertIdle()
    protocol.write(b"bye")
    protocol.lose()
    assert peer.receive() == b"bye"
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("DR*", "RCL", by="ConnectionDone")


@everywhere
def test_E26_everyKind(net: Net, kind: str) -> None:
    protocol, peer = halfCloseable(net, kind)
    data = pattern(LARGE)
    protocol.write(data)
    protocol.ask("loseWriteConnection")
    protocol.write(b"dropped")
    net.turn()
    # Not before all is sent; under TLS, before all is encrypted.
    assert protocol.events == ([*BEGUN, "WCL"] if kind == "tls" else BEGUN)
    assert peer.receive(len(data)) == data
    net.until(lambda: "WCL" in protocol.events)
    protocol.write(b"dropped")
    net.assertIdle()
    peer.send(b"going on")
    net.until(lambda: protocol.received == b"going on")
    assert protocol.short == [*BEGUN, "WCL", "DR*"]
    assert peer.receive() == b""


@everywhere
def test_E27_everyKind(net: Net, kind: str) -> None:
    protocol, peer = halfCloseable(net, kind)
    protocol.ask("loseWriteConnection")
    net.until(lambda: "WCL" in protocol.events)
    peer.send(b"last words")
    peer.finish()
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("WCL", "DR*", "RCL", by="ConnectionDone")


@everywhere
def test_E40_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)

    def last() -> None:
        protocol.write(b"famous last ")
        net.reactor.stop()
        protocol.write(b"words")

    net.reactor.callWhenRunning(last)
    net.reactor.run(installSignalHandlers=False)
    assert protocol.events == ended(by="ConnectionLost")
    assert peer.receive(len(b"famous last words")) == b"famous last words"


@everywhere
def test_Y6_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    paused, other = meet(net, kind, made=lambda p: p.ask("pauseProducing"))
    other.send(b"never read")
    net.stopReactor()
    assert protocol.events == paused.events == ended(by="ConnectionLost")
