"""Several ports on one address: `reusePort` of the reactor, of the endpoints and of their descriptions."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from net import Net, TracedServer
from tls import serverOptions

from reactor.endpoints import SSL4ServerEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint, serverFromString
from reactor.error import CannotListenError

pytestmark = [
    pytest.mark.parametrize("net", ["default"], indirect=True),
    pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT"),
]


def test_eachServesSomeOfTheClients(net: Net) -> None:
    servers = [TracedServer(), TracedServer()]
    net.servers += servers
    number = 0
    for server in servers:
        port = net.reactor.listenTCP(number, server, interface="127.0.0.1", reusePort=True)
        net.ports.append(port)
        number = port.getHost().port
    # The system chooses by the client's port: that all 40 fall to one of the two does not happen.
    for _ in range(40):
        net.connect(number)
    net.until(lambda: sum(len(server.built) for server in servers) == 40)
    assert all(server.built for server in servers)


def test_onlyTogetherWithThoseWhoSaySoToo(net: Net) -> None:
    server = TracedServer()
    port = net.reactor.listenTCP(0, server, interface="127.0.0.1", reusePort=True)
    net.ports.append(port)
    with pytest.raises(CannotListenError):
        net.reactor.listenTCP(port.getHost().port, server, interface="127.0.0.1")


def endpoints(net: Net) -> list[Any]:
    reactor = net.reactor
    return [
        TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1", reusePort=True),
        TCP6ServerEndpoint(reactor, 0, interface="::1", reusePort=True),
        SSL4ServerEndpoint(reactor, 0, serverOptions(), interface="127.0.0.1", reusePort=True),
        serverFromString(reactor, "tcp:0:interface=127.0.0.1:reusePort=yes"),
        serverFromString(reactor, r"tcp6:0:interface=\:\:1:reusePort=1"),
    ]


@pytest.mark.parametrize("index", range(5))
def test_byAnEndpoint(net: Net, index: int) -> None:
    port = net.result(endpoints(net)[index].listen(TracedServer()))
    net.ports.append(port)
    assert port.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1


def test_withoutItIsNotSet(net: Net) -> None:
    for description in ("tcp:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1:reusePort=no"):
        port = net.result(serverFromString(net.reactor, description).listen(TracedServer()))
        net.ports.append(port)
        assert port.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


def test_whereTheSystemCannot(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(ValueError, match="listenTCP\\(\\): reusePort"):
        net.reactor.listenTCP(0, TracedServer(), reusePort=True)


def test_neitherYesNorNo(net: Net) -> None:
    with pytest.raises(ValueError, match="expected reusePort to be a number"):
        serverFromString(net.reactor, "tcp:0:reusePort=maybe")
