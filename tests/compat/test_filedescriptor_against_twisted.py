"""The same programs with transports of their own on Twisted's FileDescriptor and ours: what is heard."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest
from traces import bothTraces

PROGRAM = Path(__file__).parents[1] / "programs" / "filedescriptor_traces.py"
PROGRAMS = "terminal closing lost pull push producerAndTheEnd halves stopped errors".split()

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("twisted") is None, reason="there is no Twisted to compare with"
)


@cache
def both() -> list[dict[str, list[str]]]:
    return bothTraces(PROGRAM, PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_sameTrace(program: str) -> None:
    ours, theirs = (traces[program] for traces in both())
    assert theirs
    if program == "stopped":
        # Twisted keeps what it closes in a set: in any order.
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs
