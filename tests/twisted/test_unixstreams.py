"""Twisted's protocols on our connections over UNIX sockets, in Twisted's words."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted")

from twisted.internet.address import UNIXAddress
from twisted.internet.error import BadFileError, CannotListenError, ConnectError, ConnectionDone, FileDescriptorOverrun
from twisted.internet.interfaces import IFileDescriptorReceiver, IListeningPort, IUNIXTransport
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.python import log
from zope.interface import implementer

from reactor.twisted import TwistedReactor


class Told(Protocol):
    """Writes down what it is told."""

    def __init__(self, told: list[Any], name: str) -> None:
        self.told = told
        self.name = name

    def connectionMade(self) -> None:
        self.told.append((self.name, "made"))

    def dataReceived(self, data: bytes) -> None:
        self.told.append((self.name, data))

    def connectionLost(self, reason: Any = None) -> None:
        self.told.append((self.name, reason.type))


@implementer(IFileDescriptorReceiver)
class Taking(Told):
    """Takes descriptors, too."""

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.told.append((self.name, os.fstat(descriptor).st_ino))
        os.close(descriptor)


class Ends:
    """Two factories on one reactor."""

    def __init__(self, path: Path) -> None:
        self.reactor: Any = TwistedReactor()
        self.late = self.reactor.callLater(PATIENCE, self.reactor.crash)
        self.path = str(path / "socket")
        self.told: list[Any] = []
        self.kind: type[Told] = Told
        self.server: Any = None
        self.client: Any = None
        self.factory, self.clientFactory = Factory(), ClientFactory()
        self.factory.buildProtocol = lambda address: self.made("server")  # type: ignore[method-assign, assignment, return-value]
        self.clientFactory.buildProtocol = lambda address: self.made("client")  # type: ignore[method-assign, assignment, return-value]
        self.clientFactory.clientConnectionFailed = self.failed  # type: ignore[method-assign]

    def made(self, name: str) -> Any:
        protocol = self.kind(self.told, name)
        setattr(self, name, protocol)
        return protocol

    def failed(self, connector: Any, reason: Any) -> None:
        self.told.append(("failed", reason.type))
        self.reason = reason
        self.reactor.callLater(0, self.reactor.crash)

    def until(self, *what: Any) -> None:
        """Turn until all of these were told."""
        while not all(each in self.told for each in what):
            assert self.late.active(), f"late: {self.told}"
            self.reactor.iterate(0.01)

    def connected(self) -> None:
        self.port = self.reactor.listenUNIX(self.path, self.factory)
        self.connector = self.reactor.connectUNIX(self.path, self.clientFactory)
        self.until(("server", "made"), ("client", "made"))


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    made = Ends(tmp_path)
    yield made
    made.reactor.disconnectAll()
    if made.late.active():
        made.late.cancel()


def test_namesAndTheEnd(ends: Ends) -> None:
    ends.connected()
    server, client = ends.server.transport, ends.client.transport
    path = os.fsencode(ends.path)
    assert IUNIXTransport.providedBy(server) and IUNIXTransport.providedBy(client)
    assert (client.addr, client.realAddress) == (path, path)
    assert client.getPeer() == server.getHost() == UNIXAddress(path)
    assert server.getPeer() == client.getHost() == UNIXAddress(None)
    assert (server.hostname, server.sessionno, server.server, server.client) == ("", 0, ends.port, ("", None))
    assert (server.logstr, client.logstr) == ("Told,0,", "Told,client")
    assert client.connector is ends.connector and ends.connector.transport is client
    assert repr(server) == "<Told #0 on None>"
    assert (ends.connector.address, ends.connector.checkPID) == (ends.path, 0)
    assert ends.connector.getDestination() == UNIXAddress(path)
    assert server.getTcpNoDelay() is False
    client.write(b"hello")
    client.loseConnection()
    client.write(b" and goodbye")
    ends.until(("server", b"hello and goodbye"), ("server", ConnectionDone), ("client", ConnectionDone))


def test_portsSpeakTwistedsWords(ends: Ends) -> None:
    said: list[Any] = []
    log.addObserver(said.append)
    port = ends.reactor.listenUNIX(ends.path, ends.factory, mode=0o600, wantPID=True)
    assert IListeningPort.providedBy(port)
    assert stat.S_IMODE(os.stat(ends.path).st_mode) == port.mode == 0o600
    assert port.getHost() == UNIXAddress(ends.path) and port.port == ends.path
    assert repr(port) == f"<{Factory.__module__}.Factory on {ends.path!r}>"
    for wantPID in (False, True):
        with pytest.raises(CannotListenError):
            ends.reactor.listenUNIX(ends.path, ends.factory, wantPID=wantPID)
    stopped: list[Any] = []
    port.stopListening().addCallback(stopped.append)
    # Until the next turn it is there.
    assert os.path.exists(ends.path) and port.disconnecting
    while not stopped:
        ends.reactor.iterate(0.01)
    log.removeObserver(said.append)
    assert os.listdir(os.path.dirname(ends.path)) == []
    texts = [event["message"][0] for event in said if event.get("message")]
    assert texts == [f"Factory starting on {ends.path!r}", f"(UNIX Port {ends.path} Closed)"]


def test_whyThereIsNoConnection(ends: Ends) -> None:
    ends.reactor.connectUNIX(ends.path, ends.clientFactory)
    ends.until(("failed", ConnectError))
    assert str(ends.reason.value) == "An error occurred while connecting: 2: No such file or directory."
    assert ends.reason.value.osError == 2 and ends.reason.value.host == ends.path
    ends.reactor.connectUNIX(ends.path, ends.clientFactory, checkPID=True)
    ends.until(("failed", BadFileError))


def test_theSocketWhileItConnects(ends: Ends) -> None:
    ends.reactor.listenUNIX(ends.path, ends.factory)
    connector = ends.reactor.connectUNIX(ends.path, ends.clientFactory)
    pending = connector.transport.socket
    assert pending.family == socket.AF_UNIX
    ends.until(("client", "made"))
    assert connector.transport.socket is pending


def test_descriptors(ends: Ends) -> None:
    ends.kind = Taking
    ends.connected()
    with open(os.devnull, "rb") as file:
        ends.client.transport.sendFileDescriptor(file.fileno())
        ends.client.transport.write(b"x")
        number = os.fstat(file.fileno()).st_ino
    ends.until(("server", b"x"))
    assert ends.told[-2:] == [("server", number), ("server", b"x")]
    ends.client.transport.sendFileDescriptor(ends.client.transport.fileno())
    ends.until(("client", FileDescriptorOverrun))


def test_adopted(ends: Ends) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(ends.path)
        listening.listen()
        port = ends.reactor.adoptStreamPort(listening.fileno(), socket.AF_UNIX, ends.factory)
    assert port.getHost() == UNIXAddress(ends.path)
    with socket.socket(socket.AF_UNIX) as ours:
        ours.connect(ends.path)
        transport = ends.reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, ends.clientFactory)
    assert (transport.server, transport.sessionno) == (None, 0)
    transport.write(b"adopted")
    ends.until(("server", b"adopted"))
