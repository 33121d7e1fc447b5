"""The same programs that run child processes on Twisted and here: what is heard, in which order, and which errors."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import reactor

PROGRAM = Path(__file__).parent.parent / "programs" / "process_traces.py"
PROGRAMS = [
    "exits 0",
    "exits 3",
    "killed KILL",
    "killed TERM",
    "stdin",
    "closedByUs",
    "order",
    "others",
    "closedByChild",
    "terminal",
    "surroundings",
    "errors",
    "getters",
]
# Several at a time: in any order.
TOGETHER = {"getters"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


def started(on: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), on, *PROGRAMS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
    )


def printed(process: subprocess.Popen[str]) -> dict[str, list[str]]:
    """Program -> the lines that it printed."""
    output, errors = process.communicate(timeout=25)
    assert process.returncode == 0, errors
    traces: dict[str, list[str]] = {}
    for line in output.splitlines():
        if line.startswith("# "):
            lines = traces[line[2:]] = []
        else:
            lines.append(line)
    return traces


@cache
def both() -> list[dict[str, list[str]]]:
    return [printed(process) for process in [started("here"), started("twisted")]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_sameTrace(program: str) -> None:
    ours, theirs = (traces[program] for traces in both())
    assert len(theirs) > 1
    if program in TOGETHER:
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs
