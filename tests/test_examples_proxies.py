"""The examples of SOCKS do what their first paragraphs say: the client through the server."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@contextmanager
def example(name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", str(EXAMPLES / name), *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("networks", "user", "credentials", "said"),
    [
        (["127.0.0.0/8"], [], [], "HTTP/1.0 200 OK"),
        (["127.0.0.0/8"], ["--user", "me:secret"], ["me", "secret"], "HTTP/1.0 200 OK"),
        (["127.0.0.0/8"], ["--user", "me:secret"], ["me", "wrong"], "refused the user name or the password"),
        ([], [], [], "not allowed (reply 2)"),
    ],
)
def test_socksClientThroughSocksServer(
    web: int, networks: list[str], user: list[str], credentials: list[str], said: str
) -> None:
    with example("socks_server.py", 0, *user, *networks) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[-1])
        with example("socks_client.py", f"127.0.0.1:{port}", "127.0.0.1", web, *credentials) as client:
            printed, _ = client.communicate(timeout=PATIENCE)
        assert said in printed and client.returncode == 0
        assert "Traceback" not in printed
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=PATIENCE)[0] == "stopped\n"
        assert server.returncode == 0


@pytest.mark.parametrize("name", ["socks_server.py", "socks_client.py"])
def test_usage(name: str) -> None:
    with example(name) as process:
        assert "python socks_" in process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 1
