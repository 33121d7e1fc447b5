"""Programs and libraries for Twisted, unchanged, on our reactor, most of them with peers by others.

Each runs in a process of its own, in which `reactor.twisted.install()` was called first (tests/twisted/installing.py).
Those that are in tests/compat/test_libraries.py too print the same there and here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import servers
import unchanged
from tls import authority, issued
from unchanged import SAID, needs

pytestmark = needs("twisted", "OpenSSL")


def printed(program: str, *arguments: object) -> list[str]:
    return unchanged.printed(unchanged.INSTALLING, program, *arguments)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The files of a certificate, of its key, and of who signed it."""
    leaf = issued("localhost")
    contents = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes(), authority().cert_pem.bytes()
    paths = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "root.pem"
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


@needs("autobahn", "websockets")
def test_autobahn(certificate: tuple[Path, Path, Path]) -> None:
    own = "20 ([4, 1024000, 0], True, 1000) True"
    another = "0 hello in pieces 1000000 True 1000"
    said = printed("on_autobahn.py", *certificate)
    assert [line.rstrip() for line in said] == [f"ws {own}", another, f"wss {own}", another]


@needs("klein", "treq")
def test_kleinAndTreq(certificate: tuple[Path, Path, Path]) -> None:
    assert printed("on_klein.py", *certificate) == [
        "hello, you",
        "{'sum': 6}",
        "True",
        "True True",
        "hello, moved",
        "never once",
        "500 by nothing",
        "30",
        "CancelledError",
        "VerificationError",
    ]


@needs("txredisapi")
def test_txredisapi(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as path:
        said = printed("on_redis.py", path)
    assert said == SAID["on_redis.py"]


@needs("bcrypt", "cryptography")
def test_conch(tmp_path: Path) -> None:
    assert printed("on_conch.py", servers.found("ssh"), tmp_path) == [
        r"(b'out\n', b'err\n', 3)",
        "True b'' 0",
        "True b'' 0",
        r"b'hello, you\n'",
        "[0, 1, 2, 3, 4]",
        "True 255",
        "b'through'",
    ]


def test_names() -> None:
    assert printed("on_names.py") == [
        "192.0.2.1 60",
        "2001:db8::1",
        "mail.example.org 10 192.0.2.1",
        "True",
        "50",
        "no such name",
        "26 True",
        "192.0.2.1",
    ]


@needs("foolscap")
def test_foolscap() -> None:
    assert printed("on_foolscap.py") == SAID["on_foolscap.py"]


@needs("crochet")
def test_crochet() -> None:
    assert printed("on_crochet.py") == SAID["on_crochet.py"]


@needs("ldaptor")
def test_ldaptor(tmp_path: Path) -> None:
    leaf = issued("localhost")
    root = tmp_path / "root.pem"
    root.write_bytes(authority().cert_pem.bytes())
    chain, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    with servers.slapd(tmp_path, chain, key) as path:
        said = printed("on_ldap.py", path, root, servers.found("ldapsearch"))
    assert said == SAID["on_ldap.py"]


def test_perspectiveBroker() -> None:
    assert printed("on_spread.py") == [
        "Point 4 6",
        "[b'user', [1, {'a': (None, 2.5)}]]",
        "1000000 later",
        "100",
        "__main__.Wrong on purpose",
        "DeadReferenceError",
    ]


def test_web(tmp_path: Path) -> None:
    said = printed("on_web.py", servers.found("curl"), tmp_path)
    each = [r"(b'small\n', 0)", "True 0", "[b'0', b'1'] 0", "True 0", "True 0", "(b'404', 0)", "True 0"]
    assert said == [f"{name} {line}" for name in ("site", "reverse", "proxy") for line in each]
