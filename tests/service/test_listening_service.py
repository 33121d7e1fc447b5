"""`StreamServerEndpointService` over a real port: started, stopped, started anew, drained; when it cannot listen."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, Traced, TracedServer
from zope.interface import implementer

from reactor.defer import CancelledError, Deferred, fail, succeed
from reactor.endpoints import TCP4ServerEndpoint
from reactor.error import CannotListenError
from reactor.interfaces import IDrainable
from reactor.protocol import Factory
from reactor.service import MultiService, Service, StreamServerEndpointService

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def listening(net: Net, **on: Any) -> tuple[StreamServerEndpointService, TracedServer]:
    server = TracedServer(**on)
    net.servers.append(server)
    return StreamServerEndpointService(TCP4ServerEndpoint(net.reactor, 0, interface="127.0.0.1"), server), server


def started(net: Net, service: StreamServerEndpointService) -> int:
    service.startService()
    return int(net.result(service.whenListening()).getHost().port)


def test_listensAgainWhenStartedAgain(net: Net) -> None:
    service, server = listening(net)
    for _ in range(2):
        port = started(net, service)
        client = net.connect(port)
        net.until(lambda client=client: client.built and client.built[0].transport is not None)
        net.result(service.stopService())
        assert not service.running
        client.connector.disconnect()
        net.until(lambda client=client: client.over)
    assert len(server.built) == 2


def test_stoppedWhatWasNeverStarted(net: Net) -> None:
    service, _ = listening(net)
    assert net.result(service.stopService()) is None
    assert net.result(service.drain(1)) == 0
    with pytest.raises(CancelledError):
        net.result(service.whenListening())


def test_whenListeningFailsAsListeningDoes(net: Net) -> None:
    taken = net.plainListener().getsockname()[1]
    endpoint = TCP4ServerEndpoint(net.reactor, taken, interface="127.0.0.1")
    service = StreamServerEndpointService(endpoint, TracedServer())
    net.expectErrors()
    service.startService()
    assert service.running
    with pytest.raises(CannotListenError):
        net.result(service.whenListening())
    net.result(service.stopService())


def test_raisesAtOnceWhereThatIsAskedFor(net: Net) -> None:
    taken = net.plainListener().getsockname()[1]
    endpoint = TCP4ServerEndpoint(net.reactor, taken, interface="127.0.0.1")
    service = StreamServerEndpointService(endpoint, TracedServer(), raiseSynchronously=True)
    with pytest.raises(CannotListenError):
        service.startService()
    assert not service.running


def test_startedWhileItStopsItGoesOnRunning(net: Net) -> None:
    class Port:
        def __init__(self) -> None:
            self.stopped: Deferred[None] = Deferred()

        def stopListening(self) -> Deferred[None]:
            return self.stopped

    ports: list[Port] = []

    class Endpoint:
        def listen(self, factory: Any) -> Any:
            ports.append(Port())
            return succeed(ports[-1])

    service = StreamServerEndpointService(Endpoint(), Factory())
    service.startService()
    service.stopService()
    service.startService()
    ports[0].stopped.callback(None)
    assert service.running and len(ports) == 2


def test_drained(net: Net) -> None:
    @implementer(IDrainable)
    class Polite(Traced):
        def drain(self) -> None:
            self.transport.write(b"bye")
            self.transport.loseConnection()

    service, server = listening(net, build=lambda _: Polite())
    parent = MultiService()
    service.setServiceParent(parent)
    parent.startService()
    client = net.connect(net.result(service.whenListening()).getHost().port)
    net.until(lambda: server.built)
    assert net.result(parent.drain(5)) == 0
    net.until(lambda: client.over)
    assert client.built[0].received == b"bye"
    assert not service.running and not parent.running


def test_drainCutsOffAtTheDeadlineAndCounts(net: Net) -> None:
    parent = MultiService()
    services = [listening(net) for _ in range(2)]
    for service, _ in services:
        service.setServiceParent(parent)
    parent.startService()
    clients = [net.connect(net.result(service.whenListening()).getHost().port) for service, _ in services]
    net.until(lambda: all(server.built for _, server in services))
    assert net.result(parent.drain(0.01)) == 2
    net.until(lambda: all(client.over for client in clients))


def test_aPortThatCannotBeDrainedIsStopped(net: Net) -> None:
    class Port:
        def stopListening(self) -> None:
            return None

    class Endpoint:
        def listen(self, factory: Any) -> Any:
            return succeed(Port())

    service = StreamServerEndpointService(Endpoint(), Factory())
    service.startService()
    assert net.result(service.drain(1)) == 0


def test_drainOfSeveralStopsEachOnceAndSurvivesOneThatFails(net: Net) -> None:
    stops: list[str] = []

    class Plain(Service):
        def stopService(self) -> Any:
            stops.append("plain")
            return super().stopService()

    class Failing(Service):
        def stopService(self) -> Any:
            stops.append("failing")
            return fail(ValueError("no"))

    class Foreign:
        name = None

        def privilegedStartService(self) -> None: ...
        def startService(self) -> None: ...

        def stopService(self) -> None:
            stops.append("foreign")

    class Parent(MultiService):
        def stopService(self) -> Any:
            stops.append("parent")
            return super().stopService()

    parent = Parent()
    for each in (Plain(), Failing(), Foreign()):
        parent.addService(each)
    parent.startService()
    net.expectErrors()
    assert net.result(parent.drain(1)) == 0
    assert stops == ["foreign", "failing", "plain", "parent"]
    parent.startService()
    parent.removeService(parent.services[1]).addErrback(lambda _: None)
    del stops[:]
    net.result(parent.stopService())
    assert stops == ["parent", "foreign", "plain"]
