"""`protocols.tls`: TLS around a transport by a factory and a protocol."""

from __future__ import annotations

from typing import Any

import pytest
from net import Net, TracedClient, TracedServer
from tls import Shaken, clientOptions, issued, plainClientContext, serverOptions

from protocols.tls import TLSMemoryBIOFactory

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
