"""Contexts of the standard library, and what `reactor.ssl` makes, given to Twisted's API on our reactor: our own TLS
layer under Twisted's protocols.
"""

from __future__ import annotations

import socket
import ssl as standard
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from patience import PATIENCE

pytest.importorskip("twisted")

from tls import authority, clientOptions, plainClientContext, plainServerContext, serverOptions, stranger
from twisted.internet import error
from twisted.internet.endpoints import SSL4ClientEndpoint, SSL4ServerEndpoint
from twisted.internet.interfaces import IHandshakeListener, INegotiated, IReactorSSL, ISSLTransport, ITCPTransport
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from zope.interface import implementer

from reactor.ssl import Certificate
from reactor.twisted import TwistedReactor

HOST = "127.0.0.1"


@implementer(IHandshakeListener)
class Told(Protocol):
    """Writes down what it is told."""

    def __init__(self, ends: Ends, name: str) -> None:
        self.ends = ends
        self.name = name

    def tell(self, *what: Any) -> None:
        self.ends.told.setdefault(self.name, []).append(what)
        hook = self.ends.hooks.get(f"{self.name} {what[0]}")
        if hook is not None:
            hook(self)

    def connectionMade(self) -> None:
        self.tell("made")

    def handshakeCompleted(self) -> None:
        self.tell("shaken")

    def dataReceived(self, data: bytes) -> None:
        self.tell("data", data)

    def connectionLost(self, reason: Any = None) -> None:
        self.ends.over(self.name, reason)
        self.tell("lost", reason.type)


class Ends:
    """Two factories on one reactor."""

    def __init__(self) -> None:
        self.reactor: Any = TwistedReactor()
        self.late = self.reactor.callLater(PATIENCE, self.reactor.crash)
        self.told: dict[str, list[Any]] = {}
        self.hooks: dict[str, Any] = {}
        self.reasons: dict[str, Any] = {}
        self.waiting = {"client", "server"}
        self.factory, self.clientFactory = Factory(), ClientFactory()
        self.factory.buildProtocol = lambda address: Told(self, "server")  # type: ignore[method-assign, assignment, return-value]
        self.clientFactory.buildProtocol = lambda address: Told(self, "client")  # type: ignore[method-assign, assignment, return-value]
        self.clientFactory.clientConnectionFailed = lambda connector, reason: self.over("client", reason)  # type: ignore[method-assign]

    def over(self, name: str, reason: Any) -> None:
        self.reasons[name] = reason
        self.waiting.discard(name)
        if not self.waiting:
            self.reactor.callLater(0, self.reactor.crash)

    def listen(self, context: Any) -> int:
        self.port = self.reactor.listenSSL(0, self.factory, context, interface=HOST)
        return int(self.port.getHost().port)

    def run(self) -> dict[str, list[Any]]:
        self.reactor.run(installSignalHandlers=False)
        assert self.late.active(), f"late: {self.told}"
        return self.told


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.reactor.fireSystemEvent("shutdown")
    made.reactor.disconnectAll()


def trusting() -> standard.SSLContext:
    context = plainClientContext()
    context.check_hostname = False
    return context


@pytest.mark.parametrize("kind", ["standard", "ours"])
def test_bothEnds(ends: Ends, kind: str) -> None:
    server, client = (plainServerContext(), trusting()) if kind == "standard" else (serverOptions(), clientOptions())
    seen = []

    def made(end: Told) -> None:
        transport: Any = end.transport
        provided = [each.providedBy(transport) for each in (ISSLTransport, INegotiated, ITCPTransport)]
        seen.append((end.name, provided, transport.TLS, type(transport.getPeerCertificate())))
        assert transport.negotiatedProtocol is None
        if end.name == "client":
            transport.write(b"ask")

    ends.hooks |= {"client made": made, "server made": made}
    ends.hooks["server data"] = lambda end: end.transport.writeSequence([b"ans", b"wer"])
    ends.hooks["client data"] = lambda end: end.transport.loseConnection()
    connector = ends.reactor.connectSSL(HOST, ends.listen(server), ends.clientFactory, client)
    assert connector.transport.socket.fileno() >= 0
    assert ends.run() == {
        "client": [("made",), ("shaken",), ("data", b"answer"), ("lost", error.ConnectionDone)],
        "server": [("made",), ("shaken",), ("data", b"ask"), ("lost", error.ConnectionDone)],
    }
    assert sorted(seen) == [
        ("client", [True, True, True], True, Certificate),
        ("server", [True, True, True], True, type(None)),
    ]
    assert IReactorSSL.providedBy(ends.reactor)
    assert ends.port._type == "TLS" and ends.port.backlog == 50


def test_anotherClient(ends: Ends) -> None:
    ends.waiting = {"server"}
    ends.hooks["server data"] = lambda end: (end.transport.write(b"answer"), end.transport.loseConnection())
    port = ends.listen(plainServerContext())
    heard: list[bytes] = []

    def talk() -> None:
        with socket.create_connection((HOST, port), PATIENCE) as sock:
            with plainClientContext().wrap_socket(sock, server_hostname="localhost") as secured:
                secured.sendall(b"ask")
                heard.append(secured.recv(100))
                heard.append(secured.recv(100))
                secured.unwrap().close()

    thread = Thread(target=talk)
    thread.start()
    ends.run()
    thread.join(PATIENCE)
    assert heard == [b"answer", b""]
    assert ends.reasons["server"].type is error.ConnectionDone


def test_aServerThatNobodyKnows(ends: Ends) -> None:
    ends.waiting = {"client"}
    port = ends.listen(serverOptions())
    ends.reactor.connectSSL(HOST, port, ends.clientFactory, clientOptions(ca=stranger()))
    assert ends.run() == {}
    assert ends.reasons["client"].type is error.PeerVerifyError
    assert "certificate" in str(ends.reasons["client"].value)


def test_refused(ends: Ends) -> None:
    ends.waiting = {"client"}
    with socket.create_server((HOST, 0)) as nobody:
        port = nobody.getsockname()[1]
    ends.reactor.connectSSL(HOST, port, ends.clientFactory, trusting())
    ends.run()
    assert ends.reasons["client"].type is error.ConnectionRefusedError


def test_startTLS(ends: Ends) -> None:
    def start(end: Told, context: Any) -> None:
        if not end.transport.TLS:  # type: ignore[union-attr]
            if end.name == "server":
                end.transport.write(b"go")  # type: ignore[union-attr]
            end.transport.startTLS(context)  # type: ignore[union-attr]
        else:
            assert ISSLTransport.providedBy(end.transport)
            end.transport.loseConnection()  # type: ignore[union-attr]

    ends.hooks["client made"] = lambda end: end.transport.write(b"start")
    ends.hooks["server data"] = lambda end: start(end, plainServerContext())
    ends.hooks["client data"] = lambda end: start(end, clientOptions())
    ends.hooks["client shaken"] = lambda end: end.transport.write(b"secret")
    assert authority()
    port = ends.reactor.listenTCP(0, ends.factory, interface=HOST)
    ends.reactor.connectTCP(HOST, port.getHost().port, ends.clientFactory)
    told = ends.run()
    assert told["server"][1:] == [
        *(("data", b"start"), ("shaken",), ("data", b"secret"), ("lost", error.ConnectionDone)),
    ]
    assert told["client"][1:] == [("data", b"go"), ("shaken",), ("lost", error.ConnectionDone)]


def test_endpoints(ends: Ends) -> None:
    ends.hooks["client made"] = lambda end: end.transport.loseConnection()

    def listening(port: Any) -> None:
        endpoint = SSL4ClientEndpoint(ends.reactor, HOST, port.getHost().port, trusting())  # type: ignore[no-untyped-call]
        endpoint.connect(ends.clientFactory)

    server = SSL4ServerEndpoint(ends.reactor, 0, plainServerContext(), interface=HOST)  # type: ignore[no-untyped-call]
    server.listen(ends.factory).addCallback(listening)
    assert ends.run()["server"] == [("made",), ("shaken",), ("lost", error.ConnectionDone)]


def test_theReactorStopsInTheHandshake(ends: Ends) -> None:
    ends.waiting = {"client"}
    with socket.create_server((HOST, 0)) as silent:
        ends.reactor.connectSSL(HOST, silent.getsockname()[1], ends.clientFactory, trusting())
        ends.reactor.callLater(0.1, ends.reactor.disconnectAll)
        ends.run()
    assert issubclass(ends.reasons["client"].type, error.ConnectError)


def test_aContextForTheOtherSide(ends: Ends) -> None:
    with pytest.raises(ValueError, match="listenSSL"):
        ends.reactor.listenSSL(0, ends.factory, plainClientContext())
