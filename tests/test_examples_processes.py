"""`examples/filter.py` and `examples/stdio_chat.py` do what their first paragraphs say."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SECONDS = PATIENCE


def started(name: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-X", "dev", str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)


def test_filter() -> None:
    with started("filter.py", "hello", "World") as process:
        assert process.communicate(timeout=SECONDS) == (b"'HELLO'\n'WORLD'\n", b"")
        assert process.returncode == 0


def test_chat() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(SECONDS)
        with started("stdio_chat.py", "127.0.0.1", listening.getsockname()[1], stdin=subprocess.PIPE) as process:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(SECONDS)
                peer.sendall(b"welcome\x1b\n")
                assert process.stdout is not None and process.stdin is not None
                assert process.stdout.readline() == b"welcome?\n"
                process.stdin.write(b"typed\n")
                process.stdin.flush()
                assert peer.recv(100) == b"typed\n"
                process.stdin.close()
                assert peer.recv(100) == b""
            assert process.wait(SECONDS) == 0
            assert process.stderr is not None and process.stderr.read() == b""


def test_chatWithNobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with started("stdio_chat.py", "127.0.0.1", port) as process:
        out, err = process.communicate(timeout=SECONDS)
    assert out == b"" and b"refused" in err.lower()
