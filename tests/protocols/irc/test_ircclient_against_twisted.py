"""The same lines to Twisted's IRC client and to ours: the same hooks, the same lines in return."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE

import protocols

PROGRAM = Path(__file__).parents[2] / "programs" / "irc_traces.py"
NAMES = """greeting collisions erroneous channels text ctcp modes commands length rate heartbeat""".split()

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


@cache
def traces(on: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), on],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(Path(protocols.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_sameAsTwisted(name: str) -> None:
    assert traces("reactor")[name] == traces("twisted")[name]


def test_everyScriptIsCompared() -> None:
    assert list(traces("reactor")) == NAMES
