"""`python -m bench` and `python -m bench.soak`, as the tests of them run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
# At the end: `reactor` stays the one that is tested, which may be an installed one.
sys.path.append(str(ROOT))


def runBench(*arguments: str, status: int = 0, module: str = "bench", **environment: str) -> str:
    """What `python -m bench` (or another module) prints, standard output and errors; it must exit with `status`."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == status, result.stdout
    return result.stdout
