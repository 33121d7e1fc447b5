"""The rules of the network namespace that a program was started in."""

from __future__ import annotations

import json
import subprocess
import sys


def applied(setup: str) -> bool:
    """Whether every command of `setup`, one a line, could be carried out; if not, says so as the program's result."""
    for line in setup.strip().splitlines():
        try:
            done = subprocess.run(line.split(), capture_output=True, text=True)
        except FileNotFoundError as e:
            done = subprocess.CompletedProcess(line, 1, stderr=str(e))
        if done.returncode:
            json.dump({"unavailable": f"{line}: {done.stderr.strip()}"}, sys.stdout)
            return False
    return True
