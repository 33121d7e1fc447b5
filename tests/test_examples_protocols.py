"""The examples that stand on `protocols` do what their first paragraphs say, each as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_calculator() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-X", "dev", str(EXAMPLES / "calculator.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as run:
        try:
            assert run.stdout is not None
            port = int(run.stdout.readline().split()[-1])
            for sent, answered in (
                (b"6 * 7\r\n1+-2\r\nquit\r\n5+5\r\n", b"42\r\n-1\r\nbye\r\n"),
                (b"what?\r\nquit\r\n", b"a task looks like this: 6 * 7\r\nbye\r\n"),
                (b"1+1\r\n" + b"9" * 202, b"2\r\nthat is too much\r\n"),
            ):
                with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                    client.sendall(sent)
                    answer = b""
                    while data := client.recv(1000):
                        answer += data
                    assert answer == answered
            run.send_signal(signal.SIGINT)
            assert run.communicate(timeout=PATIENCE)[0] == "stopped\n"
            assert run.returncode == 0
        finally:
            run.kill()
