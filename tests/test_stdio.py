"""`reactor.stdio.StandardIO` over whatever standard input and output may be."""

from __future__ import annotations

import fcntl
import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, descriptors, pattern
from script import script
from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol
from reactor.stdio import PipeAddress, StandardIO

default = pytest.mark.parametrize("net", ["default"], indirect=True)


@implementer(IHalfCloseableProtocol)
class Half(Traced):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


@pytest.fixture
def pipes() -> Iterator[dict[str, int]]:
    """The four ends of two pipes: what is `stdin` and `stdout` to us, and the other ends."""
    before = descriptors()
    stdin, feed = os.pipe()
    drain, stdout = os.pipe()
    ends = {"stdin": stdin, "feed": feed, "drain": drain, "stdout": stdout}
    os.set_blocking(drain, False)
    yield ends
    for fd in ends.values():
        if fd >= 0:
            os.close(fd)
    assert descriptors() == before


def close(ends: dict[str, int], name: str) -> None:
    os.close(ends[name])
    ends[name] = -1


def started(net: Net, pipes: dict[str, int], protocol: Traced | None = None, **on: Any) -> Any:
    protocol = protocol if protocol is not None else Traced(**on)
    io = StandardIO(protocol, pipes["stdin"], pipes["stdout"], net.reactor)
    assert protocol.transport is io
    return protocol


def drained(net: Net, fd: int, count: int) -> bytes:
    found = b""

    def enough() -> bool:
        nonlocal found
        try:
            found += os.read(fd, 1 << 16)
        except BlockingIOError:
            pass
        return len(found) >= count

    net.until(enough)
    return found


def test_echo(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes, data=lambda protocol, data: protocol.write(data.upper()))
    os.write(pipes["feed"], b"hello")
    assert drained(net, pipes["drain"], 5) == b"HELLO"
    assert isinstance(protocol.transport.getPeer(), PipeAddress) and isinstance(
        protocol.transport.getHost(), PipeAddress
    )
    protocol.lose()
    assert net.reasonOf(protocol) == "ConnectionDone"
    # They are the program's, as they were.
    assert os.get_blocking(pipes["stdin"]) and os.get_blocking(pipes["stdout"])
    assert protocol.transport.disconnected


def test_endOfInputWaitsForTheOutput(net: Net, pipes: dict[str, int]) -> None:
    data = pattern(300_000)
    protocol = started(net, pipes, made=lambda protocol: protocol.write(data))
    close(pipes, "feed")
    net.turn(10)
    assert not protocol.lost
    assert drained(net, pipes["drain"], len(data)) == data
    assert net.reasonOf(protocol) == "ConnectionDone"


def test_nobodyReadsTheOutput(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes)
    close(pipes, "drain")
    assert net.reasonOf(protocol) == "ConnectionLost"


@default
def test_halfClosed(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes, Half())
    close(pipes, "feed")
    net.until(lambda: "RCL" in protocol.events)
    protocol.write(b"still")
    assert drained(net, pipes["drain"], 5) == b"still"
    protocol.ask("loseWriteConnection")
    assert net.reasonOf(protocol) == "ConnectionDone"
    assert protocol.events == ["CM", "RCL", "CL(ConnectionDone)"]


@default
def test_writingEndedFirst(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes, Half())
    protocol.write(b"last")
    protocol.ask("loseWriteConnection")
    net.until(lambda: "WCL" in protocol.events)
    assert os.read(pipes["drain"], 99) == b"last"
    os.write(pipes["feed"], b"more")
    net.until(lambda: protocol.received == b"more")
    protocol.lose()
    assert net.reasonOf(protocol) == "ConnectionDone"


@default
def test_loseWriteConnectionWithoutHalfCloseGoesOnReading(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes)
    protocol.ask("loseWriteConnection")
    os.write(pipes["feed"], b"more")
    net.until(lambda: protocol.received == b"more")
    close(pipes, "feed")
    assert net.reasonOf(protocol) == "ConnectionDone"


def boom(*args: Any) -> None:
    raise RuntimeError("boom")


@default
@pytest.mark.parametrize("hook", ["made", "data", "lost"])
def test_I7_aHookThatRaises(net: Net, pipes: dict[str, int], hook: str) -> None:
    protocol = started(net, pipes, **{hook: boom})
    net.expectErrors(1)
    if not protocol.lost:
        os.write(pipes["feed"], b"x")
        net.until(lambda: protocol.received or protocol.lost)
        protocol.transport.loseConnection()
    assert net.reasonOf(protocol) == ("RuntimeError" if hook != "lost" else "ConnectionDone")


@default
def test_pausing(net: Net, pipes: dict[str, int]) -> None:
    protocol = started(net, pipes)
    protocol.transport.pauseProducing()
    os.write(pipes["feed"], b"x")
    net.assertIdle()
    assert protocol.received == b""
    protocol.transport.resumeProducing()
    net.until(lambda: protocol.received == b"x")
    protocol.transport.stopProducing()
    net.reasonOf(protocol)


@default
def test_producing(net: Net, pipes: dict[str, int]) -> None:
    calls: list[str] = []

    class Producer:
        def resumeProducing(self) -> None:
            calls.append("resume")
            if len(calls) == 3:
                protocol.transport.unregisterProducer()
                protocol.transport.loseConnection()
            else:
                protocol.transport.writeSequence([b"ab", b"cd"])

        def stopProducing(self) -> None:
            calls.append("stop")

    protocol = started(net, pipes)
    with pytest.raises(TypeError, match="encode"):
        protocol.transport.write("text")
    protocol.transport.registerProducer(Producer(), False)
    assert net.reasonOf(protocol) == "ConnectionDone"
    assert drained(net, pipes["drain"], 8) == b"abcdabcd"
    protocol.transport.registerProducer(Producer(), False)
    assert calls[-1] == "stop"


def test_files(net: Net, tmp_path: Path) -> None:
    """epoll refuses them; a piece is read a turn."""
    data = pattern(1_000_000)
    (tmp_path / "in").write_bytes(data)
    with open(tmp_path / "in", "rb") as stdin, open(tmp_path / "out", "wb") as stdout:
        seen: list[int] = []
        protocol = Traced(data=lambda protocol, data: (seen.append(net.turns), protocol.write(data)))
        StandardIO(protocol, stdin.fileno(), stdout.fileno(), net.reactor)
        protocol.transport.pauseProducing()
        net.assertIdle()
        assert protocol.received == b""
        protocol.transport.resumeProducing()
        assert net.reasonOf(protocol) == "ConnectionDone"
    assert len(set(seen)) == len(seen)
    assert (tmp_path / "out").read_bytes() == data


@default
def test_devNull(net: Net) -> None:
    fd = os.open("/dev/null", os.O_RDWR)
    protocol = Traced(made=lambda protocol: protocol.write(b"x"))
    StandardIO(protocol, fd, fd, net.reactor)
    assert net.reasonOf(protocol) == "ConnectionDone"
    os.close(fd)


@default
def test_fullDevice(net: Net) -> None:
    reads, writes = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    protocol = Traced(made=lambda protocol: protocol.write(b"x"))
    StandardIO(protocol, reads, full, net.reactor)
    assert net.reasonOf(protocol) == "ConnectionLost"
    assert protocol.reason.value.osError == 28
    for fd in (reads, writes, full):
        os.close(fd)


def test_oneSocket(net: Net) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        protocol = Traced()
        StandardIO(protocol, ours.fileno(), ours.fileno(), net.reactor)
        theirs.sendall(b"question")
        net.until(lambda: protocol.received == b"question")
        data = pattern(500_000)
        protocol.write(data)
        assert net.receive(theirs, len(data)) == data
        theirs.shutdown(socket.SHUT_WR)
        assert net.reasonOf(protocol) == "ConnectionDone"
        assert ours.getblocking() and os.get_blocking(ours.fileno())


@default
def test_oneSocketWhoseInputEndsFirst(net: Net) -> None:
    """The end of the input sets the mode back, of the output as well: what is queued is written without blocking."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data = pattern(2_000_000)
        protocol = Traced(made=lambda protocol: protocol.write(data))
        StandardIO(protocol, ours.fileno(), ours.fileno(), net.reactor)
        theirs.shutdown(socket.SHUT_WR)
        net.until(lambda: protocol.transport.disconnecting)
        assert not os.get_blocking(ours.fileno())
        assert net.receive(theirs, len(data)) == data
        assert net.reasonOf(protocol) == "ConnectionDone"
        assert os.get_blocking(ours.fileno())


def test_oneTerminal(net: Net) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    protocol = Traced()
    StandardIO(protocol, slave, slave, net.reactor)
    os.write(master, b"typed")
    net.until(lambda: protocol.received == b"typed")
    assert not os.get_blocking(slave)
    protocol.write(b"shown")
    net.turn()
    assert os.read(master, 99) == b"shown"
    protocol.lose()
    net.reasonOf(protocol)
    assert os.get_blocking(slave)
    os.close(master)
    os.close(slave)


@default
def test_nonBlockingStaysNonBlocking(net: Net, pipes: dict[str, int]) -> None:
    os.set_blocking(pipes["stdin"], False)
    protocol = started(net, pipes)
    protocol.lose()
    net.reasonOf(protocol)
    assert not os.get_blocking(pipes["stdin"])
    assert os.get_blocking(pipes["stdout"])


@default
def test_closedDescriptor(net: Net, pipes: dict[str, int]) -> None:
    before = descriptors()
    gone = fcntl.fcntl(pipes["stdin"], fcntl.F_DUPFD_CLOEXEC, 500)
    os.close(gone)
    for stdin, stdout in ((gone, pipes["stdout"]), (pipes["stdin"], gone)):
        with pytest.raises(OSError, match="Bad file"):
            StandardIO(Traced(), stdin, stdout, net.reactor)
    assert descriptors() == before


def test_I4_blockingAgainWhenTheReactorStops() -> None:
    assert script(
        """
        import os
        from reactor import reactor
        from reactor.protocol import Protocol
        from reactor.stdio import StandardIO
        reads, writes = os.pipe()
        class P(Protocol):
            def connectionMade(self):
                self.transport.write(b"sent\\n")
                reactor.callLater(0, reactor.stop)
            def connectionLost(self, reason):
                self.transport.write(b"not sent")
                lost.append(type(reason.value).__name__)
        lost = []
        StandardIO(P(), stdin=reads)
        assert not os.get_blocking(1)
        reactor.run()
        print(os.get_blocking(reads), os.get_blocking(1), lost)
        """
    ) == ["sent", "True True ['ConnectionLost']"]
