"""`examples/service.py` and `examples/many_workers.py` do what their first paragraphs say."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
WORKERS = "many_workers.py"
SECONDS = PATIENCE


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=EXAMPLES,
        env=environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_service() -> None:
    with running("service.py") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "an hour begins\n"
        port = int(process.stdout.readline().split()[-1])
        with (
            socket.create_connection(("127.0.0.1", port), SECONDS) as asking,
            socket.create_connection(("127.0.0.1", port), SECONDS) as idle,
        ):
            # What was sent before the signal is delivered before the protocol hears of it.
            asking.sendall(b"one\n")
            process.send_signal(signal.SIGTERM)
            assert idle.recv(100) == b""
            answer = b""
            while data := asking.recv(100):
                answer += data
            assert answer == b"you said one\n"
        assert process.communicate(timeout=SECONDS)[0] == "stopped\n"
        assert process.returncode == 0


def test_workers() -> None:
    with socket.socket() as kept:
        # Bound, shared, and not listened on, so that nobody else gets the port.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        with running("-m", "reactor", "workers", "2", f"{WORKERS[:-3]}:main", str(port)) as process:
            assert process.stdout is not None
            ready = 0
            while ready < 2:
                ready += "ready>" in process.stdout.readline()
            told = set()
            while len(told) < 2:
                with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
                    told.add(client.recv(100).partition(b",")[0])
            assert told == {b"worker 0", b"worker 1"}
            process.send_signal(signal.SIGINT)
            assert "Traceback" not in process.communicate(timeout=SECONDS)[0]
            assert process.returncode == 0
