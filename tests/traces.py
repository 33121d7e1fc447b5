"""Programs that run on us and on Twisted, each in a process of its own, and say what happens to them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from patience import PATIENCE

import reactor

DEADLINE = PATIENCE


def bothTraces(program: Path, names: Sequence[str]) -> list[dict[str, list[str]]]:
    """What the scenarios `names` of `program` print, on us and on Twisted: of each, name -> lines."""
    return [_printed(process) for process in [_started(program, on, names) for on in ("here", "twisted")]]


def _started(program: Path, on: str, names: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(program), on, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
    )


def _printed(process: subprocess.Popen[str]) -> dict[str, list[str]]:
    output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    traces: dict[str, list[str]] = {}
    for line in output.splitlines():
        if line.startswith("# "):
            lines = traces[line[2:]] = []
        else:
            lines.append(line)
    return traces
