"""The same programs on Twisted's services and on ours: what is called when, and what `running` says."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from patience import PATIENCE

import reactor

PROGRAM = Path(__file__).parents[1] / "programs" / "service_traces.py"
PROGRAMS = [
    "timer",
    "timerInACall",
    "timerThatFails",
    "listening",
    "listeningCancelled",
    "listeningFails",
    "together",
]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


@cache
def traces(on: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), on, *PROGRAMS],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split("# ")[1:]
    return dict(part.split("\n", 1) for part in parts)  # type: ignore[misc]


@pytest.mark.parametrize("program", PROGRAMS)
def test_sameTrace(program: str) -> None:
    ours, theirs = traces("here")[program], traces("twisted")[program]
    assert theirs.count("\n") > 1
    assert ours == theirs
