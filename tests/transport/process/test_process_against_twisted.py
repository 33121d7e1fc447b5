"""The same programs that run child processes on Twisted and here: what is heard, in which order, and which errors."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest
from traces import bothTraces

PROGRAM = Path(__file__).parents[2] / "programs" / "process_traces.py"
PROGRAMS = [
    "exits 0",
    "exits 3",
    "killed KILL",
    "killed TERM",
    "stdin",
    "closedByUs",
    "order",
    "others",
    "closedByChild",
    "terminal",
    "surroundings",
    "errors",
    "getters",
]
# Several at a time: in any order.
TOGETHER = {"getters"}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


@cache
def both() -> list[dict[str, list[str]]]:
    return bothTraces(PROGRAM, PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_sameTrace(program: str) -> None:
    ours, theirs = (traces[program] for traces in both())
    assert len(theirs) > 1
    if program in TOGETHER:
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs
