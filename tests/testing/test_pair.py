"""The network between two protocols in memory: how bytes are cut, how long they take, how it breaks, and that a seed
brings all of it back. What connections do whatever they are made of is in test_pair_contract.py.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from net import Traced, pattern

from reactor.error import ConnectionLost
from reactor.protocol import Protocol
from reactor.task import Clock
from reactor.testing import ConnectedPair, connectedPair


def pairOf(client: Any = None, server: Any = None, **options: Any) -> ConnectedPair:
    return connectedPair(Clock(), client or Traced(), server or Traced(), **options)


def events(pair: ConnectedPair) -> tuple[list[str], list[str]]:
    return pair.client.events, pair.server.events


def test_nothingHappensUntilTimePasses() -> None:
    pair = pairOf(delay=2)
    pair.client.write(b"hello")
    assert events(pair) == (["CM"], ["CM"])
    pair.advance(1.9)
    assert pair.server.received == b""
    pair.advance(0.2)
    assert pair.server.received == b"hello"
    assert pair.clock.seconds() == pytest.approx(2.1)
    assert pair.clock.getDelayedCalls() == []


def test_byteByByte() -> None:
    pair = pairOf(chunk=1)
    pair.client.write(b"hello")
    pair.settle()
    assert pair.server.events == ["CM"] + ["DR(1)"] * 5
    assert pair.server.received == b"hello"


def test_chunksAreAsManyBytesAsWereSaid() -> None:
    pair = pairOf(chunk=(2, 5), seed=3)
    whole = pattern(1000)
    pair.client.write(whole)
    pair.settle()
    sizes = {int(event[3:-1]) for event in pair.server.events if event.startswith("DR")}
    assert pair.server.received == whole
    assert sizes <= {1, 2, 3, 4, 5}
    assert {2, 3, 4, 5} <= sizes


def test_aSmallCapacityMakesShortSends() -> None:
    pair = pairOf(capacity=1, delay=1)
    pair.client.write(b"abc")
    pair.advance(2.5)
    assert pair.server.received == b"ab"
    assert pair.client.transport.buffered == 0
    pair.settle()
    assert pair.server.received == b"abc"


def test_aReceiverThatIsPausedHoldsUpTheSender() -> None:
    pair = pairOf(server=Traced(made=lambda p: p.ask("pauseProducing")), capacity=1000)
    pair.client.write(bytes(5000))
    pair.settle()
    assert pair.server.received == b""
    assert pair.client.transport.buffered == 4000
    pair.server.ask("resumeProducing")
    pair.settle()
    assert len(pair.server.received) == 5000


@pytest.mark.parametrize("first", ["client", "server"])
def test_cutByHand(first: str) -> None:
    order: list[str] = []
    pair = pairOf(
        Traced(lost=lambda p, reason: order.append("client")), Traced(lost=lambda p, reason: order.append("server"))
    )
    pair.client.write(b"on its way")
    pair.advance(0)
    pair.cut(first)
    pair.settle()
    pair.advance(1)
    assert order == [first, {"client": "server", "server": "client"}[first]]
    assert events(pair) == (["CM", "CL(ConnectionLost)"], ["CM", "CL(ConnectionLost)"])
    assert pair.clock.getDelayedCalls() == []


@pytest.mark.parametrize("towards", ["client", "server"])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_cutAfterSoManyBytes(towards: str, count: int) -> None:
    order: list[str] = []
    pair = pairOf(
        Traced(made=lambda p: p.write(b"question"), lost=lambda p, reason: order.append("client")),
        Traced(data=lambda p, data: p.write(data), lost=lambda p, reason: order.append("server")),
        chunk=3,
        **{"cutToServer" if towards == "server" else "cutToClient": count},
    )
    pair.settle()
    pair.advance(1)
    victim = pair.server if towards == "server" else pair.client
    assert victim.received == b"question"[:count]
    assert order[0] == towards
    assert sorted(order) == ["client", "server"]
    assert isinstance(pair.client.reason.value, ConnectionLost)


def test_whatIsHeldArrivesWhenItIsReleased() -> None:
    pair = pairOf()
    pair.hold("server")
    pair.client.write(b"one")
    pair.server.write(b"two")
    pair.advance(100)
    assert (pair.client.received, pair.server.received) == (b"two", b"")
    pair.client.write(b" three")
    pair.advance(0)
    pair.release()
    pair.settle()
    assert pair.server.received == b"one three"


def test_aConnectionThatIsHeldTimesOutOnTheProgramsClock() -> None:
    class Impatient(Traced):
        def connectionMade(self) -> None:
            super().connectionMade()
            pair_clock.callLater(30, self.transport.abortConnection)

    pair_clock = Clock()
    pair = connectedPair(pair_clock, Impatient(), Traced())
    pair.hold()
    pair.advance(29)
    assert pair.client.events == ["CM"]
    pair.advance(2)
    assert pair.client.events == ["CM", "CL(ConnectionAborted)"]


class Chatter(Protocol):
    """Answers each piece with two of another size, until all has been said."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.story: list[tuple[float, str]] = []
        self.clock = Clock()

    def connectionMade(self) -> None:
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.story.append((self.clock.seconds(), data.decode()))
        if self.left > 0:
            self.left -= 1
            self.transport.writeSequence([data[::-1], b"+"])

    def connectionLost(self, reason: Any = None) -> None:
        self.story.append((self.clock.seconds(), type(reason.value).__name__))


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=20)
def test_aSeedBringsItAllBack(seed: int) -> None:
    def stories() -> list[Any]:
        clock = Clock()
        client, server = Chatter(20), Chatter(20)
        client.clock = server.clock = clock
        pair = connectedPair(clock, client, server, seed=seed, chunk=(1, 4), delay=(0.01, 2), cutToClient=40)
        pair.settle(1000)
        pair.advance(10)
        return [client.story, server.story]

    assert stories() == stories()


def test_aSeedThatWasDrawnIsTold() -> None:
    pair = pairOf(chunk=(1, 100))
    assert str(pair.seed) in repr(pair)
    assert pairOf().seed != pair.seed
    pair.client.write(pattern(1000))
    again = pairOf(chunk=(1, 100), seed=pair.seed)
    again.client.write(pattern(1000))
    pair.settle()
    again.settle()
    assert again.server.events == pair.server.events


@given(whole=st.binary(max_size=3000), chunk=st.integers(1, 50), capacity=st.integers(1, 500), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_everyByteArrivesOnceAndInOrder(whole: bytes, chunk: int, capacity: int, seed: int) -> None:
    pair = pairOf(server=Traced(data=lambda p, data: p.write(data)), chunk=(1, chunk), delay=(0.001, 0.1),
                  capacity=capacity, seed=seed)  # fmt: skip
    pair.client.write(whole)
    pair.settle(10_000)
    assert pair.server.received == pair.client.received == whole


def test_aFileIsSent(tmp_path: Any) -> None:
    pair = pairOf()
    whole = pattern(300_000)
    path = tmp_path / "file"
    path.write_bytes(whole)
    sent: list[int] = []
    for file in (io.BytesIO(whole), path.open("rb")):
        with file:
            pair.client.transport.sendFile(file).addCallback(sent.append)
            pair.settle()
    assert sent == [300_000, 300_000]
    assert pair.server.received == whole + whole


def test_options() -> None:
    transport = pairOf().client.transport
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    assert transport.getTcpNoDelay()
    assert transport.getTcpKeepAlive()
    assert transport.fileno() >= 1 << 30


def test_dataForAClosedEndIsAnsweredByAReset() -> None:
    pair = pairOf(delay=1)
    pair.client.write(b"x")
    pair.advance(0.5)
    pair.server.lose()
    pair.advance(0)
    # Its end is on its way to the client, what the client said to the server, who is gone.
    pair.client.write(b"y")
    pair.settle()
    assert pair.server.events == ["CM", "CL(ConnectionDone)"]
    assert pair.client.events[-1].startswith("CL(Connection")
    assert pair.clock.getDelayedCalls() == []


def test_restThatNeverComes() -> None:
    def answer(protocol: Traced, data: bytes) -> None:
        protocol.write(data)

    pair = pairOf(Traced(data=answer), Traced(data=answer))
    pair.client.write(b"ball")
    with pytest.raises(AssertionError, match=r"did not come to rest within 5 s"):
        pair.settle(5)


def test_keyboardInterruptComesOut() -> None:
    def interrupt(protocol: Traced, data: bytes) -> None:
        raise KeyboardInterrupt

    pair = pairOf(server=Traced(data=interrupt))
    pair.client.write(b"x")
    with pytest.raises(KeyboardInterrupt):
        pair.settle()


@pytest.mark.parametrize(
    ("problem", "options"),
    [
        (ValueError, {"chunk": 0}),
        (ValueError, {"chunk": (3, 2)}),
        (TypeError, {"chunk": 1.5}),
        (TypeError, {"chunk": "one byte"}),
        (TypeError, {"chunk": (1, 2, 3)}),
        (ValueError, {"delay": 0}),
        (ValueError, {"delay": -1}),
        (ValueError, {"delay": float("nan")}),
        (ValueError, {"delay": float("inf")}),
        (TypeError, {"delay": "slow"}),
        (ValueError, {"capacity": 0}),
        (TypeError, {"capacity": True}),
        (ValueError, {"cutToServer": 0}),
        (TypeError, {"cutToClient": 1.0}),
    ],
)
def test_aWrongArgumentIsNamed(problem: type[Exception], options: dict[str, Any]) -> None:
    with pytest.raises(problem, match=rf"connectedPair\(\): {next(iter(options))} must be"):
        pairOf(**options)


def test_aWrongSideIsNamed() -> None:
    pair = pairOf()
    for method, name in ((pair.cut, "first"), (pair.hold, "towards"), (pair.release, "towards")):
        with pytest.raises(ValueError, match=f"{name} must be one of 'client', 'server', None, not 'left'"):
            method("left")
