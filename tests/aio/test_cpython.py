"""The interpreter's own tests of asyncio, with our loop in the place of asyncio's.

Each module runs in a process of its own. What does not hold is listed with its reason in leftout.py; an entry there
that begins to hold fails here. The longest are left to ``tox -e asyncio-suite``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from comparing import gathered
from leftout import FAILS, LONG, NOT_ABOUT_LOOPS, NOT_RUN, VARIABLE
from patience import PATIENCE

import reactor

PROGRAM = Path(__file__).parent / "cpython_program.py"


def modules() -> list[str]:
    """The modules of the interpreter's tests that make loops."""
    try:
        spec = find_spec("test.test_asyncio")
    except ModuleNotFoundError:
        return []
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0])
    found = {path.stem for path in folder.glob("test_*.py")} - NOT_ABOUT_LOOPS.keys()
    return sorted(found if os.environ.get(VARIABLE) == "all" else found - LONG)


@pytest.mark.deadline(200)
@pytest.mark.parametrize("module", modules() or [pytest.param("", marks=pytest.mark.skip("this Python has no tests"))])
def test_theInterpretersOwn(module: str) -> None:
    leftOut = NOT_RUN.get(module, {})
    environment = {**os.environ, "PYTHONPATH": str(Path(reactor.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), module, *leftOut],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env=environment,
        check=False,
    )
    became = gathered(line for line in done.stdout.splitlines() if line.startswith("{"))
    assert became.pop("", None), done.stderr[-5000:]
    expected = FAILS.get(module, {})
    failed = {test: problem for test, (outcome, problem) in became.items() if outcome == "failed"}
    unexpected = {name: text for name, text in failed.items() if name.rpartition(".")[2] not in expected}
    assert not unexpected, "\n\n".join(f"{name}\n{text}" for name, text in unexpected.items())
    passed = [test for test, (outcome, _) in became.items() if outcome == "passed"]
    assert [name for name in passed if name.rpartition(".")[2] in expected] == []
