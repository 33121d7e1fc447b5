"""The TLS options of endpoint descriptions: names of PEM files to what TLS is made with.

Whatever is wrong with a file is a ValueError that shows the place in the description.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any

    from reactor.endpoints._strings import Options


def serverOptions(options: Options) -> Any:
    """From privateKey, certKey, extraCertChain, sslmethod and dhParameters: a context factory that looks at the files
    again for each connection.
    """
    from reactor._transport.tls.reloading import Reloading

    key = options.text("privateKey", "server.pem")
    files = [key, options.text("certKey") or key]
    files += [options.text(name) for name in ("extraCertChain", "dhParameters") if options.has(name)]
    _version(options)
    for name, path in (("privateKey", key), ("certKey", files[1])):
        # Before OpenSSL does, which would not tell which of them is missing.
        _read(options, name, path)
    try:
        return Reloading(f"the certificate in {files[1]}", lambda: files, lambda: _serverContext(options))
    except OSError as e:
        raise _notLoaded(options, "privateKey", e.filename or key, e) from e


def _version(options: Options) -> str | None:
    """The name of the only version of TLS that sslmethod allows; None for all that are safe."""
    from reactor._transport.tls.method import versionOf

    try:
        return versionOf(options.text("sslmethod", "TLS_METHOD"))
    except ValueError as e:
        raise options.wrong("sslmethod", str(e)) from None


def _serverContext(options: Options) -> ssl.SSLContext:
    import ssl

    from reactor._transport.tls.context import serverContext

    context = serverContext()
    version = _version(options)
    if version is not None:
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    key = options.text("privateKey", "server.pem")
    _loadChain(context, options, options.text("certKey") or key, key)
    if options.has("dhParameters"):
        try:
            context.load_dh_params(options.text("dhParameters"))
        except (OSError, ValueError) as e:
            raise _notLoaded(options, "dhParameters", options.text("dhParameters"), e) from e
    return context


def serverFolder(options: Options) -> Any:
    """From path, a folder of certificates or one file: a context factory that answers each name with its own."""
    from reactor.endpoints._folder import InFolder

    path = options.required("path")
    try:
        return InFolder(path)
    except (OSError, ValueError) as e:
        raise _notLoaded(options, "path", path, e) from e


def _loadChain(context: ssl.SSLContext, options: Options, certificate: str, key: str) -> None:
    if not options.has("extraCertChain"):
        _load(context, options, certificate, key)
        return
    extra = _read(options, "extraCertChain")
    if b"-----BEGIN CERTIFICATE-----" not in extra:
        raise options.wrong("extraCertChain", "expected extraCertChain to be a file of certificates in PEM format")
    import re
    from tempfile import NamedTemporaryFile

    # OpenSSL takes the chain from the file of the certificate alone. No key is written.
    own = _read(options, "certKey" if options.has("certKey") else "privateKey", certificate)
    certificates = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", own + b"\n" + extra, re.S)
    with NamedTemporaryFile(suffix=".pem") as chain:
        chain.write(b"\n".join(certificates) + b"\n")
        chain.flush()
        _load(context, options, certificate, key, chain.name)


def _load(context: ssl.SSLContext, options: Options, certificate: str, key: str, chain: str | None = None) -> None:
    try:
        context.load_cert_chain(chain or certificate, key, password=_noPassword)
    except (OSError, ValueError) as e:
        name = "certKey" if options.has("certKey") else "privateKey"
        raise _notLoaded(options, name, certificate if certificate == key else f"{certificate}, {key}", e) from e


def _noPassword() -> str:
    # OpenSSL would ask at the terminal and wait.
    raise ValueError("the private key is encrypted; expected one without a password")


def clientOptions(options: Options, hostname: str, key: str, certificate: str, roots: str) -> Any:
    """What a client verifies `hostname` with; the other three are the names of the options with the files.

    Without certificate authorities of its own (`roots`, a file or a folder of ``*.pem``), the platform's are trusted.
    """
    found = [pem for each in _pemFiles(options, roots) for pem in _certificates(_read(options, roots, each))]
    if options.has(roots) and not found:
        raise options.wrong(roots, f"expected {roots} to hold certificates in PEM format")
    mine = [_read(options, each) for each in (key, certificate) if options.has(each)]
    from reactor.ssl import Certificate, PrivateCertificate, optionsForClientTLS, trustRootFromCertificates

    trustRoot = own = None
    if found:
        trustRoot = trustRootFromCertificates([_loaded(options, roots, Certificate, pem) for pem in found])
    if mine:
        which = certificate if options.has(certificate) else key
        own = _loaded(options, which, PrivateCertificate, b"\n".join(mine))
    try:
        return optionsForClientTLS(hostname, trustRoot=trustRoot, clientCertificate=own)
    except ValueError as e:
        raise options.wrong("hostname" if options.has("hostname") else "host", f"TLS: {e}") from e


def _pemFiles(options: Options, name: str) -> list[str]:
    import os

    path = options.text(name)
    try:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else None
    except OSError as e:
        raise _notLoaded(options, name, path, e) from e
    if names is None:
        return [path] if options.has(name) else []
    return [os.path.join(path, each) for each in names if each.endswith(".pem")]


def _certificates(pem: bytes) -> list[bytes]:
    import re

    return re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", pem, re.S)


def _loaded(options: Options, name: str, kind: Any, pem: bytes) -> Any:
    try:
        return kind.loadPEM(pem)
    except Exception as e:
        raise options.wrong(name, f"expected {name} to be in PEM format: {e}") from e


def _read(options: Options, name: str, path: str | None = None) -> bytes:
    path = options.text(name) if path is None else path
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as e:
        raise _notLoaded(options, name, path, e) from e


def _notLoaded(options: Options, name: str, path: str, problem: Exception) -> ValueError:
    why = getattr(problem, "strerror", None) or problem
    return options.wrong(name, f"{name}: cannot load {path!r}: {why}")
