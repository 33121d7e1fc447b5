"""Row F7: descriptors that are closed behind the reactor's back, with and without somebody else who still has what they
stood for; and what becomes of the next one with such a number. Row F8: descriptors that are always ready.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from typing import Any

import pytest
from children import ended, shell
from net import Net

from reactor._core.children import Exit
from reactor._core.poller import Poller
from reactor._transport.client.attempt import Attempt
from reactor.task import Clock

default = pytest.mark.parametrize("net", ["default"], indirect=True)


class Reader:
    """Reads from a descriptor, and keeps what it is told."""

    def __init__(self, net: Net, fd: int) -> None:
        self.net, self.fd = net, fd
        self.told: list[str] = []
        self.received = b""

    def fileno(self) -> int:
        return self.fd

    def doRead(self) -> None:
        data = os.read(self.fd, 4)
        self.told.append("read")
        self.received += data
        if not data:
            self.net.reactor.removeReader(self)

    def connectionLost(self, reason: Any) -> None:
        self.told.append(f"lost {reason.type.__name__}")

    def logPrefix(self) -> str:
        return "reader"


def at(net: Net, number: int) -> tuple[socket.socket, socket.socket]:
    """A pair of sockets, the first of which has this number."""
    ours, theirs = socket.socketpair()
    assert ours.fileno() == number
    net.keep(ours)
    return ours, net.keep(theirs)


def test_F7_somebodyElseHasItStill(net: Net) -> None:
    """It is told once, and the kernel, which goes on telling of the other one's, is not listened to."""
    reads, writes = os.pipe()
    reader = Reader(net, reads)
    net.reactor.addReader(reader)
    others = os.dup(reads)
    os.close(reads)
    os.write(writes, b"x")
    net.until(lambda: reader.told)
    assert reader.told in (["lost OSError"], ["lost ConnectionFdescWentAway"])
    net.expectErrors(len(net.logged()))
    # Once the kernel has told of a number that nobody has.
    net.turn(5)
    net.assertIdle()
    os.close(others)
    os.close(writes)


@default
def test_F7_theNextOneWithThatNumber(net: Net) -> None:
    """It is not told what is the other one's, not for long: its library said so, but late."""
    first, peer = socket.socketpair()
    net.keep(peer)
    reader = Reader(net, first.fileno())
    net.reactor.addReader(reader)
    others = net.keep(socket.fromfd(first.fileno(), socket.AF_UNIX, socket.SOCK_STREAM))
    first.close()
    net.reactor.removeReader(reader)
    peer.send(b"x")
    second, _ = at(net, reader.fd)
    second.setblocking(False)

    class Waiting(Reader):
        def doRead(self) -> None:
            self.told.append("read")

    waiting = Waiting(net, second.fileno())
    net.reactor.addReader(waiting)
    net.turn(5)
    told = len(waiting.told)
    net.assertIdle()
    assert len(waiting.told) == told <= 2
    assert reader.told == []
    net.reactor.removeReader(waiting)
    others.close()


@default
def test_F7_renewedOnceASecond(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a look at all that is watched, and must cost little though a library often says late what it closed."""
    renewed, renew = [], Poller.renew
    monkeypatch.setattr(Poller, "renew", lambda poller: renewed.append(1) or renew(poller))
    clock: Any = Clock()
    monkeypatch.setattr(net.reactor._loop.timers, "seconds", clock.seconds)
    for _ in range(3):
        for _ in range(5):
            first, peer = socket.socketpair()
            reader = Reader(net, first.fileno())
            net.reactor.addReader(reader)
            first.close()
            net.reactor.removeReader(reader)
            second, _ = at(net, reader.fd)
            reader = Reader(net, second.fileno())
            net.reactor.addReader(reader)
            net.reactor.removeReader(reader)
            second.close()
            peer.close()
            net.turn()
        clock.advance(1.1)
        net.turn()
    assert len(renewed) == 4


@default
def test_F7_pausedAndClosed(net: Net) -> None:
    client, server = net.pair()
    client.transport.pauseProducing()
    fd = client.transport.fileno()
    others = net.keep(socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM))
    os.close(fd)
    server.write(b"x")
    assert net.reasonOf(client) == "ConnectionFdescWentAway"
    net.turn(5)
    net.assertIdle()
    others.close()


def test_F7_writtenTo(net: Net) -> None:
    """A connection whose descriptor somebody closed ends in the turn in which it is used."""
    client, server = net.pair()
    os.close(client.transport.fileno())
    client.write(b"x")
    net.turn(1)
    assert client.lost
    assert client.reason.value.osError == errno.EBADF
    assert net.reasonOf(server) in ("ConnectionDone", "ConnectionLost")


@default
def test_F7_aConnectionsNumberIsAnothers(net: Net) -> None:
    """The new connection gets what is its own, and is not closed with the old one."""
    server = net.listen(data=lambda protocol, data: protocol.write(data))
    first = net.connect(server.port)
    net.until(lambda: "CM" in first.events and server.built)
    fd = first.built[0].transport.fileno()
    os.close(fd)
    second = net.connect(server.port, made=lambda protocol: protocol.write(b"hello"))
    net.until(lambda: second.built and second.built[0].received)
    assert second.built[0].transport.fileno() == fd
    assert second.built[0].received == b"hello"
    assert first.events[-3:] == ["CL(ConnectionFdescWentAway)", "CCL(ConnectionFdescWentAway)", "doStop"]


@default
def test_F7_aPortsNumberIsAnothers(net: Net) -> None:
    old = net.listen()
    os.close(old.listening.fileno())
    new = net.listen()
    client = net.connect(new.port)
    net.until(lambda: "CM" in client.events and new.built and "stopFactory" in old.events)
    assert not old.listening.connected
    net.expectErrors(1)
    assert "somebody else closed its descriptor" in net.logged()[0].getMessage()


@default
def test_F7_ofAnAttempt(net: Net) -> None:
    # The reactor's first port takes a descriptor in reserve.
    net.listen()
    client = net.connect(net.silentPort())
    (fd,) = [watch.fd for watch in net.reactor._loop.poller.watches.values() if isinstance(watch, Attempt)]
    os.close(fd)
    new = net.listen()
    assert new.listening.fileno() == fd
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(ConnectError)", "doStop"]
    assert new.listening.connected


@default
def test_F7_ofAChild(net: Net) -> None:
    """Its end is noticed otherwise."""
    # The reactor's first port takes a descriptor in reserve.
    net.listen()
    child = shell(net, "read line; exit 3", childFDs={0: "w"})
    (fd,) = [watch.fd for watch in net.reactor._loop.poller.watches.values() if isinstance(watch, Exit)]
    os.close(fd)
    new = net.listen()
    assert new.listening.fileno() == fd
    child.transport.write(b"\n")
    ended(net, child)
    assert child.reason.exitCode == 3


@default
def test_F7_ofAPipe(net: Net) -> None:
    # The reactor's first port takes a descriptor in reserve.
    net.listen()
    child = shell(net, "read line; exit 3", childFDs={0: "w", 1: "r"})
    os.close(child.transport.pipes[1].fd)
    net.listen()
    net.until(lambda: "lost 1" in child.events)
    child.transport.write(b"\n")
    ended(net, child)


# Always ready.


def test_F8_files(net: Net) -> None:
    """One read a turn, until the end; and what is removed is not told."""
    with tempfile.TemporaryFile() as file, open(os.devnull, "r+b", 0) as null:
        file.write(b"hello world")
        file.seek(0)
        reader, other = Reader(net, file.fileno()), Reader(net, null.fileno())
        net.reactor.addReader(reader)
        net.reactor.addReader(other)
        assert net.reactor.getReaders() == [reader, other]
        net.turn(1)
        assert reader.received == b"hell"
        net.reactor.removeReader(reader)
        net.turn()
        assert (reader.received, other.told) == (b"hell", ["read"])
        net.assertIdle()
        net.reactor.addReader(reader)
        done: list[int] = []
        net.reactor.callLater(0, done.append, 1)
        net.until(lambda: reader.received == b"hello world" and reader.told[-1:] == ["read"] and done)
        net.turn(5)
        assert net.reactor.getReaders() == []
        net.assertIdle()
        net.reactor.addReader(reader)
        net.reactor.addWriter(reader)
        assert net.reactor.removeAll() == [reader]
        net.assertIdle()


@default
def test_F8_readAndWritten(net: Net) -> None:
    class Writer(Reader):
        def doWrite(self) -> None:
            self.told.append("write")
            if len(self.told) == 2:
                net.reactor.removeWriter(self)

    with open(os.devnull, "r+b", 0) as null:
        writer = Writer(net, null.fileno())
        net.reactor.addWriter(writer)
        assert net.reactor.getWriters() == [writer]
        net.turn(4)
        assert writer.told == ["write"] * 2
        net.reactor.addReader(writer)
        net.turn(2)
        assert writer.told == ["write"] * 2 + ["read"]
        net.assertIdle()


@default
def test_F8_othersGoOn(net: Net) -> None:
    """One that is never over, between connections."""
    with open("/dev/zero", "rb", 0) as zero:
        reader = Reader(net, zero.fileno())
        net.reactor.addReader(reader)
        client, server = net.pair()
        client.write(b"x")
        net.until(lambda: server.received == b"x")
        net.reactor.removeReader(reader)
        assert len(reader.told) >= 2
