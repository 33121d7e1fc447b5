"""D10 for connections: one that is over is freed when its last reference goes, without the garbage collector."""

from __future__ import annotations

import gc
import logging
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from net import Net
from zope.interface import implementer

from reactor.interfaces import IHalfCloseableProtocol
from reactor.protocol import ClientFactory, Factory, Protocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


class Watched:
    """Weak references to all that a connection is made of."""

    def __init__(self) -> None:
        self.alive: dict[str, weakref.ref[Any]] = {}
        self.open = 0

    def watch(self, name: str, it: object) -> None:
        self.alive[name] = weakref.ref(it)

    def left(self) -> list[str]:
        return [name for name, reference in self.alive.items() if reference() is not None]


@implementer(IHalfCloseableProtocol)
class End(Protocol):
    """One end, which does what `on` says."""

    def __init__(self, side: str, watched: Watched, on: dict[str, Callable[..., Any]]) -> None:
        self.side = side
        self.watched = watched
        self.on = on

    def _do(self, what: str) -> None:
        call = self.on.get(f"{self.side} {what}")
        if call is not None:
            call(self)

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.watched.watch(f"{self.side}'s protocol", self)
        self.watched.watch(f"{self.side}'s transport", transport)
        # Its wire has no room for weak references, but nobody else holds its socket.
        self.watched.watch(f"{self.side}'s socket", transport.getHandle())
        self.watched.open += 1
        self._do("made")

    def dataReceived(self, data: bytes) -> None:
        self._do("data")

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Any) -> None:
        self.watched.open -= 1
        self._do("lost")


class Ends(ClientFactory):
    """Builds ends and keeps none."""

    noisy = False

    def __init__(self, side: str, watched: Watched, on: dict[str, Callable[..., Any]]) -> None:
        self.side = side
        self.watched = watched
        self.on = on
        self.failed = False

    def buildProtocol(self, addr: Any) -> End:
        return End(self.side, self.watched, self.on)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.failed = True


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage collector, and no log that keeps tracebacks."""
    gc.collect()
    gc.disable()
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    gc.enable()


class Producer:
    """A producer that does nothing."""

    def __init__(self, end: End) -> None:
        self.end = end
        transport: Any = end.transport
        transport.registerProducer(self, True)
        end.watched.watch("producer", self)

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


def raiseIt(end: End) -> None:
    raise ValueError("of the application")


def overflow(end: End) -> None:
    transport: Any = end.transport
    transport.writeBufferLimit = 10
    transport.write(b"eleven byte")


def halfClose(end: End) -> None:
    transport: Any = end.transport
    transport.write(bytes(1000))
    transport.loseWriteConnection()


def timeOut(end: End) -> None:
    transport: Any = end.transport
    transport.pauseProducing()
    transport.closeTimeout = 0.01
    transport.write(bytes(50_000_000))
    transport.loseConnection()


def produce(end: End) -> None:
    Producer(end)
    end.transport.write(bytes(100_000))


ENDINGS: dict[str, dict[str, Callable[[End], object]]] = {
    "client loses": {"client made": lambda end: end.transport.loseConnection()},
    "server loses": {"server made": lambda end: end.transport.loseConnection()},
    "after an exchange": {
        "client made": lambda end: end.transport.write(b"?"),
        "server data": lambda end: end.transport.write(bytes(500_000)),
        "client data": lambda end: end.transport.loseConnection(),
    },
    "client aborts": {"client made": lambda end: end.transport.abortConnection()},
    "server aborts": {"server made": lambda end: end.transport.abortConnection()},
    "half-closed": {"client made": halfClose},
    "overflow": {"client made": overflow},
    "close timed out": {
        "client made": timeOut,
        "server made": lambda end: end.transport.pauseProducing(),
        "client lost": lambda end: end.watched.alive["server's transport"]().resumeProducing(),  # type: ignore[union-attr]
    },
    "client's connectionMade raises": {"client made": raiseIt},
    "server's connectionMade raises": {"server made": raiseIt},
    "client's dataReceived raises": {"server made": lambda end: end.transport.write(b"x"), "client data": raiseIt},
    "connectionLost raises": {"client made": lambda end: end.transport.loseConnection(), "client lost": raiseIt},
    "with a producer": {"client made": produce, "server data": lambda end: end.transport.abortConnection()},
}


@pytest.mark.parametrize("ending", list(ENDINGS))
def test_D10_aConnectionIsFreed(net: Net, uncollected: None, ending: str) -> None:
    watched = Watched()
    on = ENDINGS[ending]
    server, client = Ends("server", watched, on), Ends("client", watched, on)
    port = net.reactor.listenTCP(0, server, interface="127.0.0.1")
    net.ports.append(port)
    watched.watch("connector", net.reactor.connectTCP("127.0.0.1", port.getHost().port, client))
    net.until(lambda: len(watched.alive) >= 7 and not watched.open)
    net.turn()
    assert watched.left() == []


def test_D10_whenTheReactorStops(net: Net, uncollected: None) -> None:
    watched = Watched()
    server, client = Ends("server", watched, {}), Ends("client", watched, {})
    port = net.reactor.listenTCP(0, server, interface="127.0.0.1")
    watched.watch("port", port)
    watched.watch("connector", net.reactor.connectTCP("127.0.0.1", port.getHost().port, client))
    net.until(lambda: watched.open == 2)
    del port
    net.stopReactor()
    assert watched.left() == []


def test_D10_anAdoptedConnection(net: Net, uncollected: None) -> None:
    watched = Watched()
    peer = net.keep(socket.create_server(("127.0.0.1", 0)))
    with socket.create_connection(peer.getsockname()) as sock:
        net.reactor.adoptStreamConnection(sock.fileno(), socket.AF_INET, Ends("adopted", watched, {}))
    net.reset(peer.accept()[0])
    net.until(lambda: not watched.open)
    net.turn()
    assert watched.left() == []


@pytest.mark.parametrize("ending", ["refused", "stopped", "timed out", "not wanted"])
def test_D10_anAttempt(net: Net, uncollected: None, ending: str) -> None:
    watched = Watched()
    listening = net.plainListener()
    client: Any = Ends("client", watched, {})
    if ending == "refused":
        listening.close()
        port = unused()
    else:
        port = listening.getsockname()[1]
    if ending == "not wanted":
        client.buildProtocol = lambda address: None
        client.clientConnectionLost = client.clientConnectionFailed
    connector: Any = net.reactor.connectTCP("127.0.0.1", port, client, timeout=1e-9 if ending == "timed out" else 30)
    watched.watch("connector", connector)
    if ending == "stopped":
        connector.stopConnecting()
    del connector
    net.until(lambda: client.failed)
    net.turn()
    assert watched.left() == []


def unused() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def test_D10_aFactoryAndAPort(net: Net, uncollected: None) -> None:
    watched = Watched()
    factory = Factory()
    factory.noisy = False
    port = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    watched.watch("factory", factory)
    watched.watch("port", port)
    port.stopListening()
    net.turn()
    del factory, port
    assert watched.left() == []
