"""Rows T1 to T20 over what TLS stands on elsewhere: IPv6 and UNIX sockets, where it begins behind connectionMade."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
from net import Net, Traced, pattern
from peers import BEGUN, SecurePeer, dial, ended, over
from tls import Shaken, clientOptions, impatient, stranger

below = over(("default", "tcp6"), ("default", "unix"), ("SelectSelector", "unix"), ("PollSelector", "tcp6"))
each = over(("default", "tcp6"), ("default", "unix"))


def begin(net: Net, kind: str, options: Any = None, **on: Any) -> tuple[Traced, Any]:
    """A client of ours that has begun TLS, and the plain socket at its other end."""
    listening, client = dial(net, kind, lambda address: Shaken(**on))
    net.turn(1)
    sock = net.keep(listening.accept()[0])
    net.until(lambda: "CM" in client.events)
    client.built[0].transport.startTLS(options or clientOptions())
    return client.built[0], sock


def secured(net: Net, kind: str, **on: Any) -> tuple[Traced, SecurePeer]:
    protocol, sock = begin(net, kind, **on)
    peer = SecurePeer(net, sock)
    net.until(lambda: "HC" in protocol.events)
    return protocol, peer


def broken(peer: SecurePeer) -> None:
    """The peer sees an end that no close_notify announced."""
    with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        peer.receive()


@below
def test_T1_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    peer.send(b"seven b")
    peer.finish()
    net.until(lambda: net.clients[0].over)
    assert protocol.short == ended("HC", "DR*", by="ConnectionDone")
    # TCP stays open at the other end: we answered, and closed.
    assert peer.receive() == b"" and net.receive(peer.sock) == b""


@below
def test_T2_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    peer.send(b"seven b")
    peer.sock.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"seven b"
    assert protocol.short == ended("HC", "DR*", by="ConnectionLost")
    assert "close_notify" in str(protocol.reason.value)


@below
def test_T3_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    # Left unread, it makes a reset of the close, over a UNIX socket too.
    protocol.write(b"unread")
    net.turn(1)
    peer.reset()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("HC", by="ConnectionLost")
    assert protocol.reason.value.osError is not None


@each
@pytest.mark.parametrize(
    ("options", "alert"),
    [
        (lambda: clientOptions(ca=stranger()), "TLSV1_ALERT_UNKNOWN_CA"),
        (lambda: clientOptions("elsewhere.example"), "BAD_CERTIFICATE"),
    ],
    ids=["unknown authority", "another name"],
)
def test_T4_T5_everyKind(net: Net, kind: str, options: Callable[[], Any], alert: str) -> None:
    protocol, sock = begin(net, kind, options())
    protocol.write(b"secret")
    with pytest.raises(ssl.SSLError) as caught:
        SecurePeer(net, sock)
    assert alert in str(caught.value.reason)
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="PeerVerifyError")


@each
@pytest.mark.parametrize("answer", [b"220 mail.example ESMTP\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 20_000])
def test_T6_T7_everyKind(net: Net, kind: str, answer: bytes) -> None:
    protocol, sock = begin(net, kind)
    sock.sendall(answer)
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="SSLError")


@each
def test_T8_everyKind(net: Net, kind: str) -> None:
    options = clientOptions()
    options.handshakeTimeout = 0.02
    protocol, _ = begin(net, kind, options)
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="TimeoutError")


@each
def test_T9_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    impatient(protocol)
    protocol.write(b"last words")
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("HC", by="ConnectionDone")
    assert peer.receive(10) == b"last words"


@each
@pytest.mark.parametrize("how", ["lose", "abort"])
def test_T10_everyKind(net: Net, kind: str, how: str) -> None:
    protocol, sock = begin(net, kind)
    protocol.write(b"queued")
    getattr(protocol, how)()
    if how == "lose":
        assert SecurePeer(net, sock).receive() == b"queued"
    net.until(lambda: net.clients[0].over)
    # That the handshake is done interests nobody any more.
    assert protocol.events == ended(by="ConnectionDone" if how == "lose" else "ConnectionAborted")


@below
def test_T11_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    data = pattern(2_000_000)
    protocol.write(data)
    protocol.lose()
    protocol.write(b"dropped")
    assert peer.receive() == data
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("HC", by="ConnectionDone")


@below
def test_T13_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind)
    protocol.write(b"never sent")
    protocol.abort()
    protocol.abort()
    protocol.lose()
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("HC", by="ConnectionAborted")
    broken(peer)


@below
def test_T14_everyKind(net: Net, kind: str) -> None:
    protocol, peer = secured(net, kind, data=lambda p, data: p.ask("pauseProducing"))
    for number in range(3):
        peer.tls.write(b"%d" % number)
    peer._push()
    for heard in (b"0", b"01", b"012"):
        net.until(lambda heard=heard: protocol.received == heard)
        net.assertIdle()
        assert protocol.received == heard
        protocol.ask("resumeProducing")
    assert protocol.events == [*BEGUN, "HC", "DR(1)", "DR(1)", "DR(1)"]


@each
def test_T19_everyKind(net: Net, kind: str) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise ssl.SSLWantReadError(2, "of the program's own")

    protocol, peer = secured(net, kind, data=fail)
    peer.send(b"x")
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("HC", "DR(1)", by="SSLWantReadError")
    net.expectErrors(1)


@each
def test_T20_everyKind(net: Net, kind: str) -> None:
    protocol, sock = begin(net, kind)
    net.assertIdle()
    assert protocol.events == BEGUN
    SecurePeer(net, sock)
    net.until(lambda: len(protocol.events) > len(BEGUN))
    assert protocol.events == [*BEGUN, "HC"]
