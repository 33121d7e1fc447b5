"""What the peer says between our loseConnection and its close_notify: heard, as it would be before, unless the protocol
had paused.
"""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, Traced, TracedClient, TracedServer
from peers import BEGUN, SecurePeer, meet
from test_tls_faults import Peer, clientOf
from tls import clientOptions, impatient, listenSSL, plainClientContext, serverOptions, startTLS, tls, tlsInTLS

from protocols.basic import LineReceiver
from protocols.haproxy import HAProxyWrappingFactory
from protocols.socks import SOCKSServerFactory
from protocols.tls import TLSMemoryBIOFactory

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_untilItAgrees(net: Net) -> None:
    protocol, peer = meet(net, "tls")
    protocol.lose()
    net.turn()
    for piece in (b"one ", b"two ", b"three"):
        peer.send(piece)
        net.until(lambda piece=piece: protocol.received.endswith(piece))
        net.assertIdle()
    assert not protocol.lost and protocol.transport.disconnecting
    protocol.write(b"dropped")
    assert peer.receive() == b""
    net.until(lambda: protocol.lost)
    assert protocol.short == [*BEGUN, "DR*", "CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
    assert protocol.received == b"one two three"


def test_inTheCallback(net: Net) -> None:
    """Records that are here already, behind the one that made it close."""
    protocol, peer = meet(net, "tls", data=lambda p, data: p.lose())
    for number in range(10):
        peer.tls.write(b"%d" % number)
    peer.finish()
    net.until(lambda: protocol.lost)
    assert protocol.received == b"0123456789"


@pytest.mark.parametrize("kind", [tls, tlsInTLS, startTLS])
def test_throughLayers(net: Net, kind: Any) -> None:
    first, second = kind(net, Traced, Traced)
    first.lose()
    second.write(b"x" * 300_000)
    second.lose()
    net.until(lambda: first.lost and second.lost)
    assert len(first.received) == 300_000
    assert first.reason.type.__name__ == second.reason.type.__name__ == "ConnectionDone"


def test_aroundATransport(net: Net) -> None:
    listening = net.plainListener()
    client = TracedClient()
    net.clients.append(client)
    factory = TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    net.reactor.connectTCP("127.0.0.1", listening.getsockname()[1], factory)
    peer = SecurePeer(net, net.keep(listening.accept()[0]))
    net.until(lambda: "CM" in client.events)
    client.built[0].lose()
    peer.send(b"late")
    net.until(lambda: client.built[0].received == b"late")
    peer.close()
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCL(ConnectionDone)", "doStop"]


def test_pausedWhenItClosed(net: Net) -> None:
    """Its close_notify is read all the same; what comes before that is nobody's any more, whoever resumes."""
    protocol, peer = meet(net, "tls", made=lambda p: p.ask("pauseProducing"))
    peer.send(b"never delivered")
    net.turn()
    protocol.lose()
    net.turn()
    protocol.ask("resumeProducing")
    peer.send(b"nor this")
    net.turn()
    assert peer.receive() == b""
    net.until(lambda: protocol.lost)
    assert protocol.received == b""
    assert protocol.reason.type.__name__ == "ConnectionDone"


def test_pausedBehindTheClose(net: Net) -> None:
    """As before it: what comes is held, in order, and so is the end; for shutdownTimeout at most."""
    protocol, peer = meet(net, "tls", data=lambda p, data: p.ask("pauseProducing"))
    protocol.lose()
    for number in range(4):
        peer.tls.write(b"%d" % number)
    peer.finish()
    for number in range(1, 5):
        net.until(lambda number=number: len(protocol.received) == number)
        net.assertIdle()
        assert not protocol.lost and len(protocol.received) == number
        protocol.ask("resumeProducing")
    net.until(lambda: protocol.lost)
    assert protocol.received == b"0123"
    assert protocol.reason.type.__name__ == "ConnectionDone"


def test_pausedForEver(net: Net) -> None:
    protocol, peer = meet(net, "tls", data=lambda p, data: p.ask("pauseProducing"))
    impatient(protocol)
    protocol.lose()
    peer.send(b"held")
    net.until(lambda: protocol.received)
    net.until(lambda: protocol.lost)
    assert protocol.reason.type.__name__ == "ConnectionDone"


def test_aLateCallbackRaises(net: Net) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise ValueError

    protocol, peer = meet(net, "tls", data=fail)
    protocol.lose()
    peer.send(b"x")
    net.until(lambda: protocol.lost)
    assert protocol.reason.type is ValueError
    net.expectErrors(1)


def test_abortIsTheEnd(net: Net) -> None:
    protocol, peer = meet(net, "tls")
    protocol.lose()
    protocol.abort()
    peer.send(b"x")
    net.until(lambda: protocol.lost)
    assert protocol.received == b""
    assert protocol.reason.type.__name__ == "ConnectionAborted"


# Protocols of ours take nothing more once they have closed.


class Lines(LineReceiver):
    delimiter = b"\n"

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)
        if line == b"quit":
            self.transport.loseConnection()


def shaken(net: Net, port: int) -> Peer:
    server: Any = type("Port", (), {"port": port})
    return clientOf(net, server, plainClientContext()).shake()


def test_lines(net: Net) -> None:
    built: list[Lines] = []

    def build(address: Any) -> Lines:
        built.append(Lines())
        return built[-1]

    peer = shaken(net, listenSSL(net, build=build).port)
    peer.write(b"one\nquit\nthree\n")
    net.until(lambda: built and built[0].lines)
    peer.write(b"four\n")
    net.turn(5)
    assert built[0].lines == [b"one", b"quit"]


def listen(net: Net, factory: Any) -> int:
    port: Any = net.reactor.listenSSL(0, factory, serverOptions(), interface="127.0.0.1")
    net.ports.append(port)
    return int(port.getHost().port)


def test_aHeaderThatNobodyWants(net: Net) -> None:
    asked: list[Any] = []
    inner = TracedServer(lambda address: asked.append(address))
    peer = shaken(net, listen(net, HAProxyWrappingFactory(inner, ["127.0.0.1"], clock=net.reactor)))
    header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
    peer.write(header)
    net.until(lambda: asked)
    peer.write(header)
    net.turn(5)
    assert len(asked) == 1


def test_aRequestBehindTheDeadline(net: Net) -> None:
    """A SOCKS client that has been sent away does not get its way by going on."""
    allowed: list[Any] = []

    def permits(request: Any) -> bool:
        allowed.append(request)
        return True

    factory = SOCKSServerFactory(permits, reactor=net.reactor)
    built: list[Any] = []
    build = factory.buildProtocol

    def kept(address: Any) -> Any:
        built.append(build(address))
        built[-1].handshakeTimeout = 0.2
        return built[-1]

    factory.buildProtocol = kept  # type: ignore[method-assign]
    peer = shaken(net, listen(net, factory))
    net.until(lambda: built and built[0].transport.disconnecting)
    peer.write(b"\x04\x01\x00\x50\x7f\x00\x00\x01me\0")
    net.turn(10)
    assert allowed == []
