"""Programs in a network namespace of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE
from script import FOLDER


def toldByProgram(name: str, files: bool = False) -> dict[str, Any]:
    """The JSON object that the program of that name prints, in a namespace where only loopback exists, and with `files`
    one where it can put others in the place of the system's; the test is skipped where there can be none, or the
    program says that it cannot have it as it needs it ("unavailable").
    """
    if shutil.which("unshare") is None:
        pytest.skip("no command unshare, which makes network namespaces")
    program = Path(__file__).parent / "programs" / f"{name}.py"
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--net",
            *(["--mount"] * files),
            sys.executable,
            "-X",
            "dev",
            str(program),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        check=False,
    )
    if done.stderr.startswith("unshare"):
        pytest.skip(f"no network namespace: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    results: dict[str, Any] = json.loads(done.stdout)
    if "unavailable" in results:
        pytest.skip(f"no rules for the network namespace: {results['unavailable']}")
    return results
