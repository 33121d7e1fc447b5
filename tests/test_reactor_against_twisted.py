"""The same programs on Twisted and here: the order of triggers, calls and timers, what `running` is, which errors."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest
from traces import bothTraces

PROGRAM = Path(__file__).with_name("programs") / "reactor_traces.py"
PROGRAMS = [
    "startAndStop",
    "stopIn before startup",
    "stopIn during startup",
    "stopIn after startup",
    "stopIn callWhenRunning -",
    "stopIn callLater -",
    "stopIn callFromThread -",
    "aroundStop timer",
    "aroundStop call",
    "aroundStop whenRunning",
    "deferreds",
    "exceptions",
    "triggers",
    "timers",
    "sameTurn",
    "calls",
    "errors",
    "crash",
    "connections",
    "readers",
    "clock",
]

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
    assert ours == theirs
