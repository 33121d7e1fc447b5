"""The port forwarder forwards, within its limits, and ends on Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "portforward.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}


def run(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", str(EXAMPLE), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )


def test_portforward() -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        target.settimeout(PATIENCE)
        with run(0, "127.0.0.1", target.getsockname()[1], 1_000_000) as process:
            try:
                assert process.stdout is not None
                port = int(process.stdout.readline().removeprefix("listening on port "))
                clients, servers = [], []
                for number in range(5):
                    clients.append(socket.create_connection(("127.0.0.1", port), 20))
                    servers.append(target.accept()[0])
                    clients[number].sendall(b"question")
                    clients[number].shutdown(socket.SHUT_WR)
                    servers[number].settimeout(PATIENCE)
                    assert servers[number].recv(100) == b"question"
                    servers[number].sendall(b"answer")
                    assert clients[number].recv(100) == b"answer"
                with socket.create_connection(("127.0.0.1", port), 20) as sixth:
                    assert sixth.recv(100) == b""
                for each in clients + servers:
                    each.close()
                process.send_signal(signal.SIGINT)
                printed, _ = process.communicate(timeout=PATIENCE)
                assert (process.returncode, printed) == (0, "")
            finally:
                process.kill()


def test_withoutArgumentsItSaysHow() -> None:
    with run() as process:
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "portforward.py port host hostport" in printed
