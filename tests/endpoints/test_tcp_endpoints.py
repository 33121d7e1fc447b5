"""Endpoints on TCP: from an object that knows where to connect or listen to a Deferred that tells how it went."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from zope.interface.verify import verifyObject

import reactor
from reactor.base import Reactor
from reactor.defer import AlreadyCalledError, Deferred
from reactor.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from reactor.error import (
    CannotListenError,
    ConnectBindError,
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,
    DNSLookupError,
    NoProtocol,
    ServiceNameUnknownError,
    TimeoutError,
)
from reactor.failure import Failure
from reactor.interfaces import IListeningPort, IStreamClientEndpoint, IStreamServerEndpoint

# Selectors differ below endpoints.
pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
LOCAL = "127.0.0.1"


def client(net: Net, port: int, **options: Any) -> TCP4ClientEndpoint:
    return TCP4ClientEndpoint(net.reactor, options.pop("host", LOCAL), port, **options)


def test_whatTheyAre(net: Net) -> None:
    verifyObject(IStreamClientEndpoint, client(net, 1))
    verifyObject(IStreamServerEndpoint, TCP4ServerEndpoint(net.reactor, 0))


def test_connect(net: Net) -> None:
    server = net.listen()
    factory = TracedServer()
    connecting = client(net, server.port).connect(factory)
    assert factory.events == ["startFactory"]
    seen: list[list[str]] = []

    def connected(protocol: Traced) -> Traced:
        seen.append(list(protocol.events))
        return protocol

    protocol = net.result(connecting.addCallback(connected))
    assert protocol is factory.built[0]
    # It is connected, and was told so, before the Deferred fires.
    assert seen == [["CM"]]
    assert protocol.transport.protocol is protocol and protocol.transport.getPeer().port == server.port
    net.until(lambda: server.built)
    protocol.write(b"there")
    server.built[0].write(b"and back")
    net.until(lambda: protocol.received == b"and back" and server.built[0].received == b"there")
    server.built[0].lose()
    net.until(lambda: protocol.lost)
    assert protocol.short == ["CM", "DR*", "CL(ConnectionDone)"]
    assert factory.events == ["startFactory", "buildProtocol", "stopFactory"]


def test_dataThatCameWithTheConnection(net: Net) -> None:
    server = net.listen(made=lambda protocol: protocol.write(b"greeting"))
    protocol = net.result(client(net, server.port).connect(TracedServer()))
    net.until(lambda: protocol.received == b"greeting")
    protocol.lose()
    net.until(lambda: protocol.lost)


def test_connectProtocol(net: Net) -> None:
    server = net.listen()
    protocol = Traced()
    assert net.result(connectProtocol(client(net, server.port), protocol)) is protocol
    # It has no factory that anybody would know.
    assert protocol.factory is None
    protocol.lose()
    net.until(lambda: protocol.lost)


def test_twoConnectionsOfOneEndpoint(net: Net) -> None:
    server = net.listen()
    endpoint, factory = client(net, server.port), TracedServer()
    first, second = endpoint.connect(factory), endpoint.connect(factory)
    protocols = [net.result(first), net.result(second)]
    assert protocols[0] is not protocols[1]
    for protocol in protocols:
        protocol.lose()
    net.until(lambda: all(protocol.lost for protocol in protocols))
    assert factory.events == ["startFactory", "buildProtocol", "buildProtocol", "stopFactory"]


def test_aCoroutineConnects(net: Net) -> None:
    server = net.listen(data=lambda protocol, data: protocol.write(data.upper()))

    async def talk() -> bytes:
        protocol: Traced = await connectProtocol(client(net, server.port), Traced())
        answered: Deferred[None] = Deferred()
        protocol.on["data"] = lambda protocol, data: answered.callback(None)
        protocol.write(b"hello")
        await answered
        protocol.lose()
        return protocol.received

    assert net.result(Deferred.fromCoroutine(talk())) == b"HELLO"


def test_refused(net: Net) -> None:
    port, factory = net.closedPort(), TracedServer()
    with pytest.raises(ConnectionRefusedError) as caught:
        net.result(client(net, port).connect(factory))
    assert (caught.value.host, caught.value.port, caught.value.phase) == (LOCAL, port, "connect")
    assert factory.events == ["startFactory", "stopFactory"]


def test_timeout(net: Net) -> None:
    with pytest.raises(TimeoutError, match=r"timeout=0\.02 s"):
        net.result(client(net, net.silentPort(), timeout=0.02).connect(TracedServer()))


def test_bindAddress(net: Net) -> None:
    server = net.listen()
    protocol = net.result(client(net, server.port, bindAddress=("127.0.0.5", 0)).connect(TracedServer()))
    assert protocol.transport.getHost().host == "127.0.0.5"
    protocol.lose()
    net.until(lambda: protocol.lost)
    with pytest.raises(ConnectBindError):
        net.result(client(net, server.port, bindAddress=("192.0.2.1", 0)).connect(TracedServer()))


def test_anUnknownName(net: Net) -> None:
    with pytest.raises(DNSLookupError):
        net.result(client(net, 1, host="no such name.invalid").connect(TracedServer()))


@pytest.mark.parametrize(
    ("port", "error"), [(65536, ValueError), (None, TypeError), ("no such service", ServiceNameUnknownError)]
)
def test_whatConnectTCPRaisesIsTold(net: Net, port: Any, error: type[Exception]) -> None:
    factory = TracedServer()
    with pytest.raises(error):
        net.result(client(net, port).connect(factory))
    assert factory.events == []


def test_aFactoryThatWantsNoConnection(net: Net) -> None:
    server = net.listen()
    with pytest.raises(NoProtocol, match=r"TracedServer\.buildProtocol returned None"):
        net.result(client(net, server.port).connect(TracedServer(build=lambda addr: None)))
    net.until(lambda: server.built and server.built[0].lost)


def test_aFactoryThatRaises(net: Net) -> None:
    server = net.listen()
    problem = ZeroDivisionError()

    def build(addr: Any) -> Any:
        raise problem

    factory = TracedServer(build=build)
    with pytest.raises(ZeroDivisionError) as caught:
        net.result(client(net, server.port).connect(factory))
    assert caught.value is problem
    net.until(lambda: server.built and server.built[0].lost)
    assert factory.events == ["startFactory", "buildProtocol", "stopFactory"]
    # No entry in the log: the Deferred told of it.


def test_whatStopsTheReactorInABuildProtocol(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> Any:
        raise SystemExit(3)

    told: list[Failure] = []
    client(net, server.port).connect(TracedServer(build=build)).addErrback(told.append)
    with pytest.raises(SystemExit):
        net.reactor.run(installSignalHandlers=False)
    assert [type(failure.value) for failure in told] == [ConnectError]


def test_aProtocolThatRaises(net: Net) -> None:
    server = net.listen()
    problem = ZeroDivisionError()

    def made(protocol: Traced) -> None:
        raise problem

    factory = TracedServer(made=made)
    net.expectErrors(1)
    with pytest.raises(ZeroDivisionError):
        net.result(client(net, server.port).connect(factory))
    assert factory.built[0].events == ["CM", "CL(ZeroDivisionError)"]


def test_aReactorThatTellsAtOnce(net: Net) -> None:
    class Hasty:
        """As reactors for tests may."""

        def connectTCP(self, host: str, port: int, factory: Any, timeout: Any, bindAddress: Any) -> Any:
            factory.doStart()
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
            factory.doStop()

    connecting = TCP4ClientEndpoint(Hasty(), LOCAL, 1).connect(TracedServer())
    assert [type(failure.value) for failure in told(connecting)] == [ConnectionRefusedError]


# Cancelling.


def told(connecting: Deferred[Any]) -> list[Any]:
    results: list[Any] = []
    connecting.addBoth(results.append)
    return results


@pytest.mark.parametrize("host", [LOCAL, "localhost"])
@pytest.mark.parametrize("turns", [0, 2])
def test_cancel(net: Net, host: str, turns: int) -> None:
    port, factory = net.silentPort(), TracedServer()
    connecting = client(net, port, host=host).connect(factory)
    results = told(connecting)
    net.turn(turns)
    connecting.cancel()
    (failure,) = results
    assert type(failure.value) is ConnectingCancelledError
    address: Any = failure.value.address
    assert address.host == host
    assert (failure.value.host, failure.value.port) == (host, port)
    assert factory.events == ["startFactory", "stopFactory"]
    assert net.reactor.getWriters() == [] and net.reactor.getDelayedCalls() == []
    connecting.cancel()
    net.turn()
    assert len(results) == 1


def test_cancelInsideConnectionMade(net: Net) -> None:
    server = net.listen()
    factory = TracedServer(made=lambda protocol: connecting.cancel())
    connecting = client(net, server.port).connect(factory)
    results = told(connecting)
    net.until(lambda: results)
    assert type(results[0].value) is ConnectingCancelledError
    # The connection that came about nobody wants.
    net.until(lambda: factory.built[0].lost and server.built and server.built[0].lost)
    assert factory.built[0].events == ["CM", "CL(ConnectionDone)"]
    assert factory.events[-1] == "stopFactory"


def test_cancelInsideBuildProtocol(net: Net) -> None:
    server = net.listen()

    def build(addr: Any) -> Traced:
        connecting.cancel()
        return Traced()

    factory = TracedServer(build=build)
    connecting = client(net, server.port).connect(factory)
    results = told(connecting)
    net.until(lambda: factory.built and factory.built[0].lost)
    assert [type(each.value) for each in results] == [ConnectingCancelledError]
    assert factory.built[0].events == ["CM", "CL(ConnectionDone)"]


def test_cancelWhenConnected(net: Net) -> None:
    server = net.listen()
    connecting = client(net, server.port).connect(TracedServer())
    protocol = net.result(connecting)
    connecting.cancel()
    net.turn()
    assert protocol.events == ["CM"] and protocol.transport.connected
    with pytest.raises(AlreadyCalledError):
        connecting.callback(None)
    protocol.lose()
    net.until(lambda: protocol.lost)


def test_aCancelThatConnectsElsewhere(net: Net) -> None:
    server = net.listen()
    again: list[Deferred[Any]] = []
    connecting = client(net, net.silentPort()).connect(TracedServer())
    connecting.addErrback(lambda failure: again.append(client(net, server.port).connect(TracedServer())))
    connecting.cancel()
    protocol = net.result(again[0])
    protocol.lose()
    net.until(lambda: protocol.lost)


# Nothing is left.


@pytest.mark.parametrize("how", ["connected", "refused", "cancelled", "timed out"])
def test_freedAtOnce(net: Net, how: str) -> None:
    class Mine(TracedServer):
        """With nothing that keeps what it built."""

        def buildProtocol(self, addr: Any) -> Any:
            return Traced(made=lambda protocol: protocol.lose())

    port = {"connected": net.listen().port, "refused": net.closedPort()}.get(how) or net.silentPort()
    gc.collect()
    gc.disable()
    try:
        factory = Mine()
        events = factory.events
        endpoint = client(net, port, timeout=0.02 if how == "timed out" else 5)
        connecting = endpoint.connect(factory)
        results = told(connecting)
        if how == "cancelled":
            connecting.cancel()
        net.until(lambda: results and "stopFactory" in events)
        net.turn()
        result = results.pop()
        gone = [weakref.ref(each) for each in (factory, connecting, getattr(result, "value", result))]
        del factory, endpoint, connecting, result
        assert [each() for each in gone] == [None, None, None]
    finally:
        gc.enable()


# Listening, and which reactor.


def test_listen(net: Net) -> None:
    factory = TracedServer()
    net.servers.append(factory)
    port = net.result(TCP4ServerEndpoint(net.reactor, 0, interface=LOCAL).listen(factory))
    verifyObject(IListeningPort, port)
    net.ports.append(port)
    protocol = net.result(client(net, port.getHost().port).connect(TracedServer()))
    net.until(lambda: factory.built)
    protocol.lose()
    net.until(lambda: factory.built[0].lost)
    net.result(port.stopListening())
    assert factory.events == ["startFactory", "buildProtocol", "stopFactory"]


def test_cannotListen(net: Net) -> None:
    taken = net.listen().port
    with pytest.raises(CannotListenError) as caught:
        net.result(TCP4ServerEndpoint(net.reactor, taken, interface=LOCAL).listen(TracedServer()))
    assert caught.value.port == taken
    with pytest.raises(ValueError, match="65536"):
        net.result(TCP4ServerEndpoint(net.reactor, 65536).listen(TracedServer()))


def test_theReactorOfThisThread(net: Net) -> None:
    server = net.listen()
    reactors: list[Reactor] = []

    def start() -> None:
        reactors.append(reactor.currentReactor())
        connecting = connectProtocol(TCP4ClientEndpoint(None, LOCAL, server.port), protocol)
        connecting.addCallback(lambda protocol: protocol.lose())

    protocol = Traced(lost=lambda protocol, reason: net.reactor.stop())
    net.reactor.callWhenRunning(start)
    net.reactor.run(installSignalHandlers=False)
    assert reactors == [net.reactor]
    assert protocol.events == ["CM", "CL(ConnectionDone)"]
