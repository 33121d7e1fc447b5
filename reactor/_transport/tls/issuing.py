"""New keys, requests and certificates (RFC 5280), by the package `cryptography`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
except ImportError as e:
    raise ImportError(
        "keys and certificates are made with the package cryptography: pip install reactor-loop[certificates]"
    ) from e

from reactor._transport.tls.certificate import _PARTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_IDENTIFIERS = {part: identifier for identifier, part in _PARTS.items()}
# The short forms that programs write: DN(CN="example.org").
_SHORT = {
    "CN": "commonName",
    "C": "countryName",
    "L": "localityName",
    "ST": "stateOrProvinceName",
    "O": "organizationName",
    "OU": "organizationalUnitName",
}
# Clocks of machines differ.
_EARLIER = timedelta(minutes=5)
_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def generateKey(size: int) -> bytes:
    """A new RSA key of so many bits, as PEM."""
    key = rsa.generate_private_key(65537, size)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


def request(pem: bytes, passphrase: str | bytes | None, name: Mapping[str, Any], digest: str) -> bytes:
    """A request for a certificate that speaks of `name`, signed with the key `pem`, as DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(name))
    return builder.sign(_key(pem, passphrase), _digest(digest)).public_bytes(serialization.Encoding.DER)


def subjectOf(data: bytes) -> dict[str, str]:
    """Whom a request (DER) is about. ValueError when it is none, or is not signed with the key that it names."""
    subject = _request(data).subject
    return {_PARTS.get(each.oid.dotted_string, each.oid.dotted_string): _text(each.value) for each in subject}


def sign(
    pem: bytes,
    passphrase: str | bytes | None,
    issuer: Mapping[str, Any],
    data: bytes,
    serial: int,
    seconds: int,
    digest: str,
) -> bytes:
    """The certificate (DER) for the request `data`, signed in the name of `issuer` with the key `pem`."""
    wanted = _request(data)
    authority = _key(pem, passphrase)
    public = wanted.public_key()
    own = wanted.subject == _name(issuer)
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(_name(issuer))
        .subject_name(wanted.subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(seconds=seconds))
        .add_extension(x509.BasicConstraints(own, None), critical=True)
        .add_extension(_usage(own), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
    host = _host(wanted.subject)
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
    return builder.sign(authority, _digest(digest)).public_bytes(serialization.Encoding.DER)


def _usage(authority: bool) -> Any:
    given = {"digital_signature", "key_encipherment", *(("key_cert_sign", "crl_sign") if authority else ())}
    return x509.KeyUsage(**{use: use in given for use in _USES})


def _host(subject: Any) -> Any:
    """The common name as what a host is verified by (RFC 6125 looks at no common names), if it can be one."""
    for each in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        name = _text(each.value)
        try:
            return x509.IPAddress(ip_address(name))
        except ValueError:
            labels = name.removeprefix("*.").split(".")
            if name.isascii() and all(label.replace("-", "").isalnum() for label in labels):
                return x509.DNSName(name)
    return None


def _name(parts: Mapping[str, Any]) -> Any:
    attributes = []
    for part, value in parts.items():
        long = _SHORT.get(part, part)
        if long not in _IDENTIFIERS:
            raise ValueError(f"no part of a name is called {part!r}; there are {', '.join(_IDENTIFIERS)}")
        attributes.append(x509.NameAttribute(x509.ObjectIdentifier(_IDENTIFIERS[long]), _text(value)))
    return x509.Name(attributes)


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _key(pem: bytes, passphrase: str | bytes | None) -> Any:
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
    return serialization.load_pem_private_key(pem, secret)


def _request(data: bytes) -> Any:
    wanted = x509.load_der_x509_csr(data)
    if not wanted.is_signature_valid:
        raise ValueError("this request for a certificate is not signed with the key that it names")
    return wanted


def _digest(name: str) -> Any:
    kind = getattr(hashes, name.upper().replace("-", ""), None)
    if not (isinstance(kind, type) and issubclass(kind, hashes.HashAlgorithm)):
        raise ValueError(f"digestAlgorithm must be the name of a digest such as 'sha256', not {name!r}")
    try:
        return kind()
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError(f"digestAlgorithm {name!r} is of no use for signatures") from None
