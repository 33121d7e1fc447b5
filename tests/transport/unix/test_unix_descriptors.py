"""X8: descriptors travel with the bytes of a UNIX connection, and none is ever left open."""

from __future__ import annotations

import array
import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer, descriptors
from tls import serverOptions
from unixnet import Taking, connect, listen, pair
from zope.interface import implementer

from reactor.interfaces import IFileDescriptorReceiver
from reactor.protocol import Protocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture
def cargo() -> Iterator[Callable[[], int]]:
    """cargo() makes a descriptor to send; all are closed when the test is over."""
    made: list[int] = []

    def make() -> int:
        made.append(os.open(os.devnull, os.O_RDONLY))
        return made[-1]

    yield make
    for descriptor in made:
        os.close(descriptor)


def same(one: int, other: int) -> bool:
    return one != other and os.path.sameopenfile(one, other)


def close(protocol: Any) -> None:
    for descriptor in protocol.taken:
        os.close(descriptor)


def test_X8_aheadOfTheByte(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    descriptor = cargo()
    client.ask("sendFileDescriptor", descriptor)
    client.write(b"x")
    net.until(lambda: server.received)
    assert server.events == ["CM", "FD", "DR(1)"]
    (taken,) = server.taken  # type: ignore[attr-defined]
    assert same(taken, descriptor)
    assert not os.get_inheritable(taken)
    close(server)


def test_X8_withTheLastByteWrittenBefore(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    client.write(b"abc")
    client.ask("sendFileDescriptor", cargo())
    net.until(lambda: server.received == b"abc")
    assert server.events.count("FD") == 1
    close(server)


def test_X8_theOriginalMayBeClosedAtOnce(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    reader, writer = os.pipe()
    client.ask("sendFileDescriptor", writer)
    os.close(writer)
    client.write(b"x")
    net.until(lambda: server.received)
    (taken,) = server.taken  # type: ignore[attr-defined]
    os.write(taken, b"through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    close(server)


def test_X8_aReceiverThatWantsNone(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s")
    reader, writer = os.pipe()
    client.ask("sendFileDescriptor", writer)
    client.write(b"data")
    os.close(writer)
    net.until(lambda: server.received == b"data")
    # All copies of the writing end are closed.
    os.set_blocking(reader, False)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_X8_theServersFirstWord(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    def greet(protocol: Traced) -> None:
        protocol.ask("sendFileDescriptor", cargo())
        protocol.write(b"x")

    client, _ = pair(net, tmp_path / "s", build=Taking, serverBuild=lambda: Traced(made=greet))
    net.until(lambda: client.received)
    assert client.events[-2:] == ["FD", "DR(1)"]
    close(client)


def test_X8_eachWithItsByte(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    sent = [cargo() for _ in range(5)]
    client.write(b"head")
    for descriptor in sent[:2]:
        client.ask("sendFileDescriptor", descriptor)
    client.write(b"middle")
    for descriptor in sent[2:]:
        client.ask("sendFileDescriptor", descriptor)
    client.write(b"tail")
    net.until(lambda: server.received == b"headmiddletail")
    # The kernel ends a read behind the bytes of each descriptor.
    seen, count = [], 0
    for event in server.events[1:]:
        if event == "FD":
            seen.append(count)
        else:
            count += int(event[3:-1])
    # Joined with what stood before it at most, as the kernel does; never behind its byte.
    assert all(at <= place for at, place in zip(seen, [4, 5, 10, 11, 12], strict=True))
    close(server)


def test_X8_behindMuchData(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    whole = os.urandom(2_000_000)
    descriptor = cargo()
    client.write(whole[:1_500_000])
    client.ask("sendFileDescriptor", descriptor)
    client.write(whole[1_500_000:])
    net.until(lambda: len(server.received) == len(whole))
    assert server.received == whole
    before = sum(int(event[3:-1]) for event in server.events[1 : server.events.index("FD")])
    assert 1_200_000 < before <= 1_500_000
    assert same(server.taken[0], descriptor)  # type: ignore[attr-defined]
    close(server)


def test_X8_manyMoreThanOneMessageHolds(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    descriptor = cargo()
    for _ in range(300):
        client.ask("sendFileDescriptor", descriptor)
    client.write(bytes(300))
    net.until(lambda: len(server.received) == 300)
    assert len(server.taken) == 300  # type: ignore[attr-defined]
    close(server)


def test_manyInOneMessage(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    # As other programs send them.
    server = listen(net, tmp_path / "s", build=lambda address: Taking())
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(tmp_path / "s"))
    descriptor = cargo()
    sock.sendmsg([b"xy"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor] * 253))])
    net.until(lambda: server.built and server.built[0].received == b"xy")
    assert server.built[0].events == ["CM", *["FD"] * 253, "DR(2)"]
    close(server.built[0])


@pytest.mark.parametrize("written", [b"", b"xx"])
def test_overrun(net: Net, tmp_path: Path, cargo: Callable[[], int], written: bytes) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    for _ in range(len(written) + 1):
        client.ask("sendFileDescriptor", cargo())
    if written:
        client.write(written)
    net.until(lambda: client.lost and server.lost)
    assert client.events[-3] == "CL(FileDescriptorOverrun)"
    assert f"{len(written) + 1} for {len(written)} bytes" in str(client.reason.value)
    assert str(tmp_path / "s") in str(client.reason.value)
    assert server.taken == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["loseConnection", "loseWriteConnection"])
def test_overrunAtTheEnd(net: Net, tmp_path: Path, cargo: Callable[[], int], method: str) -> None:
    def answer(protocol: Traced, data: bytes) -> None:
        protocol.ask("sendFileDescriptor", cargo())
        protocol.ask(method)

    client, server = pair(net, tmp_path / "s", serverBuild=lambda: Traced(data=answer))
    client.write(b"?")
    net.until(lambda: client.lost and server.lost)
    assert server.events[-1] == "CL(FileDescriptorOverrun)"


@pytest.mark.parametrize("method", ["loseConnection", "loseWriteConnection"])
def test_theLastThingSent(net: Net, tmp_path: Path, cargo: Callable[[], int], method: str) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    client.ask("sendFileDescriptor", cargo())
    client.write(b"x")
    client.ask(method)
    # Dropped, as what is written now.
    client.ask("sendFileDescriptor", cargo())
    net.until(lambda: client.lost and server.lost)
    assert server.events == ["CM", "FD", "DR(1)", "CL(ConnectionDone)"]
    assert client.events[-3] == "CL(ConnectionDone)"
    close(server)


def test_afterTheEnd(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s")
    client.ask("sendFileDescriptor", cargo())
    client.write(b"x")
    client.lose()
    net.until(lambda: client.lost and server.lost)
    before = descriptors()
    client.ask("sendFileDescriptor", cargo())
    assert len(descriptors()) == len(before) + 1
    assert client.transport.getHandle().fileno() == -1


def test_whatWasNotSentIsClosed(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=lambda: Taking(made=lambda p: p.ask("pauseProducing")))
    client.write(bytes(10_000_000))
    descriptor = cargo()
    before = descriptors()
    for _ in range(100):
        client.ask("sendFileDescriptor", descriptor)
    client.write(bytes(100))
    net.turn()
    assert len(descriptors()) == len(before) + 100
    client.abort()
    server.abort()
    net.until(lambda: client.lost and server.lost)
    # The invariants look at the descriptors.


def test_aProducerIsPaused(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    class Source:
        paused = 0
        resumed = 0

        def pauseProducing(self) -> None:
            self.paused += 1

        def resumeProducing(self) -> None:
            self.resumed += 1

        def stopProducing(self) -> None:
            pass

    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    source, descriptor = Source(), cargo()
    client.ask("registerProducer", source, True)
    for count in range(65):
        assert source.paused == 0, count
        client.ask("sendFileDescriptor", descriptor)
    assert source.paused == 1
    client.write(bytes(65))
    net.until(lambda: source.resumed)
    client.ask("unregisterProducer")
    net.until(lambda: len(server.received) == 65)
    close(server)


def test_whatIsNoDescriptor(net: Net, tmp_path: Path) -> None:
    client, _ = pair(net, tmp_path / "s")
    for wrong in ("1", None, True, 1.0):
        with pytest.raises(TypeError, match=r"sendFileDescriptor\(\): descriptor must be an int, not "):
            client.ask("sendFileDescriptor", wrong)
    for closed in (-1, 1_000_000):
        with pytest.raises(OSError, match="Bad file descriptor"):
            client.ask("sendFileDescriptor", closed)
    client.busy = False
    client.write(b"the connection is as it was")
    net.turn()
    assert not client.lost


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_theReceiverEndsIt(net: Net, tmp_path: Path, cargo: Callable[[], int], how: str) -> None:
    def build() -> Taking:
        return Taking(descriptor=lambda protocol, descriptor: protocol.ask(how))

    server = listen(net, tmp_path / "s", build=lambda address: build())
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(tmp_path / "s"))
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [cargo(), cargo()]))])
    net.until(lambda: server.built and server.built[0].lost)
    assert server.built[0].events[:2] == ["CM", "FD"]
    assert len(server.built[0].events) == 3
    close(server.built[0])


def test_theReceiverRaises(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    def fail(protocol: Traced, descriptor: int) -> None:
        raise ValueError

    client, server = pair(net, tmp_path / "s", serverBuild=lambda: Taking(descriptor=fail))
    client.ask("sendFileDescriptor", cargo())
    client.write(b"x")
    net.until(lambda: client.lost and server.lost)
    assert server.events == ["CM", "FD", "CL(ValueError)"]
    net.expectErrors(1)
    close(server)


def test_noRoomForThem(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    client.ask("sendFileDescriptor", cargo())
    client.write(b"x")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        net.turn(2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    net.until(lambda: client.lost and server.lost)
    assert server.events == ["CM", "CL(ConnectionLost)"]
    assert "no room for the file descriptors that the peer sent" in str(server.reason.value)


@pytest.mark.parametrize("end", ["close", "secured"])
def test_E22_X8_pausedAtADescriptor(net: Net, tmp_path: Path, cargo: Callable[[], int], end: str) -> None:
    """What came with it, and behind it, comes before the end when it is resumed: by a timer, say."""
    server = listen(net, tmp_path / "s", build=lambda a: Taking(descriptor=lambda p, d: p.ask("pauseProducing")))
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(tmp_path / "s"))
    sock.sendmsg([b"abc"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [cargo(), cargo()]))])
    net.until(lambda: server.built and server.built[0].events == ["CM", "FD"])
    protocol = server.built[0]
    sock.sendall(b"def")
    if end == "close":
        sock.close()
    net.assertIdle()
    net.reactor.callLater(0, protocol.ask, "resumeProducing")
    net.until(lambda: protocol.events == ["CM", "FD", "FD"])
    net.assertIdle()
    assert not protocol.lost
    if end == "close":
        net.reactor.callLater(0, protocol.ask, "resumeProducing")
        net.until(lambda: protocol.lost)
        assert protocol.received == b"abcdef"
        assert protocol.events[-1] == "CL(ConnectionDone)"
    else:
        # TLS begins instead: what was held is in the way of the handshake, and first in it.
        net.reactor.callLater(0, protocol.transport.startTLS, serverOptions())
        net.until(lambda: protocol.lost)
        assert protocol.received == b""
        assert protocol.events[-1] == "CL(SSLError)"
    close(protocol)


def test_aProtocolThatTakesOver(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Traced)
    successor = Taking()
    server.transport.protocol = successor
    client.ask("sendFileDescriptor", cargo())
    client.write(b"x")
    net.until(lambda: successor.received == b"x")
    assert successor.events == ["FD", "DR(1)"]
    # And back: the kernel closes what nobody wants.
    server.transport.protocol = server
    client.ask("sendFileDescriptor", cargo())
    client.write(b"y")
    net.until(lambda: server.received == b"y")
    assert server.events == ["CM", "DR(1)"]
    assert server.transport.getHandle().fileno() == server.transport.fileno()
    close(successor)


def test_handingOverInTheMiddle(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    # The first of two descriptors of one read makes another protocol take over, which wants none.
    successor = Traced()

    def handOver(protocol: Any, descriptor: int) -> None:
        protocol.transport.protocol = successor

    server = listen(net, tmp_path / "s", build=lambda address: Taking(descriptor=handOver))
    sock = net.keep(socket.socket(socket.AF_UNIX))
    sock.connect(str(tmp_path / "s"))
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [cargo(), cargo()]))])
    net.until(lambda: successor.received == b"x")
    assert server.built[0].events == ["CM", "FD"]
    close(server.built[0])
    sock.close()
    net.until(lambda: successor.lost)
    server.built[0].events.append("CL of its successor")


def test_nobodyPaysWhoSendsNone(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s", serverBuild=Taking)
    assert type(client.transport._wire.socket) is socket.socket
    assert type(server.transport._wire.socket) is not socket.socket
    assert type(server.transport.getHandle()) is socket.socket


def test_freedAtOnce(net: Net, tmp_path: Path, cargo: Callable[[], int]) -> None:
    import gc
    import weakref

    @implementer(IFileDescriptorReceiver)
    class End(Protocol):
        transport: Any

        def connectionMade(self) -> None:
            alive.append(weakref.ref(self))
            alive.append(weakref.ref(self.transport))
            self.transport.sendFileDescriptor(descriptor)
            self.transport.write(b"x")

        def fileDescriptorReceived(self, received: int) -> None:
            os.close(received)

        def dataReceived(self, data: bytes) -> None:
            self.transport.loseConnection()

    alive: list[Any] = []
    descriptor = cargo()
    factory = TracedServer(lambda address: End())
    net.ports.append(net.reactor.listenUNIX(tmp_path / "s", factory))
    client = connect(net, tmp_path / "s", build=lambda address: End())
    gc.collect()
    gc.disable()
    try:
        net.until(lambda: len(alive) == 4 and client.over)
        net.turn()
        assert [reference() for reference in alive] == [None] * 4
    finally:
        gc.enable()
