"""What a program brings to TLS: certificates, keys, whom it trusts. On the standard library's `ssl`, whose `SSLContext`
is accepted as it is wherever a context factory is.

Peers are verified. A client verifies the server's certificate and name against the trust roots it is given, the
system's by default; whoever does not want that has to say `insecurelyTrustAnybody`. TLS 1.2 is the least.
"""

from __future__ import annotations

import os
import ssl

from reactor._transport.tls.certificate import Certificate, DistinguishedName, _block
from reactor._transport.tls.context import clientContext, serverContext
from reactor._transport.tls.halfopen import HANDSHAKE_LIMIT
from reactor._transport.tls.keys import Key
from reactor._transport.tls.method import limit, versionOf
from reactor._transport.tls.reloading import Reloading
from reactor._transport.tls.side import HANDSHAKE_TIMEOUT, SHUTDOWN_TIMEOUT, serverName, sideOf
from reactor._transport.tls.trust import (
    TrustRoot,
    insecurelyTrustAnybody,
    platformTrust,
    trustRootFrom,
    trustRootFromCertificates,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

DN = DistinguishedName
#: Whether there is TLS: always, where this module can be imported.
supported = True

__all__ = [
    "DN",
    "AcceptableCiphers",
    "Certificate",
    "CertificateOptions",
    "ClientContextFactory",
    "ClientTLSOptions",
    "ContextFactory",
    "DefaultOpenSSLContextFactory",
    "DiffieHellmanParameters",
    "DistinguishedName",
    "KeyPair",
    "PrivateCertificate",
    "ReloadingCertificate",
    "ServerNames",
    "TLSVersion",
    "TrustRoot",
    "insecurelyTrustAnybody",
    "optionsForClientTLS",
    "platformTrust",
    "trustRootFromCertificates",
]


class TLSVersion:
    """Versions of TLS, under Twisted's names, as the standard library's `ssl.TLSVersion`."""

    TLSv1_0 = ssl.TLSVersion.TLSv1
    TLSv1_1 = ssl.TLSVersion.TLSv1_1
    TLSv1_2 = ssl.TLSVersion.TLSv1_2
    TLSv1_3 = ssl.TLSVersion.TLSv1_3


# ---- Keys and certificates ----


class KeyPair(Key):
    """A private key, in PEM form. `generate`, requests and signatures need the extra "certificates"."""

    def newCertificate(self, newCertData: bytes) -> PrivateCertificate:
        """This key with its certificate (DER), such as `signCertificateRequest` gives. ValueError when that is none."""
        return PrivateCertificate(newCertData, self)

    def selfSignedCert(self, serialNumber: int, **kw: str) -> PrivateCertificate:
        """This key with a certificate that it has signed itself, valid for a year; `kw` are the parts of its name:
        ``commonName="localhost"``. Raises as `signCertificateRequest`.
        """
        name = DistinguishedName(kw)
        request = self.certificateRequest(name)
        return self.newCertificate(self.signCertificateRequest(name, request, lambda subject: True, serialNumber))


class PrivateCertificate(Certificate):
    """A certificate with its private key, and the certificates between it and a root, if there are any."""

    def __init__(self, der: bytes, privateKey: KeyPair, chain: Sequence[Certificate] = ()) -> None:
        """`chain` is sent behind the certificate."""
        super().__init__(der)
        self.privateKey = privateKey
        self.chain = tuple(chain)

    @classmethod
    def fromCertificateAndKeyPair(cls, certificate: Certificate, keyPair: KeyPair) -> PrivateCertificate:
        """Both together."""
        return cls(certificate.dump(), keyPair)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> PrivateCertificate:
        """From a PEM text with a key, a certificate, and the rest of its chain if there is any."""
        text = data.decode("ascii", "replace") if isinstance(data, bytes) else data
        found: list[Certificate] = []
        rest = text
        while "-----BEGIN CERTIFICATE-----" in rest:
            block = _block(rest, "CERTIFICATE")
            found.append(Certificate.loadPEM(block))
            rest = rest[rest.index("-----END CERTIFICATE-----") + 1 :]
        if not found:
            raise ValueError("there is no certificate in PEM form in what was given")
        return cls(found[0].dump(), KeyPair.load(text.encode("ascii", "replace")), found[1:])

    def options(self, *authorities: Certificate) -> CertificateOptions:
        """Options with this certificate; with `authorities`, the peer must have one that they signed."""
        trust = trustRootFromCertificates(authorities) if authorities else None
        return CertificateOptions(self.privateKey, self, trustRoot=trust, extraCertChain=self.chain)


def _loadChain(context: ssl.SSLContext, key: KeyPair, certificate: Certificate, chain: Iterable[Certificate]) -> None:
    pem = b"\n".join([key.dump(), certificate.dumpPEM(), *[each.dumpPEM() for each in chain]])
    # The empty default keeps OpenSSL from asking for a passphrase at the terminal.
    passphrase = key.passphrase or b""
    # The standard library takes files only.
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        # This one has no name, and is gone when it is closed.
        with open(os.memfd_create("certificate", os.MFD_CLOEXEC), "wb") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=passphrase)
        return
    from tempfile import NamedTemporaryFile

    # For nobody else's eyes (0600), and deleted when it is closed.
    with NamedTemporaryFile() as named:
        named.write(pem)
        named.flush()
        context.load_cert_chain(named.name, password=passphrase)


# ---- Context factories ----


class ContextFactory:
    """What a program's own context factories may derive from."""

    def getContext(self) -> ssl.SSLContext:
        """The context of the connections. To be overridden."""
        raise NotImplementedError(f"{type(self).__name__} needs a getContext()")


class AcceptableCiphers:
    """The ciphers of TLS 1.2 that may be used (those of TLS 1.3 are all good, and always allowed)."""

    def __init__(self, specification: str) -> None:
        """`specification` is OpenSSL's, see `fromOpenSSLCipherString`."""
        self.specification = specification

    @classmethod
    def fromOpenSSLCipherString(cls, cipherString: str) -> AcceptableCiphers:
        """From names and patterns with colons between them, as ciphers(1) of OpenSSL describes.

        ssl.SSLError when it names none.
        """
        clientContext().set_ciphers(cipherString)
        return cls(cipherString)


class DiffieHellmanParameters:
    """Parameters for the exchange of keys with TLS 1.2 ciphers whose names begin with DHE."""

    def __init__(self, fileName: str) -> None:
        self.fileName = fileName

    @classmethod
    def fromFile(cls, fileName: Any) -> DiffieHellmanParameters:
        """From a file in PEM form, as `openssl dhparam` makes them. OSError when there is none."""
        with open(fileName, "rb"):
            return cls(os.fspath(fileName))


class CertificateOptions:
    """How one end speaks TLS, be it a server or a client; for a client `optionsForClientTLS` says more.

    Accepted wherever a context factory is. The context is made once and shared by all connections.
    """

    #: Seconds that a handshake may take, and the peer to answer our close_notify. None: for ever.
    handshakeTimeout: float | None = HANDSHAKE_TIMEOUT
    shutdownTimeout: float | None = SHUTDOWN_TIMEOUT
    #: How many clients of one port may be in the middle of their handshake; one more, and of the peer that has most of
    #: them the oldest is dropped. Never more than half of the descriptors that the process may have. None: any number.
    handshakeLimit: int | None = HANDSHAKE_LIMIT

    def __init__(
        self,
        privateKey: KeyPair | None = None,
        certificate: Certificate | None = None,
        trustRoot: Any = None,
        acceptableProtocols: Sequence[bytes] | None = None,
        raiseMinimumTo: ssl.TLSVersion | None = None,
        insecurelyLowerMinimumTo: ssl.TLSVersion | None = None,
        lowerMaximumSecurityTo: ssl.TLSVersion | None = None,
        extraCertChain: Sequence[Certificate] = (),
        requireCertificate: bool = True,
        acceptableCiphers: AcceptableCiphers | None = None,
        dhParameters: DiffieHellmanParameters | None = None,
        enableSessionTickets: bool = True,
    ) -> None:
        """Nothing is needed by a client; a server needs a key and a certificate.

        :param trustRoot: a TrustRoot, a Certificate or several. As a server, verify clients with it, and ask for no
            certificate without it; as a client, verify servers with it, None being `platformTrust()`.
        :param acceptableProtocols: for ALPN (RFC 7301), the preferred one first.
        :param requireCertificate: whether a client without a certificate is refused where `trustRoot` is given.
        :raises ValueError: for one of key and certificate without the other, and for a chain without them.
        """
        if (privateKey is None) != (certificate is None):
            missing = "privateKey" if privateKey is None else "certificate"
            raise ValueError(f"CertificateOptions: a key and a certificate belong together, {missing} is missing")
        if extraCertChain and certificate is None:
            raise ValueError("CertificateOptions: extraCertChain is of no use without privateKey and certificate")
        self.privateKey = privateKey
        self.certificate = certificate
        self.trustRoot = trustRoot
        self.acceptableProtocols = acceptableProtocols
        self.extraCertChain = tuple(extraCertChain)
        self.requireCertificate = requireCertificate
        self.acceptableCiphers = acceptableCiphers
        self.dhParameters = dhParameters
        self.enableSessionTickets = enableSessionTickets
        self._minimum = raiseMinimumTo or insecurelyLowerMinimumTo or ssl.TLSVersion.TLSv1_2
        self._maximum = lowerMaximumSecurityTo
        # Whether for a server -> the context.
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def getContext(self) -> ssl.SSLContext:
        """The context of a server, as `contextFor(True)`."""
        return self.contextFor(True)

    def contextFor(self, serverSide: bool) -> ssl.SSLContext:
        """The context of a server or of a client, made when it is first asked for.

        ssl.SSLError when key and certificate do not fit.
        """
        context = self._contexts.get(serverSide)
        if context is None:
            self._contexts[serverSide] = context = self._make(serverSide)
        return context

    def _make(self, serverSide: bool) -> ssl.SSLContext:
        if not serverSide:
            context = clientContext()
            trustRootFrom(self.trustRoot).apply(context, clientSide=True)
            self._equip(context)
            return context
        context = serverContext()
        if not self.enableSessionTickets:
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
        if self.dhParameters is not None:
            context.load_dh_params(self.dhParameters.fileName)
        if self.trustRoot is not None:
            trustRootFrom(self.trustRoot).apply(context, clientSide=False)
            if not self.requireCertificate:
                context.verify_mode = ssl.CERT_OPTIONAL
        self._equip(context)
        return context

    def _equip(self, context: ssl.SSLContext) -> None:
        context.minimum_version = self._minimum
        if self._maximum is not None:
            context.maximum_version = self._maximum
        if self.privateKey is not None and self.certificate is not None:
            _loadChain(context, self.privateKey, self.certificate, self.extraCertChain)
        if self.acceptableProtocols:
            context.set_alpn_protocols([_text(name) for name in self.acceptableProtocols])
        if self.acceptableCiphers is not None:
            context.set_ciphers(self.acceptableCiphers.specification)


def _text(name: bytes | str) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else name


class ClientTLSOptions:
    """How a client speaks TLS with one server. Made by `optionsForClientTLS`. Resumes the last session where it can."""

    handshakeTimeout: float | None = HANDSHAKE_TIMEOUT
    shutdownTimeout: float | None = SHUTDOWN_TIMEOUT

    def __init__(self, hostname: str, context: ssl.SSLContext) -> None:
        """`hostname` is who the server must be."""
        self.hostname = hostname
        #: The last session that was had with the server, for the next connection to resume (RFC 8446, section 2.2).
        self.session: ssl.SSLSession | None = None
        self._context = context

    def getContext(self) -> ssl.SSLContext:
        """The context."""
        return self._context

    def rememberSession(self, session: ssl.SSLSession | None) -> None:
        """A connection ended, in whose session the next one may begin."""
        if session is not None and session.has_ticket:
            self.session = session


def optionsForClientTLS(
    hostname: str,
    trustRoot: Any = None,
    clientCertificate: PrivateCertificate | None = None,
    acceptableProtocols: Sequence[bytes] | None = None,
    *,
    extraCertificateOptions: Mapping[str, Any] | None = None,
) -> ClientTLSOptions:
    """A context factory for a client that wants to speak with `hostname` and nobody else.

    :param hostname: a name (what is not ASCII is encoded by IDNA) or an IP address.
    :param trustRoot: whose signature on the server's certificate is believed; None: whom the system trusts.
    :param clientCertificate: what to show a server that asks.
    :param acceptableProtocols: for ALPN.
    :param extraCertificateOptions: further keyword arguments of `CertificateOptions`.
    :raises TypeError: for a hostname that is no str. ValueError: for one that is empty or has no spelling in DNS.
    """
    if not isinstance(hostname, str):
        raise TypeError(f"optionsForClientTLS(): hostname must be a str, not {hostname!r}")
    if not hostname:
        raise ValueError("optionsForClientTLS(): hostname must not be empty")
    context = clientContext()
    trustRootFrom(trustRoot).apply(context, clientSide=True)
    extra: dict[str, Any] = dict(extraCertificateOptions or {})
    if clientCertificate is not None:
        extra.update(privateKey=clientCertificate.privateKey, certificate=clientCertificate)
        extra.setdefault("extraCertChain", clientCertificate.chain)
    CertificateOptions(acceptableProtocols=acceptableProtocols, **extra)._equip(context)
    return ClientTLSOptions(serverName(hostname) or hostname, context)


class ClientContextFactory:
    """A client's context that trusts whom the system trusts, and takes the name to verify from where it connects to."""

    def __init__(self) -> None:
        self._context = clientContext()
        platformTrust().apply(self._context, clientSide=True)

    def getContext(self) -> ssl.SSLContext:
        """The context."""
        return self._context


class DefaultOpenSSLContextFactory:
    """A server's context from two files in PEM form."""

    def __init__(
        self,
        privateKeyFileName: str,
        certificateFileName: str,
        sslmethod: Any = None,
        *,
        acceptableProtocols: Sequence[bytes] | None = None,
    ) -> None:
        """The certificate's file may hold the rest of its chain; `acceptableProtocols` are for ALPN.

        :param sslmethod: the only version to speak, as OpenSSL ("TLSv1_2_METHOD"), pyOpenSSL or the standard library
            call it; None, and what they call all versions: every one that is safe. ValueError for one that is not.
        :raises OSError, ssl.SSLError: when the files cannot be used.
        """
        self._version = versionOf(sslmethod)
        self.privateKeyFileName = privateKeyFileName
        self.certificateFileName = certificateFileName
        self.acceptableProtocols = acceptableProtocols
        self._context = self._fromFiles()

    def _fromFiles(self) -> ssl.SSLContext:
        context = serverContext()
        limit(context, self._version)
        context.load_cert_chain(self.certificateFileName, self.privateKeyFileName, password=b"")
        if self.acceptableProtocols:
            context.set_alpn_protocols([_text(name) for name in self.acceptableProtocols])
        return context

    def getContext(self) -> ssl.SSLContext:
        """The context."""
        return self._context


class ReloadingCertificate(DefaultOpenSSLContextFactory):
    """As DefaultOpenSSLContextFactory, but looks at the files for each connection: a renewed certificate needs no
    restart.

    While new files cannot be used (half written, say), the last that could be are.
    """

    def __init__(
        self, privateKeyFileName: str, certificateFileName: str, *, acceptableProtocols: Sequence[bytes] | None = None
    ) -> None:
        super().__init__(privateKeyFileName, certificateFileName, acceptableProtocols=acceptableProtocols)
        files = (privateKeyFileName, certificateFileName)
        self._reloading = Reloading(f"the certificate in {certificateFileName}", lambda: files, self._fromFiles)

    def getContext(self) -> ssl.SSLContext:
        """The context of what the files hold now."""
        return self._reloading.getContext()


class ServerNames:
    """A server's context factory that picks another by the name that the client asks for (SNI, RFC 6066).

    Each name's connections are made with its own context from the first byte on: a TLS session that was begun under one
    name is not resumed under one with another context, which may trust others (the handshake is made anew).
    """

    def __init__(self, default: Any, names: Mapping[str, Any]) -> None:
        """`names` maps a host name, or "*.example.org", to a context factory; `default` is for all others.

        ValueError when they do not all ask clients for a certificate in the same way: where the standard library
        changes the context (see `getContext`), the default has decided that by the time that the name is known.
        """
        self._default = default
        self._names = {(serverName(name) or name).lower(): factory for name, factory in names.items()}
        wanted = self.contextFor(True).verify_mode
        for name, factory in self._names.items():
            if self._context(factory, None).verify_mode != wanted:
                raise ValueError(f"ServerNames: {name!r} asks for client certificates otherwise than the default")

    def _context(self, factory: Any, name: str | None) -> ssl.SSLContext:
        side = sideOf(factory, "ServerNames", True)
        return side.context if side.chooses is None else side.chooses(name)

    def contextFor(self, serverSide: bool) -> ssl.SSLContext:
        """The default's context."""
        return self._context(self._default, None)

    def contextForName(self, name: str | None) -> ssl.SSLContext:
        """The context for a client that asks for `name`; None: for none."""
        factory = None
        if name is not None:
            asked = name.lower()
            factory = self._names.get(asked) or self._names.get("*." + asked.partition(".")[2])
        return self._context(self._default if factory is None else factory, name)

    def getContext(self) -> ssl.SSLContext:
        """The default's context, which changes to another when a client asks for its name: for other users of the
        standard library's `ssl`. Where clients have to show certificates, no session is resumed there: OpenSSL does
        that before it asks for the context, under whichever name the session began.
        """
        context = self.contextFor(True)
        if context.verify_mode is not ssl.CERT_NONE:
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
        context.sni_callback = self._pick
        return context

    def _pick(self, sslObject: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int | None:
        if sslObject.session_reused and context.verify_mode is not ssl.CERT_NONE:
            # With TLS 1.2, `name` is the one that the session began under, not the one that is asked for.
            return ssl.ALERT_DESCRIPTION_ACCESS_DENIED
        chosen = self.contextForName(name)
        if chosen is not context:
            sslObject.context = chosen
        return None
