"""Endpoints that speak TLS: the stages of `wrapClientTLS` one by one, and descriptions used between two real ends."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced

from reactor._transport.stream.tcp import TCPTransport
from reactor.base import Reactor
from reactor.defer import Deferred
from reactor.endpoints import TCP4ClientEndpoint, clientFromString, connectProtocol, serverFromString, wrapClientTLS
from reactor.error import ConnectingCancelledError, ConnectionLost, ConnectionRefusedError, NoProtocol
from reactor.protocol import Factory

once = pytest.mark.parametrize("net", ["default"], indirect=True)
real = pytest.mark.skipif(not hasattr(Reactor, "connectSSL"), reason="this reactor speaks no TLS")


class Stage:
    """A connection that waits for the end of its handshake, which the test calls."""

    def __init__(self, net: Net, factory: Any = None) -> None:
        self.net = net
        self.started: list[tuple[Any, Any]] = []
        self.factory = Factory.forProtocol(Traced) if factory is None else factory
        self.factory.noisy = False
        self.server = net.listen()
        endpoint = TCP4ClientEndpoint(net.reactor, "127.0.0.1", self.server.port)
        self.waiting: Deferred[Any] = wrapClientTLS("the creator", endpoint).connect(self.factory)

    def handshake(self) -> Any:
        self.net.until(lambda: self.started)
        return self.started[0][0]


@pytest.fixture
def stage(net: Net, monkeypatch: pytest.MonkeyPatch) -> Any:
    def begin(factory: Any = None) -> Stage:
        made = Stage(net, factory)
        start = lambda transport, creator: made.started.append((transport, creator))  # noqa: E731
        monkeypatch.setattr(TCPTransport, "startTLS", start, raising=False)
        return made

    return begin


@once
def test_madeWhenTheHandshakeIsDone(net: Net, stage: Any) -> None:
    it = stage()
    transport = it.handshake()
    assert it.started[0][1] == "the creator"
    net.turn()
    assert not it.waiting.called
    transport.protocol.handshakeCompleted()
    protocol = net.result(it.waiting)
    assert (protocol.events, protocol.transport, transport.protocol) == (["CM"], transport, protocol)
    assert protocol.factory is it.factory
    it.server.built[0].write(b"hello")
    net.until(lambda: protocol.received == b"hello")
    protocol.lose()
    net.until(lambda: protocol.lost and it.factory.numPorts == 0)


@once
def test_theHandshakeFails(net: Net, stage: Any) -> None:
    it = stage()
    it.handshake()
    net.until(lambda: it.server.built)
    it.server.built[0].abort()
    with pytest.raises(ConnectionLost):
        net.result(it.waiting)


@once
def test_cancelledDuringTheHandshake(net: Net, stage: Any) -> None:
    it = stage()
    it.handshake()
    it.waiting.cancel()
    with pytest.raises(ConnectingCancelledError) as raised:
        net.result(it.waiting)
    assert raised.value.phase == "handshake"
    net.until(lambda: it.server.built and it.server.built[0].lost)
    assert it.factory.numPorts == 0


@once
def test_cancelledWhileItConnects(net: Net, stage: Any) -> None:
    it = stage()
    it.waiting.cancel()
    with pytest.raises(ConnectingCancelledError) as raised:
        net.result(it.waiting)
    assert raised.value.phase == "connect"
    assert it.factory.numPorts == 0
    assert not it.started


@once
def test_theFactoryWantsNone(net: Net, stage: Any) -> None:
    it = stage(Factory.forProtocol(lambda: None))  # type: ignore[arg-type, return-value]
    it.factory.buildProtocol = lambda addr: None
    it.handshake().protocol.handshakeCompleted()
    with pytest.raises(NoProtocol):
        net.result(it.waiting)
    net.until(lambda: it.server.built and it.server.built[0].lost)


@once
def test_theProtocolCancels(net: Net, stage: Any) -> None:
    built: list[Traced] = []

    def build() -> Traced:
        built.append(Traced(made=lambda _: it.waiting.cancel()))
        return built[0]

    it = stage(Factory.forProtocol(build))
    it.handshake().protocol.handshakeCompleted()
    with pytest.raises(ConnectingCancelledError):
        net.result(it.waiting)
    net.until(lambda: built[0].lost)


@once
def test_nobodyListens(net: Net) -> None:
    with net.keep(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        inner = TCP4ClientEndpoint(net.reactor, "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConnectionRefusedError):
            net.result(wrapClientTLS(None, inner).connect(Factory.forProtocol(Traced)))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca/ca.pem, key.pem, cert.pem, both.pem; the certificate is for localhost."""
    trustme = pytest.importorskip("trustme")
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1")
    (folder / "ca").mkdir()
    authority.cert_pem.write_to_path(folder / "ca" / "ca.pem")
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    made.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder


@pytest.mark.parametrize(
    "options",
    [
        "privateKey={0}/both.pem",
        "{0}/both.pem",
        "privateKey={0}/key.pem:certKey={0}/cert.pem",
        "privateKey={0}/both.pem:extraCertChain={0}/ca/ca.pem:sslmethod=TLSv1_2_METHOD",
    ],
)
def test_aServersFilesAreLoaded(certificates: Path, options: str) -> None:
    endpoint = serverFromString(None, "ssl:443:" + options.format(certificates))
    assert repr(endpoint) == "<SSL4ServerEndpoint *:443>"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("privateKey={0}/cert.pem", "privateKey: cannot load"),
        ("privateKey={0}/key.pem:certKey={0}/key.pem", "certKey: cannot load"),
        ("privateKey={0}/both.pem:extraCertChain={0}/key.pem", "extraCertChain to be a file of certificates"),
        ("privateKey={0}/both.pem:dhParameters={0}/key.pem", "dhParameters: cannot load"),
    ],
)
def test_aServersFilesAreWrong(certificates: Path, options: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        serverFromString(None, "ssl:443:" + options.format(certificates))


@real
@once
@pytest.mark.parametrize(
    "client",
    [
        "ssl:localhost:{1}:caCertsDir={0}/ca",
        "ssl:127.0.0.1:{1}:hostname=localhost:caCertsDir={0}/ca",
        "tls:localhost:{1}:trustRoots={0}/ca",
        "tls:localhost:{1}:trustRoots={0}/ca/ca.pem:certificate={0}/cert.pem:privateKey={0}/key.pem",
        r"tls:localhost:1:trustRoots={0}/ca:endpoint=tcp\:127.0.0.1\:{1}",
    ],
)
def test_twoEndsFromStrings(net: Net, certificates: Path, client: str) -> None:
    server = serverFromString(net.reactor, f"ssl:0:privateKey={certificates}/both.pem:interface=127.0.0.1")
    port = net.result(
        server.listen(Factory.forProtocol(lambda: Traced(data=lambda me, data: me.transport.write(data))))
    )
    net.ports.append(port)
    endpoint = clientFromString(net.reactor, client.format(certificates, port.getHost().port))
    protocol = net.result(connectProtocol(endpoint, Traced()))
    protocol.write(b"hello")
    net.until(lambda: protocol.received == b"hello")
    protocol.lose()
    net.until(lambda: protocol.lost)


@real
@once
@pytest.mark.parametrize("kind", ["ssl", "tls"])
def test_aServerThatIsNotTrusted(net: Net, certificates: Path, kind: str) -> None:
    """Without options, the platform's authorities are what counts, and none of them knows this server."""
    server = serverFromString(net.reactor, f"ssl:0:privateKey={certificates}/both.pem:interface=127.0.0.1")
    port = net.result(server.listen(Factory.forProtocol(Traced)))
    net.ports.append(port)
    endpoint = clientFromString(net.reactor, f"{kind}:localhost:{port.getHost().port}")
    with pytest.raises(Exception, match=r"(?i)certificate"):
        net.result(connectProtocol(endpoint, Traced()))
