"""Connections over UNIX sockets: what a client is told, and what the transport knows."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced
from unixnet import connect, deadProcess, listen, pair, staleSocket
from zope.interface.verify import verifyObject

from reactor.address import UNIXAddress
from reactor.interfaces import IConnector, IConsumer, IPushProducer, ISystemHandle, ITransport, IUNIXTransport

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def failed(net: Net, path: Any, **options: Any) -> Any:
    """The error of a client that cannot connect."""
    client = connect(net, path, **options)
    assert client.events == ["doStart", "startedConnecting"]
    net.until(lambda: client.over)
    assert len(client.events) == 4
    error = client.reasons[0].value
    assert error.phase == "connect"
    assert error.elapsed >= 0
    if b"\0" not in os.fsencode(path):
        assert os.fspath(path) in str(error)
    return error


def test_aConversation(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "s"
    client, server = pair(net, path)
    client.write(b"question")
    net.until(lambda: server.received == b"question")
    server.write(b"answer")
    server.lose()
    net.until(lambda: client.lost and server.lost)
    assert client.short == [
        "doStart",
        "startedConnecting",
        "buildProtocol",
        "CM",
        "DR*",
        "CL(ConnectionDone)",
        "CCL(ConnectionDone)",
        "doStop",
    ]
    assert server.short == ["CM", "DR*", "CL(ConnectionDone)"]


def test_interfaces(net: Net, tmp_path: Path) -> None:
    for end in pair(net, tmp_path / "s"):
        for interface in (IUNIXTransport, ITransport, IConsumer, IPushProducer, ISystemHandle):
            assert verifyObject(interface, end.transport)


def test_addresses(net: Net, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    client, server = pair(net, path)
    connector = net.clients[0].connector
    assert verifyObject(IConnector, connector)
    assert connector.getDestination() == client.transport.getPeer() == server.transport.getHost() == UNIXAddress(path)
    assert (connector.host, connector.port) == (path, None)
    assert client.transport.getHost() == server.transport.getPeer() == UNIXAddress(None)
    assert repr(server.transport) == f"<UNIX connection UNIXAddress({path!r}) to UNIXAddress(None), open, Traced>"
    handle = client.transport.getHandle()
    assert handle.family == socket.AF_UNIX
    assert handle.fileno() == client.transport.fileno()
    client.lose()
    net.until(lambda: client.lost and server.lost)
    assert server.transport.getHost() == client.transport.getPeer() == UNIXAddress(path)


def test_aPeerWithAName(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "c"))
        sock.connect(str(tmp_path / "s"))
        net.until(lambda: server.built)
        assert server.built[0].transport.getPeer() == UNIXAddress(str(tmp_path / "c"))


def test_S_unix_credentials(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s")
    us = (os.getpid(), os.getuid(), os.getgid())
    for end in (client, server):
        assert end.transport.getPeerCredentials() == us
        assert end.transport.getPeerCredentials().uid == os.getuid()
    client.lose()
    net.until(lambda: client.lost and server.lost)
    assert server.transport.getPeerCredentials() == us


def test_S_unix_credentialsOfAnotherProcess(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s")
    program = "import socket, sys; sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1]); sock.recv(1)"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", program, str(tmp_path / "s")]) as child:
        net.until(lambda: server.built)
        assert server.built[0].transport.getPeerCredentials().pid == child.pid
        server.built[0].lose()
        net.until(lambda: server.built[0].lost)


def test_credentialsThatAreNotToBeHad(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, server = pair(net, tmp_path / "s")
    client.lose()
    net.until(lambda: client.lost and server.lost)
    with pytest.raises(OSError, match="Bad file descriptor"):
        client.transport.getPeerCredentials()
    monkeypatch.delattr(socket, "SO_PEERCRED")
    with pytest.raises(OSError, match="does not tell who the peer is"):
        client.transport.getPeerCredentials()


def test_X4_nobodyThere(net: Net, tmp_path: Path) -> None:
    staleSocket(tmp_path / "stale")
    (tmp_path / "file").write_text("")
    for name, kind, code in (
        ("none", "ConnectError", errno.ENOENT),
        ("stale", "ConnectionRefusedError", errno.ECONNREFUSED),
        ("file", "ConnectionRefusedError", errno.ECONNREFUSED),
    ):
        error = failed(net, tmp_path / name)
        assert (type(error).__name__, error.osError, error.host) == (kind, code, str(tmp_path / name))
    assert failed(net, f"\0{tmp_path}").osError == errno.ECONNREFUSED


def test_X5_theQueueIsFull(net: Net, tmp_path: Path) -> None:
    listening = net.keep(socket.socket(socket.AF_UNIX))
    listening.bind(str(tmp_path / "s"))
    listening.listen(0)
    net.keep(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "s"))
    # Far beyond what the test itself waits.
    error = failed(net, tmp_path / "s", timeout=1000)
    assert error.osError == errno.EAGAIN
    assert "too many clients wait" in str(error)
    net.assertIdle()


def test_X6_aPathThatIsTooLong(net: Net) -> None:
    error = failed(net, "/tmp/" + "x" * 200)
    assert type(error).__name__ == "ConnectError"
    assert error.osError == errno.ENAMETOOLONG
    assert "too long: it has 205 bytes" in str(error)


def test_checkPID(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "s"
    listen(net, path)
    assert type(failed(net, path, checkPID=True)).__name__ == "BadFileError"
    os.symlink(str(deadProcess()), f"{path}.lock")
    assert "no living process holds its lock" in str(failed(net, path, checkPID=True))
    os.unlink(f"{path}.lock")
    listen(net, tmp_path / "t", wantPID=True)
    client = connect(net, tmp_path / "t", checkPID=True)
    net.until(lambda: client.built)


@pytest.mark.parametrize(
    ("arguments", "error"), [((7,), TypeError), (("",), ValueError), (("s", None, -1), ValueError)]
)
def test_whatIsNoArgument(net: Net, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    address, *more = arguments
    with pytest.raises(error, match=r"connectUNIX\(\): "):
        net.reactor.connectUNIX(address, None, *more[1:])


def test_stopConnecting(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s")
    client = connect(net, tmp_path / "s")
    client.connector.stopConnecting()
    assert client.events == ["doStart", "startedConnecting", "CCF(UserError)", "doStop"]
    net.turn()
    assert server.built == []


def test_theReactorStopsWhileItConnects(net: Net, tmp_path: Path) -> None:
    listen(net, tmp_path / "s")
    client = connect(net, tmp_path / "s")
    net.stopReactor()
    assert client.over


def test_noDescriptorToConnectWith(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    client = connect(net, tmp_path / "s")
    monkeypatch.setattr(net.reactor._loop, "socket", refuse)
    net.until(lambda: client.over)
    assert client.events[2] == "CCF(ConnectBindError)"


def test_connectingAgain(net: Net, tmp_path: Path) -> None:
    listen(net, tmp_path / "s", on={"made": lambda protocol: protocol.lose()})
    client = connect(net, tmp_path / "s")
    net.until(lambda: client.over)
    client.connector.connect()
    net.until(lambda: client.events.count("CM") == 2 and client.over)


def test_theFactoryRefuses(net: Net, tmp_path: Path) -> None:
    listen(net, tmp_path / "s")
    client = connect(net, tmp_path / "s", build=lambda address: None)
    net.until(lambda: client.over)
    assert client.events == ["doStart", "startedConnecting", "buildProtocol", "CCL(ConnectionDone)", "doStop"]


def test_abort(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s")
    client.write(b"never sent")
    client.abort()
    net.until(lambda: client.lost and server.lost)
    assert client.events[-3] == "CL(ConnectionAborted)"
    assert server.received == b""
    assert client.reason.value.host == os.fsencode(tmp_path / "s")


def test_anotherProtocolTakesOver(net: Net, tmp_path: Path) -> None:
    client, server = pair(net, tmp_path / "s")
    successor = Traced()
    client.transport.protocol = successor
    successor.makeConnection(client.transport)
    server.write(b"for the second")
    net.until(lambda: successor.received == b"for the second")
    assert client.transport.protocol is successor
    server.lose()
    net.until(lambda: successor.lost)
    client.events.append("CL of its successor")
