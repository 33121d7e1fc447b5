"""`python -m bench`, as the tests of it run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# At the end: `reactor` stays the one that is tested, which may be an installed one.
sys.path.append(str(ROOT))


def runBench(*arguments: str, status: int = 0, **environment: str) -> str:
    """What `python -m bench` prints, standard output and errors; it must exit with `status`."""
    result = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=29,
    )
    assert result.returncode == status, result.stdout
    return result.stdout
