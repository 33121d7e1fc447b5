"""Every context that we make, and what is wrong with it. Run in a process of its own where the machine has other
defaults: prints a line for each fault, and how many contexts it has looked at.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tls import issued, private, root

from reactor._transport.tls.side import sideOf
from reactor.endpoints import serverFromString
from reactor.endpoints._folder import InFolder
from reactor.ssl import (
    CertificateOptions,
    ClientContextFactory,
    DefaultOpenSSLContextFactory,
    ReloadingCertificate,
    ServerNames,
    TLSVersion,
    insecurelyTrustAnybody,
    optionsForClientTLS,
)
from reactor.testing.simulation import certificate as simulated

# OpenSSL's names, whose numbers the standard library has in part only.
COMPRESSION, SSL3, RENEGOTIATION = 1 << 17, 1 << 25, 1 << 30
UNSAFE = {
    "UnsafeLegacyRenegotiation": 1 << 18,
    "UnsafeLegacyServerConnect": 1 << 2,
    "ClientRenegotiation": 1 << 8,
    "IgnoreUnexpectedEOF": 1 << 7,
}


def contexts(folder: Path) -> Iterator[tuple[str, ssl.SSLContext, bool]]:
    """What it is, the context, and whether it is a server's."""
    key, certificate, both = folder / "x.key", folder / "x.crt", folder / "x.pem"
    issued().private_key_pem.write_to_path(str(key))
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued().cert_chain_pems))
    issued().private_key_and_cert_chain_pem.write_to_path(str(both))
    mine = private()

    yield "ClientContextFactory", ClientContextFactory().getContext(), False
    yield "optionsForClientTLS", optionsForClientTLS("example.org").getContext(), False
    yield "optionsForClientTLS, a root", optionsForClientTLS("example.org", root()).getContext(), False
    yield "optionsForClientTLS, a certificate", optionsForClientTLS("example.org", root(), mine).getContext(), False
    anybody = optionsForClientTLS("example.org", insecurelyTrustAnybody())
    yield "optionsForClientTLS, anybody", anybody.getContext(), False
    raised = optionsForClientTLS("example.org", extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_3})
    yield "optionsForClientTLS, raised", raised.getContext(), False
    for name, options in (
        ("CertificateOptions", CertificateOptions(mine.privateKey, mine)),
        ("CertificateOptions, roots", CertificateOptions(mine.privateKey, mine, trustRoot=root())),
        ("CertificateOptions, no tickets", CertificateOptions(mine.privateKey, mine, enableSessionTickets=False)),
        ("PrivateCertificate.options", mine.options()),
        ("PrivateCertificate.options, roots", mine.options(root())),
    ):
        yield name, options.contextFor(True), True
        yield name, options.contextFor(False), False
        yield name, options.getContext(), True
    yield "CertificateOptions, nothing", CertificateOptions().contextFor(False), False
    for kind in (DefaultOpenSSLContextFactory, ReloadingCertificate):
        yield kind.__name__, kind(str(key), str(certificate)).getContext(), True
    names = ServerNames(mine.options(), {"a.example": CertificateOptions(mine.privateKey, mine)})
    yield "ServerNames", names.getContext(), True
    yield "ServerNames, a name", names.contextForName("a.example"), True
    found = InFolder(str(both))
    yield "InFolder", found.contextFor(True), True
    yield "InFolder, a name", found.contextForName("localhost"), True
    for text in (f"ssl:0:privateKey={key}:certKey={certificate}", f"tls:path={both}:port=0"):
        factory = serverFromString(None, text)._sslContextFactory
        yield text, sideOf(factory, "test", True).context, True
    yield "the simulation's client", simulated.clientContext(), False
    yield "the simulation's server", simulated.serverContext(), True


def faults(name: str, context: ssl.SSLContext, isServer: bool) -> Iterator[str]:
    """What is wrong with it."""
    if context.minimum_version < ssl.TLSVersion.TLSv1_2 or context.minimum_version == -2:
        yield f"{name}: minimum version {context.minimum_version!r}"
    if context.maximum_version not in (ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_3):
        yield f"{name}: maximum version {context.maximum_version!r}"
    # OpenSSL's number for "any" is 0.
    for cipher in context.get_ciphers():
        forward = cipher["kea"] in ("kx-ecdhe", "kx-dhe", "kx-any")
        good = forward and cipher["auth"] in ("auth-rsa", "auth-ecdsa", "auth-any")
        if not good or cipher["digest"] in ("sha1", "md5") or cipher["strength_bits"] < 128:
            yield f"{name}: cipher {cipher['name']}"
    options = int(context.options) & 0xFFFFFFFFFFFFFFFF
    for what, bit in UNSAFE.items():
        if options & bit:
            yield f"{name}: option {what}"
    if not options & COMPRESSION or not options & SSL3:
        yield f"{name}: compression or SSL 3 is allowed"
    if isServer and not options & RENEGOTIATION:
        yield f"{name}: renegotiation is allowed"
    if context.protocol != (ssl.PROTOCOL_TLS_SERVER if isServer else ssl.PROTOCOL_TLS_CLIENT):
        yield f"{name}: {context.protocol!r}"
    if not isServer and "anybody" not in name and not (context.check_hostname and context.verify_mode):
        yield f"{name}: does not verify"


if __name__ == "__main__":
    count = 0
    for name, context, isServer in contexts(Path(sys.argv[1])):
        count += 1
        for fault in faults(name, context, isServer):
            print(fault)
    print(count, "contexts;", ssl.OPENSSL_VERSION)
