"""A peer of TLS 1.2 that shakes hands anew in the middle of a connection: what is written meanwhile waits, in order,
and so does the end.

The peer is OpenSSL by way of pyOpenSSL (which Twisted brings): the standard library cannot begin another handshake.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
from net import DEADLINE, Net, Traced, TracedClient, pattern
from tls import clientOptions, connectSSL, issued, listenSSL, serverOptions

from protocols.tls import TLSMemoryBIOFactory

SSL = pytest.importorskip("OpenSSL.SSL")

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)

# OpenSSL's SSL_OP_ALLOW_CLIENT_RENEGOTIATION.
ALLOW_CLIENT_RENEGOTIATION = 1 << 8


class Peer:
    """The other end, which reads what has come when it is told to, and renegotiates."""

    def __init__(self, net: Net, sock: socket.socket, serverSide: bool = True) -> None:
        self.net = net
        self.sock = net.keep(sock)
        sock.setblocking(False)
        context = SSL.Context(SSL.TLSv1_2_METHOD)
        if serverSide:
            with issued().private_key_and_cert_chain_pem.tempfile() as path:
                context.use_privatekey_file(path)
                context.use_certificate_chain_file(path)
        self.tls = SSL.Connection(context, None)
        self.tls.set_accept_state() if serverSide else self.tls.set_connect_state()
        self.received = b""
        self.ended = False

    def push(self) -> None:
        """Send what TLS has to say."""
        while True:
            try:
                data = self.tls.bio_read(1 << 16)
            except SSL.WantReadError:
                return
            while data:
                try:
                    data = data[self.sock.send(data) :]
                except BlockingIOError:
                    self.net.reactor.iterate(0.005)

    def pull(self) -> None:
        """Read what there is, which makes a handshake go on."""
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        if data:
            self.tls.bio_write(data)
        try:
            while True:
                self.received += self.tls.recv(1 << 16)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.ended = True

    def shake(self) -> Peer:
        self.until(self._isShaken)
        return self

    def _isShaken(self) -> bool:
        try:
            self.tls.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < end, self.net.story()
            self.push()
            self.net.reactor.iterate(0.005)
            self.pull()
        self.push()

    def ask(self) -> None:
        """Begin another handshake."""
        assert self.tls.renegotiate()
        # A server has sent its request then, and is done; a client waits for an answer.
        with contextlib.suppress(SSL.WantReadError):
            self.tls.do_handshake()
        self.push()


def client(net: Net, options: Any = None, wrapped: bool = False, **on: Any) -> tuple[Traced, Peer]:
    """A client of ours and its server."""
    listening = net.plainListener()
    port = listening.getsockname()[1]
    if wrapped:
        factory = TracedClient(**on)
        net.clients.append(factory)
        net.reactor.connectTCP(
            "127.0.0.1", port, TLSMemoryBIOFactory(options or clientOptions(), True, factory, net.reactor)
        )
    else:
        factory = connectSSL(net, port, options, **on)
    peer = Peer(net, listening.accept()[0]).shake()
    net.until(lambda: "CM" in factory.events)
    return factory.built[0], peer


def asked(net: Net, protocol: Traced, peer: Peer) -> None:
    """The peer asks, and we have heard of it: the handshake is under way, and goes on when the peer reads."""
    peer.tls.send(b"before ")
    peer.ask()
    net.until(lambda: protocol.received.endswith(b"before "))
    net.turn()


WRITES = {
    "small": [b"%06d" % number for number in range(500)],
    "large": [pattern(1_000_000)],
    "mixed": [b"x", pattern(70_000), b"y", b"z" * 5000, pattern(300_000), b"end"],
}


@pytest.mark.parametrize("wrapped", [False, True], ids=["connectSSL", "TLSMemoryBIO"])
@pytest.mark.parametrize("pieces", WRITES.values(), ids=WRITES)
def test_T16_whatIsWrittenMeanwhileWaits(net: Net, wrapped: bool, pieces: list[bytes]) -> None:
    protocol, peer = client(net, wrapped=wrapped)
    whole = b"".join(pieces)
    for number in range(3):
        asked(net, protocol, peer)
        for piece in pieces:
            protocol.write(piece)
        net.turn()
        if not wrapped:
            assert protocol.transport.buffered >= len(whole)
        net.assertIdle()
        peer.until(lambda number=number: len(peer.received) >= len(whole) * (number + 1))
        assert peer.tls.total_renegotiations() == number + 1
    assert peer.received == whole * 3
    assert not protocol.lost
    # And the other direction.
    peer.tls.send(b"after")
    peer.push()
    net.until(lambda: protocol.received.endswith(b"after"))
    protocol.lose()
    peer.until(lambda: peer.ended)
    peer.tls.shutdown()
    peer.push()
    net.until(lambda: protocol.lost)
    assert "CL(ConnectionDone)" in protocol.events


@pytest.mark.parametrize("pieces", WRITES.values(), ids=WRITES)
def test_T16_whatIsWrittenInACallbackWaits(net: Net, pieces: list[bytes]) -> None:
    """In the callback that is made of the record before the peer's request: encrypted when that is read already."""

    def answer(protocol: Traced, data: bytes) -> None:
        if protocol.received.endswith(b"go"):
            for piece in pieces:
                protocol.write(piece)

    protocol, peer = client(net, data=answer)
    whole = b"".join(pieces)
    peer.tls.send(b"go")
    peer.ask()
    peer.until(lambda: len(peer.received) >= len(whole))
    assert peer.received == whole


@pytest.mark.parametrize("written", [True, False])
def test_T16_theEndWaits(net: Net, written: bool) -> None:
    """loseConnection in the middle of it: everything arrives, and close_notify behind it."""
    protocol, peer = client(net)
    asked(net, protocol, peer)
    if written:
        protocol.write(b"last words")
    protocol.lose()
    net.turn()
    net.assertIdle()
    assert not protocol.lost
    peer.until(lambda: peer.ended)
    assert peer.received == (b"last words" if written else b"")
    peer.tls.shutdown()
    peer.push()
    net.until(lambda: protocol.lost)
    assert "CL(ConnectionDone)" in protocol.events


@pytest.mark.parametrize("how", ["write", "lose"])
def test_T8_T16_aHandshakeThatIsNeverFinished(net: Net, how: str) -> None:
    options = clientOptions()
    protocol, peer = client(net, options)
    asked(net, protocol, peer)
    protocol.transport._top._side.handshakeTimeout = 0.02
    protocol.write(b"x") if how == "write" else protocol.lose()
    net.until(lambda: protocol.lost)
    assert type(protocol.reason.value).__name__ == "TimeoutError"
    assert protocol.reason.value.phase == "handshake"


def test_T16_pausedMeanwhile(net: Net) -> None:
    """Nothing is read then, and whoever paused is not blamed on the peer."""
    protocol, peer = client(net)
    asked(net, protocol, peer)
    protocol.ask("pauseProducing")
    protocol.transport._top._side.handshakeTimeout = 0.01
    protocol.write(b"data")
    waited: list[int] = []
    net.reactor.callLater(0.05, waited.append, 1)
    net.until(lambda: waited)
    assert not protocol.lost
    # From here on the peer has its time again.
    protocol.transport._top._side.handshakeTimeout = 60.0
    protocol.ask("resumeProducing")
    peer.until(lambda: peer.received == b"data")


def test_T16_aProducerIsPausedMeanwhile(net: Net) -> None:
    protocol, peer = client(net)
    asked(net, protocol, peer)
    pauses: list[int] = []

    class Producer:
        sent = 0

        def resumeProducing(self) -> None:
            while len(pauses) == self.seen:
                protocol.write(b"x" * 1000)
                self.sent += 1000
                if self.sent == 1_000_000:
                    protocol.transport.unregisterProducer()
                    return
            self.seen = len(pauses)

        seen = 0

        def pauseProducing(self) -> None:
            pauses.append(1)

        def stopProducing(self) -> None:
            raise AssertionError

    producer = Producer()
    protocol.transport.registerProducer(producer, True)
    producer.resumeProducing()
    assert producer.sent < 100_000 and pauses
    peer.until(lambda: len(peer.received) == 1_000_000)


def test_T16_theLimitHoldsMeanwhile(net: Net) -> None:
    protocol, peer = client(net)
    protocol.transport.writeBufferLimit = 10_000
    asked(net, protocol, peer)
    for _ in range(12):
        protocol.write(b"x" * 1000)
    net.until(lambda: protocol.lost)
    assert type(protocol.reason.value).__name__ == "WriteBufferFull"


@pytest.mark.parametrize("end", ["close_notify", "FIN", "reset"])
def test_T16_thePeerEndsMeanwhile(net: Net, end: str) -> None:
    protocol, peer = client(net)
    asked(net, protocol, peer)
    protocol.write(b"never taken")
    net.turn()
    if end == "reset":
        net.reset(peer.sock)
    else:
        peer.sock.close()
    net.until(lambda: protocol.lost)
    assert protocol.reason.type.__name__ in ("SSLError", "ConnectionLost")


def test_aServerThatMayBeAsked(net: Net) -> None:
    """A program's own context allows what ours refuse: the server's writes wait as a client's do."""
    context = serverOptions().getContext()
    context.options &= ~ssl.OP_NO_RENEGOTIATION
    context.options |= ALLOW_CLIENT_RENEGOTIATION
    server = listenSSL(net, context)
    sock = socket.create_connection(("127.0.0.1", server.port))
    peer = Peer(net, sock, serverSide=False).shake()
    net.until(lambda: server.built)
    ours = server.built[0]
    peer.ask()
    # The ClientHello is read and answered; what is written now has to wait for the rest.
    net.turn(5)
    for number in range(100):
        ours.write(b"%03d" % number)
    whole = b"".join(b"%03d" % number for number in range(100))
    peer.until(lambda: len(peer.received) == len(whole))
    assert peer.received == whole
