"""What says that a connection speaks TLS, from the moment that it does and not before: interfaces, for whoever asks
them (`isSecure` of an HTTP library, say), and methods, for whoever asks `hasattr`.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest
import unixnet
from net import Net, Traced, TracedClient, TracedServer
from tls import clientOptions, connectSSL, listenSSL, pairSSL, serverOptions, startBoth, startTLS, tls, tlsInTLS
from zope.interface import Interface, alsoProvides, implementer
from zope.interface.verify import verifyObject

from protocols.policies import ProtocolWrapper, WrappingFactory
from protocols.tls import TLSMemoryBIOFactory
from reactor.error import CertificateError
from reactor.interfaces import (
    IConsumer,
    INegotiated,
    IPushProducer,
    IReactorSSL,
    ISSLTransport,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
    ITransport,
    IUNIXTransport,
)
from reactor.ssl import Certificate
from reactor.task import Clock
from reactor.testing import connectedPair

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def isSecure(transport: Any) -> bool:
    """As HTTP libraries ask."""
    return ISSLTransport(transport, None) is not None


def assertPlain(transport: Any) -> None:
    assert not isSecure(transport) and not INegotiated.providedBy(transport)
    assert not hasattr(transport, "getPeerCertificate")
    with pytest.raises(AttributeError):
        transport.getPeerCertificate()
    assert not transport.TLS and transport.getTLS() is None and transport.negotiatedProtocol is None
    with pytest.raises(CertificateError, match="speaks no TLS"):
        Certificate.peerFromTransport(transport)


def assertSecure(transport: Any) -> None:
    assert isSecure(transport) and INegotiated.providedBy(transport)
    assert transport.TLS and transport.getTLS().version() is not None
    # A client that shows none has none to be seen.
    assert transport.getPeerCertificate() is None or transport.getPeerCertificate().serialNumber() > 0


@pytest.mark.parametrize("kind", [tls, tlsInTLS, startTLS])
def test_everyKind(net: Net, kind: Any) -> None:
    for end in kind(net, Traced, Traced):
        assertSecure(end.transport)


def test_plain(net: Net, tmp_path: Any) -> None:
    for end in (*net.pair(), *unixnet.pair(net, tmp_path / "s")):
        assertPlain(end.transport)


def test_whatElseTheyProvide(net: Net) -> None:
    for end in pairSSL(net):
        for interface in (INegotiated, ITLSTransport, ITransport, IConsumer, IPushProducer, ISystemHandle):
            assert verifyObject(interface, end.transport)


def test_inTheCallbacks(net: Net) -> None:
    seen: list[tuple[bool, bool]] = []

    def look(protocol: Traced, *args: Any) -> None:
        seen.append((isSecure(protocol.transport), hasattr(protocol.transport, "getPeerCertificate")))

    server = listenSSL(net, made=look, data=look, lost=look)
    client = connectSSL(net, server.port, made=look, lost=look)
    net.until(lambda: "CM" in client.events)
    client.built[0].write(b"x")
    client.built[0].lose()
    net.until(lambda: client.over and server.built[0].lost)
    assert seen == [(True, True)] * 5


def test_startTLSIsTheMoment(net: Net) -> None:
    first, second = net.pair()
    transport = first.transport
    kept = transport.write
    assertPlain(transport)
    second.transport.startTLS(serverOptions())
    transport.startTLS(clientOptions())
    # The handshake has not begun to be answered; that it is asked for is what counts.
    assert isSecure(transport) and transport.TLS
    assert transport.getPeerCertificate() is None
    net.until(lambda: second.transport.getTLS().version() and transport.getTLS().version())
    assertSecure(transport)
    assert transport is first.transport and isinstance(transport, type(net.pair()[0].transport))
    kept(b"by a method that was put aside")
    net.until(lambda: second.received)
    # And once more, for TLS in TLS.
    startBoth(net, first, second)
    assertSecure(transport)


def test_whatStartTLSRefusesChangesNothing(net: Net) -> None:
    first, _ = net.pair()
    with pytest.raises(TypeError):
        first.transport.startTLS("context")
    assertPlain(first.transport)


def test_plainConnectionsHaveNothingForIt(net: Net) -> None:
    """No field for TLS, and not one module of it."""
    first, _ = net.pair()
    secure, _ = pairSSL(net)
    assert type(first.transport).__dictoffset__ == type(secure.transport).__dictoffset__
    assert sys.getsizeof(first.transport) == sys.getsizeof(secure.transport)
    assert "Secured" in type(secure.transport).__name__
    assert not any("Secured" in cls.__name__ for cls in type(first.transport).__mro__)


def test_theReactor(net: Net) -> None:
    assert verifyObject(IReactorSSL, net.reactor)


def test_inMemory(net: Net) -> None:
    client, server = Traced(), Traced()
    pair = connectedPair(Clock(), client, server)
    assertPlain(client.transport)
    server.transport.startTLS(serverOptions())
    client.transport.startTLS(clientOptions())
    pair.settle()
    for end in (client, server):
        assertSecure(end.transport)
        end.abort()
    pair.settle()


class IOfTheProgram(Interface):
    """Something that a program's transport says of itself."""


@implementer(IOfTheProgram)
class Marked(ProtocolWrapper):
    """A transport of a program's own."""


def wrapped(net: Net) -> tuple[Any, Any]:
    """Both ends of a connection that `protocols.tls` secures; the server's over a transport of a program's own."""
    server, client = TracedServer(), TracedClient()
    net.servers.append(server)
    net.clients.append(client)
    below = WrappingFactory(TLSMemoryBIOFactory(serverOptions(), False, server, net.reactor))
    below.protocol = Marked
    port: Any = net.reactor.listenTCP(0, below, interface="127.0.0.1")
    net.ports.append(port)
    net.reactor.connectTCP(
        "127.0.0.1", port.getHost().port, TLSMemoryBIOFactory(clientOptions(), True, client, net.reactor)
    )
    net.until(lambda: server.built and "CM" in server.built[0].events and "CM" in client.events)
    return client.built[0], server.built[0]


def test_theWrapper(net: Net) -> None:
    client, server = wrapped(net)
    for end in (client, server):
        assertSecure(end.transport)
        for interface in (INegotiated, ITransport, IConsumer, IPushProducer, ISystemHandle):
            assert verifyObject(interface, end.transport)
    assert IOfTheProgram.providedBy(server.transport)
    assert not IOfTheProgram.providedBy(client.transport)
    # What the transport has, the wrapper has; but nothing that would go around TLS.
    client.transport.setTcpNoDelay(False)
    assert client.transport.getTcpNoDelay() is False
    assert client.transport.getHandle() is client.transport.transport.getHandle()
    for name in ("sendFile", "sendFileDescriptor", "startTLS", "_wire", "nothing"):
        assert not hasattr(client.transport, name)
    assert not ITLSTransport.providedBy(client.transport)
    # Another protocol takes over.
    other = Traced()
    other.transport = server.transport
    server.transport.protocol = other
    client.write(b"to the other")
    net.until(lambda: other.received == b"to the other")
    server.transport.protocol = server


def test_theWrapperOverUNIX(net: Net, tmp_path: Any) -> None:
    server = TracedServer()
    net.servers.append(server)
    factory = TLSMemoryBIOFactory(serverOptions(), False, server, net.reactor)
    net.ports.append(net.reactor.listenUNIX(str(tmp_path / "s"), factory))
    client = unixnet.connect(net, str(tmp_path / "s"))
    net.until(lambda: client.built and "CM" in client.events)
    client.built[0].transport.startTLS(clientOptions())
    net.until(lambda: server.built and server.built[0].events)
    transport = server.built[0].transport
    assertSecure(transport)
    assert not IUNIXTransport.providedBy(transport)
    assert transport.getPeerCredentials() == client.built[0].transport.getPeerCredentials()


@pytest.mark.parametrize("layers", [1, 2])
def test_policiesAround(net: Net, layers: int) -> None:
    """A wrapper provides what its transport does: from the first byte, and from startTLS on."""
    server = TracedServer()
    net.servers.append(server)
    factory: Any = server
    for _ in range(layers):
        factory = WrappingFactory(factory)
    port: Any = net.reactor.listenTCP(0, factory, interface="127.0.0.1")
    net.ports.append(port)
    client = net.connect(port.getHost().port)
    net.until(lambda: server.built and "CM" in client.events)
    transport = server.built[0].transport
    assertPlain(transport)
    assert ITCPTransport.providedBy(transport)
    alsoProvides(transport, IOfTheProgram)
    transport.startTLS(serverOptions())
    client.built[0].transport.startTLS(clientOptions())
    assert isSecure(transport) and IOfTheProgram.providedBy(transport)
    net.until(lambda: transport.getTLS().version())
    assertSecure(transport)


def test_aServersPolicyOverTLS(net: Net) -> None:
    server = TracedServer()
    net.servers.append(server)
    port: Any = net.reactor.listenSSL(0, WrappingFactory(server), serverOptions(), interface="127.0.0.1")
    net.ports.append(port)
    client = connectSSL(net, port.getHost().port)
    net.until(lambda: server.built and "CM" in client.events)
    assertSecure(server.built[0].transport)
