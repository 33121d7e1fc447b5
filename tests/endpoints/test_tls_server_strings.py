"""Servers of TLS from descriptions: certificates that are renewed while the server runs, one for each name, parameters
for Diffie-Hellman.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
from net import Net, Traced, TracedServer
from patience import PATIENCE
from tls import authority, clientOptions, issued, stranger

from reactor.endpoints import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
    quoteStringArgument,
    serverFromString,
    wrapServerTLS,
)
from reactor.endpoints._folder import InFolder
from reactor.error import PeerVerifyError, SSLError
from reactor.ssl import Certificate

pytestmark = pytest.mark.parametrize("net", ["default"], indirect=True)


def write(leaf: trustme.LeafCert, path: Path) -> Path:
    """Key and certificates in one file, which takes another's place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    leaf.private_key_and_cert_chain_pem.write_to_path(new)
    os.replace(new, path)
    return path


def numberOf(leaf: trustme.LeafCert) -> int:
    return Certificate.loadPEM(leaf.cert_chain_pems[0].bytes()).serialNumber()


def listen(net: Net, endpoint: Any) -> int:
    """Listen; the port's number."""
    server = TracedServer()
    port = net.result(endpoint.listen(server))
    net.ports.append(port)
    net.servers.append(server)
    return int(port.getHost().port)


def shown(net: Net, port: int, hostname: str = "localhost", host: str = "127.0.0.1") -> int:
    """The number of the certificate that the server shows to who asks for `hostname`."""
    endpoint = SSL4ClientEndpoint(net.reactor, host, port, clientOptions(hostname))
    protocol = net.result(connectProtocol(endpoint, Traced()))
    number = int(protocol.transport.getPeerCertificate().serialNumber())
    protocol.lose()
    net.until(lambda: protocol.lost)
    return number


@pytest.mark.parametrize("options", ["{0}/both.pem", "{0}/key.pem:{0}/chain.pem", "{0}/both.pem:extraCertChain={0}/ca"])
def test_theFilesOfAServerAreReadAgain(net: Net, tmp_path: Path, options: str) -> None:
    def renew() -> int:
        leaf = authority().issue_cert("localhost")
        write(leaf, tmp_path / "both.pem")
        leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
        leaf.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
        return numberOf(leaf)

    authority().cert_pem.write_to_path(tmp_path / "ca")
    first = renew()
    folder = quoteStringArgument(str(tmp_path))
    port = listen(net, serverFromString(net.reactor, f"ssl:0:{options.format(folder)}:interface=127.0.0.1"))
    assert shown(net, port) == shown(net, port) == first
    second = renew()
    assert first != second
    assert shown(net, port) == second
    # Half written, gone: what was before goes on, and the log says so, once.
    for name in ("both.pem", "chain.pem"):
        (tmp_path / name).write_text("-----BEGIN CERT")
    assert shown(net, port) == shown(net, port) == second
    third = renew()
    assert shown(net, port) == third
    said = [record.getMessage() for record in net.logged()]
    assert len(said) == 1
    assert "cannot be used yet" in said[0] and str(tmp_path) in said[0]


DH = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


def test_dhParameters(net: Net, tmp_path: Path) -> None:
    """A client that knows the DHE ciphers of TLS 1.2 only (the group is the 2048-bit one of RFC 3526)."""
    write(issued(), tmp_path / "both.pem")
    (tmp_path / "dh.pem").write_text(DH)
    options = f"{quoteStringArgument(str(tmp_path / 'both.pem'))}:interface=127.0.0.1"
    parameters = f"dhParameters={quoteStringArgument(str(tmp_path / 'dh.pem'))}"

    def ask(port: int) -> Any:
        client = clientOptions()
        context = client.getContext()
        context.maximum_version = context.minimum_version
        context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384")
        return net.result(connectProtocol(SSL4ClientEndpoint(net.reactor, "127.0.0.1", port, client), Traced()))

    write(authority().issue_cert("localhost", key_type=trustme.KeyType.RSA), tmp_path / "both.pem")
    with_ = listen(net, serverFromString(net.reactor, f"ssl:0:{options}:{parameters}"))
    protocol = ask(with_)
    name, version, _ = protocol.transport.getTLS().cipher()
    assert name.startswith("DHE-RSA-") and version == "TLSv1.2"
    protocol.lose()
    net.until(lambda: protocol.lost)
    without = listen(net, serverFromString(net.reactor, f"ssl:0:{options}"))
    with pytest.raises(SSLError):
        ask(without)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_openSSLTakesTheSameParameters(net: Net, tmp_path: Path) -> None:
    (tmp_path / "dh.pem").write_text(DH)
    told = subprocess.run(
        ["openssl", "dhparam", "-in", str(tmp_path / "dh.pem"), "-noout", "-text", "-check"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert told.returncode == 0
    assert "2048 bit" in told.stdout


# A folder.


def folder(net: Net, path: Path, options: str = ":0:interface=127.0.0.1") -> int:
    return listen(net, serverFromString(net.reactor, f"tls:{quoteStringArgument(str(path))}{options}"))


def test_aCertificateForEachName(net: Net, tmp_path: Path) -> None:
    names = ["a.example", "*.b.example", "localhost"]
    leaves = {name: authority().issue_cert(name) for name in names}
    for number, name in enumerate(names):
        write(leaves[name], tmp_path / f"{number}.pem")
    (tmp_path / "notes.txt").write_text("no certificate")
    authority().cert_pem.write_to_path(tmp_path / "authority.pem")
    port = folder(net, tmp_path)
    assert shown(net, port, "a.example") == numberOf(leaves["a.example"])
    assert shown(net, port, "x.b.example") == numberOf(leaves["*.b.example"])
    assert shown(net, port, "localhost") == numberOf(leaves["localhost"])
    # Nobody has that name: the first is shown, and the client finds that it is not his.
    with pytest.raises(PeerVerifyError, match=r"names a\.example"):
        shown(net, port, "other.example")


def test_keysBesideTheirCertificates(net: Net, tmp_path: Path) -> None:
    """As ACME clients lay them out: a folder for each, with the chain and without it."""
    for name in ("a.example", "b.example"):
        leaf, where = authority().issue_cert(name), tmp_path / "live" / name
        where.mkdir(parents=True)
        leaf.private_key_pem.write_to_path(where / "privkey.pem")
        leaf.cert_chain_pems[0].write_to_path(where / "cert.pem")
        (where / "fullchain.pem").write_bytes(leaf.cert_chain_pems[0].bytes() + authority().cert_pem.bytes())
        # Somebody else's key, which fits nothing.
        stranger().issue_cert("c.example").private_key_pem.write_to_path(where / "another.pem")
    port = folder(net, tmp_path)
    for name in ("a.example", "b.example"):
        file = tmp_path / "live" / name / "cert.pem"
        assert shown(net, port, name) == Certificate.loadPEM(file.read_bytes()).serialNumber()


def test_aFileAlone(net: Net, tmp_path: Path) -> None:
    leaf = authority().issue_cert("localhost")
    port = folder(net, write(leaf, tmp_path / "both.pem"))
    assert shown(net, port) == numberOf(leaf)


def test_theOneThatIsValidLonger(net: Net, tmp_path: Path) -> None:
    import datetime

    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    for name, until in (("a.pem", None), ("b.pem", soon)):
        write(authority().issue_cert("localhost", **({} if until is None else {"not_after": until})), tmp_path / name)
    port = folder(net, tmp_path)
    assert shown(net, port) == Certificate.loadPEM((tmp_path / "a.pem").read_bytes()).serialNumber()


def test_aFolderIsReadAgain(net: Net, tmp_path: Path) -> None:
    first = authority().issue_cert("localhost")
    write(first, tmp_path / "1.pem")
    options = InFolder(str(tmp_path), interval=0)
    port = listen(net, SSL4ServerEndpoint(net.reactor, 0, options, interface="127.0.0.1"))
    assert shown(net, port) == numberOf(first)
    added = authority().issue_cert("a.example")
    write(added, tmp_path / "2.pem")
    assert shown(net, port, "a.example") == numberOf(added)
    renewed = authority().issue_cert("localhost")
    write(renewed, tmp_path / "1.pem")
    assert shown(net, port) == numberOf(renewed)
    # A key that is not the certificate's: the old ones go on.
    wrong = stranger().issue_cert("a.example").private_key_pem.bytes() + added.cert_chain_pems[0].bytes()
    (tmp_path / "2.pem").write_bytes(wrong)
    assert shown(net, port, "a.example") == numberOf(added)
    (said,) = [record.getMessage() for record in net.logged()]
    assert "2.pem: its key and its certificate cannot be used" in said


def test_notMoreOftenThanThat(net: Net, tmp_path: Path) -> None:
    first, second = authority().issue_cert("localhost"), authority().issue_cert("localhost")
    write(first, tmp_path / "1.pem")
    options = InFolder(str(tmp_path), interval=3600)
    context = options.contextFor(True)
    write(second, tmp_path / "1.pem")
    assert options.contextFor(True) is context
    options._names._next = 0
    assert options.contextFor(True) is not context


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected a certificate and its private key"),
        (issued().cert_chain_pems[0].bytes(), "expected a certificate and its private key"),
        (issued().private_key_pem.bytes(), "expected a certificate and its private key"),
        (
            stranger().issue_cert("a.example").private_key_pem.bytes() + issued().cert_chain_pems[0].bytes(),
            "its key and its certificate cannot be used",
        ),
        (b"-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", "no X.509 certificate"),
    ],
    ids=["nothing", "no key", "no certificate", "another's key", "garbage"],
)
def test_aFolderThatIsNone(net: Net, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.pem").write_bytes(content)
    with pytest.raises(ValueError, match=said) as raised:
        serverFromString(net.reactor, f"tls:{quoteStringArgument(str(tmp_path))}")
    assert "path: cannot load" in str(raised.value)


def test_theArgumentsOfTwisted(net: Net, tmp_path: Path) -> None:
    """`tls:` has the same arguments in the same order as there: the folder, 443, 50, every interface."""
    write(issued(), tmp_path / "a.pem")
    path = quoteStringArgument(str(tmp_path))
    endpoint = serverFromString(net.reactor, f"tls:{path}")
    assert (endpoint._port, endpoint._backlog, endpoint._interface) == (443, 50, "::")
    endpoint = serverFromString(net.reactor, f"tls:{path}:8443:7:127.0.0.1")
    assert (endpoint._port, endpoint._backlog, endpoint._interface) == (8443, 7, "127.0.0.1")
    endpoint = serverFromString(net.reactor, f"tls:path={path}:port=1:backlog=2:interface=x")
    assert (endpoint._port, endpoint._backlog, endpoint._interface) == (1, 2, "x")
    assert wrapServerTLS(InFolder(str(tmp_path)), UNIXServerEndpoint(net.reactor, "s"), clock=net.reactor) is not None
