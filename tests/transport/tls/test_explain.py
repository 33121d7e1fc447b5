"""What is told of a certificate that was refused: enough to help, whatever its maker wrote into it, and no more."""

from __future__ import annotations

import datetime
import ssl
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from net import Net
from tls import connectSSL, listenSSL

from reactor.error import PeerVerifyError
from reactor.ssl import Certificate, DistinguishedName

net_ = pytest.mark.parametrize("net", ["default"], indirect=True)
ORGANIZATION, UNIT = x509.NameOID.ORGANIZATION_NAME, x509.NameOID.ORGANIZATIONAL_UNIT_NAME


def selfSigned(names: list[x509.GeneralName], subject: list[tuple[Any, str]]) -> tuple[ssl.SSLContext, Certificate]:
    """A server's context with a certificate that nobody trusts, and that."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in subject])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    made = builder.add_extension(x509.SubjectAlternativeName(names), False).sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as file:
        file.write(secret + pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context, Certificate.loadPEM(pem)


def refused(net: Net, context: ssl.SSLContext) -> str:
    """What the client's error says."""
    client = connectSSL(net, listenSSL(net, context).port)
    net.until(lambda: client.over)
    (reason,) = client.reasons
    assert isinstance(reason.value, PeerVerifyError)
    return str(reason.value)


@net_
def test_aFewNames(net: Net) -> None:
    names: list[x509.GeneralName] = [x509.DNSName(f"{number}.example") for number in range(10)]
    context, _ = selfSigned(names, [(ORGANIZATION, "Somebody")])
    text = refused(net, context)
    assert "organizationName=Somebody" in text and "9.example; issuer" in text and "more" not in text


@net_
def test_thousandsOfNames(net: Net) -> None:
    names: list[x509.GeneralName] = [x509.DNSName(f"{number:05}.example") for number in range(3000)]
    context, _ = selfSigned(names, [(ORGANIZATION, "Somebody")])
    text = refused(net, context)
    assert "00000.example" in text and "00009.example and 2990 more; issuer" in text
    assert len(text) < 1000


@net_
def test_longOnes(net: Net) -> None:
    subject = [(UNIT, "u" * 64)] * 300
    long = ".".join(["x" * 60] * 4)
    context, certificate = selfSigned([x509.DNSName(long)] * 20, subject)
    text = refused(net, context)
    assert "and 290 more" in text and "and 10 more" in text and "in all" in text
    assert len(text) < 5000
    assert len(repr(certificate)) < 400


@net_
def test_namesOfOtherKinds(net: Net) -> None:
    directory = x509.DirectoryName(x509.Name([x509.NameAttribute(ORGANIZATION, "Somebody")]))
    address = x509.UniformResourceIdentifier("https://example.org/")
    context, _ = selfSigned([directory, address, x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))], [])
    text = refused(net, context)
    assert "subject empty" in text and "Somebody" in text and "https://example.org/" in text


@net_
def test_onOneLine(net: Net) -> None:
    context, certificate = selfSigned([x509.DNSName("x.example")], [(ORGANIZATION, "a\nb\x1b[2Jc")])
    text = refused(net, context)
    assert "\n" not in text and "\x1b" not in text
    assert repr(certificate).isprintable()


def test_aNameWithManyParts() -> None:
    name = DistinguishedName({f"1.2.{number}": "x" for number in range(10_000)})
    assert len(repr(name)) < 400
    with pytest.raises(AttributeError) as caught:
        name.commonName  # noqa: B018
    assert len(str(caught.value)) < 400
