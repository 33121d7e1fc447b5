"""A protocol and its tests, in the ways that there are to test one.

pytest test_greeting.py
"""

from __future__ import annotations

import pytest

from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
from reactor.error import ConnectionDone, ConnectionLost
from reactor.failure import Failure
from reactor.protocol import Factory, Protocol, connectionDone
from reactor.task import Clock
from reactor.testing import AccumulatingProtocol, StringTransport, connectedPair


class Greeting(Protocol):
    """A server: asks for a name, answers with a greeting, and hangs up. Gives up after 10 seconds."""

    clock: Clock | Reactor

    def connectionMade(self) -> None:
        self.name = b""
        self.patience = self.clock.callLater(10, self.transport.abortConnection)
        self.transport.write(b"Your name?\n")

    def dataReceived(self, data: bytes) -> None:
        self.name += data
        if b"\n" in self.name:
            self.transport.write(b"Hello, %s!\n" % self.name.strip())
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.patience.active():
            self.patience.cancel()


class Caller(AccumulatingProtocol):
    """A client that says its name when it is asked."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.data == b"Your name?\n":
            self.transport.write(b"Ada\n")


def makeGreeting(clock: Clock | Reactor) -> Greeting:
    greeting = Greeting()
    greeting.clock = clock
    return greeting


# The protocol alone: what it writes, given what it receives.


def test_asksAndGreets() -> None:
    greeting, transport = makeGreeting(Clock()), StringTransport()
    greeting.makeConnection(transport)
    assert transport.value() == b"Your name?\n"
    transport.clear()
    greeting.dataReceived(b"Gra")
    greeting.dataReceived(b"ce\n")
    assert transport.value() == b"Hello, Grace!\n"
    assert transport.disconnecting


# Both ends, over a network in memory. Time passes when the test says so.


@pytest.mark.parametrize("seed", range(5))
def test_howeverTheBytesAreCut(seed: int) -> None:
    clock = Clock()
    pair = connectedPair(clock, Caller(), makeGreeting(clock), seed=seed, chunk=(1, 3), delay=(0.01, 0.5))
    pair.settle()
    assert pair.client.data == b"Your name?\nHello, Ada!\n"
    assert pair.client.closedReason.check(ConnectionDone)


def test_givesUp() -> None:
    clock = Clock()
    pair = connectedPair(clock, AccumulatingProtocol(), makeGreeting(clock))
    pair.advance(11)
    assert pair.client.closedReason.check(ConnectionLost)


def test_theConnectionBreaks() -> None:
    clock = Clock()
    pair = connectedPair(clock, Caller(), makeGreeting(clock), cutToServer=2)
    pair.settle()
    assert pair.client.data == b"Your name?\n"
    assert clock.getDelayedCalls() == []


# A real reactor and real sockets.


async def test_overTCP(reactor: Reactor) -> None:
    factory = Factory.forProtocol(lambda: makeGreeting(reactor))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    caller = await connectProtocol(endpoint, Caller())
    caller.closedDeferred = Deferred()
    await caller.closedDeferred
    assert caller.data == b"Your name?\nHello, Ada!\n"
    await port.stopListening()
