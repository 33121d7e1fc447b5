"""The contexts that we make, each with all of its defaults said: versions, ciphers, options.

What nobody says is the interpreter's, the distribution's or the machine's (openssl.cnf) to say. Debian's Pythons have
no minimum version of their own, and an administrator's file may allow for all programs what one of them once needed.
What a program says after that holds.
"""

from __future__ import annotations

import ssl

#: Ciphers of TLS 1.2: with a key exchange of its own for each connection, AES or ChaCha20, and no SHA-1. Keys and
#: certificates of 112 bits of security at least. Those of TLS 1.3 are all good, and always allowed.
CIPHERS = (
    "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:DHE+CHACHA20:DHE+AES"
    ":!aNULL:!eNULL:!PSK:!aDSS:!SHA1:!AESCCM"
)
# OpenSSL's workarounds for bugs of others, without the two that cost safety: no empty fragments (0x800), and servers
# that know no safe renegotiation (0x4, RFC 5746).
_WORKAROUNDS = int(ssl.OP_ALL) & 0xFFFFFFFF & ~0x804
# Compression lets whoever can add to what is sent guess the rest (CRIME). Middleboxes that know TLS 1.2 only are talked
# to as they like it (RFC 8446, appendix D.4).
_OPTIONS = (
    _WORKAROUNDS | ssl.OP_NO_COMPRESSION | ssl.OP_NO_SSLv3 | ssl.OP_SINGLE_DH_USE | ssl.OP_SINGLE_ECDH_USE
) | ssl.OP_ENABLE_MIDDLEBOX_COMPAT


def clientContext() -> ssl.SSLContext:
    """A client's, with our defaults and without anybody to trust yet: TLS 1.2 or newer, peers and names verified."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.options = ssl.Options(_OPTIONS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    return context


def serverContext() -> ssl.SSLContext:
    """A server's, with our defaults and without a certificate yet: TLS 1.2 or newer, no compression, no renegotiation;
    the server's order of ciphers counts.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.options = ssl.Options(_OPTIONS | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE)
    context.verify_mode = ssl.CERT_NONE
    return context


def _context(protocol: ssl._SSLMethod) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_ciphers(CIPHERS)
    return context
