"""Datagrams over UNIX sockets: to anybody, or to one peer."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from datagrams import Anybody
from net import Net
from zope.interface.verify import verifyObject

from reactor.address import UNIXAddress
from reactor.error import CannotListenError, MessageLengthError
from reactor.failure import Failure
from reactor.interfaces import (
    IListeningPort,
    IReactorUNIXDatagram,
    IUNIXDatagramConnectedTransport,
    IUNIXDatagramTransport,
)
from reactor.protocol import ConnectedDatagramProtocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


class One(Anybody, ConnectedDatagramProtocol):
    """The same, for one peer."""

    def datagramReceived(self, datagram: bytes) -> None:  # type: ignore[override]
        Anybody.datagramReceived(self, datagram)

    def connectionFailed(self, failure: Failure) -> None:
        self.failure = failure
        self._heard("failed")


@pytest.fixture
def ports(net: Net) -> Iterator[list[Any]]:
    """Stops the ports that a test puts into it."""
    opened: list[Any] = []
    yield opened
    for port in opened:
        port.stopListening()


@pytest.fixture
def listen(net: Net, ports: list[Any]) -> Callable[..., Any]:
    """listen(path, ...) opens a port; its protocol is `port.protocol`."""

    def open_(path: Any, *args: Any, **on: Any) -> Any:
        ports.append(net.reactor.listenUNIXDatagram(path, Anybody(**on), *args))
        return ports[-1]

    return open_


@pytest.fixture
def connect(net: Net, ports: list[Any]) -> Callable[..., Any]:
    """connect(path, ...) opens a connected port."""

    def open_(path: Any, bindAddress: Any = None, maxPacketSize: int = 8192, mode: int = 0o600, **on: Any) -> Any:
        protocol = One(**on)
        ports.append(net.reactor.connectUNIXDatagram(path, protocol, maxPacketSize, mode, bindAddress))
        return ports[-1]

    return open_


def test_bothWays(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server = listen(tmp_path / "s")
    client = connect(tmp_path / "s", bindAddress=tmp_path / "c")
    assert client.protocol.events == server.protocol.events == ["start"]
    client.write(b"question")
    client.write(bytearray(b""))
    net.until(lambda: len(server.protocol.received) == 2)
    path = str(tmp_path / "c")
    assert server.protocol.received == [(b"question", path), (b"", path)]
    server.write(memoryview(b"answer"), path)
    net.until(lambda: client.protocol.received)
    assert client.protocol.received == [(b"answer", None)]


def test_interfaces(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    assert verifyObject(IReactorUNIXDatagram, net.reactor)
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    for port in (server, client):
        assert verifyObject(IListeningPort, port)
    assert verifyObject(IUNIXDatagramTransport, server)
    assert verifyObject(IUNIXDatagramConnectedTransport, client)


def test_addresses(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    assert server.getHost() == client.getPeer() == UNIXAddress(str(tmp_path / "s"))
    assert client.getHost() == UNIXAddress(None)
    assert server.fileno() == server.getHandle().fileno() > 0
    assert server.logPrefix() == "Anybody"
    assert repr(server) == f"<UNIXDatagramPort of Anybody on {server.getHost()}>"
    assert net.reactor.getReaders() == [server, client]
    net.result(server.stopListening())
    assert (server.fileno(), server.getHandle(), server.connected) == (-1, None, False)
    assert server.getHost() == UNIXAddress(str(tmp_path / "s"))
    assert "not open on" in repr(server)


def test_sendersWithoutAName(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, nameless = listen(tmp_path / "s"), listen(None)
    assert nameless.getHost() == UNIXAddress(None)
    nameless.write(b"from nobody", tmp_path / "s")
    abstract = listen(f"\0{tmp_path}")
    abstract.write(b"from a name", tmp_path / "s")
    net.until(lambda: len(server.protocol.received) == 2)
    assert server.protocol.received == [(b"from nobody", None), (b"from a name", f"\0{tmp_path}".encode())]
    server.write(b"back", f"\0{tmp_path}")
    net.until(lambda: abstract.protocol.received)


def test_tooLongForTheReceiver(net: Net, tmp_path: Path, listen: Any) -> None:
    server, small = listen(tmp_path / "s"), listen(tmp_path / "t", 10)
    small.write(bytes(20_000), tmp_path / "s")
    server.write(bytes(20), tmp_path / "t")
    net.until(lambda: small.protocol.received and server.protocol.received)
    assert len(server.protocol.received[0][0]) == 8192
    assert len(small.protocol.received[0][0]) == 10


def test_tooLongForTheSystem(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    for write in (client.write, lambda data: server.write(data, tmp_path / "s")):
        with pytest.raises(MessageLengthError, match="10000000 bytes"):
            write(bytes(10_000_000))


def test_whatIsNoDatagram(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    with pytest.raises(TypeError, match=r"encode the text first: transport.write\(data.encode\(\)\)"):
        client.write("text")
    with pytest.raises(TypeError, match=r"transport.write\(\): addr must be a path"):
        server.write(b"data", ("127.0.0.1", 1))


def test_whatThereIsNoRoomForIsDropped(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    for _ in range(5000):
        client.write(b"x")
    listen(None).write(b"y", tmp_path / "s")
    count = 0
    while len(server.protocol.received) > count or not count:
        count = len(server.protocol.received)
        net.turn()
    assert 0 < count < 5000
    # And there is room again.
    client.write(b"z")
    net.until(lambda: server.protocol.received[-1][0] == b"z")


@pytest.mark.parametrize("code", [errno.ENOBUFS, errno.ENOMEM])
def test_whatTheSystemHasNoMemoryForIsDropped(net: Net, tmp_path: Path, listen: Any, code: int) -> None:
    server = listen(tmp_path / "s")
    sock, server._sock = server._sock, Refusing(code)
    server.write(b"lost", tmp_path / "s")
    server._sock = sock
    net.turn()
    assert server.protocol.received == []


class Refusing:
    """In place of a socket: the kernel will not."""

    def __init__(self, code: int) -> None:
        self.code = code

    def recvfrom(self, size: int) -> Any:
        raise OSError(self.code, os.strerror(self.code))

    def sendto(self, data: bytes, path: bytes) -> int:
        raise OSError(self.code, os.strerror(self.code))

    def close(self) -> None:
        pass


def test_nobodyThere(net: Net, tmp_path: Path, listen: Any) -> None:
    server = listen(tmp_path / "s")
    with pytest.raises(FileNotFoundError):
        server.write(b"data", tmp_path / "none")
    with pytest.raises(OSError, match="too long: it has 205 bytes"):
        server.write(b"data", "/tmp/" + "x" * 200)


def test_thePeerGoesAway(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server, client = listen(tmp_path / "s"), connect(tmp_path / "s")
    net.result(server.stopListening())
    for count in (1, 2):
        client.write(b"anybody?")
        assert client.protocol.events.count("refused") == count - 1
        while client.protocol.events.count("refused") < count:
            net.turn(1)
    net.assertIdle()
    assert client.connected


def test_aConnectionRefusedThatRaises(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    def fail(protocol: One) -> None:
        raise ValueError

    server, client = listen(tmp_path / "s"), connect(tmp_path / "s", refused=fail)
    net.result(server.stopListening())
    client.write(b"anybody?")
    net.until(lambda: net.logged())
    net.expectErrors(1)
    # Told no more once it is closed.
    client.write(b"anybody?")
    net.result(client.stopListening())
    net.turn()
    assert client.protocol.events == ["start", "refused", "stop"]


def test_aDatagramReceivedThatRaises(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    def fail(protocol: Anybody, datagram: bytes) -> None:
        if datagram == b"bad":
            raise ValueError

    server, client = listen(tmp_path / "s", datagram=fail), connect(tmp_path / "s")
    client.write(b"bad")
    client.write(b"good")
    net.until(lambda: len(server.protocol.received) == 2)
    net.expectErrors(1)


def test_aFloodStarvesNobody(net: Net, tmp_path: Path, listen: Any) -> None:
    # It answers itself, for ever.
    server = listen(tmp_path / "s", datagram=lambda protocol, data: protocol.transport.write(data, tmp_path / "s"))
    server.write(b"again", tmp_path / "s")
    called: list[bool] = []
    net.reactor.callLater(0, called.append, True)
    net.turn(3)
    assert called
    net.result(server.stopListening())


def test_X6_aPathThatIsTooLong(net: Net, listen: Any) -> None:
    with pytest.raises(CannotListenError, match="too long: it has 205 bytes"):
        listen("/tmp/" + "x" * 200)


def test_X7_whoMaySend(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    before = os.umask(0o077)
    try:
        listen(tmp_path / "s")
        listen(tmp_path / "t", 8192, 0o622)
        connect(tmp_path / "s", bindAddress=tmp_path / "c", mode=0o660)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in "stc"]
    assert modes == [0o600, 0o622, 0o660]


def test_theFileIsThere(net: Net, tmp_path: Path, listen: Any) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(CannotListenError) as caught:
        listen(tmp_path / "s")
    assert caught.value.osError == errno.EADDRINUSE
    assert (tmp_path / "s").read_text() == "mine"


def test_cannotConnect(net: Net, tmp_path: Path, connect: Any) -> None:
    port = connect(tmp_path / "none", bindAddress=tmp_path / "c")
    assert port.protocol.events == []
    net.until(lambda: port.protocol.events == ["failed"])
    error: Any = port.protocol.failure.value
    assert (type(error).__name__, error.osError, error.host) == ("ConnectError", errno.ENOENT, str(tmp_path / "none"))
    assert os.listdir(tmp_path) == []
    port.write(b"to nobody")


def test_cannotBind(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    listen(tmp_path / "s")
    port = connect(tmp_path / "s", bindAddress=tmp_path / "s")
    net.until(lambda: port.protocol.events == ["failed"])
    assert port.protocol.failure.check(CannotListenError)


def test_stopping(net: Net, tmp_path: Path, listen: Any) -> None:
    server = listen(tmp_path / "s")
    stopped = [server.stopListening(), server.stopListening()]
    assert os.listdir(tmp_path) == []
    assert server.protocol.events == ["start"]
    for deferred in stopped:
        assert net.result(deferred) is None
    assert server.protocol.events == ["start", "stop"]
    assert net.result(server.stopListening()) is None
    server.write(b"dropped", tmp_path / "s")
    server.startListening()
    with pytest.raises(CannotListenError, match="listens already"):
        server.startListening()
    server.write(b"to itself", tmp_path / "s")
    net.until(lambda: server.protocol.received)


def test_stoppingWhenAProtocolRaises(net: Net, tmp_path: Path, listen: Any) -> None:
    def fail(protocol: Anybody) -> None:
        raise KeyError("not today")

    with pytest.raises(KeyError, match="not today"):
        net.result(listen(tmp_path / "s", stop=fail).stopListening())
    with pytest.raises(KeyError, match="not today"):
        listen(tmp_path / "t", start=fail)
    assert os.listdir(tmp_path) == []


def test_theReactorStops(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    def fail(protocol: Anybody) -> None:
        raise ValueError

    ports = [listen(tmp_path / "s"), listen(tmp_path / "t", stop=fail), connect(tmp_path / "s")]
    net.stopReactor()
    assert [port.protocol.events for port in ports] == [["start", "stop"]] * 3
    assert os.listdir(tmp_path) == []
    net.expectErrors(1)


def test_pausing(net: Net, tmp_path: Path, listen: Any, connect: Any) -> None:
    server = listen(tmp_path / "s", datagram=lambda protocol, data: protocol.transport.pauseProducing())
    client = connect(tmp_path / "s")
    for _ in range(3):
        client.write(b"x")
    for count in (1, 2, 3):
        net.turn()
        assert len(server.protocol.received) == count
        net.assertIdle()
        server.resumeProducing()


def test_aSocketThatIsNoUseAnyMore(net: Net, tmp_path: Path, listen: Any) -> None:
    server = listen(tmp_path / "s")
    sock = net.keep(server._sock)
    server._sock = Refusing(errno.ENOTSOCK)
    server.readable()
    net.until(lambda: server.protocol.events == ["start", "stop"])
    net.expectErrors(1)
    assert sock.fileno() > 0


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("listenUNIXDatagram", ("", None), ValueError),
        ("listenUNIXDatagram", ("s", None, 0), ValueError),
        ("listenUNIXDatagram", ("s", None, "1"), TypeError),
        ("listenUNIXDatagram", ("s", None, 1, None), TypeError),
        ("connectUNIXDatagram", (None, None), TypeError),
        ("connectUNIXDatagram", ("s", None, 0), ValueError),
        ("connectUNIXDatagram", ("s", None, 1, 0o600, ""), ValueError),
    ],
)
def test_whatIsNoArgument(net: Net, method: str, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"{method}\(\): "):
        getattr(net.reactor, method)(*arguments)


def test_plainSocketsAtTheOtherEnd(net: Net, tmp_path: Path, listen: Any) -> None:
    server = listen(
        tmp_path / "s", datagram=lambda protocol, data: protocol.transport.write(data[::-1], protocol.received[-1][1])
    )
    peer = net.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    peer.bind(str(tmp_path / "c"))
    peer.sendto(b"abc", str(tmp_path / "s"))
    net.until(lambda: server.protocol.received)
    assert peer.recv(10) == b"cba"
