"""What tests of TLS stand on: certificates made for the run, contexts from them, and both ends of a connection."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Any

import trustme
from net import Net, Traced, TracedClient, TracedServer
from zope.interface import implementer

from reactor.interfaces import IHandshakeListener
from reactor.ssl import Certificate, PrivateCertificate, optionsForClientTLS, trustRootFromCertificates

NAMES = ("localhost", "127.0.0.1", "::1")


@functools.cache
def authority() -> trustme.CA:
    """Who signs everything that is to be trusted."""
    return trustme.CA()


@functools.cache
def stranger() -> trustme.CA:
    """Who is not trusted."""
    return trustme.CA(organization_name="A stranger")


@functools.cache
def issued(*names: str) -> trustme.LeafCert:
    return authority().issue_cert(*(names or NAMES))


def root(ca: trustme.CA | None = None) -> Certificate:
    return Certificate.loadPEM((ca or authority()).cert_pem.bytes())


def private(leaf: trustme.LeafCert | None = None) -> PrivateCertificate:
    return PrivateCertificate.loadPEM((leaf or issued()).private_key_and_cert_chain_pem.bytes())


def serverOptions(leaf: trustme.LeafCert | None = None, **options: Any) -> Any:
    """A server's context factory with the certificate `leaf`."""
    found = private(leaf).options()
    for name, value in options.items():
        setattr(found, name, value)
    return found


def clientOptions(hostname: str = "localhost", ca: trustme.CA | None = None, **options: Any) -> Any:
    """A client's context factory that trusts our authority."""
    return optionsForClientTLS(hostname, trustRootFromCertificates([root(ca)]), **options)


def plainServerContext(leaf: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """A context for a peer on plain sockets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (leaf or issued()).configure_cert(context)
    return context


def plainClientContext() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    return context


@implementer(IHandshakeListener)
class Shaken(Traced):
    """Traces `handshakeCompleted` as HC."""

    def handshakeCompleted(self) -> None:
        self._heard("HC", "shaken")


def listenSSL(net: Net, options: Any = None, build: Any = None, interface: str = "127.0.0.1", **on: Any) -> Any:
    """A TLS server on a free port."""
    server = TracedServer(build, **on)
    port: Any = net.reactor.listenSSL(0, server, options or serverOptions(), interface=interface)
    server.listening = port
    server.port = port.getHost().port
    net.ports.append(port)
    net.servers.append(server)
    return server


def connectSSL(
    net: Net,
    port: int,
    options: Any = None,
    build: Any = None,
    host: str = "127.0.0.1",
    timeout: float | None = 5,
    **on: Any,
) -> Any:
    """A TLS client on its way."""
    client = TracedClient(build, **on)
    net.clients.append(client)
    client.connector = net.reactor.connectSSL(host, port, client, options or clientOptions(), timeout)
    return client


def pairSSL(net: Net, server: Any = None, client: Any = None, first: Any = Traced, second: Any = Traced) -> Any:
    """Two connected protocols, the client's and the server's."""
    listening = listenSSL(net, server, lambda address: second())
    connecting = connectSSL(net, listening.port, client, lambda address: first())
    net.until(lambda: connecting.built and listening.built and "CM" in listening.built[0].events)
    net.until(lambda: "CM" in connecting.events)
    return connecting.built[0], listening.built[0]


def startBoth(net: Net, first: Traced, second: Traced) -> None:
    """TLS between two connected ends, from here on."""
    net.turn(2)
    if first.lost or second.lost:
        return
    second.transport.startTLS(serverOptions())
    first.transport.startTLS(clientOptions())
    net.until(lambda: all(shaken(end) for end in (first, second)))


def impatient(end: Traced, seconds: float = 0.02) -> None:
    """Wait for an answer to close_notify no longer than that, in every layer that there is."""
    top = end.transport._top
    while top is not end.transport._wire:
        top._side.shutdownTimeout = seconds
        top = top.below


def shaken(end: Traced) -> bool:
    secured = end.transport.getTLS()
    return secured is not None and end.transport._top._early is None


Build = Callable[[], Traced]


def tls(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """TLS from the first byte."""
    one, other = pairSSL(net, first=first, second=second)
    return one, other


def tlsInTLS(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """TLS in TLS."""
    one, other = pairSSL(net, first=first, second=second)
    startBoth(net, one, other)
    return one, other


def startTLS(net: Net, first: Build, second: Build) -> tuple[Traced, Traced]:
    """Plain at first."""
    server = net.listen(build=lambda address: second())
    client = net.connect(server.port, build=lambda address: first())
    net.until(lambda: server.built and client.built and "CM" in client.events and "CM" in server.built[0].events)
    startBoth(net, client.built[0], server.built[0])
    return client.built[0], server.built[0]
