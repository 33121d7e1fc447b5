"""Libraries for Twisted on this reactor by their imports, with real servers at the other end.

Each runs in a process of its own: unchanged, where ``twisted.internet`` is ours (tests/aliasing.py); and as
``python -m reactor migrate --write`` has changed the imports of the library and of the program.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import servers
import unchanged
from patience import PATIENCE
from tls import authority, issued
from unchanged import ALIASING, PROGRAMS, SAID, needs


@pytest.fixture(params=["served", "changed"])
def way(request: pytest.FixtureRequest) -> str:
    """How a library comes to our modules: its imports are served by them, or changed."""
    way: str = request.param
    return way


def printed(way: str, folder: Path, library: str, program: str, *arguments: object) -> list[str]:
    """What a program prints with a library. `folder` is for changed files."""
    if way == "served":
        return unchanged.printed(ALIASING, program, *arguments)
    changed = folder / "changed"
    changed.mkdir()
    shutil.copy(PROGRAMS / program, changed)
    copyOf(library, changed)
    migrate(changed)
    # A program's own folder comes first among those that it imports from.
    return unchanged.linesOf(unchanged.commandOf(changed / program, *arguments))


def migrate(folder: Path) -> None:
    """Change the imports in a folder."""
    command = [sys.executable, "-m", "reactor", "migrate", "--write", "--quiet", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=unchanged.environment(), check=False
    )
    # All could be read, whatever is missing.
    assert done.returncode in (0, 1) and done.stderr == "", done.stderr


def copyOf(library: str, folder: Path) -> None:
    """Put a library there, without its tests."""
    spec = importlib.util.find_spec(library)
    assert spec is not None and spec.origin is not None
    if spec.submodule_search_locations:
        leaving = shutil.ignore_patterns("test", "tests", "__pycache__")
        shutil.copytree(Path(spec.origin).parent, folder / library, ignore=leaving)
    else:
        shutil.copy(spec.origin, folder)


@needs("twisted", "txredisapi")
def test_txredisapi(way: str, tmp_path: Path) -> None:
    with servers.redis(tmp_path) as path:
        said = printed(way, tmp_path, "txredisapi", "on_redis.py", path)
    assert said == SAID["on_redis.py"]


@needs("twisted", "ldaptor")
def test_ldaptor(way: str, tmp_path: Path) -> None:
    certificate = issued("localhost")
    root = tmp_path / "root.pem"
    root.write_bytes(authority().cert_pem.bytes())
    chain, key = certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes()
    with servers.slapd(tmp_path, chain, key) as path:
        said = printed(way, tmp_path, "ldaptor", "on_ldap.py", path, root, servers.found("ldapsearch"))
    assert said == SAID["on_ldap.py"]


@needs("twisted", "crochet")
def test_crochet(way: str, tmp_path: Path) -> None:
    assert printed(way, tmp_path, "crochet", "on_crochet.py") == SAID["on_crochet.py"]


@needs("twisted", "foolscap", "OpenSSL")
def test_foolscap() -> None:
    """Its identities are certificates that nobody signed, which both ends show: pyOpenSSL's contexts."""
    assert unchanged.printed(ALIASING, "on_foolscap.py", options=("--openssl",)) == SAID["on_foolscap.py"]
