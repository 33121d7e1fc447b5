"""TCPServer, TCPClient and their kind: what they call when they are started and stopped."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import tls
from net import Net, TracedClient, TracedServer
from zope.interface.verify import verifyClass, verifyObject

from reactor import service
from reactor.defer import Deferred
from reactor.protocol import ConnectedDatagramProtocol, DatagramProtocol
from reactor.service import (
    MulticastServer,
    MultiService,
    Service,
    SSLClient,
    SSLServer,
    TCPClient,
    TCPServer,
    UDPServer,
    UNIXClient,
    UNIXDatagramClient,
    UNIXDatagramServer,
    UNIXServer,
)

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def ends(net: Net) -> tuple[TracedServer, TracedClient]:
    server, client = TracedServer(), TracedClient()
    net.servers.append(server)
    net.clients.append(client)
    return server, client


@pytest.mark.parametrize("how", ["TCP", "SSL", "UNIX"])
def test_serverAndClient(net: Net, how: str, tmp_path: Path) -> None:
    server, client = ends(net)
    on = {"reactor": net.reactor}
    if how == "UNIX":
        serving: Any = UNIXServer(str(tmp_path / "s"), server, mode=0o600, **on)
    elif how == "SSL":
        serving = SSLServer(0, server, tls.serverOptions(), interface="127.0.0.1", **on)
    else:
        serving = TCPServer(0, server, interface="127.0.0.1", **on)
    together = MultiService()
    serving.setServiceParent(together)
    together.privilegedStartService()
    port = serving._port
    together.startService()
    # Not a second time.
    assert serving._port is port and serving.running
    if how == "UNIX":
        asking: Any = UNIXClient(str(tmp_path / "s"), client, timeout=5, **on)
    elif how == "SSL":
        asking = SSLClient("127.0.0.1", port.getHost().port, client, tls.clientOptions("127.0.0.1"), **on)
    else:
        asking = TCPClient("127.0.0.1", port.getHost().port, client, **on)
    asking.setServiceParent(together)
    net.until(lambda: server.built and server.built[0].transport and client.built and client.built[0].transport)
    stopped = together.stopService()
    assert not asking.running and not serving.running
    net.result(stopped)
    # A client's connection ends with its service.
    net.until(lambda: client.over and server.built[0].lost)
    assert not port.connected


def test_startedAgain(net: Net) -> None:
    server, _ = ends(net)
    serving = TCPServer(0, server, interface="127.0.0.1", reactor=net.reactor)
    for _ in range(2):
        serving.startService()
        assert serving._port.connected
        net.result(serving.stopService())
    assert serving.stopService() is None


def test_datagrams(net: Net, tmp_path: Path) -> None:
    for each in (
        UDPServer(0, DatagramProtocol(), "127.0.0.1", reactor=net.reactor),
        MulticastServer(0, DatagramProtocol(), "127.0.0.1", reactor=net.reactor),
        UNIXDatagramServer(str(tmp_path / "d"), DatagramProtocol(), reactor=net.reactor),
    ):
        each.startService()
        assert each._port.getHost() is not None
        if isinstance(each, UNIXDatagramServer):
            client = UNIXDatagramClient(str(tmp_path / "d"), ConnectedDatagramProtocol(), reactor=net.reactor)
            client.startService()
            client.stopService()
        net.result(each.stopService())


def test_aClientThatIsNotConnectedYet(net: Net) -> None:
    client = TracedClient()
    net.clients.append(client)
    asking = TCPClient("127.0.0.1", net.silentPort(), client, reactor=net.reactor)
    asking.startService()
    asking.stopService()
    net.until(lambda: client.over)
    assert "CCF(UserError)" in client.short
    asking.stopService()


def test_drained(net: Net) -> None:
    server, client = ends(net)
    serving = TCPServer(0, server, interface="127.0.0.1", reactor=net.reactor)
    assert net.result(serving.drain(1)) == 0
    serving.startService()
    connecting = TCPClient("127.0.0.1", serving._port.getHost().port, client, reactor=net.reactor)
    connecting.startService()
    net.until(lambda: server.built and server.built[0].transport)
    drained: Deferred[int] = serving.drain(None)
    net.turn()
    assert not drained.called
    client.built[0].lose()
    assert net.result(drained) == 0 and not serving.running
    net.until(lambda: client.over)


def test_pickled(net: Net) -> None:
    serving = TCPServer(0, None, interface="127.0.0.1")
    serving.running = 1
    serving._port = object()
    again = pickle.loads(pickle.dumps(serving))
    assert (again.args, again.kwargs, again.running, again._port) == ((0, None), {"interface": "127.0.0.1"}, 0, None)


def test_interfaces(net: Net) -> None:
    from reactor import interfaces

    assert service.IService is interfaces.IService and service.IServiceCollection is interfaces.IServiceCollection
    for cls in (Service, MultiService, TCPServer, TCPClient):
        verifyClass(service.IService, cls)
        assert service.IService.implementedBy(cls)
    verifyObject(service.IService, TCPServer(0, None))
    verifyObject(service.IServiceCollection, MultiService())
    assert not service.IServiceCollection.providedBy(Service())
    with pytest.raises(AttributeError, match="IProcess"):
        service.IProcess  # noqa: B018


def test_theReactorOfThisThread(net: Net) -> None:
    server = TracedServer()
    net.servers.append(server)
    serving = TCPServer(0, server, interface="127.0.0.1")
    net.reactor.callLater(0, serving.startService)
    net.until(lambda: serving.running)
    port: Any = serving._port
    assert port in net.reactor.getReaders()
    net.result(serving.stopService())
