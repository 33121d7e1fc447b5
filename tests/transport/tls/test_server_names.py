"""A server of several names: each is served with its own context from the first byte on, and a session that was begun
under one is not resumed under another.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from net import Net, Traced, TracedServer
from test_tls_faults import Peer
from tls import authority, issued, listenSSL, private, root, serverOptions, stranger

from protocols.tls import TLSMemoryBIOFactory
from reactor.endpoints._folder import InFolder
from reactor.ssl import CertificateOptions, ServerNames, trustRootFromCertificates

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
eachVersion = pytest.mark.parametrize("version", VERSIONS)


def trusting(ca: Any, *names: str) -> CertificateOptions:
    """The options of a server that lets in whom `ca` has signed."""
    mine = private(issued(*names))
    return CertificateOptions(mine.privateKey, mine, trustRootFromCertificates([root(ca)]))


def ours() -> ServerNames:
    """Our authority signs the clients of a.example, a stranger those of b.example."""
    a, b = trusting(authority(), "a.example"), trusting(stranger(), "b.example", "*.b.example")
    return ServerNames(a, {"a.example": a, "*.b.example": b, "b.example": b})


def client(version: ssl.TLSVersion, ca: Any = None) -> ssl.SSLContext:
    """A client with a certificate that `ca` has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    context.minimum_version = context.maximum_version = version
    (ca or authority()).issue_cert("client.example").configure_cert(context)
    return context


class Client(Peer):
    """A client on a plain socket that may resume."""

    def __init__(self, net: Net, port: int, context: ssl.SSLContext, name: str | None, session: Any = None) -> None:
        super().__init__(net, socket.create_connection(("127.0.0.1", port)), context, False)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, False, name, session)

    def asks(self, data: bytes = b"hello") -> str:
        """What comes back: "served", with a + when a session was resumed, or why not."""
        try:
            self.do(self.tls.do_handshake)
            self.write(data)
            answer = self.do(self.tls.read, 100)
        except ssl.SSLError as e:
            return str(e.reason)
        except ConnectionResetError:
            return "reset"
        assert answer == data.upper()
        return "served+" if self.tls.session_reused else "served"


def answer(protocol: Traced, data: bytes) -> None:
    protocol.write(data.upper())


def listening(net: Net, options: Any) -> int:
    return int(listenSSL(net, options, data=answer).port)


def startingTLS(net: Net, options: Any) -> int:
    return net.listen(made=lambda p: p.transport.startTLS(options), data=answer).port


def wrapped(net: Net, options: Any) -> int:
    server = TracedServer(data=answer)
    port: Any = net.reactor.listenTCP(0, TLSMemoryBIOFactory(options, False, server, net.reactor), 50, "127.0.0.1")
    net.ports.append(port)
    return int(port.getHost().port)


eachServer = pytest.mark.parametrize("listen", [listening, startingTLS, wrapped])


@eachServer
@eachVersion
def test_aSessionOfAnotherName(net: Net, listen: Callable[..., int], version: ssl.TLSVersion) -> None:
    """Whoever may not come in under a name does not come in there with a session of another."""
    port = listen(net, ours())
    context = client(version)
    first = Client(net, port, context, "a.example")
    assert first.asks() == "served"
    session = first.tls.session
    assert session.has_ticket or version is ssl.TLSVersion.TLSv1_2
    for name in ("b.example", "x.b.example"):
        assert Client(net, port, context, name).asks() == "TLSV1_ALERT_UNKNOWN_CA"
        assert Client(net, port, context, name, session).asks() == "TLSV1_ALERT_UNKNOWN_CA"
    # Under its own it is resumed, and so it is under none, which has the same context.
    assert Client(net, port, context, "a.example", session).asks() == "served+"


@eachServer
@eachVersion
def test_eachNameResumesItsOwn(net: Net, listen: Callable[..., int], version: ssl.TLSVersion) -> None:
    port = listen(net, ours())
    context = client(version, stranger())
    first = Client(net, port, context, "b.example")
    assert first.asks() == "served"
    assert Client(net, port, context, "b.example", first.tls.session).asks() == "served+"
    assert Client(net, port, context, "a.example", first.tls.session).asks() == "TLSV1_ALERT_UNKNOWN_CA"


@eachVersion
def test_theStandardLibrarysWay(net: Net, version: ssl.TLSVersion) -> None:
    """`getContext` for other users of `ssl`: nothing is resumed, and what OpenSSL resumes all the same is refused."""
    context, server = client(version), ours().getContext()

    def talk(name: str, session: Any = None) -> tuple[str, Any]:
        ends = [ssl.MemoryBIO(), ssl.MemoryBIO()]
        mine = context.wrap_bio(ends[0], ends[1], False, name, session)
        theirs = server.wrap_bio(ends[1], ends[0], True)
        said = ""
        for _ in range(10):
            for end in (mine, theirs):
                try:
                    end.do_handshake()
                    if end is theirs:
                        end.write(b"x")
                    else:
                        said = end.read(1).decode()
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError as e:
                    return str(e.reason), None
            if said:
                break
        return said, mine.session

    said, session = talk("a.example")
    assert said == "x"
    assert talk("b.example")[0] != "x"
    assert not session.has_ticket
    assert talk("b.example", session)[0] != "x"
    # Somebody has allowed it again.
    server.num_tickets = 2
    server.options &= ~ssl.OP_NO_TICKET
    said, session = talk("a.example")
    assert said == "x" and session.has_ticket
    for name in ("a.example", "b.example"):
        assert talk(name, session)[0] == "CALLBACK_FAILED"


@eachVersion
def test_theStandardLibrarysWayWithoutCertificates(net: Net, version: ssl.TLSVersion) -> None:
    context = ServerNames(serverOptions(), {"a.example": serverOptions(issued("a.example"))}).getContext()
    assert context.num_tickets == 2 and not context.options & ssl.OP_NO_TICKET
    # As the whole context of a port of ours.
    assert Client(net, listening(net, context), client(version), "a.example").asks() == "served"


def test_aFolder(net: Net, tmp_path: Path) -> None:
    """Names that trust alike are apart as well."""
    for name in ("a.example", "b.example"):
        issued(name).private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    port = listening(net, InFolder(str(tmp_path)))
    context = client(ssl.TLSVersion.TLSv1_3)
    first = Client(net, port, context, "a.example")
    assert first.asks() == "served"
    # It is asked for its name again, and shows the other certificate.
    assert Client(net, port, context, "b.example", first.tls.session).asks() == "served"
    assert Client(net, port, context, "a.example", first.tls.session).asks() == "served+"


def test_byteByByte(net: Net) -> None:
    server = listenSSL(net, ours(), data=answer)
    peer = Client(net, server.port, client(ssl.TLSVersion.TLSv1_3, stranger()), "b.example")
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    for byte in peer.outgoing.read():
        peer.sock.send(bytes([byte]))
        net.turn(1)
    assert peer.asks() == "served"


def test_namesOfNames(net: Net) -> None:
    inner = ServerNames(serverOptions(issued("x.example")), {"y.example": serverOptions(issued("y.example"))})
    port = listening(net, ServerNames(inner, {"y.example": inner, "z.example": serverOptions(issued("z.example"))}))
    for name in ("x.example", "y.example", "z.example"):
        assert Client(net, port, client(ssl.TLSVersion.TLSv1_3), name).asks() == "served"


def test_anOddName(net: Net, capfd: pytest.CaptureFixture[str]) -> None:
    """One that is not ASCII is none of ours; nobody complains of it anywhere."""
    port = listening(net, ServerNames(serverOptions(), {"localhost": serverOptions()}))
    peer = Client(net, port, client(ssl.TLSVersion.TLSv1_3), "localhost")
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer.sock.sendall(peer.outgoing.read().replace(b"localhost", b"l\xf6calhost"))
    try:
        net.receive(peer.sock, 5)
    except ConnectionResetError:
        pass
    assert Client(net, port, client(ssl.TLSVersion.TLSv1_3), "localhost").asks() == "served"
    assert capfd.readouterr().err == ""


class Failing:
    """A context factory of a program's own that cannot always answer."""

    def getContext(self) -> ssl.SSLContext:
        context: ssl.SSLContext = serverOptions().getContext()
        return context

    def contextForName(self, name: str | None) -> ssl.SSLContext:
        if name == "b.example":
            raise LookupError(name)
        return self.getContext()


def test_aFactoryThatRaises(net: Net) -> None:
    """It is reported, and ends that connection alone."""
    port = listening(net, Failing())
    assert Client(net, port, client(ssl.TLSVersion.TLSv1_3), "b.example").asks() in (
        "reset",
        "UNEXPECTED_EOF_WHILE_READING",
    )
    net.expectErrors(1)
    assert Client(net, port, client(ssl.TLSVersion.TLSv1_3), "localhost").asks() == "served"
