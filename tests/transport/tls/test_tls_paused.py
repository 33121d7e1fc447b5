"""What a TLS layer holds while its protocol is paused comes before the end of the connection, whoever resumes, and
however the bytes and the end came together.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from net import Net, Traced, TracedClient, TracedServer, pattern
from peers import SecurePeer, dial, meet, over
from tls import clientOptions, listenSSL, plainClientContext, serverOptions, startBoth

from protocols.policies import ThrottlingFactory
from protocols.tls import TLSMemoryBIOFactory
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.task import Clock
from reactor.testing import StringTransport

once = pytest.mark.parametrize("net", ["default"], indirect=True)

RECORDS, SIZE = 20, 300
WHOLE = pattern(RECORDS * SIZE)
WHY = {"clean": "ConnectionDone", "cut": "ConnectionLost", "reset": "ConnectionLost"}


def pauseOnce(protocol: Traced, data: bytes) -> None:
    if len(protocol.received) == len(data):
        protocol.ask("pauseProducing")


def pauseAlways(protocol: Traced, data: bytes) -> None:
    protocol.ask("pauseProducing")


def sendAll(peer: Any, end: str) -> None:
    """Many records and the end, in as few segments as can be."""
    for start in range(0, len(WHOLE), SIZE):
        peer.tls.write(WHOLE[start : start + SIZE])
    if end == "clean":
        peer.finish()
    peer._push()
    if end == "reset":
        peer.reset()
    else:
        peer.sock.shutdown(socket.SHUT_WR)


def byTimer(net: Net, protocol: Traced) -> None:
    net.reactor.callLater(0, protocol.ask, "resumeProducing")


def byThread(net: Net, protocol: Traced) -> None:
    net.reactor.callFromThread(protocol.ask, "resumeProducing")


def byAnother(net: Net, protocol: Traced) -> None:
    """From a callback of another connection."""
    other, peer = net.socketPair(data=lambda p, data: protocol.ask("resumeProducing"))
    peer.sendall(b"x")


RESUMED: list[Callable[[Net, Traced], None]] = [byTimer, byThread, byAnother]


def until(net: Net, protocol: Traced, resume: Callable[[Net, Traced], None]) -> None:
    """Resume whenever it has paused, to the end."""
    while not protocol.lost:
        net.until(lambda: protocol.lost or protocol.transport._top.paused)
        heard = len(protocol.events)
        net.assertIdle()
        assert len(protocol.events) == heard
        if not protocol.lost:
            resume(net, protocol)
            net.until(lambda heard=heard: len(protocol.events) > heard)


@over(("default", "tls"), ("SelectSelector", "tls"), ("PollSelector", "tls"))
@pytest.mark.parametrize("resume", RESUMED)
@pytest.mark.parametrize("pause", [pauseOnce, pauseAlways])
@pytest.mark.parametrize("end", WHY)
def test_E22_T14_theTailComesBeforeTheEnd(net: Net, kind: str, resume: Any, pause: Any, end: str) -> None:
    protocol, peer = meet(net, kind, data=pause)
    sendAll(peer, end)
    net.until(lambda: protocol.received)
    until(net, protocol, resume)
    assert protocol.received == WHOLE
    assert protocol.events[-3] == f"CL({WHY[end]})"


@once
@pytest.mark.parametrize("resume", RESUMED)
@pytest.mark.parametrize("end", ["clean", "cut"])
def test_E22_T14_overUNIX(net: Net, resume: Any, end: str) -> None:
    listening, client = dial(net, "unix", lambda address: Traced(data=pauseOnce))
    net.turn(1)
    sock = net.keep(listening.accept()[0])
    net.until(lambda: "CM" in client.events)
    protocol = client.built[0]
    protocol.transport.startTLS(clientOptions())
    peer = SecurePeer(net, sock)
    sendAll(peer, end)
    net.until(lambda: protocol.received)
    until(net, protocol, resume)
    assert protocol.received == WHOLE
    assert protocol.reason.type.__name__ == WHY[end]


def farEnd(net: Net, twice: bool) -> tuple[Traced, Traced]:
    """One end that pauses once, and one that sends."""
    listening = listenSSL(net, build=lambda address: Traced(data=pauseOnce))
    client = TracedClient()
    net.clients.append(client)
    client.connector = net.reactor.connectSSL("127.0.0.1", listening.port, client, clientOptions())
    net.until(lambda: listening.built and "CM" in client.events)
    if twice:
        startBoth(net, client.built[0], listening.built[0])
    return client.built[0], listening.built[0]


@once
@pytest.mark.parametrize("resume", RESUMED)
@pytest.mark.parametrize("twice", [False, True], ids=["TLS", "TLS in TLS"])
def test_E22_T14_throughLayers(net: Net, resume: Any, twice: bool) -> None:
    sender, paused = farEnd(net, twice)
    for start in range(0, len(WHOLE), SIZE):
        sender.write(WHOLE[start : start + SIZE])
    sender.lose()
    net.until(lambda: paused.received)
    until(net, paused, resume)
    assert paused.received == WHOLE
    assert paused.events[-1] == "CL(ConnectionDone)"


@once
def test_aWriteThatFailsDoesNotCostTheTail(net: Net) -> None:
    """Resumed, and in the same callback written to: the peer is gone, and what it said before is still told."""
    protocol, peer = meet(net, "tls", data=pauseOnce)
    sendAll(peer, "reset")
    net.until(lambda: protocol.received)

    def resumeAndWrite() -> None:
        protocol.ask("resumeProducing")
        protocol.write(b"are you there?")

    net.reactor.callLater(0, resumeAndWrite)
    net.until(lambda: protocol.lost)
    assert protocol.received == WHOLE
    assert protocol.reason.type.__name__ == "ConnectionLost"


@once
@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_closedBeforeItCouldGoOn(net: Net, how: str) -> None:
    protocol, peer = meet(net, "tls", data=pauseOnce)
    sendAll(peer, "clean")
    net.until(lambda: protocol.received)
    protocol.ask("resumeProducing")
    protocol.ask(how)
    net.until(lambda: protocol.lost)
    assert len(protocol.received) in (SIZE, len(WHOLE))


@once
def test_pausedAgainBeforeItCouldGoOn(net: Net) -> None:
    protocol, peer = meet(net, "tls", data=pauseOnce)
    sendAll(peer, "clean")
    net.until(lambda: protocol.received)
    for _ in range(3):
        protocol.ask("resumeProducing")
        protocol.ask("pauseProducing")
        net.assertIdle()
    assert len(protocol.received) == SIZE and not protocol.lost
    protocol.ask("resumeProducing")
    protocol.ask("resumeProducing")
    net.until(lambda: protocol.lost)
    assert protocol.received == WHOLE


# Around any transport, and below a limit on bandwidth.


@once
@pytest.mark.parametrize("resume", RESUMED)
@pytest.mark.parametrize("end", ["clean", "cut"])
def test_E22_T14_aroundATransport(net: Net, resume: Any, end: str) -> None:
    listening = net.plainListener()
    client = TracedClient(data=pauseOnce)
    net.clients.append(client)
    factory = TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    net.reactor.connectTCP("127.0.0.1", listening.getsockname()[1], factory)
    peer = SecurePeer(net, net.keep(listening.accept()[0]))
    net.until(lambda: "CM" in client.events)
    protocol = client.built[0]
    sendAll(peer, end)
    net.until(lambda: protocol.received)
    net.assertIdle()
    assert len(protocol.received) == SIZE
    resume(net, protocol)
    net.until(lambda: protocol.lost)
    assert protocol.received == WHOLE
    assert protocol.events[-3] == f"CL({WHY[end]})"


@once
@pytest.mark.parametrize("end", ["clean", "cut"])
@pytest.mark.parametrize("resumedBefore", [False, True], ids=["paused", "resumed"])
def test_aroundATransportThatDoesNotWait(net: Net, end: str, resumedBefore: bool) -> None:
    """A clean end below is told when what came before it is delivered; any other end at once."""
    clock = Clock()
    server = TracedServer(lambda address: Traced(data=pauseOnce))
    factory = TLSMemoryBIOFactory(serverOptions(), False, server, clock)
    wrapper, below = factory.buildProtocol(None), StringTransport()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = plainClientContext().wrap_bio(incoming, outgoing, False, "localhost")
    wrapper.makeConnection(below)
    while True:
        try:
            peer.do_handshake()
            break
        except ssl.SSLWantReadError:
            wrapper.dataReceived(outgoing.read())
            incoming.write(below.value())
            below.clear()
    wrapper.dataReceived(outgoing.read())
    (protocol,) = server.built
    for start in range(0, len(WHOLE), SIZE):
        peer.write(WHOLE[start : start + SIZE])
    if end == "clean":
        with pytest.raises(ssl.SSLWantReadError):
            peer.unwrap()
    wrapper.dataReceived(outgoing.read())
    assert len(protocol.received) == SIZE
    if resumedBefore:
        protocol.ask("resumeProducing")
    wrapper.connectionLost(Failure(ConnectionDone()))
    assert not protocol.lost
    if not resumedBefore:
        clock.advance(100)
        assert len(protocol.received) == SIZE and not protocol.lost
        protocol.ask("resumeProducing")
    clock.advance(1)
    assert protocol.received == WHOLE
    assert protocol.events[-1] == f"CL({WHY[end]})"
    assert clock.getDelayedCalls() == []


@once
def test_aroundATransportThatBreaks(net: Net) -> None:
    client = TracedClient(data=pauseOnce)
    listening = net.plainListener()
    net.clients.append(client)
    factory = TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    net.reactor.connectTCP("127.0.0.1", listening.getsockname()[1], factory)
    peer = SecurePeer(net, net.keep(listening.accept()[0]))
    net.until(lambda: "CM" in client.events)
    sendAll(peer, "clean")
    net.until(lambda: client.built[0].received)
    # The reactor stops, and waits for nobody.
    net.stopReactor()
    assert client.events[-3] == "CL(ConnectionLost)"


@once
@pytest.mark.parametrize("end", ["clean", "cut"])
def test_E22_T14_throttled(net: Net, end: str) -> None:
    server = TracedServer()
    throttling = ThrottlingFactory(server, readLimit=1e9)
    port: Any = net.reactor.listenSSL(0, throttling, serverOptions(), interface="127.0.0.1")
    net.ports.append(port)
    net.servers.append(server)
    client = TracedClient()
    net.clients.append(client)
    client.connector = net.reactor.connectSSL("127.0.0.1", port.getHost().port, client, clientOptions())
    net.until(lambda: server.built and "CM" in client.events)
    sender, receiver = client.built[0], server.built[0]
    receiver.on["data"] = lambda p, data: throttling.throttleReads() if len(p.received) == len(data) else None
    for start in range(0, len(WHOLE), SIZE):
        sender.write(WHOLE[start : start + SIZE])
        # Each a record of its own.
        net.turn(1) if start == 0 else None
    sender.lose() if end == "clean" else sender.transport._wire.finish()
    net.until(lambda: receiver.received)
    net.assertIdle()
    assert not receiver.lost
    net.reactor.callLater(0, throttling.unthrottleReads)
    net.until(lambda: receiver.lost)
    assert receiver.received == WHOLE
    assert receiver.reason.type.__name__ == WHY[end]
