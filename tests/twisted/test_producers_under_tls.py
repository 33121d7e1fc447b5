"""A producer that is there when TLS begins is told by Twisted's layer of TLS from then on."""

from __future__ import annotations

from typing import Any

import pytest
import trustme
from patience import PATIENCE

pytest.importorskip("twisted")
pytest.importorskip("OpenSSL")

from twisted.internet import ssl
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from reactor.twisted import TwistedReactor

PIECE = b"x" * 50_000
PIECES = 40


@implementer(IPushProducer)
class Sends(Protocol):
    """Registers itself as a producer, begins TLS, and sends."""

    def __init__(self, options: Any) -> None:
        self.options = options
        self.left = PIECES
        self.told: list[str] = []

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.registerProducer(self, True)
        assert transport.producer is self
        transport.startTLS(self.options)
        self.resumeProducing()

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        transport: Any = self.transport
        self.told.append("resume")
        while self.left:
            self.left -= 1
            transport.write(PIECE)
            if self.told[-1] == "pause":
                return
        transport.unregisterProducer()
        transport.loseConnection()

    def stopProducing(self) -> None:
        self.told.append("stop")


class Counts(Protocol):
    """Begins TLS, and counts."""

    def __init__(self, reactor: Any, options: Any) -> None:
        self.reactor = reactor
        self.options = options
        self.received = 0

    def connectionMade(self) -> None:
        self.transport.startTLS(self.options)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.reactor.callLater(0, self.reactor.crash)


# Of pyOpenSSL, about what Twisted passes to it.
@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")
def test_registeredBeforeTLS() -> None:
    reactor: Any = TwistedReactor()
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate = ssl.PrivateCertificate.loadPEM(issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes())
    trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(authority.cert_pem.bytes())])
    counts = Counts(reactor, certificate.options())
    sends = Sends(ssl.optionsForClientTLS("localhost", trusted))
    factory = Factory()
    factory.buildProtocol = lambda address: counts  # type: ignore[method-assign]
    late = reactor.callLater(PATIENCE, reactor.crash)

    def listening(port: Any) -> Any:
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        return connectProtocol(client, sends)

    TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory).addCallback(listening)
    reactor.run(installSignalHandlers=False)
    reactor.disconnectAll()
    assert late.active()
    late.cancel()
    assert counts.received == PIECES * len(PIECE)
    assert sends.told[:3] == ["resume", "pause", "resume"] and "stop" not in sends.told
