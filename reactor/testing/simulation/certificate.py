"""TLS between simulated ends: a certificate for simulated.example that only they trust, whose key is no secret.

A key of Ed25519 and no session tickets: so that every message of a handshake is as long each time, and a seed brings
the same again.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from functools import cache

from reactor._transport.tls.context import clientContext as safeClientContext
from reactor._transport.tls.context import serverContext as safeServerContext

NAME = "simulated.example"

_KEY = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIKCvj/AjTHLiyMxWwAePYYfmvUQjHsdeco5e6KZ9N42U
-----END PRIVATE KEY-----
"""
# Valid from 2020 to 2120.
_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBGTCBzKADAgECAgEBMAUGAytlcDAcMRowGAYDVQQDDBFzaW11bGF0ZWQuZXhh
bXBsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHDEaMBgGA1UE
AwwRc2ltdWxhdGVkLmV4YW1wbGUwKjAFBgMrZXADIQBD/O9DyiEBeSp6QR4udUJH
p22+AHsFSctFFDUsRKqvRKMxMC8wHAYDVR0RBBUwE4IRc2ltdWxhdGVkLmV4YW1w
bGUwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQCz9kPWgfZUfcQja1T/iv3C1Z+n
yjkQFX99l0JzzGkVfIzwXlLa9uBHKiVmykZ/7jR4G998DvHpKD4MfhrO7WUA
-----END CERTIFICATE-----
"""


@cache
def serverContext() -> ssl.SSLContext:
    """A server's, with the certificate."""
    context = safeServerContext()
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    # OpenSSL takes a key from a file only.
    fd, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(fd, "w") as file:
            file.write(_KEY + _CERTIFICATE)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context


@cache
def clientContext() -> ssl.SSLContext:
    """A client's that trusts it and nothing else."""
    context = safeClientContext()
    context.load_verify_locations(cadata=_CERTIFICATE)
    return context
