"""When answers are sent: where their callback returns, or together when the turn's events are told."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted")

from onframe import madeFor
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from reactor.twisted import TwistedReactor, answers

CLIENTS = 4


def came(client: socket.socket) -> bytes:
    """What a client has been sent by now."""
    client.setblocking(False)
    try:
        return client.recv(1000, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


def asked(answer: Callable[[Any], object], end: str = "crash") -> tuple[list[int], list[bytes]]:
    """Clients ask at one time, and `answer` is called with the protocol of each: how many had their answers as each
    was asked, and what they have in the next turn.
    """
    with madeFor(TwistedReactor) as frame:
        made: list[Any] = []
        before: list[int] = []
        after: list[bytes] = []

        class Answering(Protocol):
            def connectionMade(self) -> None:
                made.append(self)
                if len(made) == CLIENTS:
                    for client in clients:
                        client.sendall(b"what?")

            def dataReceived(self, data: bytes) -> None:
                before.append(sum(map(bool, map(came, clients))))
                answer(self)
                if len(before) == CLIENTS:
                    if end == "crash":
                        frame.callLater(0, lambda: (after.extend(map(came, clients)), frame.crash()))
                    else:
                        frame.stop()

        port = frame.listenTCP(0, Factory.forProtocol(Answering), interface="127.0.0.1")
        where = "127.0.0.1", port.getHost().port
        clients = [socket.create_connection(where, PATIENCE) for _ in range(CLIENTS)]
        try:
            frame.run(installSignalHandlers=False)
            return before, after or [came(client) for client in clients]
        finally:
            for client in clients:
                client.close()


def twice(protocol: Any) -> None:
    protocol.transport.write(b"one ")
    protocol.transport.write(b"two")


class Producer:
    """One that pushes, and keeps in which context it was told to go on."""

    about: ContextVar[Any] = ContextVar("about")

    def __init__(self) -> None:
        self.told: list[Any] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append(self.about.get())

    def stopProducing(self) -> None:
        """The connection is over."""


def testOfOnePieceAnAnswerIsSentWhereItsCallbackReturns() -> None:
    before, after = asked(lambda protocol: protocol.transport.write(b"one"))
    assert before == [0, 1, 2, 3]
    assert after == [b"one"] * CLIENTS


def testOfMorePiecesTheyAreSentTogetherWhenAllAreAsked() -> None:
    before, after = asked(twice)
    assert before == [0] * CLIENTS
    assert after == [b"one two"] * CLIENTS


def testSoAreThoseThatAProducerIsRegisteredFor() -> None:
    producers = []

    def answer(protocol: Any) -> None:
        producer = Producer()
        producers.append(producer)
        Producer.about.set(producer)
        protocol.transport.registerProducer(producer, True)
        protocol.transport.bufferSize = 2
        protocol.transport.write(b"one")

    before, after = asked(answer)
    assert before == [0] * CLIENTS
    assert after == [b"one"] * CLIENTS
    assert [producer.told for producer in producers] == [["pause", producer] for producer in producers]


def testNoneWaitsLonger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONGEST", 0.0)
    before, after = asked(twice)
    # The second ends the wait of the first.
    assert before == [0, 0, 2, 2]
    assert after == [b"one two"] * CLIENTS


def testWhatIsLongIsSentAtOnce() -> None:
    def answer(protocol: Any) -> None:
        protocol.transport.write(b"a" * answers.MOST)
        protocol.transport.write(b"b")

    before, after = asked(answer)
    assert before == [0, 1, 2, 3]
    assert after == [b"a" * 1000] * CLIENTS


def testAConnectionThatClosesWaitsForNobody() -> None:
    def answer(protocol: Any) -> None:
        twice(protocol)
        protocol.transport.loseConnection()

    before, after = asked(answer)
    assert before == [0, 1, 2, 3]
    assert after == [b"one two"] * CLIENTS


def testOneThatIsResetMeanwhileSendsNothing() -> None:
    def answer(protocol: Any) -> None:
        twice(protocol)
        made.append(protocol)
        if len(made) == CLIENTS:
            made[0].transport.connectionLost(Failure(ConnectionDone()))

    made: list[Any] = []
    before, after = asked(answer)
    assert before == [0] * CLIENTS
    assert sorted(after) == [b"", *[b"one two"] * (CLIENTS - 1)]


def testWhatIsAnsweredWhenTheReactorStopsIsSent() -> None:
    before, after = asked(twice, "stop")
    assert before == [0] * CLIENTS
    assert after == [b"one two"] * CLIENTS
