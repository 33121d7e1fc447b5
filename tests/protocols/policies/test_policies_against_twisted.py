"""The same programs on Twisted's wrappers and on ours: who is told what, in which order, and when."""

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

PROGRAM = Path(__file__).parents[2] / "programs" / "policies_traces.py"
PROGRAMS = "wrapping total throttling timeouts mixin traffic pumping forwarding states".split()

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


@cache
def traces(on: str) -> dict[str, list[str]]:
    """Program -> the lines that it printed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), on],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parts = [part.splitlines() for part in done.stdout.split("# ")[1:]]
    return {name: lines for name, *lines in parts}


@pytest.mark.parametrize("program", PROGRAMS)
def test_sameTrace(program: str) -> None:
    ours, theirs = traces("here")[program], traces("twisted")[program]
    assert len(theirs) > 2
    if program == "throttling":
        # Up to the end of the first second Twisted does not stop anybody; from then on both do the same.
        end = "1.0 0 4"
        assert sorted(ours[: ours.index(end)]) == sorted(theirs[: theirs.index(end)])
        ours, theirs = ours[ours.index(end) :], theirs[theirs.index(end) :]
    assert ours == theirs
