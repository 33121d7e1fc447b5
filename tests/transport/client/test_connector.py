"""A connector's states, what it refuses, what it survives, and that nothing is left of it."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest
from net import Net, Traced, TracedClient
from zope.interface.verify import verifyObject

from reactor.address import IPv4Address, IPv6Address
from reactor.error import ConnectError, NotConnectingError, UserError
from reactor.interfaces import IConnector

# Selectors differ below connectors.
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


# States.


def test_aLife(net: Net) -> None:
    server = net.listen()
    seen: list[str] = []

    def note(place: str) -> Callable[..., None]:
        return lambda client, *_: seen.append(f"{place} {connectorOf(client).state}")

    def connectorOf(client: Any) -> Any:
        return client.connector if isinstance(client, TracedClient) else client.factory.connector

    hooks: dict[str, Any] = {
        "failed": note("CCF"),
        "made": note("CM"),
        "lost": note("CL"),
        "connectionLost": note("CCL"),
    }
    client = net.connect(server.port, **hooks)
    connector = client.connector
    verifyObject(IConnector, connector)
    assert (connector.state, connector.transport) == ("connecting", None)
    assert (connector.host, connector.port, connector.timeout) == ("127.0.0.1", server.port, 5)
    assert connector.factory is client
    assert connector.getDestination() == IPv4Address("TCP", "127.0.0.1", server.port)
    assert f"{server.port}" in repr(connector) and "connecting" in repr(connector)
    net.until(lambda: client.built)
    assert connector.state == "connected" and connector.transport is client.built[0].transport
    assert connector.getDestination() == connector.transport.getPeer()
    assert net.reactor.getDelayedCalls() == []
    connector.disconnect()
    assert connector.state == "connected" and connector.transport.disconnecting
    net.until(lambda: client.over)
    assert (connector.state, connector.transport) == ("disconnected", None)
    assert seen == ["CM connected", "CL connected", "CCL disconnected"]
    assert "disconnected" in repr(connector)


def test_aConnectionOnIPv6(net: Net) -> None:
    server = net.listen(interface="::1")
    client = net.connect(server.port, "::1")
    assert client.connector.getDestination() == IPv6Address("TCP", "::1", server.port)
    net.until(lambda: client.built and server.built)
    transport = client.built[0].transport
    assert transport.getPeer() == IPv6Address("TCP", "::1", server.port)
    assert transport.getHost() == server.built[0].transport.getPeer()


def test_anEmptyHostIsThisOne(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port, "")
    assert client.connector.getDestination() == IPv4Address("TCP", "", server.port)
    net.until(lambda: client.built and server.built)


def test_theLocalAddress(net: Net) -> None:
    server = net.listen()
    port = net.closedPort()
    client = net.connect(server.port, bindAddress=("127.0.0.1", port))
    other = net.connect(server.port, bindAddress="127.0.0.9")
    net.until(lambda: client.built and other.built and len(server.built) == 2)
    assert client.built[0].transport.getHost() == IPv4Address("TCP", "127.0.0.1", port)
    assert other.built[0].transport.getHost().host == "127.0.0.9"
    assert {each.transport.getPeer() for each in server.built} == {
        client.built[0].transport.getHost(),
        other.built[0].transport.getHost(),
    }


def test_theLocalPortAgainAtOnce(net: Net) -> None:
    # The socket is closed when clientConnectionLost is called, and the port may be used though TCP remembers it.
    server = net.listen()
    port = net.closedPort()
    again = iter(range(2))

    def connectAgain(client: TracedClient, connector: Any, reason: Any) -> None:
        if next(again, None) is not None:
            connector.connect()

    def lose(protocol: Traced) -> None:
        protocol.lose()

    # The server closes first: then it is its end that TCP remembers, and the same two ports may meet again.
    server.on = {"made": lose}
    client = net.connect(server.port, bindAddress=("127.0.0.1", port), connectionLost=connectAgain)
    net.until(lambda: client.over)
    assert client.events.count("CM") == 3
    assert {protocol.transport.getHost().port for protocol in client.built} == {port}


# Misuse.


def test_stopConnectingWhenItIsNot(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port)
    net.until(lambda: client.built)
    with pytest.raises(NotConnectingError, match="connected"):
        client.connector.stopConnecting()
    client.connector.disconnect()
    net.until(lambda: client.over)
    with pytest.raises(NotConnectingError, match="disconnected"):
        client.connector.stopConnecting()
    client.connector.disconnect()
    assert client.over


def test_stopConnectingInsideFailed(net: Net) -> None:
    raised: list[BaseException] = []

    def failed(client: TracedClient, connector: Any, reason: Any) -> None:
        with pytest.raises(NotConnectingError) as caught:
            connector.stopConnecting()
        raised.append(caught.value)

    client = net.connect(net.closedPort(), failed=failed)
    net.until(lambda: client.over)
    assert len(raised) == 1


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5"])
def test_aTimeoutThatIsNone(net: Net, timeout: Any) -> None:
    client = TracedClient()
    with pytest.raises(TypeError if timeout == "5" else ValueError, match=r"connectTCP.*timeout"):
        net.reactor.connectTCP("127.0.0.1", 1, client, timeout)
    assert client.events == []


@pytest.mark.parametrize("host", [b"127.0.0.1", None, 5])
def test_aHostThatIsNone(net: Net, host: Any) -> None:
    client = TracedClient()
    with pytest.raises(TypeError, match=r"connectTCP.*host"):
        net.reactor.connectTCP(host, 1, client)
    assert client.events == []


@pytest.mark.parametrize("bindAddress", [("127.0.0.1", 65536), 5, ("127.0.0.1", None)])
def test_aLocalAddressThatIsNone(net: Net, bindAddress: Any) -> None:
    client = TracedClient()
    with pytest.raises((TypeError, ValueError), match=r"connectTCP.*bindAddress"):
        net.reactor.connectTCP("localhost", 1, client, 5, bindAddress)
    assert client.events == [] and net.reactor.getDelayedCalls() == []


# Inside the factory's hooks.


def test_stopAndConnectAgainInsideStartedConnecting(net: Net) -> None:
    server = net.listen()
    once = iter([True])

    def started(client: TracedClient, connector: Any) -> None:
        if next(once, None):
            connector.stopConnecting()
            connector.connect()

    client = TracedClient(started=started)
    net.clients.append(client)
    connector = net.reactor.connectTCP("127.0.0.1", server.port, client)
    assert connector.state == "connecting"
    net.until(lambda: client.built)
    assert client.events == [
        *["doStart", "startedConnecting", "CCF(UserError)", "doStop"],
        *["doStart", "startedConnecting", "buildProtocol", "CM"],
    ]
    net.turn()
    assert len(server.built) == 1
    connector.disconnect()
    net.until(lambda: client.over)


def test_connectAgainInsideFailedInsideStopConnecting(net: Net) -> None:
    server = net.listen()
    client = net.connect(net.silentPort())
    client.on["failed"] = lambda client, connector, reason: net.reactor.callLater(0, client.connector.connect)
    client.connector.stopConnecting()
    assert client.over
    client.on.clear()
    client.connector._destination.port = server.port
    net.until(lambda: client.built)
    client.connector.disconnect()
    net.until(lambda: client.over)
    assert client.events.count("doStart") == 2


def test_disconnectInsideBuildProtocol(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> Traced:
        client.connector.disconnect()
        return Traced()

    client = net.connect(server.port, build=build)
    net.until(lambda: client.over)
    assert client.short[-5:] == ["buildProtocol", "CM", "CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


def test_disconnectInsideABuildProtocolThatWantsNone(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> None:
        client.connector.disconnect()

    client = net.connect(server.port, build=build)
    net.until(lambda: client.over)
    assert client.events[-3:] == ["buildProtocol", "CCL(ConnectionDone)", "doStop"]


@pytest.mark.parametrize("hook", ["doStart", "startedConnecting"])
def test_aFactoryThatRaisesBeforeAnythingBegan(net: Net, hook: str) -> None:
    port = net.silentPort()
    client = TracedClient()
    own = getattr(client, hook)

    def raising(*args: Any) -> None:
        own(*args)
        raise ZeroDivisionError

    setattr(client, hook, raising)
    with pytest.raises(ZeroDivisionError):
        net.reactor.connectTCP("127.0.0.1", port, client)
    assert client.events[-1] == (hook if hook == "doStart" else "doStop")
    assert net.reactor.getDelayedCalls() == []
    net.turn()


def test_aFactoryThatRaisesWhenItConnectsAgain(net: Net) -> None:
    def started(client: TracedClient, connector: Any) -> None:
        if client.reasons:
            raise ZeroDivisionError

    net.expectErrors(1)
    client = net.connect(net.closedPort(), started=started)
    client.on["failed"] = lambda client, connector, reason: connector.connect()
    net.until(lambda: client.over)
    assert client.events == [
        "doStart",
        *["startedConnecting", "CCF(ConnectionRefusedError)"],
        "startedConnecting",
        "doStop",
    ]
    assert client.connector.state == "disconnected"
    # Nothing came of the second: it was the caller's to know.
    net.clients.remove(client)


@pytest.mark.parametrize("connects", [False, True])
def test_aFactoryThatRaisesAtTheEnd(net: Net, connects: bool) -> None:
    def raising(client: TracedClient, connector: Any, reason: Any) -> None:
        raise ZeroDivisionError

    net.expectErrors(1)
    port = net.listen().port if connects else net.closedPort()
    client = net.connect(port, failed=raising, connectionLost=raising, made=lambda protocol: protocol.lose())
    net.until(lambda: client.over)
    assert client.connector.state == "disconnected" and client.connector.transport is None
    client.on.clear()
    client.connector.connect()
    assert client.connector.state == "connecting"
    client.connector.stopConnecting()


def test_aFactoryThatRaisesInDoStop(net: Net) -> None:
    client = net.connect(net.closedPort())

    def raising() -> None:
        client.events.append("doStop")
        raise ZeroDivisionError

    client.doStop = raising  # type: ignore[method-assign]
    net.expectErrors(1)
    net.until(lambda: client.over)
    assert client.connector.state == "disconnected"


def test_aFactoryOfTwoConnectors(net: Net) -> None:
    server = net.listen()
    events: list[str] = []

    class Counted(TracedClient):
        def startFactory(self) -> None:
            events.append("startFactory")

        def stopFactory(self) -> None:
            events.append("stopFactory")

    client = Counted()
    net.clients.append(client)
    first = net.reactor.connectTCP("127.0.0.1", server.port, client)
    second = net.reactor.connectTCP("127.0.0.1", net.closedPort(), client)
    net.until(lambda: second.state == "disconnected")
    assert events == ["startFactory"] and client.events.count("doStop") == 1
    net.until(lambda: client.built)
    first.disconnect()
    net.until(lambda: first.state == "disconnected")
    assert events == ["startFactory", "stopFactory"]
    assert (client.events.count("doStart"), client.events.count("doStop")) == (2, 2)


def test_whatStopsTheReactorInsideBuildProtocol(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> None:
        raise KeyboardInterrupt("from buildProtocol")

    client = net.connect(server.port, build=build)
    with pytest.raises(KeyboardInterrupt, match="from buildProtocol"):
        net.reactor.run(installSignalHandlers=False)
    assert client.events[-3:] == ["buildProtocol", "CCF(ConnectError)", "doStop"]


# The reactor stops.


@pytest.mark.parametrize("host", ["127.0.0.1", "slow.test"])
def test_theReactorStopsWhileItConnects(net: Net, host: str) -> None:
    class Slow:
        def resolveHostName(self, receiver: Any, *args: Any) -> Any:
            return None

    net.reactor.installNameResolver(Slow())
    client = net.connect(net.silentPort(), host, None)
    net.turn()
    net.stopReactor()
    assert client.events == ["doStart", "startedConnecting", "CCF(ConnectError)", "doStop"]
    error = client.reasons[0].value
    assert type(error) is ConnectError and "the reactor stopped" in str(error)
    assert (error.host, error.port, error.osError) == (host, client.connector.port, None)
    assert error.phase == ("connect" if host == "127.0.0.1" else "resolve")
    assert len(error.attempts) == (1 if host == "127.0.0.1" else 0)


def test_whoeverConnectsAgainCannotKeepTheReactorFromStopping(net: Net) -> None:
    client = net.connect(net.silentPort(), failed=lambda client, connector, reason: connector.connect())
    net.stopReactor()
    assert client.events.count("startedConnecting") > 1
    assert client.connector.state == "connecting"
    client.on.clear()
    client.connector.stopConnecting()


def test_aConnectBeforeTheReactorRuns(net: Net) -> None:
    server = net.listen(made=lambda protocol: protocol.lose())
    client = net.connect(server.port, connectionLost=lambda *_: net.reactor.stop())
    net.reactor.run(installSignalHandlers=False)
    assert client.short[-4:] == ["CM", "CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


# Nothing is left.


def leftInCircles(net: Net, connect: Callable[[], TracedClient]) -> list[str]:
    """Our objects that only the cyclic collector frees after a client has come and gone."""
    for _ in range(2):
        # Once for what is made once.
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            client = connect()
            net.until(lambda client=client: client.over)  # type: ignore[misc]
            net.turn()
            # What this test itself keeps, and its circles.
            net.clients.remove(client)
            client.built.clear()
            del client.connector, client
            for server in net.servers:
                server.built.clear()
            net.caplog.clear()
            gc.collect()
            left = [repr(each) for each in gc.garbage if type(each).__module__.startswith(("reactor", "net", "test"))]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    return left


def test_refusedAndFreed(net: Net) -> None:
    port = net.closedPort()
    assert leftInCircles(net, lambda: net.connect(port)) == []


def test_timedOutAndFreed(net: Net) -> None:
    port = net.silentPort()
    assert leftInCircles(net, lambda: net.connect(port, timeout=0.01)) == []


def test_stoppedAndFreed(net: Net) -> None:
    port = net.silentPort()

    def connect() -> TracedClient:
        client = net.connect(port)
        client.connector.stopConnecting()
        return client

    assert leftInCircles(net, connect) == []


def test_connectedAndFreed(net: Net) -> None:
    server = net.listen()
    assert leftInCircles(net, lambda: net.connect(server.port, made=lambda protocol: protocol.lose())) == []


def test_namedAndFreed(net: Net) -> None:
    server = net.listen()
    assert (
        leftInCircles(net, lambda: net.connect(server.port, "localhost", made=lambda protocol: protocol.lose())) == []
    )


def test_unknownAndFreed(net: Net) -> None:
    assert leftInCircles(net, lambda: net.connect(1, "no such name.invalid")) == []


def test_stoppedWhileItResolvesAndFreed(net: Net) -> None:
    def connect() -> TracedClient:
        client = net.connect(1, "localhost")
        net.turn(1)
        client.connector.stopConnecting()
        return client

    assert leftInCircles(net, connect) == []


def test_notBuiltAndFreed(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> None:
        raise ZeroDivisionError

    assert leftInCircles(net, lambda: net.connect(server.port, build=build)) == []


def test_aStoppedConnectorForgetsItsAttempt(net: Net) -> None:
    client = net.connect(net.silentPort())
    sock = client.connector._underway._dial._sock
    client.connector.stopConnecting()
    assert isinstance(sock, socket.socket) and sock.fileno() == -1
    assert net.reactor.getWriters() == [] and net.reactor.getDelayedCalls() == []
    assert isinstance(client.reasons[0].value, UserError)
