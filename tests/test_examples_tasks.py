"""`examples/tasks.py` and `examples/threads.py` do what their first paragraphs say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def printed(name: str, *arguments: object, status: int = 0) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    ended = subprocess.run(
        [sys.executable, "-X", "dev", str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
    )
    assert ended.returncode == status, ended.stderr
    if not status:
        assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_tasks() -> None:
    assert printed("tasks.py") == ["430 primes below 3000, the last one is 2999", "ticked meanwhile: True"]


def test_tasksThatFail() -> None:
    assert printed("tasks.py", "many", status=1) == []


def test_threads(tmp_path: Path) -> None:
    expected = []
    for number in range(3):
        file = tmp_path / str(number)
        file.write_bytes(bytes(number) * 1000)
        expected.append(f"{hashlib.sha256(bytes(number) * 1000).hexdigest()} {file}")
    names = [tmp_path / str(number) for number in range(3)]
    assert printed("threads.py", *names) == [*expected, "reactor asked MainThread", "failed: FileNotFoundError"]
