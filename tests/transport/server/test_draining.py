"""`Port.drain`: nobody new, those who are there may finish, who has not by the deadline is aborted and counted."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from tls import pairSSL
from zope.interface import implementer

from protocols.policies import TimeoutFactory
from reactor.interfaces import IDrainable


@implementer(IDrainable)
class Polite(Traced):
    """Says goodbye."""

    def drain(self) -> None:
        self._heard("drain", "drain")
        if "drain" not in self.on:
            self.transport.write(b"bye")
            self.transport.loseConnection()


def polite(**on: Any) -> Any:
    return lambda _: Polite(**on)


def connected(net: Net, server: TracedServer, count: int = 1) -> list[Any]:
    before = len(server.built)
    clients = [net.connect(server.port) for _ in range(count)]
    net.until(lambda: len(server.built) == before + count and all(c.built and c.built[0].events for c in clients))
    return clients


def test_theyAreToldAndFinish(net: Net) -> None:
    server = net.listen(polite())
    clients = connected(net, server, 3)
    assert net.result(server.listening.drain(5)) == 0
    assert [protocol.events for protocol in server.built] == [["CM", "drain", "CL(ConnectionDone)"]] * 3
    assert all(client.built[0].received == b"bye" for client in clients if net.until(lambda client=client: client.over))
    assert server.events[-1] == "stopFactory"
    assert not net.reactor.getDelayedCalls()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), 5)


def test_whoDoesNotKnowOfItGoesOnUntilTheDeadline(net: Net) -> None:
    server = net.listen(data=lambda protocol, data: protocol.write(data))
    first, second = connected(net, server, 2)
    draining = server.listening.drain(0.05)
    first.built[0].write(b"still there?")
    net.until(lambda: first.built[0].received == b"still there?")
    first.built[0].lose()
    assert net.result(draining) == 1
    assert sorted(protocol.events[-1] for protocol in server.built) == ["CL(ConnectionAborted)", "CL(ConnectionDone)"]
    net.until(lambda: second.over)
    assert second.events[-2] == "CCL(ConnectionLost)"


def test_nobodyThere(net: Net) -> None:
    server = net.listen()
    assert net.result(server.listening.drain(5)) == 0
    # Again, when it is closed already.
    assert net.result(server.listening.drain()) == 0


@pytest.mark.parametrize(("deadline", "error"), [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError)])
@pytest.mark.parametrize("net", ["default"], indirect=True)
def test_aDeadlineThatIsNone(net: Net, deadline: Any, error: type[Exception]) -> None:
    server = net.listen()
    with pytest.raises(error, match="deadline"):
        server.listening.drain(deadline)
    assert server.listening.connected


@pytest.mark.parametrize("net", ["default"], indirect=True)
class TestOnce:
    """What does not depend on the selector."""

    def test_onlyItsOwnConnections(self, net: Net) -> None:
        one, other = net.listen(polite()), net.listen(polite())
        connected(net, one)
        connected(net, other)
        assert net.result(one.listening.drain(5)) == 0
        assert other.built[0].events == ["CM"]

    def test_whoWaitsInTheQueueIsServed(self, net: Net) -> None:
        server = net.listen(polite(data=lambda protocol, data: protocol.write(b"got " + data)))
        waiting = [net.keep(socket.create_connection(("127.0.0.1", server.port), 5)) for _ in range(5)]
        for each in waiting:
            each.sendall(b"x")
        assert server.built == []
        draining = server.listening.drain(5)
        assert [net.receive(each) for each in waiting] == [b"got xbye"] * 5
        assert net.result(draining) == 0

    def test_whoIsPausedInTheQueueIsNot(self, net: Net) -> None:
        server = net.listen(polite())
        server.listening.pauseProducing()
        net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
        assert net.result(server.listening.drain(5)) == 0
        assert server.built == []

    def test_oneThatClosesAlreadyIsNotTold(self, net: Net) -> None:
        server = net.listen(polite(made=lambda protocol: protocol.write(b"x" * 5_000_000)))
        client = net.keep(socket.create_connection(("127.0.0.1", server.port), 5))
        net.until(lambda: server.built)
        server.built[0].lose()
        draining = server.listening.drain(5)
        net.turn(5)
        assert len(net.receive(client)) == 5_000_000
        assert net.result(draining) == 0
        assert server.built[0].events == ["CM", "CL(ConnectionDone)"]

    def test_raisingEndsThatConnection(self, net: Net) -> None:
        server = net.listen(polite(drain=lambda _: {}["missing"]))
        connected(net, server, 2)
        net.expectErrors(2)
        assert net.result(server.listening.drain(5)) == 0
        assert [protocol.events[-1] for protocol in server.built] == ["CL(KeyError)"] * 2

    def test_drainedTwiceTheEarlierDeadlineHolds(self, net: Net) -> None:
        server = net.listen()
        connected(net, server)
        first = server.listening.drain(None)
        second = server.listening.drain(60)
        third = server.listening.drain(0)
        fourth = server.listening.drain(60)
        assert [net.result(each) for each in (first, second, third, fourth)] == [1] * 4
        assert not net.reactor.getDelayedCalls()

    def test_aPortThatListensAgainIsDrainedAgain(self, net: Net) -> None:
        server = net.listen()
        (client,) = connected(net, server)
        first = server.listening.drain(None)
        server.listening.startListening()
        server.port = server.listening.getHost().port
        connected(net, server)
        assert net.result(server.listening.drain(0)) == 2
        assert net.result(first) == 2
        net.until(lambda: client.over)

    def test_theReactorStopsMeanwhile(self, net: Net) -> None:
        server = net.listen()
        connected(net, server)
        results: list[Any] = []
        server.listening.drain(None).addBoth(results.append)
        net.stopReactor()
        assert results == [0]

    def test_manyAreToldInSeveralTurns(self, net: Net) -> None:
        server = net.listen(polite())
        # No more at once than the queue holds.
        for _ in range(6):
            connected(net, server, 40)
        assert net.result(server.listening.drain(20)) == 0
        assert {tuple(protocol.events) for protocol in server.built} == {("CM", "drain", "CL(ConnectionDone)")}

    def test_throughAWrapper(self, net: Net) -> None:
        inner = TracedServer(polite())
        port = net.reactor.listenTCP(0, TimeoutFactory(inner), interface="127.0.0.1")
        net.connect(port.getHost().port)
        net.until(lambda: inner.built)
        assert net.result(port.drain(5)) == 0
        assert inner.built[0].events == ["CM", "drain", "CL(ConnectionDone)"]

    def test_overTLS(self, net: Net) -> None:
        client, server = pairSSL(net, second=Polite)
        assert net.result(net.ports[-1].drain(5)) == 0
        net.until(lambda: client.lost)
        assert client.received == b"bye"
        assert server.events == ["CM", "drain", "CL(ConnectionDone)"]

    def test_startTLSDuringTheDrainIsStillTheServers(self, net: Net) -> None:
        """A connection that came in speaks TLS's server side, whoever it is that hears of its end."""
        server = net.listen()
        connected(net, server)
        draining = server.listening.drain(0.05)
        net.turn(3)
        with pytest.raises(TypeError, match="startTLS"):
            server.built[0].transport.startTLS(object())
        assert server.built[0].transport._connector.outgoing is False
        assert net.result(draining) == 1

    def test_overUNIX(self, net: Net, tmp_path: Path) -> None:
        server = TracedServer(polite())
        net.servers.append(server)
        port = net.reactor.listenUNIX(str(tmp_path / "socket"), server)
        peer = net.keep(socket.socket(socket.AF_UNIX))
        peer.connect(str(tmp_path / "socket"))
        net.until(lambda: server.built)
        assert net.result(port.drain(5)) == 0
        assert net.receive(peer) == b"bye"
        assert not (tmp_path / "socket").exists()
