"""`examples/test_greeting.py` is found and passed by a pytest that knows nothing of ours but the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

import reactor

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "test_greeting.py"


def test_greeting(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\nfilterwarnings = error\n")
    command = ["-m", "pytest", "-q", "-c", settings, "-p", "reactor.pytestplugin", "-p", "no:cacheprovider", EXAMPLE]
    ended = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=PATIENCE, env=environment, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "9 passed" in ended.stdout
