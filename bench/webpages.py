"""A web server for the clients that are measured: `python -m bench.webpages LIFETIME`.

nginx, if it is there, else a server on our own reactor that answers without looking. It listens on a port of 127.0.0.1
that is free, prints "ready PORT", and has "/hello" (13 bytes) and "/large" (16 KiB), for LIFETIME seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.servers import HOST, ready
from reactor import reactor
from reactor.protocol import Factory, Protocol

HELLO = b"hello, world\n"
LARGE = b"x" * 16384
_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 2000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen {host}:{port}; root {folder}; }}
}}
"""


def nginx() -> str | None:
    """Where it is; None if nowhere."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")


def serveByNginx(program: str, lifetime: int) -> None:
    """Run nginx until we are asked to end, or for that long."""
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as name:
        folder = Path(name)
        # Its workers are somebody else if we are root.
        user = "" if os.geteuid() else "user root;"
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        (folder / "nginx.conf").write_text(_CONFIGURATION.format(user=user, folder=folder, host=HOST, port=port))
        (folder / "hello").write_bytes(HELLO)
        (folder / "large").write_bytes(LARGE)
        process = subprocess.Popen([program, "-p", name, "-e", "stderr", "-c", f"{name}/nginx.conf"])
        signal.signal(signal.SIGTERM, lambda *about: process.terminate())
        try:
            _awaitPort(port)
            ready(port)
            process.wait(lifetime)
        finally:
            process.terminate()
            process.wait()


def _awaitPort(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((HOST, port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


class Pages(Protocol):
    """Answers each head that comes."""

    def dataReceived(self, data: bytes) -> None:
        """Requests, whole ones."""
        content = LARGE if data.startswith(b"GET /large") else HELLO
        answer = b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
        self.transport.write(answer * data.count(b"\r\n\r\n"))


def main() -> None:
    """Be the server."""
    lifetime = int(sys.argv[1])
    program = nginx()
    if program is not None:
        serveByNginx(program, lifetime)
        return
    signal.alarm(lifetime)
    port = reactor.listenTCP(0, Factory.forProtocol(Pages), interface=HOST)
    reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()


if __name__ == "__main__":
    main()
