"""An X.509 certificate (RFC 5280) as a value: its bytes, and what a person wants to know of it.

The standard library verifies certificates and does not show them, unless they came over a connection; so the few fields
that are told here are read from the DER (ITU-T X.690) by the small reader below. Nothing is verified by it.
"""

from __future__ import annotations

import ssl
from hashlib import new as newHash

from reactor._ground.naming import cut, visible
from reactor.error import CertificateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

# Object identifiers of the parts of a name (RFC 5280, appendix A.1), and how they are written.
_PARTS = {
    "2.5.4.3": "commonName",
    "2.5.4.4": "surname",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "countryName",
    "2.5.4.7": "localityName",
    "2.5.4.8": "stateOrProvinceName",
    "2.5.4.10": "organizationName",
    "2.5.4.11": "organizationalUnitName",
    "1.2.840.113549.1.9.1": "emailAddress",
}
# So many characters of a name are shown where nobody asked for all of it: whoever made the certificate chose them.
LENGTH = 300
_SEQUENCE, _INTEGER, _IDENTIFIER, _UTC_TIME, _VERSION = 0x30, 0x02, 0x06, 0x17, 0xA0
_EXTENSIONS, _DNS_NAME, _ALTERNATIVE_NAMES = 0xA3, 0x82, "2.5.29.17"


class DistinguishedName(dict[str, str]):
    """Whom a certificate speaks of: the parts of a name, each by its name ("commonName") and also as an attribute."""

    def __getattr__(self, name: str) -> str:
        try:
            return self[name]
        except KeyError:
            parts = cut(", ".join(self), LENGTH)
            raise AttributeError(f"this name has no {name!r}, only {parts or 'nothing'}") from None

    def __repr__(self) -> str:
        parts = ", ".join(f"{key}={value}" for key, value in self.items())
        return f"<DN {visible(cut(parts, LENGTH))}>"

    def inspect(self) -> str:
        """A line for each part."""
        return "\n".join(f"{key}: {value}" for key, value in self.items())


class Certificate:
    """A certificate. Equal to another of the same bytes."""

    def __init__(self, der: bytes) -> None:
        """`der` is the certificate's binary form. ValueError when it is none."""
        self._der = bytes(der)
        self._serial, self._issuer, self._notBefore, self._notAfter, self._subject = _fields(self._der)

    @classmethod
    def load(cls, data: bytes) -> Certificate:
        """From DER."""
        return Certificate(data)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> Certificate:
        """From PEM (RFC 7468); of several, the first. ValueError when there is none."""
        return Certificate(ssl.PEM_cert_to_DER_cert(_block(data, "CERTIFICATE")))

    @classmethod
    def peerFromTransport(cls, transport: Any) -> Certificate:
        """The certificate of the peer of `transport`. CertificateError when it showed none, or there is no TLS."""
        show = getattr(transport, "getPeerCertificate", None)
        if show is None:
            raise CertificateError(f"{transport!r} speaks no TLS")
        found = show()
        if found is None:
            raise CertificateError(f"{transport!r}: the peer showed no certificate")
        return found if isinstance(found, Certificate) else Certificate(found)

    def dump(self) -> bytes:
        """As DER."""
        return self._der

    def dumpPEM(self) -> bytes:
        """As PEM."""
        return ssl.DER_cert_to_PEM_cert(self._der).encode("ascii")

    def digest(self, method: str = "sha256") -> bytes:
        """The fingerprint, as hexadecimal bytes with colons; `method` is a name that hashlib knows."""
        return newHash(method, self._der).digest().hex(":").upper().encode("ascii")

    def serialNumber(self) -> int:
        """The number that its issuer gave it."""
        return self._serial

    def getSubject(self) -> DistinguishedName:
        """Whom it speaks of."""
        return self._subject

    def getIssuer(self) -> DistinguishedName:
        """Who signed it."""
        return self._issuer

    @property
    def dnsNames(self) -> tuple[str, ...]:
        """The host names that it is for (RFC 5280, section 4.2.1.6), ``*.example.org`` among them; not in Twisted."""
        try:
            return tuple(_hosts(self._der))
        except (StopIteration, IndexError, ValueError) as e:
            raise ValueError(f"{self!r}: its extensions cannot be read: {e}") from None

    @property
    def notBefore(self) -> datetime:
        """From when it is valid (UTC)."""
        return _time(self._notBefore)

    @property
    def notAfter(self) -> datetime:
        """Until when it is valid (UTC)."""
        return _time(self._notAfter)

    def inspect(self) -> str:
        """Several lines that tell a person what it says."""
        return (
            f"Subject:\n{self._subject.inspect()}\n\nIssuer:\n{self._issuer.inspect()}\n\n"
            f"Serial Number: {self._serial}\nValid: {self.notBefore} to {self.notAfter}\n"
            f"Digest: {self.digest().decode('ascii')}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other._der == self._der

    def __hash__(self) -> int:
        return hash(self._der)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._subject!r}, until {self.notAfter:%Y-%m-%d}>"


def _block(data: bytes | str, label: str) -> str:
    """The first PEM block of that label."""
    text = data.decode("ascii", "replace") if isinstance(data, bytes) else data
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    start = text.find(begin)
    stop = text.find(end, start)
    if start < 0 or stop < 0:
        raise ValueError(f"there is no {label} in PEM form in what was given ({len(text)} characters)")
    return text[start : stop + len(end)] + "\n"


# ---- The reader ----


def _fields(der: bytes) -> tuple[int, DistinguishedName, tuple[int, bytes], tuple[int, bytes], DistinguishedName]:
    try:
        (_, certificate) = next(_elements(der))
        (_, body) = next(_elements(certificate))
        parts = [part for part in _elements(body) if part[0] != _VERSION]
        (_, serial), _algorithm, (_, issuer), (_, validity), (_, subject) = parts[:5]
        before, after = list(_elements(validity))[:2]
        return int.from_bytes(serial, "big", signed=True), _name(issuer), before, after, _name(subject)
    except (StopIteration, IndexError, ValueError, UnicodeDecodeError) as e:
        raise ValueError(f"this is no X.509 certificate in DER form ({len(der)} bytes): {e}") from None


def _hosts(der: bytes) -> list[str]:
    found: list[str] = []
    (_, certificate) = next(_elements(der))
    (_, body) = next(_elements(certificate))
    for tag, wrapped in _elements(body):
        if tag == _EXTENSIONS:
            (_, extensions) = next(_elements(wrapped))
            for _, extension in _elements(extensions):
                parts = list(_elements(extension))
                if _dotted(parts[0][1]) == _ALTERNATIVE_NAMES:
                    (_, names) = next(_elements(parts[-1][1]))
                    found += [name.decode("ascii", "replace") for kind, name in _elements(names) if kind == _DNS_NAME]
    return found


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element in `data`, one after another."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[position : position + count], "big")
            position += count
        if position + length > len(data):
            raise ValueError("cut short")
        yield tag, data[position : position + length]
        position += length


def _name(data: bytes) -> DistinguishedName:
    name = DistinguishedName()
    for _, relative in _elements(data):
        for _, pair in _elements(relative):
            (_, identifier), (tag, value) = list(_elements(pair))[:2]
            dotted = _dotted(identifier)
            name[_PARTS.get(dotted, dotted)] = value.decode("utf-16-be" if tag == 0x1E else "utf-8", "replace")
    return name


def _dotted(identifier: bytes) -> str:
    numbers, value = [identifier[0] // 40, identifier[0] % 40], 0
    for byte in identifier[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return ".".join(map(str, numbers))


def _time(element: tuple[int, bytes]) -> datetime:
    from datetime import UTC, datetime

    tag, text = element
    digits = text.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        # Two digits of the year: 50 to 99 are of the last century (RFC 5280, section 4.1.2.5.1).
        digits = ("19" if digits >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
