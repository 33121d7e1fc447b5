"""The examples with UNIX sockets do what their first paragraphs say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(folder: Path, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-X", "dev", str(EXAMPLES / "unix_pass_descriptor.py"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("arguments", [(), ("socket",)])
def test_passDescriptor(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run(tmp_path, *arguments) == [
        "asking for unix_pass_descriptor.py",
        'first line: """Open files for others: a server sends the file itself over a UNIX socket, not what is in it.',
        "connection lost: Connection closed cleanly",
    ]
    assert os.listdir(tmp_path) == []


def test_passDescriptorWhereAFileIs(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("mine")
    (line,) = run(tmp_path, "socket")
    assert line.startswith("could not begin: Could not listen on socket: Address already in use")
