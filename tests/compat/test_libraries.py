"""Libraries for Twisted, unchanged, on this reactor by their imports, with real servers at the other end.

Each runs in a process of its own, in which ``twisted.internet`` is ours (tests/aliasing.py).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import servers
from tls import authority, issued

import reactor

HOOK = Path(__file__).parents[1] / "aliasing.py"
PROGRAMS = HOOK.parent / "programs"
# Shorter than a test's own deadline.
SECONDS = 25.0


def printed(program: str, *arguments: object, options: tuple[str, ...] = ()) -> list[str]:
    """What a program of that folder prints; it has to end well, and to write no error."""
    done = subprocess.run(
        [sys.executable, str(HOOK), *options, str(PROGRAMS / program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, f"{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@needs("twisted", "txredisapi")
def test_txredisapi(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as path:
        said = printed("on_redis.py", path)
    assert said == [
        "value None",
        "True",
        "5050",
        "{'a': 1, 'b': 2}",
        "[2, 2]",
        "ResponseError: value is not an integer or out of range",
        "['queue', 'job']",
        "1 ('news', 'today')",
        "connected again True",
    ]


@needs("twisted", "ldaptor")
def test_ldaptor(tmp_path: Path) -> None:
    certificate = issued("localhost")
    root = tmp_path / "root.pem"
    root.write_bytes(authority().cert_pem.bytes())
    chain, key = certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes()
    with servers.slapd(tmp_path, chain, key) as path:
        said = printed("on_ldap.py", path, root, servers.found("ldapsearch"))
    assert said == [
        "LDAPInvalidCredentials",
        "TLS True",
        "50 uid=p0,dc=example,dc=org",
        "uid=p7,dc=example,dc=org ['p7@example.org']",
        "49",
        "0  ['sn: P0', 'sn: P1', 'sn: P2']",
    ]


@needs("twisted", "crochet")
def test_crochet() -> None:
    assert printed("on_crochet.py") == [
        "b'hello' CrochetReactor",
        "TimeoutError",
        "ZeroDivisionError",
        "b'x\\n'",
        "RuntimeError",
        "['processEnded', 3]",
    ]


@needs("twisted", "foolscap", "OpenSSL")
def test_foolscap() -> None:
    """Its identities are certificates that nobody signed, which both ends show: pyOpenSSL's contexts."""
    assert printed("on_foolscap.py", options=("--openssl",)) == [
        "5",
        "['seen', {'a': [1, 2.5, None, 'xxx']}]",
        "6000000",
        "20100",
        "True True",
        "BananaError",
        "lost",
    ]
