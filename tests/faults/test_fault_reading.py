"""Rows E1 to E22, E38 and E39 over every kind of connection and every selector: what is read, and how that ends."""

from __future__ import annotations

import itertools
import socket
from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import BEGUN, ended, everywhere, meet, over


def provoke(net: Net, protocol: Traced, kind: str) -> None:
    """Make a reset of the peer's next close: a UNIX socket has one only where something was left unread."""
    if kind == "unix":
        protocol.write(b"unread")
        net.turn(1)


@everywhere
def test_E1_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    peer.send(b"last words")
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"last words"
    assert net.clients[0].short == ended("DR*", by="ConnectionDone")
    assert net.clients[0].reasons[0] is protocol.reason


@everywhere
def test_E2_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    provoke(net, protocol, kind)
    data = pattern(50_000)
    peer.send(data)
    peer.reset()
    net.until(lambda: net.clients[0].over)
    assert protocol.received == data
    assert net.clients[0].short == ended("DR*", by="ConnectionLost")


@everywhere
def test_E14_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind, data=lambda p, data: p.abort())
    # A UNIX socket takes less than that before somebody reads.
    peer.send(pattern(100_000 if kind == "unix" else 300_000))
    net.until(lambda: net.clients[0].over)
    assert sum(event.startswith("DR") for event in protocol.events) == 1
    assert protocol.short == ended("DR*", by="ConnectionAborted")


@everywhere
def test_E15_everyKind(net: Net, kind: str) -> None:
    def answer(protocol: Traced, data: bytes) -> None:
        protocol.write(b"bye" * 1000)
        protocol.lose()
        protocol.write(b"too late")

    protocol, peer = meet(net, kind, data=answer)
    peer.send(pattern(100_000))
    assert peer.receive() == b"bye" * 1000
    net.until(lambda: net.clients[0].over)
    # Under TLS the peer is heard until its close_notify, which is waited for.
    assert len(protocol.received) == 100_000 if kind == "tls" else len(protocol.events) == len(BEGUN) + 4
    assert protocol.short == ended("DR*", by="ConnectionDone")


@everywhere
def test_E18_everyKind(net: Net, kind: str) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise ValueError("of the application")

    other, otherPeer = meet(net, kind)
    protocol, peer = meet(net, kind, data=fail)
    peer.send(b"x")
    net.until(lambda: net.clients[1].over)
    assert protocol.events == ended("DR(1)", by="ValueError")
    assert str(protocol.reason.value) == "of the application"
    otherPeer.send(b"still here")
    net.until(lambda: other.received == b"still here")
    net.expectErrors(1)


@everywhere
def test_E19_everyKind(net: Net, kind: str) -> None:
    def fail(protocol: Traced, reason: Any) -> None:
        raise ValueError

    protocol, peer = meet(net, kind, lost=fail)
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")
    assert (net.clients[0].connector.state, net.clients[0].numPorts) == ("disconnected", 0)
    net.expectErrors(1)


@everywhere
@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_E20_everyKind(net: Net, kind: str, exception: type[BaseException]) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise exception

    protocol, peer = meet(net, kind, data=fail)
    peer.send(b"x")
    with pytest.raises(exception):
        net.reactor.run(installSignalHandlers=False)
    assert not net.reactor.running
    assert protocol.events == ended("DR(1)", by="ConnectionLost")


@everywhere
def test_E21_everyKind(net: Net, kind: str) -> None:
    number = itertools.count()

    def pause(protocol: Traced, data: bytes) -> None:
        if not next(number):
            protocol.ask("pauseProducing")

    protocol, peer = meet(net, kind, data=pause)
    data = pattern(100_000)
    peer.send(data)
    net.until(lambda: protocol.received)
    heard = protocol.events[:]
    net.assertIdle()
    assert protocol.events == heard
    protocol.ask("resumeProducing")
    net.until(lambda: len(protocol.received) >= len(data))
    assert protocol.received == data
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("DR*", by="ConnectionDone")


@everywhere
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_E22_everyKind(net: Net, kind: str, end: str) -> None:
    protocol, peer = meet(net, kind, made=lambda p: p.ask("pauseProducing"))
    if end == "reset":
        provoke(net, protocol, kind)
    peer.send(b"data")
    if end == "fin":
        peer.close()
    else:
        peer.reset()
    net.assertIdle()
    assert protocol.events == BEGUN
    protocol.ask("resumeProducing")
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("DR(4)", by="ConnectionDone" if end == "fin" else "ConnectionLost")


@over(*itertools.product(("default", "SelectSelector", "PollSelector"), ("tcp4", "tcp6")))
def test_E38_bothFamilies(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    peer.send(b"ab")
    peer.sock.send(b"!", socket.MSG_OOB)
    net.assertIdle()
    peer.send(b"cd")
    net.until(lambda: len(protocol.received) >= 4)
    net.assertIdle()
    assert protocol.received == b"abcd"
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("DR*", by="ConnectionDone")


@everywhere
def test_E39_everyKind(net: Net, kind: str) -> None:
    protocol, peer = meet(net, kind)
    left = data = pattern(3_000_000)
    while len(protocol.received) < len(data):
        peer.send(left[:500_000])
        left = left[500_000:]
        before = len(protocol.events)
        net.turn(1)
        portions = [int(event[3:-1]) for event in protocol.events[before:]]
        if kind == "tls":
            # One receive a turn, however many records are in it, and the part of one that was there.
            assert sum(portions) <= 262_144 + 16_384
        else:
            assert len(portions) <= 1 and sum(portions) <= 262_144
    assert protocol.received == data
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("DR*", by="ConnectionDone")
