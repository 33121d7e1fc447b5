"""System calls that fail as told, for programs that `script.script` runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

import pytest
from patience import PATIENCE


@cache
def whyNot() -> str:
    """Why that cannot be had here; "" when it can."""
    if shutil.which("strace") is None:
        return "no command strace, which lets system calls fail"
    command = ["strace", "-qq", "-e", "inject=sync:error=EIO", "true"]
    tried = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    return "" if tried.returncode == 0 else f"strace cannot trace here: {tried.stderr!r}"


def failing(*rules: str) -> tuple[str, ...]:
    """What to put before a command, so that `rules` (as strace's ``inject=`` has them) hold for its system calls. The
    test is skipped where strace does not work.
    """
    if reason := whyNot():
        pytest.skip(reason)
    return ("strace", "-f", "-qq", "-o", os.devnull, *(part for rule in rules for part in ("-e", f"inject={rule}")))
