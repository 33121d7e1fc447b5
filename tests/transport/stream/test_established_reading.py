"""Rows E1 to E22, E38 and E39: what is read from a connection, in which portions, and how it ends."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest
from net import Net, Traced

from reactor.error import ConnectionDone, ConnectionLost

# For what does not depend on how the kernel is asked.
oneSelector = pytest.mark.parametrize("net", ["default"], indirect=True)

BEFORE = ["doStart", "startedConnecting", "buildProtocol", "CM"]


def ended(*between: str, by: str) -> list[str]:
    """The whole trace of a client whose connection ended by `by`."""
    return [*BEFORE, *between, f"CL({by})", f"CCL({by})", "doStop"]


def test_E1_peerFin(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.sendall(b"last words")
    peer.close()
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"last words"
    assert net.clients[0].short == ended("DR*", by="ConnectionDone")
    assert net.clients[0].reasons[0] is protocol.reason
    assert not protocol.transport.connected


@oneSelector
def test_E1_peerFinOnAServer(net: Net) -> None:
    server = net.listen()
    peer = net.keep(socket.create_connection(("127.0.0.1", server.port)))
    peer.sendall(b"last words")
    peer.close()
    net.until(lambda: server.built and server.built[0].lost)
    assert server.built[0].received == b"last words"
    assert server.built[0].short == ["CM", "DR*", "CL(ConnectionDone)"]


@oneSelector
def test_E1_manyBytesBeforeTheFin(net: Net) -> None:
    server = {"made": lambda p: (p.write(b"0123456789" * 100_000), p.lose())}
    client, _ = net.pair(server=server)
    net.until(lambda: net.clients[0].over)
    assert client.received == b"0123456789" * 100_000
    assert net.clients[0].short == ended("DR*", by="ConnectionDone")


def test_E2_reset(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.sendall(b"x" * 50_000)
    net.reset(peer)
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"x" * 50_000
    assert net.clients[0].short == ended("DR*", by="ConnectionLost")
    lost = protocol.reason.value
    assert lost.osError == errno.ECONNRESET
    assert (lost.host, lost.port) == peerAddress(protocol)


def peerAddress(protocol: Traced) -> tuple[str, int]:
    peer: Any = protocol.transport.getPeer()
    return peer.host, peer.port


def test_E2_resetThatASendSeesFirst(net: Net) -> None:
    # The bytes that came before it are delivered all the same.
    protocol, peer = net.socketPair()
    peer.sendall(b"x" * 50_000)
    net.reset(peer)
    protocol.write(b"too late")
    net.until(lambda: net.clients[0].over)
    assert protocol.received == b"x" * 50_000
    assert net.clients[0].short == ended("DR*", by="ConnectionLost")
    assert protocol.reason.value.osError == errno.ECONNRESET


@oneSelector
def test_E2_resetBehindAFinIsNotHeard(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.shutdown(socket.SHUT_WR)
    net.until(lambda: net.clients[0].over)
    net.reset(peer)
    net.turn(5)
    assert protocol.short == ended(by="ConnectionDone")


@oneSelector
def test_E2_loseAfterASendThatFailed(net: Net) -> None:
    # Asked to close before the rest was read; what was written did not arrive all the same.
    protocol, peer = net.socketPair(data=lambda p, data: p.lose())
    peer.sendall(b"x")
    net.reset(peer)
    protocol.write(b"too late")
    net.until(lambda: net.clients[0].over)
    assert net.clients[0].short == ended("DR*", by="ConnectionLost")
    assert protocol.reason.value.osError == errno.ECONNRESET


def test_E14_abortInDataReceived(net: Net) -> None:
    client, server = net.pair(server={"made": lambda p: p.write(b"x" * 300_000)}, data=lambda p, data: p.abort())
    net.until(lambda: client.lost and server.lost)
    assert sum(event.startswith("DR") for event in client.events) == 1
    assert net.clients[0].short == ended("DR*", by="ConnectionAborted")
    assert server.short == ["CM", "CL(ConnectionLost)"]


def test_E14_abortOfAnotherThatIsReady(net: Net) -> None:
    # Both have something to read in the same turn; whoever is first aborts the other.
    both: list[Traced] = []

    def abortTheOther(protocol: Traced, data: bytes) -> None:
        both[1 - both.index(protocol)].abort()

    pairs = [net.socketPair(data=abortTheOther) for _ in range(2)]
    both += [protocol for protocol, _ in pairs]
    for _, peer in pairs:
        peer.sendall(b"x")
    net.until(lambda: any(protocol.lost for protocol in both))
    assert sorted(protocol.received for protocol in both) == [b"", b"x"]
    (aborted,) = [protocol for protocol in both if protocol.lost]
    assert aborted.events == ended(by="ConnectionAborted")


def test_E15_loseInDataReceived(net: Net) -> None:
    def answer(protocol: Traced, data: bytes) -> None:
        protocol.write(b"bye" * 1000)
        protocol.lose()
        protocol.write(b"too late")

    protocol, peer = net.socketPair(data=answer)
    # More than one receive asks for.
    peer.sendall(b"x" * 100_000)
    # No reset spoils the answer, though most of what we were sent was never read.
    assert net.receive(peer) == b"bye" * 1000
    net.until(lambda: net.clients[0].over)
    assert sum(event.startswith("DR") for event in protocol.events) == 1
    assert net.clients[0].short == ended("DR*", by="ConnectionDone")


def test_E15_nothingIsReadWhileTheRestIsSent(net: Net) -> None:
    protocol, peer = net.socketPair()
    protocol.write(bytes(20_000_000))
    protocol.lose()
    peer.sendall(b"x")
    net.assertIdle()
    assert protocol.events == BEFORE
    assert len(net.receive(peer)) == 20_000_000
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionDone")


@oneSelector
def test_E18_dataReceivedRaises(net: Net) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        raise ValueError("of the application")

    other, _ = net.pair(server={"data": lambda p, data: p.write(data)})
    client, server = net.pair(data=fail)
    server.write(b"x")
    net.until(lambda: client.lost and server.lost)
    assert net.clients[1].events == ended("DR(1)", by="ValueError")
    assert client.reason is net.clients[1].reasons[0]
    assert str(client.reason.value) == "of the application"
    assert server.short == ["CM", "CL(ConnectionDone)"]
    other.write(b"still here")
    net.until(lambda: other.received == b"still here")
    net.expectErrors(1)
    (entry,) = net.logged()
    assert entry.exc_info is not None
    assert "TCP connection" in entry.getMessage()
    assert "Traced" in entry.getMessage()


@oneSelector
def test_E18_whatWasWrittenBeforeItRaisedIsDropped(net: Net) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        protocol.write(b"half an answer")
        raise ValueError

    protocol, peer = net.socketPair(data=fail)
    peer.sendall(b"x")
    assert net.receive(peer) == b""
    net.expectErrors(1)
    assert net.clients[0].events == ended("DR(1)", by="ValueError")


@oneSelector
def test_E18_raisesWhenItsConnectionHasEndedMeanwhile(net: Net) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        protocol.abort()
        # A turn within a turn.
        net.reactor.iterate(0)
        assert protocol.lost
        raise ValueError

    client, server = net.pair(data=fail)
    server.write(b"x")
    net.until(lambda: server.lost)
    assert client.events == ended("DR(1)", by="ConnectionAborted")
    net.expectErrors(1)


@oneSelector
@pytest.mark.parametrize("hook", ["made", "data"])
def test_E18_noResetThoughSomethingIsUnread(net: Net, hook: str) -> None:
    # What was said before the failure is not lost on a peer that had more to say.
    def fail(protocol: Traced, *args: Any) -> None:
        raise ValueError

    hooks: dict[str, Any] = {hook: fail}
    server = net.listen(**hooks)
    with socket.create_connection(("127.0.0.1", server.port)) as peer:
        peer.sendall(b"x" * 100_000)
        assert net.receive(peer) == b""
    net.expectErrors(1)


@oneSelector
def test_E19_connectionLostRaises(net: Net) -> None:
    def fail(protocol: Traced, reason: Any) -> None:
        raise ValueError

    client, _ = net.pair(lost=fail)
    client.lose()
    net.until(lambda: net.clients[0].over)
    assert net.clients[0].events == ended(by="ConnectionDone")
    assert net.clients[0].connector.state == "disconnected"
    assert net.clients[0].numPorts == 0
    net.expectErrors(1)


@oneSelector
def test_E19_connectionLostRaisesOnAServer(net: Net) -> None:
    def fail(protocol: Traced, reason: Any) -> None:
        raise ValueError

    client, server = net.pair(server={"lost": fail})
    client.lose()
    net.until(lambda: server.lost)
    again, _ = net.pair()
    assert again.short == BEFORE
    net.expectErrors(1)


@oneSelector
@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("hook", ["made", "data", "lost"])
def test_E20_whatStopsTheReactor(net: Net, hook: str, exception: type[BaseException]) -> None:
    def fail(protocol: Traced, *args: Any) -> None:
        raise exception

    def serve(protocol: Traced) -> None:
        protocol.write(b"x")
        protocol.lose()

    listening = net.listen(made=serve)
    hooks: dict[str, Any] = {hook: fail}
    client = net.connect(listening.port, **hooks)
    with pytest.raises(exception):
        net.reactor.run(installSignalHandlers=False)
    assert not net.reactor.running
    reasons = {"made": "ConnectionLost", "data": "ConnectionLost", "lost": "ConnectionDone"}
    between = [] if hook == "made" else ["DR(1)"]
    assert client.events == ended(*between, by=reasons[hook])
    # And it may run again.
    again, _ = net.pair()
    assert again.short == BEFORE


@oneSelector
def test_E20_fromIterate(net: Net) -> None:
    def fail(protocol: Traced, data: bytes) -> None:
        protocol.write(b"x")
        raise KeyboardInterrupt

    protocol, peer = net.socketPair(data=fail)
    peer.sendall(b"x")
    with pytest.raises(KeyboardInterrupt):
        net.until(lambda: False, deadline=2)
    # The reactor does not run, so nothing is stopped: the connection is as it was.
    assert protocol.transport.connected
    protocol.write(b"y")
    assert net.receive(peer, 2) == b"xy"


def test_E21_pauseInDataReceived(net: Net) -> None:
    paused: list[bool] = []

    def pause(protocol: Traced, data: bytes) -> None:
        if not paused:
            paused.append(True)
            protocol.ask("pauseProducing")

    client, _ = net.pair(server={"made": lambda p: p.write(b"0123456789" * 20_000)}, data=pause)
    net.until(lambda: paused)
    events = client.events[:]
    net.assertIdle()
    assert client.events == events
    client.ask("resumeProducing")
    net.until(lambda: len(client.received) >= 200_000)
    assert client.received == b"0123456789" * 20_000


def test_E21_pausedFromTheStart(net: Net) -> None:
    client, _ = net.pair(server={"made": lambda p: p.write(b"hello")}, made=lambda p: p.ask("pauseProducing"))
    net.assertIdle()
    assert client.events == BEFORE
    client.write(b"writing is something else")
    net.until(lambda: net.servers[0].built[0].received == b"writing is something else")
    client.ask("resumeProducing")
    net.until(lambda: client.received == b"hello")


@oneSelector
def test_E21_resumeInTheCallbackThatPaused(net: Net) -> None:
    def both(protocol: Traced, data: bytes) -> None:
        protocol.ask("pauseProducing")
        protocol.ask("resumeProducing")

    client, server = net.pair(data=both)
    server.write(b"x" * 100_000)
    net.until(lambda: len(client.received) == 100_000)


@pytest.mark.parametrize("end", ["fin", "reset"])
def test_E22_endWhilePaused(net: Net, end: str) -> None:
    protocol, peer = net.socketPair(made=lambda p: p.ask("pauseProducing"))
    peer.sendall(b"data")
    if end == "fin":
        peer.close()
    else:
        net.reset(peer)
    net.assertIdle()
    assert protocol.events == BEFORE
    protocol.ask("resumeProducing")
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended("DR(4)", by="ConnectionDone" if end == "fin" else "ConnectionLost")


def test_E22_resetWhilePausedWithSomethingToSend(net: Net) -> None:
    # A send that fails does not wait: whoever produces has to be told.
    protocol, peer = net.socketPair(made=lambda p: p.ask("pauseProducing"))
    protocol.write(b"x" * 10_000_000)
    net.turn()
    net.reset(peer)
    net.until(lambda: net.clients[0].over)
    assert protocol.events == ended(by="ConnectionLost")


def test_E22_loseAndAbortWhilePaused(net: Net) -> None:
    for method, reason in (("loseConnection", ConnectionDone), ("abortConnection", ConnectionLost)):
        protocol, peer = net.socketPair(made=lambda p: p.ask("pauseProducing"))
        peer.sendall(b"never read")
        net.turn()
        protocol.ask(method)
        protocol.ask("resumeProducing")
        while not protocol.lost:
            net.reactor.iterate(0.02)
        assert protocol.received == b""
        assert protocol.reason.check(reason)


def test_E38_urgentByte(net: Net) -> None:
    protocol, peer = net.socketPair()
    peer.sendall(b"ab")
    peer.send(b"!", socket.MSG_OOB)
    net.assertIdle()
    peer.sendall(b"cd")
    net.until(lambda: len(protocol.received) >= 4)
    net.assertIdle()
    assert protocol.received == b"abcd"


def test_E39_oneReceiveATurn(net: Net) -> None:
    total = 8_000_000
    flooded, flooder = net.pair(made=lambda p: p.ask("pauseProducing"))
    echoed: list[int] = []
    other, _ = net.pair(server={"data": lambda p, data: p.write(data)}, data=lambda p, data: echoed.append(net.turns))
    flooder.write(b"x" * total)
    net.turn(20)
    flooded.ask("resumeProducing")
    asked = net.turns
    other.write(b"?")
    while len(flooded.received) < total:
        before = len(flooded.events)
        net.reactor.iterate(0.02)
        portions = flooded.events[before:]
        assert len(portions) <= 1
        assert all(int(event[3:-1]) <= 262_144 for event in portions)
    # There and back, among the flood: a few turns.
    assert echoed
    assert echoed[0] - asked <= 4
    # The portions grew with the flood: it did not take one receive for every 16 KiB.
    assert max(int(event[3:-1]) for event in flooded.events if event.startswith("DR")) > 65_536
