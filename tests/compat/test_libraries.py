"""Libraries for Twisted, unchanged, on this reactor by their imports, with real servers at the other end.

Each runs in a process of its own, in which ``twisted.internet`` is ours (tests/aliasing.py).
"""

from __future__ import annotations

from pathlib import Path

import servers
import unchanged
from tls import authority, issued
from unchanged import SAID, needs


def printed(program: str, *arguments: object, options: tuple[str, ...] = ()) -> list[str]:
    return unchanged.printed(unchanged.ALIASING, program, *arguments, options=options)


@needs("twisted", "txredisapi")
def test_txredisapi(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as path:
        said = printed("on_redis.py", path)
    assert said == SAID["on_redis.py"]


@needs("twisted", "ldaptor")
def test_ldaptor(tmp_path: Path) -> None:
    certificate = issued("localhost")
    root = tmp_path / "root.pem"
    root.write_bytes(authority().cert_pem.bytes())
    chain, key = certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes()
    with servers.slapd(tmp_path, chain, key) as path:
        said = printed("on_ldap.py", path, root, servers.found("ldapsearch"))
    assert said == SAID["on_ldap.py"]


@needs("twisted", "crochet")
def test_crochet() -> None:
    assert printed("on_crochet.py") == SAID["on_crochet.py"]


@needs("twisted", "foolscap", "OpenSSL")
def test_foolscap() -> None:
    """Its identities are certificates that nobody signed, which both ends show: pyOpenSSL's contexts."""
    assert printed("on_foolscap.py", options=("--openssl",)) == SAID["on_foolscap.py"]
