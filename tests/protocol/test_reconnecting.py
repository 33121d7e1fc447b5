"""`ReconnectingClientFactory`, and that it, `ClientService` and `ClientCreator` do what Twisted's do."""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from net import Net, TracedServer
from patience import PATIENCE

import reactor
from protocols.policies import WrappingFactory
from reactor.error import ConnectionRefusedError, NotConnectingError
from reactor.failure import Failure
from reactor.protocol import ClientFactory, Protocol, ReconnectingClientFactory
from reactor.task import Clock

PROGRAM = Path(__file__).parents[1] / "programs" / "reconnecting_traces.py"

# What is on purpose: whoever waited is told, a connection that could not be prepared or is no longer wanted is closed,
# and stopping or losing it while it is being prepared works.
DIFFERENT = {
    "serviceStoppedBeforeItStarted": [
        "connected failed: CancelledError",
        "stopped: None",
        "running False, due []",
        "later failed: CancelledError",
    ],
    "servicePreparationFails": [
        "attempt 1",
        "p1 made",
        "loseConnection",
        "policy(1)",
        "first failed: ValueError",
        "running True, due [11.0]",
        "attempt 2",
        "p2 made",
        "loseConnection",
        "policy(2)",
        "second failed: ValueError",
        "running True, due [32.0]",
        "attempt 3",
        "attempt cancelled",
        "stopped: None",
    ],
    "servicePrepares": [
        "attempt 1",
        "p1 made",
        "prepare p1",
        "not yet",
        "connected: p1",
        "p1 lost (ConnectionDone)",
        "policy(1)",
        "running True, due [11.0]",
        "attempt 2",
        "p2 made",
        "prepare p2",
        "preparation cancelled",
        "loseConnection",
        "p2 lost (ConnectionDone)",
        "stopped: None",
    ],
    "serviceLostWhilePreparing": [
        "attempt 1",
        "p1 made",
        "p1 lost (ConnectionDone)",
        "preparation cancelled",
        "policy(1)",
        "first failed: ConnectionDone",
        "running True, due [11.0]",
    ],
}


def traces(library: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), library],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("hook", ["clientConnectionLost", "clientConnectionFailed"])
def test_noReason(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    """As programs call the hooks by hand, with None for the reason."""
    caplog.set_level(logging.INFO)
    factory = ReconnectingClientFactory()
    factory.clock = clock = Clock()
    called: list[str] = []

    class Connector:
        def connect(self) -> None:
            called.append("connect")

    getattr(factory, hook)(Connector(), None)
    clock.advance(factory.maxDelay)
    assert called == ["connect"]
    assert "no reason was given" in caplog.text


def test_the_traces_are_twisteds() -> None:
    pytest.importorskip("twisted")
    ours, theirs = traces("reactor"), traces("twisted")
    assert {**theirs, **DIFFERENT} == ours
    assert [name for name in DIFFERENT if ours[name] == theirs[name]] == []


class Connector:
    def __init__(self) -> None:
        self.attempts = 0

    def connect(self) -> None:
        self.attempts += 1

    def stopConnecting(self) -> None:
        raise NotConnectingError()


REFUSED = Failure(ConnectionRefusedError(111, "nobody listens"))


def made(**attributes: Any) -> tuple[ReconnectingClientFactory, Connector, Clock]:
    factory = ReconnectingClientFactory()
    factory.clock = clock = Clock()
    for name, value in {"jitter": 0, **attributes}.items():
        setattr(factory, name, value)
    return factory, Connector(), clock


def due(clock: Clock) -> list[float]:
    return [call.getTime() - clock.seconds() for call in clock.getDelayedCalls()]


def test_it_is_one_class_and_a_client_factory() -> None:
    from reactor import protocol

    assert protocol.ReconnectingClientFactory is ReconnectingClientFactory
    assert issubclass(ReconnectingClientFactory, ClientFactory)
    assert (ReconnectingClientFactory.__module__, ReconnectingClientFactory.__name__) == (
        "reactor.protocol.reconnecting",
        "ReconnectingClientFactory",
    )
    assert ReconnectingClientFactory.__doc__


def test_delays_are_spread() -> None:
    waits = set()
    for _ in range(20):
        factory, connector, clock = made(jitter=0.1, delay=100.0)
        factory.clientConnectionFailed(connector, REFUSED)
        waits.update(due(clock))
    assert len(waits) > 10
    assert all(40 < wait < 160 for wait in waits)


def test_no_delay_is_longer_than_the_longest_or_negative() -> None:
    factory, connector, clock = made(jitter=5, maxDelay=20)
    for _ in range(50):
        factory.clientConnectionFailed(connector, REFUSED)
        (wait,) = due(clock)
        assert 0 <= wait <= 20
        clock.advance(wait)
    assert connector.attempts == 50


def test_one_attempt_is_to_come_at_most() -> None:
    factory, connector, clock = made()
    factory.retry(connector)
    factory.retry(connector)
    assert due(clock) == [factory.factor]
    clock.advance(100)
    assert connector.attempts == 1


def test_stop_trying_after_reset_delay() -> None:
    factory, connector, clock = made()
    factory.clientConnectionLost(connector, REFUSED)
    factory.resetDelay()
    assert len(due(clock)) == 1
    factory.stopTrying()
    assert due(clock) == []


class Kept(ReconnectingClientFactory):
    maxDelay = 5
    extra = 0


def test_pickled_it_forgets_what_happened() -> None:
    factory = Kept()
    factory.clock, factory.extra, factory.maxRetries = Clock(), 7, 3
    factory.clientConnectionFailed(Connector(), REFUSED)
    factory.stopTrying()
    again = pickle.loads(pickle.dumps(factory))
    assert vars(again) == {"extra": 7, "maxRetries": 3}
    plain = pickle.loads(pickle.dumps(ReconnectingClientFactory()))
    assert type(plain) is ReconnectingClientFactory


def test_each_retry_and_its_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reactor")
    factory, connector, clock = made(maxRetries=2)
    factory.clientConnectionFailed(connector, REFUSED)
    clock.advance(1)
    factory.clientConnectionLost(connector, Failure(ValueError("of dataReceived")))
    clock.advance(10)
    factory.clientConnectionFailed(connector, REFUSED)
    one, two, end = [record.getMessage() for record in caplog.records]
    assert "attempt 2 in 1 s, because: " in one and "nobody listens" in one
    assert "attempt 3 in 2.72 s, because: of dataReceived" in two
    assert "gives up after 3 attempts, because: " in end and "nobody listens" in end
    caplog.clear()
    factory.noisy = False
    factory.resetDelay()
    factory.clientConnectionFailed(connector, REFUSED)
    assert caplog.records == []


def test_retry_by_hand_says_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "reactor")
    factory, connector, _ = made()
    factory.retry(connector)
    assert "because: retry() was called" in caplog.text


class Visitor(Protocol):
    def connectionMade(self) -> None:
        self.factory.visits += 1
        self.factory.resetDelay()


class Visitors(ReconnectingClientFactory):
    """Over real connections."""

    noisy = False
    protocol = Visitor
    initialDelay = 0.001
    maxDelay = 0.01
    visits = 0
    failures = 0

    def __init__(self, net: Net) -> None:
        self.clock = net.reactor
        self.resetDelay()

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.failures += 1
        super().clientConnectionFailed(connector, reason)


def test_it_comes_back_when_the_server_does(net: Net) -> None:
    listening = net.listen(made=lambda protocol: protocol.lose())
    factory = Visitors(net)
    net.reactor.connectTCP("127.0.0.1", listening.port, factory)  # type: ignore[attr-defined]
    net.until(lambda: factory.visits >= 3)
    net.result(listening.listening.stopListening())  # type: ignore[attr-defined]
    net.until(lambda: factory.failures >= 3)
    assert factory.delay == factory.maxDelay
    before = factory.visits
    server = TracedServer(made=lambda protocol: protocol.lose())
    net.ports.append(net.reactor.listenTCP(listening.port, server, interface="127.0.0.1"))  # type: ignore[attr-defined]
    net.until(lambda: factory.visits > before)
    factory.stopTrying()
    net.until(lambda: not factory.numPorts)
    assert net.reactor.getDelayedCalls() == []


def test_without_a_clock_it_is_the_reactor_that_runs(net: Net) -> None:
    listening = net.listen(made=lambda protocol: protocol.lose())
    factory = Visitors(net)
    factory.clock = None
    net.reactor.connectTCP("127.0.0.1", listening.port, factory)  # type: ignore[attr-defined]
    net.until(lambda: factory.visits >= 2)
    factory.stopTrying()
    net.until(lambda: not factory.numPorts)


# One factory for several servers, and stopping.


def test_each_connector_gets_its_retry() -> None:
    factory, first, clock = made()
    second = Connector()
    factory.clientConnectionLost(first, REFUSED)
    factory.clientConnectionFailed(second, REFUSED)
    assert len(due(clock)) == 2 and factory.connector is second
    clock.advance(100)
    assert (first.attempts, second.attempts) == (1, 1)
    factory.clientConnectionLost(first, REFUSED)
    factory.clientConnectionFailed(second, REFUSED)
    factory.stopTrying()
    assert due(clock) == []
    assert (first.attempts, second.attempts) == (1, 1)


class Said(ReconnectingClientFactory):
    """As tutorials have it: the hook is overridden, and the base class's not called."""

    noisy = False
    protocol = Protocol

    def __init__(self) -> None:
        self.events: list[str] = []

    def startedConnecting(self, connector: Any) -> None:
        self.events.append("started")

    def buildProtocol(self, addr: Any) -> Any:
        self.events.append("built")
        return super().buildProtocol(addr)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.events.append(type(reason.value).__name__)
        super().clientConnectionFailed(connector, reason)


@pytest.mark.parametrize("wrapped", [False, True])
def test_stop_trying_during_the_first_attempts(net: Net, wrapped: bool) -> None:
    servers = [net.listen(), net.listen()]
    factory = Said()
    for server in servers:
        net.reactor.connectTCP("127.0.0.1", server.port, WrappingFactory(factory) if wrapped else factory)  # type: ignore[attr-defined]
    assert factory.events == ["started"] * 2
    factory.stopTrying()
    assert factory.events == ["started"] * 2 + ["UserError"] * 2
    assert factory.numPorts == 0 and net.reactor.getDelayedCalls() == []
    for _ in range(5):
        net.turn()
    assert factory.events == ["started"] * 2 + ["UserError"] * 2


def test_stop_trying_leaves_connections_and_ends_attempts(net: Net) -> None:
    servers = [net.listen(), net.listen()]
    factory = Said()
    first = net.reactor.connectTCP("127.0.0.1", servers[0].port, factory)  # type: ignore[attr-defined]
    net.until(lambda: servers[0].built)
    net.reactor.connectTCP("127.0.0.1", servers[1].port, factory)  # type: ignore[attr-defined]
    factory.stopTrying()
    assert factory.events == ["started", "built", "started", "UserError"]
    assert first.state == "connected"
    first.disconnect()
    net.until(lambda: not factory.numPorts)


def test_stop_trying_inside_the_hook(net: Net) -> None:
    class Never(ReconnectingClientFactory):
        noisy = False

        def startedConnecting(self, connector: Any) -> None:
            self.stopTrying()

    factory = Never()
    connector = net.reactor.connectTCP("127.0.0.1", net.listen().port, factory)  # type: ignore[attr-defined]
    assert (connector.state, factory.numPorts) == ("disconnected", 0)


def test_connectors_are_not_kept(net: Net) -> None:
    class Once(Said):
        def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
            self.events.append("lost")

    factory, server = Once(), net.listen(made=lambda protocol: protocol.lose())
    for count in range(1, 4):
        net.reactor.connectTCP("127.0.0.1", server.port, factory)  # type: ignore[attr-defined]
        net.until(lambda count=count: factory.events.count("lost") == count and not factory.numPorts)  # type: ignore[misc]
    gc.collect()
    assert len(factory._underWay or ()) <= 1
