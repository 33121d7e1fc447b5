"""`protocols.tls`: TLS around a transport by a factory and a protocol."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, TracedClient, TracedServer
from tls import Shaken, clientOptions, issued, plainClientContext, serverOptions
from zope.interface import implementer

from protocols.tls import TLSMemoryBIOFactory
from reactor.interfaces import IHalfCloseableProtocol

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def wrapped(net: Net, options: Any = None, **on: Any) -> tuple[TracedClient, TracedServer]:
    server = TracedServer(lambda address: Shaken())
    port: Any = net.reactor.listenTCP(
        0, TLSMemoryBIOFactory(options or serverOptions(), False, server, net.reactor), interface="127.0.0.1"
    )
    net.ports.append(port)
    net.servers.append(server)
    client = TracedClient(**on)
    net.clients.append(client)
    factory = TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    net.reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
    return client, server


def test_thereAndBack(net: Net) -> None:
    client, server = wrapped(net)
    net.until(lambda: server.built and "CM" in server.built[0].events and "CM" in client.events)
    assert server.built[0].events == ["CM", "HC"]
    one, other = client.built[0], server.built[0]
    one.write(b"x" * 1_000_000)
    net.until(lambda: len(other.received) == 1_000_000)
    assert one.transport.getPeerCertificate().serialNumber() > 0
    assert one.transport.negotiatedProtocol is None
    assert one.transport.getPeer() == other.transport.getHost()
    other.write(b"bye")
    other.lose()
    net.until(lambda: client.over)
    assert one.received == b"bye"
    assert client.short[-4:] == ["DR*", "CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
    net.until(lambda: other.lost)
    assert other.short[-1] == "CL(ConnectionDone)"


def test_aHandshakeThatFails(net: Net) -> None:
    client, server = wrapped(net, serverOptions(issued("other.example")))
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(PeerVerifyError)", "doStop"]
    net.turn()
    assert server.built[0].events == []


def test_abort(net: Net) -> None:
    client, server = wrapped(net)
    net.until(lambda: server.built and "CM" in server.built[0].events and "CM" in client.events)
    client.built[0].abort()
    net.until(lambda: client.over and server.built[0].lost)
    assert client.short[-3:] == ["CL(ConnectionAborted)", "CCL(ConnectionAborted)", "doStop"]
    assert server.built[0].short[-1] == "CL(ConnectionLost)"


def test_aProducer(net: Net) -> None:
    client, server = wrapped(net)
    net.until(lambda: server.built and "CM" in server.built[0].events and "CM" in client.events)
    end = client.built[0]

    class Pull:
        left = 10

        def resumeProducing(self) -> None:
            self.left -= 1
            end.write(b"x" * 1000)
            if not self.left:
                end.transport.unregisterProducer()

        def stopProducing(self) -> None:
            raise AssertionError

    end.transport.registerProducer(Pull(), False)
    end.lose()
    net.until(lambda: client.over)
    assert len(server.built[0].received) == 10_000


def test_theOtherSidesContext(net: Net) -> None:
    with pytest.raises(ValueError, match="TLSMemoryBIOFactory"):
        TLSMemoryBIOFactory(plainClientContext(), False, TracedServer())


def connected(net: Net, build: Any = Shaken, **on: Any) -> tuple[Any, Any, Any]:
    """Two ends whose handshake is done, and the client's factory."""
    client, server = wrapped(net, **on)
    server.build = lambda address: build()
    net.until(lambda: server.built and "CM" in server.built[0].events and "CM" in client.events)
    return client.built[0], server.built[0], client


def end(net: Net, one: Any, other: Any, client: Any) -> None:
    one.lose()
    net.until(lambda: client.over and other.lost)


def test_whatTheTransportTells(net: Net) -> None:
    one, other, client = connected(net)
    transport = one.transport
    assert transport.TLS is True and transport.getTLS().version() == "TLSv1.3"
    assert transport.getHost() == other.transport.getPeer()
    # The server asked for none.
    assert other.transport.getPeerCertificate() is None
    assert not transport.disconnecting
    one.lose()
    assert transport.disconnecting
    net.until(lambda: client.over and other.lost)
    # All over, and nothing of it raises.
    assert transport.getTLS() is transport.getPeerCertificate() is transport.negotiatedProtocol is None
    for method in ("loseConnection", "abortConnection", "loseWriteConnection", "pauseProducing", "resumeProducing"):
        getattr(transport, method)()
    transport.write(b"nobody hears it")
    assert not transport.disconnecting


def test_writing(net: Net) -> None:
    one, other, client = connected(net)
    one.ask("write", bytearray(b"a"))
    one.ask("writeSequence", [b"b", memoryview(b"c")])
    net.until(lambda: other.received == b"abc")
    with pytest.raises(TypeError, match="encode"):
        one.transport.write("text")
    end(net, one, other, client)


def test_pausing(net: Net) -> None:
    one, other, client = connected(net)
    one.ask("pauseProducing")
    other.write(b"x" * 100_000)
    net.turn(5)
    net.assertIdle()
    assert one.received == b""
    one.ask("resumeProducing")
    net.until(lambda: len(one.received) == 100_000)
    end(net, one, other, client)


def test_pausedAtEachRecord(net: Net) -> None:
    """What is decrypted already waits as well."""
    one, other, client = connected(net, data=lambda p, data: p.ask("pauseProducing"))
    for _ in range(5):
        other.write(b"x" * 100)
    for number in range(1, 6):
        net.until(lambda wanted=number: len(one.received) == wanted * 100)
        net.assertIdle()
        one.ask("resumeProducing")
    end(net, one, other, client)


@implementer(IHalfCloseableProtocol)
class Half(Shaken):
    def readConnectionLost(self) -> None:
        self._heard("RCL", "readLost")

    def writeConnectionLost(self) -> None:
        self._heard("WCL", "writeLost")


def test_halfClose(net: Net) -> None:
    """An end that wants to go on, and one that does not."""
    one, other, client = connected(net, Half)
    one.write(b"question")
    one.ask("loseWriteConnection")
    net.until(lambda: "RCL" in other.events)
    other.write(b"answer")
    other.ask("loseWriteConnection")
    net.until(lambda: client.over and other.lost)
    assert one.received == b"answer"
    assert other.short == ["CM", "HC", "DR*", "RCL", "WCL", "CL(ConnectionDone)"]


@pytest.mark.parametrize("kind", [True, False])
def test_producersThatCome(net: Net, kind: bool) -> None:
    """Too late they are stopped; when the connection is lost, too."""

    class Stopped:
        count = 0

        def resumeProducing(self) -> None:
            pass

        def pauseProducing(self) -> None:
            pass

        def stopProducing(self) -> None:
            self.count += 1

    one, other, client = connected(net)
    early, late = Stopped(), Stopped()
    one.transport.registerProducer(early, kind)
    with pytest.raises(RuntimeError):
        one.transport.registerProducer(Stopped(), kind)
    other.abort()
    net.until(lambda: client.over and other.lost)
    assert early.count >= 1
    one.transport.registerProducer(late, kind)
    assert late.count == 1


@pytest.mark.parametrize("where", ["made", "data", "shaken"])
def test_theProtocolRaises(net: Net, where: str) -> None:
    def fail(*args: Any) -> None:
        raise ValueError

    client, server = wrapped(net)
    server.build = lambda address: Shaken(**{where: fail})
    net.until(lambda: "CM" in client.events or client.over)
    if client.built and not client.built[0].lost:
        client.built[0].write(b"x")
    net.until(lambda: client.over and server.built[0].lost)
    assert server.built[0].short[-1] == "CL(ValueError)"
    net.expectErrors(1)


def test_theFactoryWantsNone(net: Net) -> None:
    client, server = wrapped(net)
    server.build = lambda address: None
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(SSLError)", "doStop"]


def test_nobodyListens(net: Net) -> None:
    client = TracedClient()
    net.clients.append(client)
    factory = TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    net.reactor.connectTCP("127.0.0.1", net.closedPort(), factory)
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(ConnectionRefusedError)", "doStop"]


def test_theReactorStops(net: Net) -> None:
    one, other, _ = connected(net)
    net.stopReactor()
    assert one.short[-3].startswith("CL(") and other.short[-1].startswith("CL(")


def test_theFactorysLogPrefix(net: Net) -> None:
    from reactor.protocol import Factory

    class Mine(Factory):
        def logPrefix(self) -> str:
            return "mine"

    for wrapped, said in ((Mine(), "mine (TLS)"), (Factory(), "Factory (TLS)")):
        assert TLSMemoryBIOFactory(serverOptions(), False, wrapped).logPrefix() == said
