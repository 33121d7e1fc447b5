"""A server's certificates in a folder: each name that a client asks for is answered with the certificate that has it.

Whatever ends in ``.pem``, in the folder or below it, is looked at: certificates with their chains, and private keys, in
one file or, as ACME clients lay them out, side by side. Which key belongs to which certificate, OpenSSL tells.
"""

from __future__ import annotations

import os
import ssl

from reactor._transport.tls.reloading import Reloading
from reactor.ssl import Certificate, CertificateOptions, KeyPair, ServerNames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Found = tuple[list[Certificate], CertificateOptions]


class InFolder:
    """A context factory of the certificates in a folder, or in one file. Clients that ask for no name, or for one that
    nobody has, get the first, in the order of the files' names.
    """

    def __init__(self, path: str, interval: float = 1.0) -> None:
        """Of those in `path`, where the files are looked at again when a connection comes, once in `interval` seconds
        at most. OSError when they cannot be read, ValueError when none of them has a certificate that goes with a
        private key.
        """
        what = f"the certificates in {path}"
        self._names = Reloading(what, lambda: _watched(path), lambda: _serverNames(path), interval)

    def contextFor(self, serverSide: bool) -> ssl.SSLContext:
        """The context of the first certificate."""
        return self._names.current().contextFor(serverSide)

    def contextForName(self, name: str | None) -> ssl.SSLContext:
        """The context of the certificate for `name`."""
        return self._names.current().contextForName(name)


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, folders, names in os.walk(path, followlinks=True):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".pem")]
    return found


def _watched(path: str) -> list[str]:
    return [path, *_files(path)]


def _serverNames(path: str) -> ServerNames:
    """The first certificate for all, and each for the names that it has."""
    found = list(_usable(path))
    if not found:
        raise ValueError("expected a certificate and its private key, in files whose names end in .pem")
    names: dict[str, CertificateOptions] = {}
    # Of two for one name, the one that brings its chain; then the one that is valid longer.
    for chain, options in sorted(found, key=lambda each: (len(each[0]), each[0][0].notAfter)):
        for name in chain[0].dnsNames:
            names[name] = options
    return ServerNames(found[0][1], names)


def _usable(path: str) -> Iterator[Found]:
    """Each certificate that has its key, with the rest of its chain; in the order of the files' names."""
    contents = {file: _read(file) for file in _files(path)}
    for file, text in contents.items():
        chain = [Certificate.loadPEM(each) for each in _certificates(text)]
        if not chain:
            continue
        beside = [other for name, other in contents.items() if os.path.dirname(name) == os.path.dirname(file)]
        own = b"PRIVATE KEY-----" in text
        for keys in [text] if own else [other for other in beside if b"PRIVATE KEY-----" in other]:
            options = CertificateOptions(KeyPair.load(keys), chain[0], extraCertChain=chain[1:])
            try:
                options.getContext()
            except ssl.SSLError as e:
                if own:
                    raise ValueError(f"{file}: its key and its certificate cannot be used: {e}") from e
                continue
            yield chain, options
            break


def _read(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _certificates(text: bytes) -> list[bytes]:
    import re

    return re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
