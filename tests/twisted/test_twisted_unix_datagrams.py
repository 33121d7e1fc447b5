"""UNIX datagrams in Twisted's words: what a program is told is what Twisted's own reactor tells it."""

from __future__ import annotations

import errno
import gc
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("twisted")

from bothreactors import Log, Told, sameOnBoth
from twisted.internet import interfaces
from twisted.internet.error import CannotListenError, MessageLengthError
from twisted.internet.protocol import ConnectedDatagramProtocol, DatagramProtocol
from zope.interface.verify import verifyObject

from reactor._transport.unix.datagram import ConnectedUNIXDatagramPort, UNIXDatagramPort
from reactor.twisted import TwistedReactor


class Noting(DatagramProtocol):
    """Writes down what it is told, and stops when it was told enough."""

    noisy = False

    def __init__(self, reactor: Any, told: Told, enough: int = 1) -> None:
        self.reactor, self.told, self.left = reactor, told, enough

    def startProtocol(self) -> None:
        self.told.append("started")

    def datagramReceived(self, datagram: bytes, addr: Any = "the peer") -> None:
        self.told.append((datagram, None if addr is None else os.path.basename(addr)))
        self.one()

    def stopProtocol(self) -> None:
        self.told.append("stopped")

    def one(self) -> None:
        self.left -= 1
        if not self.left:
            self.reactor.crash()


class Connected(Noting, ConnectedDatagramProtocol):  # type: ignore[misc]
    def connectionRefused(self) -> None:
        self.told.append("refused")
        self.one()

    def connectionFailed(self, failure: Any) -> None:
        self.told.append((failure.type, getattr(failure.value, "errno", None)))


@pytest.fixture
def folder() -> Iterator[Path]:
    # Short enough for a socket's name.
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        yield Path(made)


@pytest.fixture
def fresh(folder: Path) -> Any:
    """A new folder each time."""

    def made() -> str:
        return tempfile.mkdtemp(dir=folder)

    return made


def test_datagramsThereAndBack(fresh: Any) -> None:
    class Echo(DatagramProtocol):
        noisy = False

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.transport.write(datagram.upper(), addr)

    class Next(Connected):
        def datagramReceived(self, datagram: bytes, addr: Any = "the peer") -> None:
            super().datagramReceived(datagram)
            # Without a name.
            silent = self.reactor.listenUNIXDatagram("", Noting(self.reactor, []))
            self.told.append((silent.port, silent.getHost().name))
            silent.write(b"three", self.transport.remoteaddr + "2")

    def scene(reactor: Any, told: Told) -> None:
        path = os.path.join(fresh(), "echo")
        echo = reactor.listenUNIXDatagram(path, Echo(), mode=0o640)
        told.append((echo.getHost().name == path.encode(), echo.port == path, echo.mode, echo.addressFamily))
        told.append(stat.S_IMODE(os.stat(path).st_mode))
        there = reactor.listenUNIXDatagram(path + "2", Noting(reactor, told, enough=2))
        told.append(there.write(b"one", path))
        near = reactor.connectUNIXDatagram(path, Next(reactor, told, enough=9), bindAddress=path + "3")
        told.append((near.getPeer().name == path.encode(), near.getHost().name == (path + "3").encode()))
        told.append((near.remoteaddr == path, near.write(b"two")))

    told = sameOnBoth(scene)
    assert (b"ONE", "echo") in told
    assert (b"TWO", "the peer") in told
    assert (b"three", None) in told


def test_aPortFromItsBeginningToItsEnd(fresh: Any) -> None:
    def scene(reactor: Any, told: Told) -> None:
        path = os.path.join(fresh(), "port")
        events = Log()
        with events:
            port = reactor.listenUNIXDatagram(path, Noting(reactor, told))
        told.append([text.replace(path, "PATH") for text in events.texts()])
        told.append((repr(port).replace(path, "PATH"), port.logstr, bool(port.connected), port in reactor.getReaders()))
        told.append((port.socket is port.getHandle(), port.maxPacketSize))
        stopping = port.stopListening()
        # What is done with it in this turn is still done.
        told.append(port.write(b"late", path))
        ending = Log()
        ending.__enter__()
        stopping.addCallback(closed, port, path, ending)

    def closed(result: object, port: Any, path: str, ending: Log) -> None:
        ending.__exit__()
        told = port.protocol.told
        told.append((result, [text.replace(path, "PATH") for text in ending.texts()]))
        told.append((repr(port), bool(port.connected), port.stopListening(), os.path.exists(path)))
        port.reactor.crash()

    told = sameOnBoth(scene)
    assert (None, ["(Port 'PATH' Closed)"]) in told
    # The file stays: programs remove it.
    assert told[-1][-1] is True


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_whatIsRefused(fresh: Any) -> None:
    def scene(reactor: Any, told: Told) -> None:
        path = os.path.join(fresh(), "port")
        port = reactor.listenUNIXDatagram(path, Noting(reactor, told))
        for text in (b"x" * 2**20, "text"):
            with pytest.raises((MessageLengthError, TypeError)) as caught:
                port.write(text, path)
            told.append((caught.type, str(caught.value) if caught.type is MessageLengthError else ""))
        with pytest.raises(OSError, match="No such file") as refused:
            port.write(b"x", path + "2")
        told.append(refused.value.errno)
        with pytest.raises(CannotListenError) as taken:
            reactor.listenUNIXDatagram(path, Noting(reactor, told))
        told.append((taken.value.interface, taken.value.port == path, taken.value.socketError.errno))
        reactor.connectUNIXDatagram(path + "2", Connected(reactor, told))
        reactor.connectUNIXDatagram(path, Connected(reactor, told), bindAddress=path)
        with pytest.raises(AssertionError):
            reactor.connectUNIXDatagram(path, Noting(reactor, told))
        reactor.callLater(0.001, reactor.crash)

    told = sameOnBoth(scene)
    assert (FileNotFoundError, errno.ENOENT) in told
    assert (CannotListenError, None) in told
    # Twisted's leaves its sockets to the collector.
    gc.collect()


def test_aReceiverThatIsFullOrGone(fresh: Any) -> None:
    def scene(reactor: Any, told: Told) -> None:
        path = os.path.join(fresh(), "port")
        slow = reactor.listenUNIXDatagram(path, Noting(reactor, told))
        slow.stopReading()
        near = reactor.connectUNIXDatagram(path, Connected(reactor, told))
        told.append({near.write(b"x") for _ in range(5000)})
        far = reactor.listenUNIXDatagram("", Noting(reactor, []))
        told.append(far.write(b"x", path))
        slow.stopListening().addCallback(lambda _: near.write(b"x"))

    told = sameOnBoth(scene)
    assert {1, None} in told
    assert "refused" in told


def test_itProvidesTwistedsInterfaces(fresh: Any) -> None:
    reactor = TwistedReactor()
    assert interfaces.IReactorUNIXDatagram.providedBy(reactor)
    path = os.path.join(fresh(), "port")
    port = reactor.listenUNIXDatagram(path, Noting(reactor, []))
    near = reactor.connectUNIXDatagram(path, Connected(reactor, []))
    assert isinstance(port, UNIXDatagramPort)
    assert isinstance(near, ConnectedUNIXDatagramPort)
    assert verifyObject(interfaces.IListeningPort, port)
    assert verifyObject(interfaces.IUNIXDatagramTransport, port)
    assert verifyObject(interfaces.IUNIXDatagramConnectedTransport, near)
    reactor.disconnectAll()
    assert not near.connected
