"""The real reactor in a simulated network: what its kernel and its network do."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from net import Traced, TracedClient, TracedServer, pattern

from reactor.error import CannotListenError
from reactor.testing.simulation import Network, SimulatedReactor


def connected(network: Network, host: str = "192.0.2.2", **options: Any) -> tuple[SimulatedReactor, Traced, Traced]:
    """Two protocols, the client's and the server's."""
    reactor = SimulatedReactor(network)
    server, client = TracedServer(), TracedClient()
    reactor.listenTCP(7, server)
    reactor.connectTCP(host, 7, client, **options)
    while not server.built:
        reactor.advance(1)
    return reactor, client.built[0], server.built[0]


def failed(network: Network, host: str = "192.0.2.2", timeout: float | None = None) -> tuple[str, int | None, float]:
    """How an attempt to connect ends: its error's class and number, and after how many seconds."""
    reactor = SimulatedReactor(network)
    client = TracedClient()
    reactor.connectTCP(host, 7, client, timeout)
    while not client.reasons:
        reactor.advance(0.1)
    reactor.close()
    problem: Any = client.reasons[0].value
    return type(problem).__name__, problem.osError, round(problem.elapsed, 1)


def test_timeIsTheNetworks() -> None:
    reactor, called = SimulatedReactor(), []
    reactor.callLater(3600 * 24, lambda: called.append(reactor.seconds()))
    reactor.advance(3600 * 23)
    assert called == []
    reactor.advance(3600 * 2)
    assert called == [pytest.approx(86400, abs=0.01)]
    assert reactor.seconds() == pytest.approx(90000, abs=0.01)


def test_runningInVirtualTime() -> None:
    reactor = SimulatedReactor()
    reactor.callLater(1e6, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert reactor.seconds() == pytest.approx(1e6, abs=1)


def test_whoWaitsForEverIsTold() -> None:
    reactor = SimulatedReactor()
    with pytest.raises(RuntimeError, match="nothing is on its way"):
        reactor.run(installSignalHandlers=False)


def test_aSpinningProgramIsTold() -> None:
    reactor = SimulatedReactor()

    def again() -> None:
        reactor.callLater(0, again)

    again()
    with pytest.raises(AssertionError, match="100 turns"):
        reactor.advance(1, 100)


def test_nothingThatIsNotSimulatedIsWatched() -> None:
    with pytest.raises(ValueError, match="none of the simulated network's"):
        SimulatedReactor().listenUDP(0, Any)  # type: ignore[call-overload]


def test_bytesTakeTheirTime() -> None:
    reactor, client, server = connected(Network(delay=(2, 2)), timeout=None)
    client.write(b"hello")
    reactor.advance(1.9)
    assert server.received == b""
    reactor.advance(0.2)
    assert server.received == b"hello"


@pytest.mark.parametrize("options", [{"partial": 1.0}, {"whims": 0.5}, {"segments": 5}, {"capacity": 1}])
def test_E6_E8_bytesArriveInOrderWhateverTheKernelTakes(options: dict[str, Any]) -> None:
    reactor, client, server = connected(Network(**options), timeout=None)
    whole = pattern(2000)
    client.write(whole)
    client.lose()
    reactor.advance(1000)
    assert server.received == whole
    assert server.events[-1] == "CL(ConnectionDone)"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (errno.ECONNREFUSED, ("ConnectionRefusedError", errno.ECONNREFUSED, 0.0)),
        (errno.ENETUNREACH, ("NoRouteError", errno.ENETUNREACH, 0.0)),
        (errno.EHOSTUNREACH, ("ConnectError", errno.EHOSTUNREACH, 3.0)),
        (errno.EACCES, ("ConnectError", errno.EACCES, 0.0)),
        (0, ("TCPTimedOutError", errno.ETIMEDOUT, 127.0)),
    ],
)
def test_C1_C3_C4_C5_C6_connectingFails(fault: int, expected: tuple[str, int, float]) -> None:
    network = Network()
    network.faults["192.0.2.2"] = fault
    assert failed(network) == expected


def test_C1_nobodyListens() -> None:
    assert failed(Network())[:2] == ("ConnectionRefusedError", errno.ECONNREFUSED)


def test_C2_aHostThatNeverAnswers() -> None:
    network = Network()
    network.faults["192.0.2.2"] = 0
    assert failed(network, timeout=0.5) == ("TimeoutError", None, 0.5)


def test_C8_anUnknownName() -> None:
    assert failed(Network(), "nobody.example")[0] == "DNSLookupError"


def test_C11_noDescriptorToConnectWith() -> None:
    assert failed(Network(descriptors=0))[:2] == ("ConnectBindError", errno.EMFILE)


def test_C21_theSecondAddressAnswers() -> None:
    network = Network()
    network.names["server.example"] = ["192.0.2.9", "192.0.2.2"]
    network.faults["192.0.2.9"] = 0
    reactor, client, _ = connected(network, "server.example")
    assert client.transport.getPeer().host == "192.0.2.2"
    assert len(network.sockets) == 3


def test_C2_aFullQueue() -> None:
    network = Network()
    reactor = SimulatedReactor(network)
    port = reactor.listenTCP(7, TracedServer(), backlog=1)
    port.pauseProducing()  # type: ignore[attr-defined]
    clients = [TracedClient() for _ in range(3)]
    for client in clients:
        reactor.connectTCP("192.0.2.2", 7, client)
        reactor.advance(0.1)
    assert [bool(client.built) for client in clients] == [True, True, False]
    port.resumeProducing()  # type: ignore[attr-defined]
    reactor.advance(2)
    assert clients[2].built


def test_L1_aPortInUse() -> None:
    reactor = SimulatedReactor()
    port = reactor.listenTCP(7, TracedServer())
    with pytest.raises(CannotListenError):
        reactor.listenTCP(7, TracedServer(), interface="192.0.2.2")
    port.stopListening()
    reactor.listenTCP(7, TracedServer())


def test_L3_noDescriptorToAcceptWith() -> None:
    network = Network()
    reactor = SimulatedReactor(network)
    server = TracedServer()
    reactor.listenTCP(7, server)
    clients = [TracedClient() for _ in range(10)]
    for client in clients:
        reactor.connectTCP("192.0.2.2", 7, client)
    network.descriptors = network.open
    reactor.advance(1)
    turnedAway = [client for client in clients if client.short[-2:] == ["CCL(ConnectionDone)", "doStop"]]
    # Their own descriptors are free then, for those behind them.
    assert len(turnedAway) >= 5
    assert len(turnedAway) + len(server.built) == 10
    before = len(server.built)
    network.descriptors = 100
    late = TracedClient()
    reactor.connectTCP("192.0.2.2", 7, late)
    reactor.advance(1)
    assert len(late.built) == 1
    assert len(server.built) == before + 1


def test_E2_aConnectionIsCut() -> None:
    network = Network()
    reactor, client, server = connected(network)
    network.cut(client.transport)
    reactor.advance(1)
    assert server.events == ["CM", "CL(ConnectionLost)"]
    assert client.short[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]


def test_halfAConnection() -> None:
    network = Network()
    reactor, client, server = connected(network)
    network.vanish(server.transport)
    reactor.advance(1000)
    assert (client.lost, server.lost) == (0, 1)
    client.write(b"are you there?")
    reactor.advance(1)
    assert client.events[-3:] == ["CL(ConnectionLost)", "CCL(ConnectionLost)", "doStop"]


def test_aCableIsPulled() -> None:
    network = Network()
    reactor, client, server = connected(network)
    network.hold(client.transport)
    client.write(b"hello")
    reactor.advance(1000)
    assert server.received == b""
    network.release(client.transport)
    reactor.advance(1)
    assert server.received == b"hello"


def test_L3_aPortWithoutDescriptorsLeavesNoTimer() -> None:
    network = Network()
    reactor = SimulatedReactor(network)
    port = reactor.listenTCP(7, TracedServer())
    reactor.connectTCP("192.0.2.2", 7, TracedClient())
    # Not even the one in reserve.
    network.descriptors = 0
    reactor.advance(0.05)
    assert not port.interest & 1  # type: ignore[attr-defined]
    port.stopListening()
    reactor.advance(0)
    assert reactor.getDelayedCalls() == []


# UNIX sockets.


def test_aUNIXConnection() -> None:
    network = Network()
    reactor, server, client = SimulatedReactor(network), TracedServer(), TracedClient()
    port = reactor.listenUNIX(b"\0here", server)
    reactor.connectUNIX(b"\0here", client)
    reactor.advance(1)
    server.built[0].write(b"hello")
    server.built[0].lose()
    reactor.advance(1)
    assert client.built[0].received == b"hello"
    assert client.short[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
    port.stopListening()
    reactor.close()
    assert network.sockets == {}


def test_U1_nobodyListensOnAUNIXSocket() -> None:
    reactor, client = SimulatedReactor(), TracedClient()
    reactor.connectUNIX(b"\0nobody", client)
    reactor.advance(1)
    assert [type(reason.value).__name__ for reason in client.reasons] == ["ConnectionRefusedError"]


def test_aUNIXSocketWhoseQueueIsFull() -> None:
    reactor = SimulatedReactor()
    port = reactor.listenUNIX(b"\0here", TracedServer(), backlog=0)
    port.pauseProducing()  # type: ignore[attr-defined]
    clients = [TracedClient() for _ in range(2)]
    for client in clients:
        reactor.connectUNIX(b"\0here", client)
    reactor.advance(1)
    assert [bool(client.built) for client in clients] == [True, False]


def test_UNIXSocketsHaveNamesAndNoFiles() -> None:
    reactor = SimulatedReactor()
    with pytest.raises(ValueError, match="must begin with NUL"):
        reactor.listenUNIX("/tmp/here", TracedServer())
    port = reactor.listenUNIX(b"\0here", TracedServer())
    with pytest.raises(CannotListenError):
        reactor.listenUNIX(b"\0here", TracedServer())
    port.stopListening()
    reactor.listenUNIX(b"\0here", TracedServer())
