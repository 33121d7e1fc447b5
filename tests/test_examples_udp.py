"""The example with UDP does what its first paragraph says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "udp_discovery.py"


def test_discovery(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-X", "dev", str(EXAMPLE)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["found 'ada'", "found 'grace'"]
