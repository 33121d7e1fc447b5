"""The same program on Twisted and here: what both ends of a UNIX connection are told, and how connecting fails."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from script import FOLDER

PROGRAM = Path(__file__).parents[2] / "programs" / "unix_traces.py"
CASES = """
    theClientCloses theServerCloses aQuestionAndAnAnswer aLock theClientAborts halfClose aDescriptor theProtocolRaises
    nothingThere aPlainFile nobodyListens nobodyHoldsTheLock stoppedInsideStartedConnecting listeningFails
    endpointConnects endpointFails
    """.split()

pytestmark = pytest.mark.skipif(importlib.util.find_spec("twisted") is None, reason="Twisted is not installed")


@pytest.fixture(scope="module")
def traces() -> list[dict[str, Any]]:
    """Ours and theirs, made at the same time."""
    running = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), library],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
        )
        for library in ("reactor", "twisted")
    ]
    told = [process.communicate(timeout=PATIENCE) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    return [json.loads(output) for output, _ in told]


def test_theProgramHasTheseCases(traces: list[dict[str, Any]]) -> None:
    assert sorted(traces[0]) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_theSameTrace(traces: list[dict[str, Any]], case: str) -> None:
    ours, theirs = traces
    assert ours[case] == theirs[case]
    assert ours[case]["client"] or ours[case]["server"]
