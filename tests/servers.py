"""Servers by others, as processes of the test's own, on UNIX sockets in a folder of the test.

Each is up when it has said so itself, and is ended by its own process. One that a package has installed and started
elsewhere on the machine is never touched. A test that misses one skips itself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS = 20.0


@contextmanager
def serving(
    command: list[str], ready: str, user: int | None = None, ending: int = signal.SIGTERM
) -> Iterator[list[str]]:
    """Run `command` until the block is left; enter it when a line with `ready` has come. The lines that it printed.

    `user` is whom it runs as, if not as we do, `ending` the signal that ends it at once.
    """
    said: list[str] = []
    up = threading.Event()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user
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
        process.send_signal(ending)
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


@dataclass
class PostgreSQL:
    """A PostgreSQL server that runs: `folder` has its UNIX socket, `port` is that of its name and on 127.0.0.1."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        """Where it is, by way of its UNIX socket, as libraries want it told."""
        return f"postgresql://postgres@/postgres?host={self.folder}&port={self.port}"


@contextmanager
def postgresql(certificate: bytes, key: bytes) -> Iterator[PostgreSQL]:
    """A PostgreSQL server with an empty database called "postgres", whose user "postgres" needs no password.

    It speaks TLS with who wants it, by TCP. Started by root it runs as that user of the system, since it refuses to be
    root.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) or [Path(found("postgres"))]
    program = programs[-1]
    user = None
    if not os.geteuid():
        try:
            user = pwd.getpwnam("postgres").pw_uid
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    # Not in a test's own folder, into which no other user may look.
    with (
        tempfile.TemporaryDirectory(prefix="reactor-", ignore_cleanup_errors=True) as name,
        socket.socket() as reserved,
    ):
        folder = Path(name)
        for file, content in (("cert.pem", certificate), ("key.pem", key)):
            (folder / file).write_bytes(content)
            (folder / file).chmod(0o600)
        if user is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, user, -1)
        data = folder / "data"
        initialise = [str(program.with_name("initdb")), "-D", str(data), "-A", "trust", "-U", "postgres", "-N"]
        done = subprocess.run(
            [*initialise, "--locale=C"], user=user, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # Bound, but not listened on: nobody else is given the port, and the server may have it.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "ssl": "on",
            "ssl_cert_file": folder / "cert.pem",
            "ssl_key_file": folder / "key.pem",
            "fsync": "off",
            "max_connections": 20,
            "shared_buffers": "8MB",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(program), "-D", str(data), *options]
        # It waits for its clients when it is asked to end; interrupted, it drops them.
        with serving(command, "ready to accept connections", user, signal.SIGINT):
            yield PostgreSQL(folder, port)


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


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr notice;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl http2;
        root {folder}/files;
        location /who {{ return 200 "$connection $connection_requests $ssl_protocol"; }}
        location /stored/ {{ root {folder}; dav_methods PUT DELETE; create_full_put_path on; }}
        location /packed/ {{ alias {folder}/files/; gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0; }}
        location /slow/ {{ alias {folder}/files/; limit_rate 4k; }}
        location /behind/ {{
            proxy_pass http://unix:{folder}/behind;
            proxy_http_version 1.1;
            proxy_request_buffering off;
        }}
    }}
}}
"""


class Nginx:
    """An nginx: `plain` and `secure` are the ports of http and https, `files` is what it serves.

    /who answers with the number of its connection, that of the request on it, and the version of TLS; /slow/ serves
    the same files at 4 KiB a second, and /packed/ coded with gzip; /stored/ takes files (PUT); /behind/ is whoever
    listens on the UNIX socket `behind`.
    """

    def __init__(self, folder: Path, certificate: bytes, key: bytes, plain: int, secure: int) -> None:
        """Not running yet, and with everything in `folder`."""
        self.folder, self.plain, self.secure = folder, plain, secure
        self.files, self.behind = folder / "files", folder / "behind"
        self._running = ExitStack()
        self._said: list[str] = []
        self.files.mkdir()
        (folder / "cert.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        # Its workers are somebody else otherwise, who may not look into the folder.
        user = "" if os.geteuid() else "user root;"
        text = NGINX.format(folder=folder, plain=plain, secure=secure, user=user)
        (folder / "nginx.conf").write_text(text)

    def start(self) -> None:
        """Run it; it accepts when this returns."""
        command = [found("nginx"), "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]
        # It closes what is open when it is asked to end at once.
        self._said = self._running.enter_context(serving(command, "start worker process "))

    def stop(self) -> None:
        """End it, with every connection that it has."""
        self._running.close()

    def reload(self) -> None:
        """Have it read its file again: another process takes over, and the old one ends what it has begun."""
        os.kill(int((self.folder / "pid").read_text()), signal.SIGHUP)

    @property
    def gone(self) -> int:
        """How many of its processes have ended their work."""
        return sum("exited with code 0" in line for line in self._said)


@contextmanager
def nginx(folder: Path, certificate: bytes, key: bytes) -> Iterator[Nginx]:
    """An nginx that runs."""
    found("nginx")
    with ExitStack() as stack:
        ports = []
        for _ in range(2):
            # Bound, but not listened on: nobody else is given the port, and the server may have it.
            reserved = stack.enter_context(socket.socket())
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", 0))
            ports.append(reserved.getsockname()[1])
        server = Nginx(folder, certificate, key, *ports)
        server.start()
        stack.callback(server.stop)
        yield server
