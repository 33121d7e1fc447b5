"""`reactor.ssl`: certificates, context factories, names, trust, sessions; each against a real peer."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced
from tls import (
    authority,
    clientOptions,
    connectSSL,
    issued,
    listenSSL,
    pairSSL,
    plainClientContext,
    plainServerContext,
    private,
    root,
    serverOptions,
)

from reactor.endpoints import TCP4ClientEndpoint, connectProtocol
from reactor.endpoints._connecting import connecting
from reactor.error import CertificateError, PeerVerifyError
from reactor.protocol import Protocol
from reactor.ssl import (
    AcceptableCiphers,
    Certificate,
    CertificateOptions,
    ClientContextFactory,
    ContextFactory,
    DefaultOpenSSLContextFactory,
    KeyPair,
    PrivateCertificate,
    ReloadingCertificate,
    ServerNames,
    TLSVersion,
    insecurelyTrustAnybody,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)

net_ = pytest.mark.parametrize("net", ["default"], indirect=True)


def files(folder: Path, leaf: Any = None, name: str = "server") -> tuple[str, str]:
    """The names of a key's and a certificate's file."""
    found = leaf or issued()
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    found.private_key_pem.write_to_path(str(key))
    certificate.write_bytes(b"".join(blob.bytes() for blob in found.cert_chain_pems))
    return str(key), str(certificate)


def fails(net: Net, client: Any) -> str:
    net.until(lambda: client.over)
    return str(client.reasons[0].value)


# Security defaults.


def test_aClientVerifies() -> None:
    for context in (
        optionsForClientTLS("example.org").getContext(),
        ClientContextFactory().getContext(),
        CertificateOptions().contextFor(False),
    ):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_aServersDefaults() -> None:
    context = serverOptions().getContext()
    assert context.protocol is ssl.PROTOCOL_TLS_SERVER
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.options & getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)


@net_
def test_startTLSVerifiesTheNameThatWasConnectedTo(net: Net) -> None:
    server = net.listen(build=lambda a: Traced(made=lambda p: p.transport.startTLS(serverOptions(issued("x.example")))))
    client = net.connect(server.port, made=lambda p: p.transport.startTLS(plainClientContext()))
    assert "127.0.0.1" in fails(net, client)


# What is accepted as a context factory.


@net_
def test_anSSLContextWillDo(net: Net) -> None:
    first, second = pairSSL(net, plainServerContext(), plainClientContext())
    first.write(b"hello")
    net.until(lambda: second.received == b"hello")


@net_
def test_aFactoryOfTheProgramsOwn(net: Net) -> None:
    class Mine(ContextFactory):
        def getContext(self) -> ssl.SSLContext:
            return plainServerContext()

    pairSSL(net, Mine())
    with pytest.raises(NotImplementedError):
        ContextFactory().getContext()


@net_
def test_whatIsNoContextFactory(net: Net) -> None:
    class Wrong:
        def getContext(self) -> str:
            return "context"

    reactor = net.reactor
    for bad in (None, "context", Wrong()):
        with pytest.raises(TypeError, match=r"listenSSL\(\)"):
            reactor.listenSSL(0, Traced, bad)
        with pytest.raises(TypeError, match=r"connectSSL\(\)"):
            reactor.connectSSL("127.0.0.1", 1, Traced, bad)
    with pytest.raises(ValueError, match="server's context is needed"):
        reactor.listenSSL(0, Traced, plainClientContext())
    with pytest.raises(ValueError, match="client's context is needed"):
        reactor.connectSSL("127.0.0.1", 1, Traced, plainServerContext())


@net_
def test_certificateOptionsOnBothSides(net: Net) -> None:
    trust = trustRootFromCertificates([root()])
    both = PrivateCertificate.loadPEM(private().dumpPEM() + private().privateKey.dump())
    options = CertificateOptions(both.privateKey, both, trustRoot=trust)
    first, second = pairSSL(net, options, options)
    assert Certificate.peerFromTransport(second.transport).serialNumber() == both.serialNumber()


def test_keyAndCertificateBelongTogether() -> None:
    with pytest.raises(ValueError, match="privateKey is missing"):
        CertificateOptions(certificate=private())
    with pytest.raises(ValueError, match="extraCertChain"):
        CertificateOptions(extraCertChain=[root()])
    with pytest.raises(ssl.SSLError):
        CertificateOptions(private().privateKey, private(issued("other.example"))).getContext()


# optionsForClientTLS.


def test_hostnamesOfOptions() -> None:
    assert optionsForClientTLS("bücher.example").hostname == "xn--bcher-kva.example"
    assert optionsForClientTLS("example.org.").hostname == "example.org"
    with pytest.raises(TypeError, match="must be a str"):
        optionsForClientTLS(b"example.org")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty"):
        optionsForClientTLS("")


@net_
def test_trustRoots(net: Net) -> None:
    given: Any
    for given in (root(), [root()], trustRootFromCertificates([root()])):
        pairSSL(net, client=optionsForClientTLS("localhost", given))
    server = listenSSL(net)
    for given in (None, platformTrust()):
        client = connectSSL(net, server.port, optionsForClientTLS("localhost", given))
        assert "could not be verified" in fails(net, client)


@net_
def test_insecurelyTrustAnybody(net: Net) -> None:
    pairSSL(net, client=optionsForClientTLS("nobody.example", insecurelyTrustAnybody()))


@net_
def test_ALPN(net: Net) -> None:
    server = private().options()
    server.acceptableProtocols = [b"h2", b"http/1.1"]
    first, second = pairSSL(net, server, clientOptions(acceptableProtocols=[b"http/1.1", b"h2"]))
    # The server's preference decides.
    assert {first.transport.negotiatedProtocol, second.transport.negotiatedProtocol} <= {b"h2", b"http/1.1"}
    assert first.transport.negotiatedProtocol == second.transport.negotiatedProtocol is not None
    third, _ = pairSSL(net, server)
    assert third.transport.negotiatedProtocol is None


@net_
def test_extraCertificateOptions(net: Net) -> None:
    extra = {"lowerMaximumSecurityTo": TLSVersion.TLSv1_2}
    first, _ = pairSSL(net, client=clientOptions(extraCertificateOptions=extra))
    assert first.transport.getTLS().version() == "TLSv1.2"
    extra2 = {
        "acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString("ECDHE+CHACHA20"),
        "lowerMaximumSecurityTo": TLSVersion.TLSv1_2,
    }
    first, _ = pairSSL(net, client=clientOptions(extraCertificateOptions=extra2))
    assert "CHACHA20" in first.transport.getTLS().cipher()[0]
    with pytest.raises(ssl.SSLError):
        AcceptableCiphers.fromOpenSSLCipherString("NO-SUCH-CIPHER")


# Client certificates.


@net_
def test_clientCertificates(net: Net) -> None:
    server = private().options(root())
    mine = private(authority().issue_cert("alice@example.org"))
    first, second = pairSSL(net, server, clientOptions(clientCertificate=mine))
    assert second.transport.getPeerCertificate() == Certificate.load(mine.dump())
    assert first.transport.getPeerCertificate() == Certificate.load(private().dump())


@net_
def test_aClientWithoutCertificate(net: Net) -> None:
    server = listenSSL(net, private().options(root()))
    client = connectSSL(net, server.port, clientOptions())
    # With TLS 1.3 the client hears of it after its own part is done.
    net.until(lambda: client.over)
    assert "certificate" in str(client.reasons[0].value)
    assert server.built == []
    optional = CertificateOptions(private().privateKey, private(), trustRoot=root(), requireCertificate=False)
    _, second = pairSSL(net, optional)
    assert second.transport.getPeerCertificate() is None
    with pytest.raises(CertificateError):
        Certificate.peerFromTransport(second.transport)


# Sessions.


@net_
def test_sessionsAreResumed(net: Net) -> None:
    options = clientOptions()
    server = serverOptions()
    reused = []

    def once() -> None:
        first, second = pairSSL(net, server, options)
        second.write(b"x")
        net.until(lambda: first.received)
        reused.append(first.transport.getTLS().session_reused)
        first.lose()
        net.until(lambda: first.lost and second.lost)

    once()
    once()
    assert reused == [False, True]


# Servers with names, and files.


@net_
def test_serverNames(net: Net) -> None:
    names = ServerNames(
        serverOptions(issued("default.example")),
        {
            "one.example": serverOptions(issued("one.example")),
            "*.two.example": plainServerContext(issued("a.two.example")),
        },
    )
    for name in ("one.example", "a.two.example", "default.example"):
        pairSSL(net, names, clientOptions(name))
    server = listenSSL(net, names)
    assert "unknown.example" in fails(net, connectSSL(net, server.port, clientOptions("unknown.example")))


def test_serverNamesAskForCertificatesAlike() -> None:
    with pytest.raises(ValueError, match="client certificates"):
        ServerNames(serverOptions(), {"admin.example": private().options(root())})


@net_
def test_aCertificateFromFiles(net: Net, tmp_path: Path) -> None:
    key, certificate = files(tmp_path)
    pairSSL(net, DefaultOpenSSLContextFactory(key, certificate))
    with pytest.raises(OSError):
        DefaultOpenSSLContextFactory(key + "x", certificate)


@net_
def test_aCertificateIsReloaded(net: Net, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key, certificate = files(tmp_path)
    server = listenSSL(net, ReloadingCertificate(key, certificate))

    def serial() -> int:
        client = connectSSL(net, server.port)
        net.until(lambda: "CM" in client.events)
        return int(client.built[0].transport.getPeerCertificate().serialNumber())

    first = serial()
    assert serial() == first
    Path(certificate).write_text("half written")
    assert serial() == first
    assert "cannot be used yet" in caplog.text
    renewed = authority().issue_cert(*("localhost", "127.0.0.1"))
    files(tmp_path, renewed)
    assert serial() == private(renewed).serialNumber() != first


@net_
def test_keysWithAPassphrase(net: Net, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as s

    plain = s.load_pem_private_key(private().privateKey.dump(), None)
    secret = plain.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"sesame"))
    pairSSL(net, CertificateOptions(KeyPair.load(secret, b"sesame"), private()))
    with pytest.raises(ssl.SSLError):
        CertificateOptions(KeyPair.load(secret), private()).getContext()
    with pytest.raises(ValueError, match="no private key"):
        KeyPair.load(b"x")


# Other peers.

needsOpenSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")


@net_
@needsOpenSSL
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openSSLsClient(net: Net, tmp_path: Path, version: str) -> None:
    server = listenSSL(net, data=lambda p, data: (p.write(data.upper()), p.lose()))
    authority().cert_pem.write_to_path(str(tmp_path / "root.pem"))
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-quiet", "-ign_eof"]
    command += ["-CAfile", str(tmp_path / "root.pem"), "-verify_return_error", "-servername", "localhost"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        net.until(lambda: server.built and server.built[0].lost)
        assert process.stdout.read() == b"HELLO\n"
    assert server.built[0].short[-1] == "CL(ConnectionDone)"


@net_
@needsOpenSSL
def test_openSSLsClientMayNotRenegotiate(net: Net) -> None:
    server = listenSSL(net)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdin is not None and process.stdout is not None
        net.until(lambda: server.built)
        process.stdin.write(b"R\n")
        process.stdin.flush()
        net.until(lambda: server.built[0].lost)
        assert b"no renegotiation" in process.stdout.read()
    net.assertIdle()


@net_
@needsOpenSSL
def test_openSSLsServer(net: Net, tmp_path: Path) -> None:
    key, certificate = files(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", certificate, "-rev"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b"ACCEPT"):
                break
        client = connectSSL(net, port, made=lambda p: p.write(b"stressed\n"))
        net.until(lambda: client.built and client.built[0].received == b"desserts\n")
        client.built[0].lose()
        net.until(lambda: client.over)
        process.kill()
    assert client.short[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]


TWISTED = """
import sys
from twisted.internet import endpoints, protocol, reactor, ssl
mode, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Ask(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"question")
    def dataReceived(self, data):
        print(data.decode(), flush=True)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        print(reason.type.__name__, flush=True)
        reactor.stop()

if mode == "server":
    options = ssl.PrivateCertificate.loadPEM(open(folder + "/both.pem").read()).options()
    port = reactor.listenSSL(0, protocol.Factory.forProtocol(Echo), options, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
else:
    trust = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(open(folder + "/root.pem").read())])
    options = ssl.optionsForClientTLS("localhost", trust)
    factory = protocol.ClientFactory.forProtocol(Ask)
    reactor.connectSSL("127.0.0.1", port, factory, options)
reactor.run()
"""


@net_
@pytest.mark.parametrize("mode", ["server", "client"])
def test_Twisted(net: Net, tmp_path: Path, mode: str) -> None:
    pytest.importorskip("OpenSSL", reason="needs Twisted's TLS")
    pytest.importorskip("service_identity", reason="needs Twisted's TLS")
    (tmp_path / "both.pem").write_bytes(issued().private_key_and_cert_chain_pem.bytes())
    authority().cert_pem.write_to_path(str(tmp_path / "root.pem"))
    server = listenSSL(net, data=lambda p, data: p.write(data))
    command = [sys.executable, "-c", TWISTED, mode, str(server.port), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if mode == "client":
            net.until(lambda: server.built and server.built[0].lost)
            assert process.stdout.read() == "question\nConnectionDone\n"
            assert server.built[0].short[-1] == "CL(ConnectionDone)"
            return
        client = connectSSL(net, int(process.stdout.readline()), made=lambda p: p.write(b"question"))
        net.until(lambda: client.built and client.built[0].received == b"question")
        client.built[0].lose()
        net.until(lambda: client.over)
        assert client.short[-3:] == ["CL(ConnectionDone)", "CCL(ConnectionDone)", "doStop"]
        process.kill()


# The guide's promise: another endpoint, and nothing else.


class TLSEndpoint:
    """A client endpoint over TLS, as small as it gets."""

    def __init__(self, net: Net, port: int) -> None:
        self.begin = lambda factory: net.reactor.connectSSL("127.0.0.1", port, factory, clientOptions())

    def connect(self, factory: Any) -> Any:
        return connecting(factory, self.begin)


@net_
@pytest.mark.parametrize("secure", [True, False])
def test_theGreeterByChangingItsEndpointOnly(net: Net, secure: bool) -> None:
    def listen(**on: Any) -> Any:
        return listenSSL(net, **on) if secure else net.listen(**on)

    class Greeter(Protocol):
        answer = b""

        def sendMessage(self, message: bytes) -> None:
            self.transport.write(b"MESSAGE %s\n" % message)

        def dataReceived(self, data: bytes) -> None:
            self.answer += data

    server = listen(data=lambda p, data: p.write(data))
    point = TLSEndpoint(net, server.port) if secure else TCP4ClientEndpoint(net.reactor, "127.0.0.1", server.port)
    greeter = net.result(connectProtocol(point, Greeter()))
    greeter.sendMessage(b"Hello")
    net.until(lambda: greeter.answer == b"MESSAGE Hello\n")
    greeter.transport.loseConnection()
    net.until(lambda: server.built[0].lost)


@net_
def test_anEndpointTellsOfABadCertificate(net: Net) -> None:
    server = listenSSL(net, serverOptions(issued("other.example")))
    with pytest.raises(PeerVerifyError, match=r"other\.example"):
        net.result(connectProtocol(TLSEndpoint(net, server.port), Protocol()))
