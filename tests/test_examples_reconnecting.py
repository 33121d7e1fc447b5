"""`examples/reconnecting.py` and `examples/proxy.py` do what their first paragraphs say."""

from __future__ import annotations

import os
import re
import signal
import socket
import socketserver
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
def running(name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", str(EXAMPLES / name), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("way", ["factory", "service"])
def test_reconnecting(way: str) -> None:
    with running("reconnecting.py", way) as process:
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed
    assert "Traceback" not in printed
    lines = printed.splitlines()
    greetings = [line for line in lines if line == "received: Good day, and good-bye!"]
    assert len(greetings) >= 2
    retries = [line for line in lines if re.search(r"attempt \d+ in \S+ s, because: ", line)]
    assert "refused" in retries[0]
    assert "closed cleanly" in retries[-1]
    if way == "service":
        assert "not yet: ConnectionRefusedError" in lines
        assert "stopped: True" in lines


class Upper(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


def test_proxy() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upper) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with running("proxy.py", 0, "127.0.0.1", server.server_address[1]) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline().split()[-1])
            size = 5_000_000
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                line = b"x" * 999 + b"\n"
                sender = threading.Thread(target=client.sendall, args=(line * (size // 1000),))
                sender.start()
                received = b""
                while len(received) < size:
                    received += client.recv(1 << 20)
                sender.join()
                assert received == line.upper() * (size // 1000)
            assert process.stdout.readline() == "joined\n"
            assert process.stdout.readline() == "client gone\n"
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=PATIENCE)
            assert (process.returncode, printed) == (0, "stopped\n")
        server.shutdown()
        thread.join()


def test_proxyWithoutServer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with running("proxy.py", 0, "127.0.0.1", taken.getsockname()[1]) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline().split()[-1])
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                assert client.recv(1) == b""
            assert process.stdout.readline().startswith("no server: ")
            assert process.stdout.readline() == "client gone\n"
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=PATIENCE)
            assert printed == "stopped\n"
