"""`IRCClientFactory`: when it connects again. Time is a `Clock`, the connector one that counts."""

from __future__ import annotations

from typing import Any

import pytest
from ircfed import feed, made

from protocols.irc import IRCClientFactory
from reactor.error import ConnectionDone
from reactor.failure import Failure
from reactor.task import Clock


class Connector:
    """Counts attempts."""

    attempts = 0

    def connect(self) -> None:
        self.attempts += 1

    def stopConnecting(self) -> None:
        pass


class Network:
    """Welcomes a factory's clients, and throws them out when it is told to."""

    def __init__(self, **attributes: Any) -> None:
        self.clock = Clock()
        self.factory = IRCClientFactory()
        self.factory.noisy = False
        self.factory.jitter = None
        self.factory.clock = self.clock
        for name, value in attributes.items():
            setattr(self.factory, name, value)
        self.connector = Connector()

    def connection(self, lasts: float, welcomes: bool = True) -> None:
        client, _ = made(self.factory, clock=self.clock, heartbeatInterval=None)
        if welcomes:
            feed(client, ":srv 001 bot :Welcome")
        self.clock.advance(lasts)
        client.connectionLost(Failure(ConnectionDone()))
        self.factory.clientConnectionLost(self.connector, Failure(ConnectionDone()))

    def waited(self) -> float:
        """Seconds until the next attempt."""
        [call] = self.clock.getDelayedCalls()
        wait: float = call.getTime() - self.clock.seconds()
        before = self.connector.attempts
        self.clock.advance(wait)
        assert self.connector.attempts == before + 1
        return wait


def test_S_ircAgain_whoIsWelcomedAndThrownOutWaitsLongerEachTime() -> None:
    network = Network()
    waits = []
    for _ in range(10):
        network.connection(1)
        waits.append(network.waited())
    assert waits[:3] == pytest.approx([1, 2.718, 7.389], rel=0.01)
    assert waits[-1] == 300
    assert waits == sorted(waits)


@pytest.mark.parametrize(("lasts", "short"), [(59, False), (60, True), (100_000, True)])
def test_aConnectionThatLastedIsGood(lasts: float, short: bool) -> None:
    network = Network()
    for _ in range(4):
        network.connection(1)
        network.waited()
    network.connection(lasts)
    assert (network.waited() == 1) is short
    assert network.factory.retries == (1 if short else 5)


def test_timeBeforeTheWelcomeDoesNotCount() -> None:
    network = Network(steadyAfter=5)
    network.connection(100)
    assert network.waited() == 1
    network.connection(100, welcomes=False)
    assert network.waited() > 1
    assert network.factory.retries == 2


def test_howOftenIsTriedIsCountedBeyondTheWelcome() -> None:
    network = Network(maxRetries=2)
    for _ in range(2):
        network.connection(1)
        network.waited()
    network.connection(1)
    assert network.clock.getDelayedCalls() == []


def test_whoStopsTryingIsNotWokenUpByAGoodConnection() -> None:
    network = Network()
    client, _ = made(network.factory, clock=network.clock, heartbeatInterval=None)
    network.factory.stopTrying()
    feed(client, ":srv 001 bot :Welcome")
    network.clock.advance(1000)
    client.connectionLost(Failure(ConnectionDone()))
    network.factory.clientConnectionLost(network.connector, Failure(ConnectionDone()))
    assert network.clock.getDelayedCalls() == [] and not network.factory.continueTrying
