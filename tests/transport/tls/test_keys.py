"""KeyPair: keys, requests and certificates of one's own, and which versions a method stands for."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tls
from net import Net
from script import script

from reactor._transport.tls.method import versionOf
from reactor.defer import Deferred, succeed
from reactor.error import VerifyError
from reactor.ssl import (
    DN,
    Certificate,
    CertificateOptions,
    DefaultOpenSSLContextFactory,
    KeyPair,
    PrivateCertificate,
    optionsForClientTLS,
    supported,
)

net_ = pytest.mark.parametrize("net", ["default"], indirect=True)


@pytest.fixture(scope="module")
def key() -> KeyPair:
    pytest.importorskip("cryptography")
    return KeyPair.generate(size=2048)


def test_supported() -> None:
    assert supported


@net_
def test_aSelfSignedCertificateServes(net: Net, key: KeyPair) -> None:
    mine = key.selfSignedCert(7, commonName="localhost", organizationName="Me")
    assert mine.serialNumber() == 7 and mine.getSubject() == mine.getIssuer() == {"commonName": "localhost", **ME}
    assert isinstance(mine, PrivateCertificate) and mine.dnsNames == ("localhost",)
    tls.pairSSL(net, mine.options(), optionsForClientTLS("localhost", mine))


ME = {"organizationName": "Me"}


@net_
def test_anAuthorityOfOnesOwn(net: Net, key: KeyPair) -> None:
    authority = DN(CN="Our authority", O="Me")
    root = key.newCertificate(
        key.signCertificateRequest(authority, key.certificateRequest(authority), lambda subject: True, 1)
    )
    asked: list[Any] = []
    server = KeyPair.generate()
    request = server.certificateRequest(DN(commonName="127.0.0.1", organizationName="Me"))

    def good(subject: Any) -> bool:
        asked.append((subject.commonName, subject.organizationName))
        return True

    signed = key.signCertificateRequest(authority, request, good, 2, secondsToExpiry=3600)
    leaf = server.newCertificate(signed)
    assert asked == [("127.0.0.1", "Me")]
    assert leaf.getIssuer() == {"commonName": "Our authority", **ME}
    assert (leaf.notAfter - leaf.notBefore).total_seconds() == 3900
    # The strictest that the standard library can be.
    options = CertificateOptions(trustRoot=root)
    options.contextFor(False).verify_flags |= ssl.VERIFY_X509_STRICT
    tls.pairSSL(net, leaf.options(), optionsForClientTLS("127.0.0.1", root))
    tls.pairSSL(net, leaf.options(), options)


def test_whoIsNotSigned(key: KeyPair) -> None:
    name = DN(commonName="x")
    request = key.certificateRequest(name)
    with pytest.raises(VerifyError, match="is not to be signed"):
        key.signCertificateRequest(name, request, lambda subject: False, 1)
    later: Deferred[bool] = Deferred()
    signed: list[Any] = []
    key.signCertificateRequest(name, request, lambda subject: later, 1).addBoth(signed.append)
    assert signed == []
    later.callback(True)
    assert Certificate.load(signed[0]).getSubject() == name
    failed: list[Any] = []
    key.signCertificateRequest(name, request, lambda subject: succeed(False), 1).addErrback(failed.append)
    assert failed[0].check(VerifyError)


def test_whatIsNoRequest(key: KeyPair) -> None:
    name = DN(commonName="x")
    request = bytearray(key.certificateRequest(name))
    request[-1] ^= 1
    with pytest.raises(ValueError, match="not signed with the key that it names"):
        key.signCertificateRequest(name, bytes(request), lambda subject: True, 1)
    with pytest.raises(ValueError):
        key.signCertificateRequest(name, b"nothing", lambda subject: True, 1)
    with pytest.raises(ValueError, match="no part of a name is called 'common'"):
        key.certificateRequest({"common": "x"})
    with pytest.raises(ValueError, match="digestAlgorithm must be the name of a digest"):
        key.certificateRequest(name, digestAlgorithm="sha3000")


def test_whatIsNoKey() -> None:
    with pytest.raises(ValueError, match="kind must be None or 6"):
        KeyPair.generate(116)
    with pytest.raises(ValueError, match="2048 bits or more, not 1024"):
        KeyPair.generate(6, 1024)


def test_aKeyIsKept(key: KeyPair) -> None:
    again = KeyPair.load(key.dump())
    assert again.dump() == key.dump() and repr(again) == "<KeyPair>"


def test_openSSLReadsThem(key: KeyPair, tmp_path: Path) -> None:
    mine = key.selfSignedCert(1, commonName="*.example.org")
    (tmp_path / "cert.pem").write_bytes(mine.dumpPEM())
    said = subprocess.run(
        ["openssl", "x509", "-in", str(tmp_path / "cert.pem"), "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "CA:TRUE" in said and "DNS:*.example.org" in said and "2048 bit" in said


def test_withoutTheLibrary() -> None:
    assert script(
        """
        import sys
        sys.modules["cryptography"] = None
        from reactor.ssl import KeyPair
        try:
            KeyPair.generate()
        except ImportError as e:
            print(e)
        """
    ) == ["keys and certificates are made with the package cryptography: pip install reactor-loop[certificates]"]


def test_nothingIsLoadedThatIsNotAskedFor() -> None:
    assert script("import reactor.ssl, sys; print('cryptography' in sys.modules)") == ["False"]


# Versions.


@pytest.mark.parametrize(
    ("method", "version"),
    [
        (None, None),
        ("TLS_METHOD", None),
        ("SSLv23_METHOD", None),
        (ssl.PROTOCOL_TLS_SERVER, None),
        ("TLSv1_2_METHOD", "TLSv1_2"),
        ("TLSv1_3_METHOD", "TLSv1_3"),
        # pyOpenSSL's numbers.
        (3, None),
        (6, "TLSv1_2"),
        (7, None),
        (8, None),
    ],
)
def test_methods(method: Any, version: str | None) -> None:
    assert versionOf(method) == version


@pytest.mark.parametrize("method", [1, 2, 4, 5, "SSLv3_METHOD", "TLSv1_1_METHOD"])
def test_outdatedMethods(method: Any) -> None:
    with pytest.raises(ValueError, match="outdated and not safe; expected TLS_METHOD or TLSv1_2_METHOD"):
        versionOf(method)


@pytest.mark.parametrize("method", [0, 99, "tls", ssl.TLSVersion.TLSv1_2, object()])
def test_whatIsNoMethod(method: Any) -> None:
    with pytest.raises(ValueError, match="is no such method"):
        versionOf(method)


def test_pyOpenSSLsNumbers() -> None:
    openSSL = pytest.importorskip("OpenSSL.SSL")
    assert versionOf(openSSL.TLS_METHOD) is versionOf(openSSL.SSLv23_METHOD) is None
    assert versionOf(openSSL.TLSv1_2_METHOD) == "TLSv1_2"


@net_
def test_aServerOfOneVersion(net: Net, tmp_path: Path) -> None:
    leaf = tls.issued("localhost")
    path = tmp_path / "both.pem"
    path.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    first, second = tls.pairSSL(net, DefaultOpenSSLContextFactory(str(path), str(path), "TLSv1_2_METHOD"))
    assert first.transport.getTLS().version() == second.transport.getTLS().version() == "TLSv1.2"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="outdated"):
        DefaultOpenSSLContextFactory(str(path), str(path), sslmethod="SSLv3_METHOD")
