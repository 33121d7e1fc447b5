"""What a connector and a port tell while TLS is being made, and ends that come early."""

from __future__ import annotations

import errno
import ssl
from typing import Any

import pytest
from net import Net, Traced
from tls import clientOptions, connectSSL, listenSSL, pairSSL, plainServerContext

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def test_whereItConnectsTo(net: Net) -> None:
    server = listenSSL(net)
    client = connectSSL(net, server.port, host="localhost")
    connector = client.connector
    assert (connector.host, connector.port, connector.state) == ("localhost", server.port, "connecting")
    assert (connector.getDestination().host, connector.getDestination().port) == ("localhost", server.port)
    net.until(lambda: "CM" in client.events)
    assert connector.state == "connected"


def test_whereItListens(net: Net) -> None:
    port: Any = net.reactor.listenSSL(0, net.listen(), plainServerContext(), interface="127.0.0.1")
    net.ports.append(port)
    number = port.getHost().port
    assert (port.interface, port.port) == ("127.0.0.1", number)
    assert f"127.0.0.1, {number}" in repr(port) or str(number) in repr(port)
    port.stopListening()
    assert port.interface == "127.0.0.1"


def test_stopConnectingBeforeThereIsASocket(net: Net) -> None:
    for port in (net.silentPort(), net.closedPort()):
        client = connectSSL(net, port)
        client.connector.stopConnecting()
        net.turn()
        assert client.events[-2:] == ["CCF(UserError)", "doStop"]
        assert client.reasons[0].value.phase in ("connect", "resolve")


def test_refused(net: Net) -> None:
    client = connectSSL(net, net.closedPort(), host="localhost")
    net.until(lambda: client.over)
    (reason,) = client.reasons
    assert client.events[-2:] == ["CCF(ConnectionRefusedError)", "doStop"]
    assert reason.value.osError == errno.ECONNREFUSED
    assert len(reason.value.attempts) >= 1


def test_aSessionOfNoUse(net: Net) -> None:
    """One that belongs to another context: an error that says so, and not a connection that hangs."""
    first, second = pairSSL(net)
    first.lose()
    net.until(lambda: first.lost and second.lost)
    secured: Any = clientOptions()
    server = listenSSL(net)
    other = connectSSL(net, server.port, secured)
    net.until(lambda: other.built and server.built)
    server.built[0].write(b"x")
    net.until(lambda: other.built[0].received)
    session = other.built[0].transport.getTLS().session
    other.built[0].lose()
    net.until(lambda: other.over)
    options = clientOptions()
    options.session = session
    client = connectSSL(net, server.port, options)
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(SSLError)", "doStop"]
    assert client.reasons[0].value.phase == "handshake"
    assert "session" in str(client.reasons[0].value).lower()


def test_theReactorStopsDuringTheHandshake(net: Net) -> None:
    listening = net.plainListener()
    client = connectSSL(net, listening.getsockname()[1])
    peer = net.keep(listening.accept()[0])
    assert net.receive(peer, 5)[:1] == b"\x16"
    server = listenSSL(net)
    half = net.connect(server.port)
    net.until(lambda: half.built)
    net.stopReactor()
    assert client.events[-2:] == ["CCF(ConnectError)", "doStop"]
    assert client.reasons[0].value.phase == "handshake"
    assert server.built == []


def test_theServersCallbackRefusesTheName(net: Net) -> None:
    context = plainServerContext()

    def pick(*args: Any) -> int:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = pick
    server = listenSSL(net, context, build=lambda address: Traced())
    client = connectSSL(net, server.port)
    net.until(lambda: client.over)
    assert client.events[-2:] == ["CCF(SSLError)", "doStop"]
    net.turn()
    assert server.built == []
