"""A private key as a value, and what it signs: certificates of one's own, and requests for them (RFC 2986).

The standard library makes neither keys nor certificates; `issuing` does, with somebody else's library.
"""

from __future__ import annotations

from reactor._transport.tls.certificate import DistinguishedName
from reactor.defer import Deferred
from reactor.error import VerifyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

_KEY = b"PRIVATE KEY-----"
# What pyOpenSSL calls RSA.
_RSA = 6
YEAR = 365 * 24 * 3600


class Key:
    """A private key, in PEM form."""

    def __init__(self, pem: bytes, passphrase: str | bytes | None = None) -> None:
        """`pem` is the key; `passphrase` opens it where it is encrypted."""
        self._pem = pem
        self.passphrase = passphrase

    @classmethod
    def load(cls, data: bytes, passphrase: str | bytes | None = None) -> Self:
        """From PEM; what is there besides the key is left out. ValueError when there is no private key in it."""
        # "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY" and the like.
        label = data.find(_KEY)
        begin = data.rfind(b"-----BEGIN", 0, max(label, 0))
        end = data.find(b"-----END", max(label, 0))
        stop = data.find(_KEY, max(end, 0))
        if label < 0 or begin < 0 or end < 0 or stop < 0:
            raise ValueError(f"there is no private key in PEM form in what was given ({len(data)} bytes)")
        return cls(data[begin : stop + len(_KEY)] + b"\n", passphrase)

    loadPEM = load

    @classmethod
    def generate(cls, kind: int | None = None, size: int = 2048) -> Self:
        """A new RSA key of `size` bits. It takes a moment: 2048 bits a tenth of a second, 4096 bits one or more.

        :param kind: None, or 6, which is pyOpenSSL's TYPE_RSA; ValueError for another, and for fewer than 2048 bits.
        :raises ImportError: without the package `cryptography` (the extra "certificates").
        """
        if kind not in (None, _RSA):
            raise ValueError(f"generate(): kind must be None or {_RSA} (RSA), not {kind!r}")
        if not isinstance(size, int) or size < 2048:
            raise ValueError(f"generate(): size must be 2048 bits or more, not {size!r}")
        from reactor._transport.tls.issuing import generateKey

        return cls(generateKey(size))

    def dump(self) -> bytes:
        """As PEM."""
        return self._pem

    def certificateRequest(self, distinguishedName: Any, *, digestAlgorithm: str = "sha256") -> bytes:
        """A request for a certificate that speaks of `distinguishedName`, in DER form, for an authority to sign.

        :raises ValueError: for a part of a name, or a digest, that is none. ImportError as `generate`.
        """
        from reactor._transport.tls.issuing import request

        return request(self._pem, self.passphrase, distinguishedName, digestAlgorithm)

    def signCertificateRequest(
        self,
        issuerDistinguishedName: Any,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        *,
        secondsToExpiry: int = YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Any:
        """A certificate (DER) for a request, signed with this key. It is one of an authority when it speaks of its
        issuer, and it is for the host that its common name is, if it is one.

        :param verifyDNCallback: called with the name in the request; true, or a Deferred of true, to sign it.
        :return: the certificate, or a Deferred of it, as `verifyDNCallback` gave one.
        :raises VerifyError: when it was not true. ValueError: for a request that is none, or is signed wrongly.
            ImportError as `generate`.
        """
        from reactor._transport.tls.issuing import sign, subjectOf

        subject = DistinguishedName(subjectOf(requestData))

        def verified(good: Any) -> bytes:
            if not good:
                raise VerifyError(f"{subject!r} is not to be signed, {verifyDNCallback!r} said")
            issuer = dict(issuerDistinguishedName)
            key = self._pem, self.passphrase
            return sign(*key, issuer, requestData, serialNumber, secondsToExpiry, digestAlgorithm)

        good = verifyDNCallback(subject)
        return good.addCallback(verified) if isinstance(good, Deferred) else verified(good)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
