"""Servers by others, as processes of the test's own, on UNIX sockets in a folder of the test.

Each is up when it has said so itself, and is ended by its own process. One that a package has installed and started
elsewhere on the machine is never touched. A test that misses one skips itself.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 20.0


@contextmanager
def serving(command: list[str], ready: str) -> Iterator[list[str]]:
    """Run `command` until the block is left; enter it when a line with `ready` has come. The lines that it printed."""
    said: list[str] = []
    up = threading.Event()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if ready in line:
                up.set()
        up.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert up.wait(SECONDS) and process.poll() is None, said
        yield said
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join(SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def found(program: str) -> str:
    """Where `program` is; the test that asks is skipped when it is nowhere."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
    if path is None:
        pytest.skip(f"there is no {program} on this machine")
    return path


@contextmanager
def redis(folder: Path) -> Iterator[Path]:
    """A redis-server without a port; the path of its socket."""
    socket = folder / "redis"
    command = [found("redis-server"), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with serving([*command, "--databases", "2"], "eady to accept connections"):
        yield socket


SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
maxsize 10485760
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory {folder}/data
access to * by * read
"""


@contextmanager
def slapd(folder: Path, certificate: bytes, key: bytes) -> Iterator[Path]:
    """OpenLDAP's server, with nothing in it yet, for the suffix dc=example,dc=org; the path of its socket."""
    program = found("slapd")
    if not Path("/etc/ldap/schema/core.schema").exists():
        pytest.skip("slapd has no schemas in /etc/ldap/schema")
    (folder / "data").mkdir()
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    (folder / "slapd.conf").write_text(SLAPD.format(folder=folder))
    socket = folder / "ldapi"
    url = "ldapi://" + str(socket).replace("/", "%2F")
    with serving([program, "-f", str(folder / "slapd.conf"), "-h", url, "-d", "256"], "slapd starting"):
        yield socket
