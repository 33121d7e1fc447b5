"""A certificate as a value: what the small reader of DER tells is what a big one does."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from tls import authority, issued, private, root

from reactor._transport.tls.certificate import Certificate, DistinguishedName

LEAF = issued().cert_chain_pems[0].bytes()
DER = Certificate.loadPEM(LEAF).dump()


def test_fields() -> None:
    theirs, ours = x509.load_pem_x509_certificate(LEAF), Certificate.loadPEM(LEAF)
    assert ours.serialNumber() == theirs.serial_number
    assert ours.notBefore == theirs.not_valid_before_utc
    assert ours.notAfter == theirs.not_valid_after_utc
    for name, expected in ((ours.getSubject(), theirs.subject), (ours.getIssuer(), theirs.issuer)):
        assert list(name.values()) == [part.value for part in expected]
    assert ours.getSubject()["organizationName"] == ours.getSubject().organizationName
    assert ours.getIssuer() == root().getSubject()


def test_forms() -> None:
    ours = Certificate.loadPEM(LEAF)
    assert Certificate.load(ours.dump()) == ours == Certificate.loadPEM(ours.dumpPEM())
    assert hash(ours) == hash(Certificate.load(DER))
    assert ours != root()
    assert ours.digest("sha1").replace(b":", b"").lower() == hashlib.sha1(DER).hexdigest().encode()
    assert "trustme" in ours.inspect() and str(ours.serialNumber()) in ours.inspect()
    assert f"until {ours.notAfter:%Y-%m-%d}" in repr(ours)


def test_aNameWithoutAPart() -> None:
    with pytest.raises(AttributeError, match="no 'countryName'"):
        DistinguishedName(commonName="x").countryName  # noqa: B018


def test_whatIsNone() -> None:
    with pytest.raises(ValueError, match="no CERTIFICATE in PEM form"):
        Certificate.loadPEM("hello")
    with pytest.raises(ValueError, match=r"no X.509 certificate"):
        Certificate.load(b"hello")


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_aChangedByteRaisesNothingElse(place: int, byte: int) -> None:
    changed = DER[:place] + bytes([byte]) + DER[place + 1 :]
    try:
        certificate = Certificate.load(changed)
        assert all(isinstance(name, str) for name in (*certificate.getSubject().values(), *certificate.dnsNames))
    except ValueError:
        pass


@given(st.binary(max_size=60))
def test_anyBytes(data: bytes) -> None:
    with pytest.raises(ValueError):
        Certificate.load(data)


def test_aPrivateCertificateHasItsChain() -> None:
    intermediate = authority().create_child_ca()
    leaf = intermediate.issue_cert("x.example")
    assert len(private(leaf).chain) == len(leaf.cert_chain_pems) - 1 == 1
    assert b"PRIVATE KEY" in private(leaf).privateKey.dump()
    assert b"CERTIFICATE" not in private(leaf).privateKey.dump()


def test_dnsNames() -> None:
    made = issued("a.example", "*.b.example", "127.0.0.1", "someone@c.example")
    assert Certificate.loadPEM(made.cert_chain_pems[0].bytes()).dnsNames == ("a.example", "*.b.example")
    assert root().dnsNames == ()
