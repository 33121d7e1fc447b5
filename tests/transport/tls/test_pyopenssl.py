"""Contexts of pyOpenSSL: against the standard library's and each other, however the bytes are cut."""

from __future__ import annotations

import itertools
import ssl
from typing import Any

import pytest
import tls
from net import Net, Traced, pattern

from reactor.ssl import Certificate

SSL = pytest.importorskip("OpenSSL.SSL")
crypto = pytest.importorskip("OpenSSL.crypto")
Context = pytest.importorskip("reactor._transport.tls.pyopenssl").Context

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
BIG = pattern(400_000)


class Contexts:
    """A context factory as programs for Twisted write it."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def getContext(self) -> Any:
        return self.context


def serverContext(leaf: Any = None, version: int | None = None) -> Any:
    leaf = leaf or tls.issued("localhost", "127.0.0.1")
    context = SSL.Context(SSL.TLS_METHOD)
    with leaf.private_key_and_cert_chain_pem.tempfile() as path:
        context.use_certificate_chain_file(path)
        context.use_privatekey_file(path)
    if version is not None:
        context.set_max_proto_version(version)
    return context


def clientContext(ca: Any = None) -> Any:
    context = SSL.Context(SSL.TLS_METHOD)
    with (ca or tls.authority()).cert_pem.tempfile() as path:
        context.load_verify_locations(path)
    context.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, number, depth, good: bool(good))
    return context


class Echo(Traced):
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)


PAIRS = {
    "both": lambda: (Contexts(serverContext()), Contexts(clientContext())),
    "1.2": lambda: (Contexts(serverContext(version=SSL.TLS1_2_VERSION)), Contexts(clientContext())),
    "server": lambda: (Contexts(serverContext()), tls.clientOptions("127.0.0.1")),
    "client": lambda: (tls.serverOptions(), Contexts(clientContext())),
}


@pytest.mark.parametrize("which", PAIRS)
def test_echo(net: Net, which: str) -> None:
    server, client = PAIRS[which]()
    first, second = tls.pairSSL(net, server, client, second=Echo)
    first.write(b"small")
    net.until(lambda: first.received == b"small")
    first.write(BIG)
    for start in range(0, 5000, 7):
        first.write(BIG[start : start + 7])
    expected = b"small" + BIG + BIG[:5005]
    net.until(lambda: len(first.received) == len(expected))
    assert first.received == second.received == expected
    secured = first.transport.getTLS()
    assert secured.version() == ("TLSv1.2" if which == "1.2" else "TLSv1.3")
    assert secured.cipher()[0]
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert net.reasonOf(first) == net.reasonOf(second) == "ConnectionDone"


def test_whatAProgramFindsThere(net: Net) -> None:
    first, _ = tls.pairSSL(net, *PAIRS["both"]())
    transport: Any = first.transport
    assert isinstance(transport.getHandle(), SSL.Connection)
    found = transport.getPeerCertificate()
    assert isinstance(found, crypto.X509)
    secured = transport.getTLS()
    der = secured.getpeercert(True)
    assert Certificate(der).digest("sha256") == found.digest("sha256")
    with pytest.raises(ValueError, match="binary form only"):
        secured.getpeercert()
    assert transport.negotiatedProtocol is None and secured.session is None and not secured.session_reused
    assert transport.TLS
    # With the standard library's contexts it is the socket, as ever.
    other, _ = tls.pairSSL(net)
    handle: Any = other.transport
    assert handle.getHandle().fileno() == handle.fileno()


def test_ALPN(net: Net) -> None:
    client = clientContext()
    client.set_alpn_protos([b"h2", b"irc"])
    server = serverContext()
    server.set_alpn_select_callback(lambda connection, offered: offered[-1])
    first, second = tls.pairSSL(net, Contexts(server), Contexts(client))
    assert first.transport.negotiatedProtocol == second.transport.negotiatedProtocol == b"irc"  # type: ignore[attr-defined]


def test_bothShowACertificateThatNobodySigned(net: Net) -> None:
    """What the standard library has no place for: the program looks at it, and lets it pass."""
    seen: list[Any] = []

    def look(connection: Any, certificate: Any, number: int, depth: int, good: int) -> bool:
        seen.append(certificate.digest("sha256"))
        return True

    contexts = []
    for _ in range(2):
        context = serverContext()
        context.set_verify(SSL.VERIFY_PEER, look)
        contexts.append(Contexts(context))
    first, second = tls.pairSSL(net, *contexts)
    net.until(lambda: tls.shaken(first) and tls.shaken(second))
    assert seen
    assert first.transport.getPeerCertificate() is not None  # type: ignore[attr-defined]
    assert second.transport.getPeerCertificate() is not None  # type: ignore[attr-defined]


def test_aCertificateThatIsRefused(net: Net) -> None:
    listening = tls.listenSSL(net, Contexts(serverContext()))
    client = tls.connectSSL(net, listening.port, Contexts(clientContext(tls.stranger())))
    net.until(lambda: client.over)
    assert "CCF(PeerVerifyError)" in client.short
    assert "did not accept the certificate" in str(client.reasons[0].value)
    assert listening.built == []


def test_whatIsNoTLS(net: Net) -> None:
    plain = net.listen(made=lambda self: self.write(b"HTTP/1.0 400 no\r\n\r\n"))
    client = tls.connectSSL(net, plain.port, Contexts(clientContext()))
    net.until(lambda: client.over)
    assert "CCF(SSLError)" in client.short
    assert "wrong version number" in str(client.reasons[0].value)


def test_startTLS(net: Net) -> None:
    server = net.listen()
    client = net.connect(server.port)
    net.until(lambda: server.built and client.built and "CM" in client.events and "CM" in server.built[0].events)
    first, second = client.built[0], server.built[0]
    second.transport.startTLS(Contexts(serverContext()))
    first.transport.startTLS(Contexts(clientContext()))
    first.write(BIG)
    net.until(lambda: len(second.received) == len(BIG))
    first.transport.abortConnection()
    net.until(lambda: first.lost and second.lost)
    assert net.reasonOf(first) == "ConnectionAborted" and net.reasonOf(second) == "ConnectionLost"


def test_nothingComesWhilePaused(net: Net) -> None:
    """Several records are here, and the first one's delivery pauses."""

    class Pausing(Traced):
        paused = False

        def dataReceived(self, data: bytes) -> None:
            assert not self.paused
            super().dataReceived(data)
            self.paused = True
            self.transport.pauseProducing()

            def resume() -> None:
                self.paused = False
                self.transport.resumeProducing()

            net.reactor.callLater(0, resume)

    first, second = tls.pairSSL(net, *PAIRS["both"](), second=Pausing)
    first.write(BIG[:100_000])
    first.lose()
    net.until(lambda: second.lost)
    assert second.received == BIG[:100_000] and net.reasonOf(second) == "ConnectionDone"


def test_aServerThatRenegotiatesWhileWeWrite(net: Net) -> None:
    first, second = tls.pairSSL(net, *PAIRS["1.2"](), first=Traced, second=Echo)
    net.until(lambda: tls.shaken(first) and tls.shaken(second))
    second.transport.getHandle().renegotiate()  # type: ignore[attr-defined]
    second.write(b"now")
    first.write(BIG)
    net.until(lambda: first.received.startswith(b"now"))
    first.write(BIG)
    net.until(lambda: len(first.received) == 3 + 2 * len(BIG))
    assert first.received == b"now" + BIG + BIG
    first.lose()
    net.until(lambda: first.lost and second.lost)
    assert net.reasonOf(second) == "ConnectionDone"


class End:
    """One end without a reactor."""

    def __init__(self, context: Any, server: bool) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server else "localhost"
        self.object: Any = context.wrap_bio(self.incoming, self.outgoing, server, name)
        self.shaken = False
        self.got = b""

    def work(self) -> None:
        try:
            if not self.shaken:
                self.object.do_handshake()
                self.shaken = True
            while True:
                self.got += self.object.read(20000)
        except ssl.SSLWantReadError as e:
            assert hasattr(e, "reason")


@pytest.mark.parametrize("size", [1, 3, 5, 6, 1000, 16405, 70000])
@pytest.mark.parametrize("ours", ["client", "server", "both"])
def test_howeverItIsCut(net: Net, size: int, ours: str) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.issued("localhost").configure_cert(theirs)
    client = Context(clientContext()) if ours != "server" else tls.clientOptions("localhost").getContext()
    one, other = End(client, False), End(theirs if ours == "client" else Context(serverContext()), True)
    said = BIG[: 3000 if size < 1000 else 100_000]

    def carry() -> None:
        for _ in range(20):
            one.work(), other.work()
            for source, target in ((one, other), (other, one)):
                data = source.outgoing.read()
                for start in range(0, len(data), size):
                    target.incoming.write(data[start : start + size])
                    target.work()
            if not one.outgoing.pending and not other.outgoing.pending and one.shaken and other.shaken:
                return

    carry()
    for source, target in itertools.permutations((one, other)):
        assert source.object.write(said) == len(said)
        carry()
        assert target.got == said and target.object.pending() == 0
    for end in (one, other):
        with pytest.raises(ssl.SSLWantReadError):
            end.object.read(10)
    with pytest.raises(ssl.SSLWantReadError):
        one.object.unwrap()
    other.incoming.write(one.outgoing.read())
    assert other.object.read(10) == b""
    other.object.unwrap()
