"""Whose signature on a certificate is believed, and how a context is told."""

from __future__ import annotations

import ssl

from reactor._transport.tls.certificate import Certificate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class TrustRoot:
    """Whose signatures are believed. Made by `platformTrust`, `trustRootFromCertificates`, `insecurelyTrustAnybody`."""

    def __init__(self, load: Callable[[ssl.SSLContext], object], verify: bool = True) -> None:
        """`load(context)` puts the roots into a context."""
        self._load = load
        self.verify = verify

    def apply(self, context: ssl.SSLContext, clientSide: bool) -> None:
        """Have `context` verify its peers with these roots."""
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return
        self._load(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = clientSide


def platformTrust() -> TrustRoot:
    """Those that this system trusts."""
    return TrustRoot(lambda context: context.load_default_certs())


def trustRootFromCertificates(certificates: Iterable[Certificate]) -> TrustRoot:
    """Just those that `certificates` belong to."""
    roots = [certificate.dump() for certificate in certificates]

    def load(context: ssl.SSLContext) -> None:
        for root in roots:
            context.load_verify_locations(cadata=root)

    return TrustRoot(load)


def insecurelyTrustAnybody() -> TrustRoot:
    """Verify nothing: whoever is on the way can read and change everything. For tests against machines of one's own."""
    return TrustRoot(lambda context: None, verify=False)


def trustRootFrom(given: Any) -> TrustRoot:
    """From what a program gave: a TrustRoot, a Certificate, several of those, or None for `platformTrust()`."""
    if given is None:
        return platformTrust()
    if isinstance(given, TrustRoot):
        return given
    if isinstance(given, Certificate):
        return trustRootFromCertificates([given])
    return trustRootFromCertificates(given)
