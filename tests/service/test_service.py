"""`ClientService` in every state and over real connections; tests/protocol/test_reconnecting.py compares it with
Twisted's.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from zope.interface import implementer

from reactor.defer import CancelledError, Deferred, fail
from reactor.endpoints import TCP4ClientEndpoint
from reactor.error import ConnectError, ConnectionDone
from reactor.failure import Failure
from reactor.interfaces import IDrainable, IFileDescriptorReceiver, IHalfCloseableProtocol
from reactor.protocol import Factory, Protocol
from reactor.service import ClientService, MultiService, Service, backoffPolicy
from reactor.service import client as machine
from reactor.task import Clock


class Link:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def loseConnection(self) -> None:
        self.asked.append("loseConnection")


class Endpoint:
    """In memory: its attempts end when the test says so."""

    def __init__(self) -> None:
        self.attempts: list[Deferred[Any]] = []
        self.links: list[Link] = []
        self.protocol: Any = None
        self.stubborn = False

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        self.attempts.append(Deferred((lambda _: self.make()) if self.stubborn else None))
        return self.attempts[-1]

    def make(self, lose: bool = False) -> None:
        self.protocol = self.factory.buildProtocol(None)
        self.links.append(Link())
        self.protocol.makeConnection(self.links[-1])
        if lose:
            self.lose()
        self.attempts[-1].callback(self.protocol)

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def refuse(self) -> None:
        self.attempts[-1].errback(ConnectError(string="refused here"))


def made(**options: Any) -> tuple[ClientService, Endpoint, Clock]:
    clock, endpoint = Clock(), Endpoint()
    options.setdefault("retryPolicy", lambda failures: float(failures))
    factory = Factory.forProtocol(Protocol)
    return ClientService(endpoint, factory, clock=clock, **options), endpoint, clock


def heard(deferred: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    deferred.addBoth(results.append)
    return results


# ---- The table ----


def test_every_state_is_reached_and_left() -> None:
    states = set(machine._State)
    assert {state for state, _ in machine._NEXT} == states
    assert set(machine._NEXT.values()) == states


def test_what_is_not_in_the_table_is_illegal() -> None:
    client, _, _ = made()
    with pytest.raises(RuntimeError, match="stopped and cannot take DUE"):
        client._step(machine._Event.DUE)


# ---- What Twisted's does not tell ----


def test_an_attempt_that_connects_although_it_was_cancelled_is_closed() -> None:
    client, endpoint, clock = made()
    endpoint.stubborn = True
    client.startService()
    stopped = heard(client.stopService())
    assert endpoint.links[0].asked == ["loseConnection"]
    assert stopped == []
    endpoint.lose()
    assert stopped == [None]
    assert clock.getDelayedCalls() == []


def test_lost_before_the_endpoint_says_that_it_connected() -> None:
    client, endpoint, clock = made()
    waiting = heard(client.whenConnected(1))
    client.startService()
    endpoint.make(lose=True)
    assert waiting[0].type is ConnectionDone
    assert [call.getTime() for call in clock.getDelayedCalls()] == [1]
    endpoint.stubborn = True
    clock.advance(1)
    stopped = heard(client.stopService())
    endpoint.lose()
    assert stopped == [None]


def test_an_endpoint_that_raises_counts_as_a_failure() -> None:
    class Broken:
        def connect(self, factory: Any) -> Any:
            raise ValueError("no such host name")

    clock = Clock()
    client = ClientService(Broken(), Factory.forProtocol(Protocol), lambda failures: 1, clock)
    waiting = heard(client.whenConnected(2))
    client.startService()
    assert waiting == []
    clock.advance(1)
    assert waiting[0].type is ValueError
    assert heard(client.stopService()) == [None]


def test_a_factory_that_refuses_counts_as_a_failure(net: Net) -> None:
    listening = net.listen()

    class Refusing(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            return None

    endpoint = TCP4ClientEndpoint(net.reactor, "127.0.0.1", listening.port)  # type: ignore[attr-defined]
    client = ClientService(endpoint, Refusing(), lambda failures: 60, net.reactor)
    client.startService()
    with pytest.raises(Exception, match="returned None"):
        net.result(client.whenConnected(1))
    net.result(client.stopService())
    assert net.reactor.getDelayedCalls() == []


def test_failures_are_forgotten_only_when_it_is_prepared() -> None:
    asked: list[int] = []

    def policy(failures: int) -> float:
        asked.append(failures)
        return 1

    prepared: list[Any] = [fail(ValueError("one")), fail(ValueError("two")), None]
    client, endpoint, clock = made(retryPolicy=policy, prepareConnection=lambda protocol: prepared.pop(0))
    client.startService()
    endpoint.refuse()
    for _ in range(2):
        clock.advance(1)
        endpoint.make()
    clock.advance(1)
    endpoint.make()
    endpoint.lose()
    assert asked == [1, 2, 3, 1]


def test_a_policy_that_raises_is_reported_and_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    client, endpoint, clock = made(retryPolicy=lambda failures: [][failures])
    client.startService()
    endpoint.refuse()
    assert "the retry policy of <ClientService of Factory" in caplog.text
    assert [call.getTime() for call in clock.getDelayedCalls()] == [60]


def test_each_retry_and_its_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reactor")
    client, endpoint, clock = made()
    client.startService()
    endpoint.refuse()
    clock.advance(1)
    endpoint.make()
    endpoint.lose()
    refused, lost = [record.getMessage() for record in caplog.records]
    assert "<ClientService of Factory" in refused and "attempt 2 in 1 s, because: " in refused
    assert "refused here" in refused
    assert "attempt 2 in 1 s, because: " in lost and "closed cleanly" in lost


def test_starting_twice_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    client, endpoint, _ = made()
    client.startService()
    client.startService()
    assert len(endpoint.attempts) == 1
    assert "running already" in caplog.text


def test_stopped_from_the_callback_of_whenConnected() -> None:
    client, endpoint, _ = made()
    stopped: list[Any] = []
    client.whenConnected().addCallback(lambda _: stopped.append(heard(client.stopService())))
    client.startService()
    endpoint.make()
    assert endpoint.links[0].asked == ["loseConnection"]
    endpoint.lose()
    assert stopped == [[None]]


def test_stopped_from_prepareConnection() -> None:
    client, endpoint, clock = made(prepareConnection=lambda protocol: client.stopService() and None)
    waiting = heard(client.whenConnected())
    client.startService()
    endpoint.make()
    endpoint.lose()
    assert waiting[0].type is CancelledError
    assert not client.running and clock.getDelayedCalls() == []


def test_one_waiter_makes_another_give_up() -> None:
    client, endpoint, _ = made()
    other: Deferred[Any]
    first = client.whenConnected(1)
    first.addErrback(lambda _: other.cancel())
    other = client.whenConnected(1)
    results = heard(other)
    client.startService()
    endpoint.refuse()
    assert [result.type for result in results] == [CancelledError]


# ---- The policy ----


def test_the_default_policy_waits_a_minute_at_most() -> None:
    policy = backoffPolicy()
    for failures, delay in (1, 1.5), (2, 2.25), (20, 60), (10**9, 60):
        assert delay <= policy(failures) <= delay + 1


# ---- Real connections ----


class Building(Factory):
    noisy = False

    def __init__(self, build: Any = Traced) -> None:
        self.build = build
        self.built: list[Any] = []
        self.running = 0

    def startFactory(self) -> None:
        self.running += 1

    def stopFactory(self) -> None:
        self.running -= 1

    def buildProtocol(self, addr: Any) -> Any:
        self.built.append(self.build())
        return self.built[-1]


def connected(net: Net, factory: Any, server: TracedServer, **options: Any) -> ClientService:
    endpoint = TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port)  # type: ignore[attr-defined]
    client = ClientService(endpoint, factory, lambda failures: 0.001, net.reactor, **options)
    client.startService()
    return client


def test_it_reconnects_and_stops(net: Net) -> None:
    server = net.listen(data=lambda protocol, data: protocol.write(data))
    factory = Building()
    client = connected(net, factory, server)
    for number in range(3):
        protocol = net.result(client.whenConnected())
        assert protocol is factory.built[number]
        protocol.write(b"hello")
        net.until(lambda p=protocol: p.received == b"hello")
        server.built[number].lose()
        net.until(lambda p=protocol: p.lost)
    protocol = net.result(client.whenConnected())
    net.result(client.stopService())
    assert protocol.events[-1] == "CL(ConnectionDone)"
    assert factory.running == 0
    net.turn()
    assert len(factory.built) == 4


def test_it_waits_for_a_server(net: Net) -> None:
    listening = net.plainListener()
    port = listening.getsockname()[1]
    listening.close()
    factory = Building()
    server = TracedServer()
    server.port = port  # type: ignore[attr-defined]
    client = connected(net, factory, server)
    with pytest.raises(ConnectError):
        net.result(client.whenConnected(failAfterFailures=3))
    net.servers.append(server)
    net.ports.append(net.reactor.listenTCP(port, server, interface="127.0.0.1"))
    assert net.result(client.whenConnected()).events == ["CM"]
    net.result(client.stopService())


def test_asked_in_the_connectionLost_of_the_old_protocol_it_gives_the_next(net: Net) -> None:
    asked: list[Deferred[Any]] = []

    class Asking(Traced):
        def connectionLost(self, reason: Any) -> None:
            super().connectionLost(reason)
            asked.append(service.whenConnected())

    server = net.listen()
    service = connected(net, Factory.forProtocol(Asking), server)
    old = net.result(service.whenConnected())
    old.abort()
    net.until(lambda: asked)
    new = net.result(asked[0])
    assert new is not old and not new.lost and net.result(service.whenConnected()) is new
    net.result(service.stopService())
    # The last one is told, inside of the end, that there is no next.
    assert asked[1].result.type is CancelledError
    asked[1].addErrback(lambda _: None)


def test_prepared_in_the_connectionLost_it_is_not_handed_out(net: Net) -> None:
    preparing: list[Deferred[Any]] = []

    class Late(Traced):
        def connectionLost(self, reason: Any) -> None:
            super().connectionLost(reason)
            if len(preparing) == 1:
                preparing[0].callback(None)

    def prepare(protocol: Any) -> Deferred[Any]:
        preparing.append(Deferred())
        return preparing[-1]

    server = net.listen()
    service = ClientService(
        TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port),
        Factory.forProtocol(Late),
        retryPolicy=lambda _: 0.0,
        clock=net.reactor,
        prepareConnection=prepare,
    )
    service.startService()
    waiting = service.whenConnected()
    net.until(lambda: preparing and server.built)
    server.built[0].abort()
    net.until(lambda: len(preparing) == 2)
    assert not waiting.called
    preparing[1].callback(None)
    assert not net.result(waiting).lost
    net.result(service.stopService())


def test_what_raises_ends_the_connection_and_not_the_service(net: Net) -> None:
    net.expectErrors()
    server = net.listen(made=lambda protocol: protocol.write(b"x"))
    calls: list[int] = []

    def data(protocol: Traced, data: bytes) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("of dataReceived")

    factory = Building(lambda: Traced(data=data))
    client = connected(net, factory, server)
    net.until(lambda: len(calls) == 2)
    assert factory.built[0].events[-1] == "CL(ValueError)"
    net.result(client.stopService())


@implementer(IHalfCloseableProtocol, IFileDescriptorReceiver)
class HalfCloseable(Traced):
    def readConnectionLost(self) -> None:
        self.events.append("RCL")
        self.lose()

    def writeConnectionLost(self) -> None:
        self.events.append("WCL")

    def fileDescriptorReceived(self, descriptor: int) -> None:
        raise AssertionError("nobody sends one")


def test_the_transport_sees_what_the_protocol_provides(net: Net) -> None:
    server = net.listen(data=lambda protocol, data: protocol.transport.loseWriteConnection())
    factory = Building(HalfCloseable)
    client = connected(net, factory, server)
    protocol = net.result(client.whenConnected())
    assert IFileDescriptorReceiver.providedBy(protocol.transport.protocol)
    protocol.write(b"go")
    net.until(lambda: protocol.lost)
    assert protocol.events == ["CM", "RCL", "CL(ConnectionDone)"]
    net.result(client.stopService())


def test_the_factorys_options_count(net: Net) -> None:
    server = net.listen()
    factory = Building()
    factory.writeBufferLimit = 1234  # type: ignore[attr-defined]
    client = connected(net, factory, server)
    assert net.result(client.whenConnected()).transport.writeBufferLimit == 1234
    net.result(client.stopService())


def test_a_dataReceived_that_is_replaced_is_called(net: Net) -> None:
    server = net.listen(data=lambda protocol, data: protocol.write(data))
    client = connected(net, Building(), server)
    protocol = net.result(client.whenConnected())
    heard: list[bytes] = []
    protocol.dataReceived = heard.append
    protocol.write(b"hello")
    net.until(lambda: b"".join(heard) == b"hello")
    net.result(client.stopService())


def test_as_a_part_of_a_larger_service(net: Net) -> None:
    server = net.listen()
    factory = Building()
    endpoint = TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port)  # type: ignore[attr-defined]
    client = ClientService(endpoint, factory, clock=net.reactor)
    client.setName("client")
    parent = MultiService()
    client.setServiceParent(parent)
    assert list(parent) == [client] and parent.getServiceNamed("client") is client
    parent.startService()
    net.result(client.whenConnected())
    assert net.result(parent.stopService()) == [(True, None)]
    assert factory.built[0].lost


# ---- Services ----


def test_a_service_can_move() -> None:
    one, two, child = MultiService(), MultiService(), Service()
    child.setName("child")
    child.setServiceParent(one)
    child.setServiceParent(two)
    assert (list(one), list(two), child.parent) == ([], [child], two)
    with pytest.raises(RuntimeError, match="belongs to"):
        child.setName("other")
    child.disownServiceParent()
    with pytest.raises(RuntimeError, match="no parent"):
        child.disownServiceParent()
    with pytest.raises(ValueError):
        two.removeService(child)


def test_a_name_that_is_taken_leaves_the_service_free() -> None:
    parent = MultiService()
    one, two = Service(), Service()
    for each in one, two:
        each.setName("same")
    one.setServiceParent(parent)
    with pytest.raises(RuntimeError, match="a service named 'same' already"):
        two.setServiceParent(parent)
    assert two.parent is None and list(parent) == [one]


def test_a_service_that_fails_to_stop_does_not_keep_the_others() -> None:
    class Bad(Service):
        def stopService(self) -> Any:
            raise ValueError("cannot stop")

    parent, good = MultiService(), Service()
    good.setServiceParent(parent)
    Bad().setServiceParent(parent)
    parent.startService()
    results = heard(parent.stopService())
    assert [done for done, _ in results[0]] == [False, True]
    assert not good.running


# ---- Drained ----


def test_a_connected_protocol_is_told_to_finish_and_aborted_at_the_deadline() -> None:
    @implementer(IDrainable)
    class Polite(Protocol):
        told = 0

        def drain(self) -> None:
            self.told += 1

    class Aborting(Link):
        def abortConnection(self) -> None:
            self.asked.append("abortConnection")

    for late in (False, True):
        clock, endpoint = Clock(), Endpoint()
        client = ClientService(endpoint, Factory.forProtocol(Polite), clock=clock)
        client.startService()
        endpoint.make()
        endpoint.links[0] = endpoint.protocol.transport = Aborting()
        drained = heard(client.drain(5))
        assert endpoint.protocol.protocol.told == 1 and drained == []
        clock.advance(5 if late else 4)
        assert endpoint.links[0].asked == ["abortConnection"] * late
        endpoint.lose()
        assert drained == [int(late)] and clock.getDelayedCalls() == []


def test_any_other_protocol_is_closed_by_a_drain() -> None:
    @implementer(IDrainable)
    class Failing(Protocol):
        def drain(self) -> None:
            raise ValueError("cannot")

    for protocol in (Protocol, Failing):
        clock, endpoint = Clock(), Endpoint()
        client = ClientService(endpoint, Factory.forProtocol(protocol), clock=clock)
        client.startService()
        endpoint.make()
        drained = heard(client.drain(None))
        assert endpoint.links[0].asked == ["loseConnection"] and drained == []
        endpoint.lose()
        assert drained == [0]


def test_without_a_connection_a_drain_is_a_stop() -> None:
    client, endpoint, clock = made()
    client.startService()
    endpoint.refuse()
    assert heard(client.drain(5)) == [0]
    assert clock.getDelayedCalls() == []
