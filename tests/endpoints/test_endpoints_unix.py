"""Endpoints on UNIX sockets."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from unixnet import Taking
from zope.interface.verify import verifyObject

from reactor.address import UNIXAddress
from reactor.defer import Deferred
from reactor.endpoints import UNIXClientEndpoint, UNIXServerEndpoint, connectProtocol
from reactor.error import BadFileError, CannotListenError, ConnectError, ConnectingCancelledError
from reactor.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def listen(net: Net, path: Path, build: Any = None, **options: Any) -> TracedServer:
    server = TracedServer(build)
    server.listening = net.result(UNIXServerEndpoint(net.reactor, path, **options).listen(server))
    net.ports.append(server.listening)
    net.servers.append(server)
    return server


def test_interfaces(net: Net) -> None:
    assert verifyObject(IStreamClientEndpoint, UNIXClientEndpoint(net.reactor, "s"))
    assert verifyObject(IStreamServerEndpoint, UNIXServerEndpoint(net.reactor, "s"))


def test_connects(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s", wantPID=1, mode=0o660)
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o660
    client = net.result(connectProtocol(UNIXClientEndpoint(net.reactor, tmp_path / "s", checkPID=1), Traced()))
    client.write(b"hello")
    net.until(lambda: server.built and server.built[0].received == b"hello")
    client.lose()
    net.until(lambda: client.lost and server.built[0].lost)


def test_aProtocolThatTakesDescriptors(net: Net, tmp_path: Path) -> None:
    def greet(protocol: Traced) -> None:
        protocol.ask("sendFileDescriptor", 0)
        protocol.write(b"x")

    server = listen(net, tmp_path / "s", lambda address: Traced(made=greet))
    client = Taking()
    net.result(connectProtocol(UNIXClientEndpoint(net.reactor, tmp_path / "s"), client))
    net.until(lambda: client.received)
    assert client.events == ["CM", "FD", "DR(1)"]
    os.close(client.taken[0])
    client.lose()
    net.until(lambda: client.lost and server.built[0].lost)


def test_failures(net: Net, tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        net.result(connectProtocol(UNIXClientEndpoint(net.reactor, tmp_path / "none"), Traced()))
    with pytest.raises(BadFileError):
        net.result(connectProtocol(UNIXClientEndpoint(net.reactor, tmp_path / "none", checkPID=1), Traced()))
    with pytest.raises(TypeError):
        net.result(connectProtocol(UNIXClientEndpoint(net.reactor, 7), Traced()))  # type: ignore[arg-type]
    with pytest.raises(CannotListenError):
        net.result(UNIXServerEndpoint(net.reactor, tmp_path).listen(TracedServer()))


def test_cancelled(net: Net, tmp_path: Path) -> None:
    server = listen(net, tmp_path / "s")
    connecting: Deferred[Any] = connectProtocol(UNIXClientEndpoint(net.reactor, str(tmp_path / "s")), Traced())
    connecting.cancel()
    with pytest.raises(ConnectingCancelledError) as caught:
        net.result(connecting)
    assert caught.value.address == UNIXAddress(str(tmp_path / "s"))
    net.turn()
    assert server.built == []


def test_theReactorOfThisThread(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reactor.endpoints._unix.currentReactor", lambda: net.reactor)
    server = TracedServer()
    port: Any = net.result(UNIXServerEndpoint(None, tmp_path / "s").listen(server))
    net.ports.append(port)
    client = net.result(connectProtocol(UNIXClientEndpoint(None, tmp_path / "s"), Traced()))
    client.lose()
    net.until(lambda: client.lost and server.built and server.built[0].lost)
