"""Runs a piece of Python as a process of its own: what concerns the whole process is tested there (signals, forks,
limits, the default reactor).
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from patience import PATIENCE

import reactor

FOLDER = Path(reactor.__file__).parents[1]
SECONDS = PATIENCE


def script(source: str, *arguments: object, status: int = 0, prefix: tuple[str, ...] = ()) -> list[str]:
    """The lines that `source` prints when it is run with `arguments`. It has to end with `status`, in time, and to
    write nothing on its standard error. `prefix` is a command that runs it, such as ("strace", "-f").
    """
    printed, said = outputs(source, *arguments, status=status, prefix=prefix)
    assert said == "", said
    return printed.splitlines()


def outputs(source: str, *arguments: object, status: int = 0, prefix: tuple[str, ...] = ()) -> tuple[str, str]:
    """What it writes on its standard output and its standard error."""
    command = [*prefix, sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(source), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        check=False,
    )
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr
