"""Every row of doc/faults.rst has a test that carries its id, and every id that a test carries has a row.

A test carries ids at the beginning of its name: ``test_E20_...``, ``test_C1_C3_...``, ``test_S_logs_...``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "doc" / "faults.rst"

# A letter and a number, a word behind S_, or one of the two that are words.
NAME = re.compile(r"test_((?:(?:[A-Z]\d+|S_[a-z][A-Za-z]*|PROXY|SOCKS)_)+)")
TEST = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
ID = re.compile(r"[A-Z]\d+|S_[a-z][A-Za-z]*|PROXY|SOCKS")
ROW = re.compile(r"^   \* - (\S+)$", re.MULTILINE)
# The invariants, which hold for all rows, are listed above the tables.
INVARIANTS = {f"I{number}" for number in range(1, 9)}


def rows() -> list[str]:
    return [name for name in ROW.findall(PAGE.read_text()) if name != "id"]


def idsOf(name: str) -> list[str]:
    """The ids that a test of this name carries."""
    found = NAME.match(name)
    return ID.findall(found[1]) if found else []


@cache
def carried() -> dict[str, list[str]]:
    """For each id the tests that carry it."""
    tests: dict[str, list[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for test in TEST.findall(path.read_text()):
            for name in idsOf(test):
                tests.setdefault(name, []).append(f"{path.name}: {test}")
    return tests


def test_idsInNames() -> None:
    assert idsOf("test_C1_C3_classOfAnErrno") == ["C1", "C3"]
    assert idsOf("test_S_logs_areEscaped") == ["S_logs"]
    assert idsOf("test_PROXY_wrongLines") == ["PROXY"]
    assert idsOf("test_CTCP") == idsOf("test_T1") == idsOf("test_readsE20_") == []


def test_everyRowHasATest() -> None:
    assert rows()
    assert [name for name in rows() if name not in carried()] == []


def test_everyIdHasOneRow() -> None:
    listed = rows()
    assert sorted(set(listed)) == sorted(listed)
    assert {name: tests for name, tests in carried().items() if name not in {*listed, *INVARIANTS}} == {}
