"""Descriptors of others: added, removed, listed; and what becomes of them when they fail, are closed without a word, or
their number is another's by now."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from net import Net
from zope.interface import implementer

from reactor.error import ConnectionDone, ConnectionFdescWentAway, ConnectionLost
from reactor.failure import Failure
from reactor.interfaces import IHalfCloseableDescriptor, IReadWriteDescriptor


@implementer(IReadWriteDescriptor)
class Watched:
    """One end of a socket pair that keeps what it is told. doRead does what `reading` does, doWrite what `writing`."""

    # Equal to nothing and not hashable: it is known by its identity.
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        net: Net,
        reading: Callable[[Any], Any] = lambda self: self.sock.recv(1) and None,
        writing: Callable[[Any], Any] = lambda self: None,
    ) -> None:
        self.sock, self.peer = socket.socketpair()
        self.sock.setblocking(False)
        net.keep(self.sock)
        net.keep(self.peer)
        self.told: list[str] = []
        self.reason: Failure | None = None
        self.reading = reading
        self.writing = writing

    def __eq__(self, other: object) -> bool:
        return False

    def fileno(self) -> int:
        return self.sock.fileno()

    def doRead(self) -> Any:
        self.told.append("read")
        return self.reading(self)

    def doWrite(self) -> Any:
        self.told.append("write")
        return self.writing(self)

    def connectionLost(self, reason: Failure) -> None:
        self.told.append(f"lost {type(reason.value).__name__}")
        self.reason = reason

    def logPrefix(self) -> str:
        return "watched"


@implementer(IHalfCloseableDescriptor)
class HalfCloseable(Watched):
    def readConnectionLost(self, reason: Failure) -> None:
        self.told.append(f"read lost {type(reason.value).__name__}")

    def writeConnectionLost(self, reason: Failure) -> None:
        self.told.append(f"write lost {type(reason.value).__name__}")


default = pytest.mark.parametrize("net", ["default"], indirect=True)


def has(found: list[Any], *wanted: Any) -> bool:
    return {id(each) for each in found} == {id(each) for each in wanted}


def test_reader(net: Net) -> None:
    watched = Watched(net)
    net.reactor.addReader(watched)
    assert has(net.reactor.getReaders(), watched)
    assert has(net.reactor.getWriters())
    net.assertIdle()
    assert watched.told == []
    watched.peer.send(b"ab")
    net.turn(5)
    assert watched.told == ["read", "read"]
    net.reactor.removeReader(watched)
    watched.peer.send(b"c")
    net.turn()
    assert watched.told == ["read", "read"]
    assert has(net.reactor.getReaders())


def test_writer(net: Net) -> None:
    watched = Watched(net, writing=lambda self: net.reactor.removeWriter(self) if len(self.told) == 3 else None)
    net.reactor.addWriter(watched)
    assert has(net.reactor.getWriters(), watched)
    assert has(net.reactor.getReaders())
    net.turn(6)
    assert watched.told == ["write"] * 3
    assert has(net.reactor.getWriters())


def test_both(net: Net) -> None:
    watched = Watched(net)
    net.reactor.addReader(watched)
    net.reactor.addWriter(watched)
    watched.peer.send(b"x")
    net.turn(1)
    assert watched.told == ["read", "write"]
    net.reactor.removeReader(watched)
    watched.peer.send(b"x")
    net.turn(2)
    assert watched.told == ["read", "write", "write", "write"]
    net.reactor.addReader(watched)
    net.reactor.removeWriter(watched)
    net.turn(2)
    assert watched.told == ["read", "write", "write", "write", "read"]
    assert has(net.reactor.getReaders(), watched)
    assert has(net.reactor.getWriters())


@default
def test_addedTwiceRemovedOnce(net: Net) -> None:
    watched = Watched(net)
    for _ in range(2):
        net.reactor.addReader(watched)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read"]
    net.reactor.removeReader(watched)
    assert has(net.reactor.getReaders())


@default
def test_removedThoughNeverAdded(net: Net) -> None:
    watched = Watched(net)
    net.reactor.removeReader(watched)
    net.reactor.removeWriter(watched)
    net.reactor.addReader(watched)
    net.reactor.removeWriter(watched)
    assert has(net.reactor.getReaders(), watched)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read"]


@default
@pytest.mark.parametrize("fileno", [-1, None, "3"])
def test_F4_noDescriptor(net: Net, fileno: Any) -> None:
    class Bad:
        def fileno(self) -> Any:
            return fileno

    for add in (net.reactor.addReader, net.reactor.addWriter):
        with pytest.raises(ValueError, match=r"cannot watch .*Bad.*: its fileno\(\) is"):
            add(Bad())
    assert net.reactor.getReaders() == net.reactor.getWriters() == []
    done: list[int] = []
    net.reactor.callLater(0, done.append, 1)
    net.turn()
    assert done == [1]


@default
def test_F4_closedBefore(net: Net) -> None:
    watched = Watched(net)
    watched.sock.close()
    with pytest.raises(ValueError, match="-1"):
        net.reactor.addReader(watched)
    net.turn()
    assert watched.told == []


@default
def test_twoForOneDescriptor(net: Net) -> None:
    first, second = Watched(net), Watched(net)
    second.sock = first.sock
    net.reactor.addReader(first)
    with pytest.raises(ValueError, match=r"descriptor \d+ of .* is watched already, for .*Watched"):
        net.reactor.addWriter(second)
    first.peer.send(b"x")
    net.turn()
    assert first.told == ["read"]
    assert has(net.reactor.getReaders(), first)


@default
def test_aConnectionsDescriptor(net: Net) -> None:
    client, _ = net.pair()
    with pytest.raises(ValueError, match="watched already, for <TCP connection"):
        net.reactor.addReader(client.transport.getHandle())  # type: ignore[attr-defined]


# Failing.


@default
@pytest.mark.parametrize("method", ["doRead", "doWrite"])
@pytest.mark.parametrize("wrap", [lambda e: e, Failure], ids=["exception", "Failure"])
def test_aResultEndsIt(net: Net, method: str, wrap: Any) -> None:
    problem = KeyError("broken")
    watched = Watched(net, reading=lambda self: wrap(problem), writing=lambda self: wrap(problem))
    net.reactor.addReader(watched)
    if method == "doWrite":
        net.reactor.addWriter(watched)
    else:
        watched.peer.send(b"x")
    net.turn()
    assert watched.told == [method[2:].lower(), "lost KeyError"]
    assert watched.reason is not None
    assert watched.reason.value is problem
    assert has(net.reactor.getReaders() + net.reactor.getWriters())


@default
def test_anExceptionEndsItAndIsLogged(net: Net) -> None:
    net.expectErrors(2)
    watched, broken = Watched(net, reading=lambda self: 1 / 0), Watched(net)
    broken.doWrite = None  # type: ignore[method-assign, assignment]
    net.reactor.addReader(watched)
    net.reactor.addWriter(broken)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read", "lost ZeroDivisionError"]
    assert broken.told == ["lost TypeError"]
    assert [r.exc_info[0] for r in net.logged() if r.exc_info] in (
        [ZeroDivisionError, TypeError],
        [TypeError, ZeroDivisionError],
    )


@default
def test_connectionLostRaises(net: Net) -> None:
    net.expectErrors()
    watched = Watched(net, reading=lambda self: ConnectionLost())
    watched.connectionLost = lambda reason: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    net.reactor.addReader(watched)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read"]
    assert has(net.reactor.getReaders())
    assert "connectionLost raised" in net.logged()[0].getMessage()


def test_halfClosed(net: Net) -> None:
    watched = HalfCloseable(net, reading=lambda self: None if self.sock.recv(10) else ConnectionDone())
    net.reactor.addReader(watched)
    net.reactor.addWriter(watched)
    watched.peer.shutdown(socket.SHUT_WR)
    net.turn(2)
    assert watched.told == ["read", "read lost ConnectionDone", "write", "write"]
    assert has(net.reactor.getReaders())
    assert has(net.reactor.getWriters(), watched)
    net.reactor.removeWriter(watched)


@default
def test_halfClosedButLost(net: Net) -> None:
    watched = HalfCloseable(net, reading=lambda self: ConnectionLost(), writing=lambda self: ConnectionDone())
    other = HalfCloseable(net, writing=lambda self: ConnectionDone())
    net.reactor.addReader(watched)
    net.reactor.addWriter(other)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read", "lost ConnectionLost"]
    assert other.told == ["write", "lost ConnectionDone"]


@default
def test_halfCloseIsOnlyForThoseWhoSaySo(net: Net) -> None:
    watched = Watched(net, reading=lambda self: ConnectionDone())
    net.reactor.addReader(watched)
    net.reactor.addWriter(watched)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read", "lost ConnectionDone"]
    assert has(net.reactor.getReaders() + net.reactor.getWriters())


# All of them.


@default
def test_portsAndConnectionsAreListedToo(net: Net) -> None:
    client, server = net.pair()
    watched = Watched(net)
    net.reactor.addReader(watched)
    assert has(net.reactor.getReaders(), watched, net.ports[0], client.transport, server.transport)
    client.transport.pauseProducing()  # type: ignore[attr-defined]
    assert has(net.reactor.getReaders(), watched, net.ports[0], server.transport)
    assert has(net.reactor.getWriters())


def test_removeAll(net: Net) -> None:
    port = net.listen().listening  # type: ignore[attr-defined]
    reader, writer, both = Watched(net), Watched(net), Watched(net)
    net.reactor.addReader(reader)
    net.reactor.addWriter(writer)
    net.reactor.addReader(both)
    net.reactor.addWriter(both)
    assert has(net.reactor.removeAll(), port, reader, writer, both)
    assert net.reactor.getReaders() == net.reactor.getWriters() == []
    assert net.reactor.removeAll() == []
    for each in (reader, writer, both):
        each.peer.send(b"x")
    with socket.create_connection(("127.0.0.1", port.getHost().port)):
        net.turn()
    assert reader.told == writer.told == both.told == []
    # Nothing was closed, and what was taken out can be added again.
    net.reactor.addReader(reader)
    net.turn(1)
    assert reader.told == ["read"]
    # The loop's own waker is still there.
    done: list[int] = []
    net.reactor.callFromThread(done.append, 1)
    net.reactor.iterate(5)
    assert done == [1]


@default
def test_Y6_whatIsWatchedWhenTheReactorStops(net: Net) -> None:
    reader, writer, removed = Watched(net), Watched(net), Watched(net)
    net.reactor.addReader(reader)
    net.reactor.addReader(writer)
    net.reactor.addWriter(writer)
    net.reactor.addReader(removed)
    net.reactor.removeReader(removed)
    net.stopReactor()
    assert reader.told == ["lost ConnectionLost"]
    assert [each for each in writer.told if each != "write"] == ["lost ConnectionLost"]
    assert removed.told == []
    assert net.reactor.getReaders() == net.reactor.getWriters() == []


# Closed without a word.


def test_removedAfterItWasClosed(net: Net) -> None:
    watched, other = Watched(net), Watched(net)
    for each, remove in ((watched, net.reactor.removeReader), (other, net.reactor.removeWriter)):
        net.reactor.addReader(each)
        net.reactor.addWriter(each)
        each.sock.close()
        remove(each)
    net.reactor.removeWriter(watched)
    net.reactor.removeReader(other)
    net.turn()
    assert watched.told == other.told == []
    assert net.reactor.removeAll() == []


def test_F2_closedAndNeverRemoved(net: Net) -> None:
    watched, other = Watched(net), Watched(net)
    net.reactor.addReader(watched)
    net.reactor.addWriter(watched)
    net.reactor.addReader(other)
    number = watched.fileno()
    watched.sock.close()
    net.turn()
    # Who watches with epoll never hears of it, the others at once. In any case the loop goes on,
    other.peer.send(b"x")
    net.turn()
    assert other.told == ["read"]
    # and the number can be watched for somebody else.
    new = Watched(net)
    assert number in (new.fileno(), new.peer.fileno())
    if new.fileno() != number:
        new.sock, new.peer = new.peer, new.sock
        new.sock.setblocking(False)
    net.reactor.addReader(new)
    new.peer.send(b"x")
    net.turn()
    assert new.told == ["read"]
    assert watched.told == ["lost ConnectionFdescWentAway"]
    assert isinstance(watched.reason, Failure)
    assert watched.reason.check(ConnectionFdescWentAway)
    assert has(net.reactor.getReaders(), other, new)
    assert net.logged() == []


def test_F2_theNumberIsNowAConnections(net: Net) -> None:
    watched = Watched(net)
    net.reactor.addReader(watched)
    listening = net.listen()
    client = net.connect(listening.port)  # type: ignore[attr-defined]
    # The accepted connection will get the first number that is free.
    net.until(lambda: client.built)
    number = watched.fileno()
    numbers = {number}
    watched.sock.close()
    clients = [net.connect(listening.port) for _ in range(3)]  # type: ignore[attr-defined]
    net.until(lambda: len(listening.built) == 4 and all(each.built for each in clients))
    numbers &= {protocol.transport.fileno() for c in clients for protocol in c.built} | {
        protocol.transport.fileno() for protocol in listening.built
    }
    assert numbers == {number}
    assert watched.told == ["lost ConnectionFdescWentAway"]
    assert net.logged() == []


@default
def test_closedAndOpenedAnew(net: Net) -> None:
    watched = Watched(net)
    net.reactor.addReader(watched)
    old, watched.sock = watched.sock, net.keep(watched.sock.dup())
    old.close()
    net.reactor.addReader(watched)
    watched.peer.send(b"x")
    net.turn()
    assert watched.told == ["read"]
    assert has(net.reactor.getReaders(), watched)
    net.reactor.removeReader(watched)
    assert net.reactor.removeAll() == []


# Two that are ready in one turn.


def test_F1_theFirstRemovesTheSecond(net: Net) -> None:
    both: list[Watched] = []

    def reading(self: Watched) -> None:
        for each in both:
            if each is not self:
                net.reactor.removeReader(each)
                net.reactor.removeWriter(each)
        self.sock.recv(1)

    both += [Watched(net, reading), Watched(net, reading)]
    for each in both:
        net.reactor.addReader(each)
        net.reactor.addWriter(each)
        each.peer.send(b"x")
    net.turn(1)
    assert sorted(each.told for each in both) == [[], ["read", "write"]]
    net.reactor.removeAll()


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "turning inside"])
def test_F2_theSecondsNumberIsReused(net: Net, nested: bool) -> None:
    both: list[Watched] = []
    new: list[Watched] = []

    def reading(self: Watched) -> None:
        self.sock.recv(1)
        if new:
            return
        (other,) = (each for each in both if each is not self)
        number = other.fileno()
        net.reactor.removeReader(other)
        other.sock.close()
        new.append(Watched(net))
        if new[0].fileno() != number:
            new[0].sock, new[0].peer = new[0].peer, new[0].sock
            new[0].sock.setblocking(False)
        assert new[0].fileno() == number
        net.reactor.addReader(new[0])
        if nested:
            net.reactor.iterate(0)

    both += [Watched(net, reading), Watched(net, reading)]
    for each in both:
        net.reactor.addReader(each)
        each.peer.send(b"x")
    net.turn(3)
    assert sorted(each.told for each in both) == [[], ["read"]]
    # Nobody sent anything to the one that has the number now.
    assert new[0].told == []
    new[0].peer.send(b"x")
    net.turn()
    assert new[0].told == ["read"]
    net.reactor.removeAll()


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "turning inside"])
def test_F2_theNumberIsReusedByAConnectionUnderway(net: Net, nested: bool) -> None:
    """An event of the old descriptor must not pass for the one that says that the new one is connected."""
    listening = net.plainListener(backlog=0)
    port = listening.getsockname()[1]
    # Once its queue is full, the listener drops whoever knocks.
    for _ in range(3):
        sock = net.keep(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
    both: list[Watched] = []
    clients: list[Any] = []

    def reading(self: Watched) -> None:
        self.sock.recv(1)
        if clients:
            return
        (other,) = (each for each in both if each is not self)
        number = other.fileno()
        net.reactor.removeReader(other)
        other.sock.close()
        clients.append(net.connect(port, timeout=None))
        assert [attempt.fd for attempt in net.reactor.getWriters()] == [number]
        if nested:
            net.reactor.iterate(0)

    both += [Watched(net, reading), Watched(net, reading)]
    for each in both:
        net.reactor.addReader(each)
        each.peer.send(b"x")
    net.turn(3)
    assert clients[0].connector.state == "connecting"
    assert clients[0].events == ["doStart", "startedConnecting"]
    clients[0].connector.stopConnecting()
    net.reactor.removeAll()


@default
def test_E20_aKeyboardInterruptComesOut(net: Net) -> None:
    def interrupted(self: Watched) -> None:
        self.sock.recv(1)
        raise KeyboardInterrupt("pressed")

    watched = Watched(net, interrupted)
    net.reactor.addReader(watched)
    watched.peer.send(b"x")
    with pytest.raises(KeyboardInterrupt, match="pressed"):
        net.reactor.run(installSignalHandlers=False)
    # It was there until the reactor had stopped, as it does after stop().
    assert watched.told == ["read", "lost ConnectionLost"]


def test_F2_aPlainNumberIsClosed(net: Net, request: pytest.FixtureRequest) -> None:
    """One whose fileno() cannot tell that it is closed."""
    reader, writer = os.pipe()

    class Number(Watched):
        def fileno(self) -> int:
            return reader

    watched = Number(net, reading=lambda self: os.read(reader, 10) and None)
    net.reactor.addReader(watched)
    os.write(writer, b"x")
    net.turn()
    assert watched.told == ["read"]
    os.close(reader)
    net.turn()
    told = {
        "default": [],
        "SelectSelector": ["lost ConnectionFdescWentAway"],
        "PollSelector": ["read", "lost OSError"],
    }[request.node.callspec.params["net"]]
    assert watched.told == ["read", *told]
    net.expectErrors(told.count("lost OSError"))
    net.reactor.removeReader(watched)
    os.close(writer)
