"""Every row of doc/faults.rst has a test that carries its id, and every id that a test carries has a row.

A test carries ids at the beginning of its name: ``test_E20_...``, ``test_C1_C3_...``, ``test_S_logs_...``.

Every row is tested over every selector, and those of connections over every kind of connection, but for the rows below,
each with the reason.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "doc" / "faults.rst"

# A letter and a number, a word behind S_, or one of the two that are words.
NAME = re.compile(r"test_((?:(?:[A-Z]\d+|S_[a-z][A-Za-z]*|PROXY|SOCKS)_)+)")
TEST = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
ID = re.compile(r"[A-Z]\d+|S_[a-z][A-Za-z]*|PROXY|SOCKS")
ROW = re.compile(r"^   \* - (\S+)$", re.MULTILINE)
# The invariants, which hold for all rows, are listed above the tables.
INVARIANTS = {f"I{number}" for number in range(1, 9)}

# Which is "default" among the parameters, or needs none.
BESIDE_EPOLL = {"SelectSelector", "PollSelector"}
# Rows in which no selector has a part, and why.
ANY_SELECTOR = {
    "told by the call itself": "L1 L2 U8 X1 X2 X6 M1 M3 R2",
    "what a child is given, before there is anything to watch": "S4 R7 R9",
    "the interpreter's, or the kernel's own time (3 s each)": "S2 C3 F9",
    "memory, and callbacks that no loop makes": "M10 D1 D2 D4 D5 D6 D7 D8 D9 D10 D11",
    "names, before there is a socket": "C22",
    "above the transport": (
        "PROXY SOCKS S_lines S_netstrings S_prefixes S_parsers S_irc S_ircAgain S_dns S_httpClient "
        "S_websocket S_startTLS S_logs S_httpBody S_httpExpect S_httpSlow S_httpHandler S_httpFlood S_httpStop"
    ),
    "settings": "S_tlsClient S_tlsServer S_unix",
    "of one selector alone": "F6",
    "more descriptors than select knows": "L11",
}
KINDS = {"tcp4", "tcp6", "unix", "tls"}
# Rows of connections and of listening that are not about every kind of them, and why.
SOME_KINDS = {
    "IP alone": "C2 C3 C4 C5 C6 C7 C8 C9 C21 C22 E38 L1 L2 L10 L12",
    "the system calls of the one wire under all kinds": "E4 E5 E6 E7 E8 L4",
    "one queue is as another": "L11",
}


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


def listed(table: dict[str, str]) -> set[str]:
    return {name for names in table.values() for name in names.split()}


def words(value: object) -> Iterable[str]:
    """What a parameter says, or is called."""
    return (
        [value if isinstance(value, str) else value.__name__]
        if isinstance(value, str) or inspect.isclass(value)
        else []
    )


@pytest.fixture
def parameters(request: pytest.FixtureRequest) -> dict[str, set[str]]:
    """For each row the parameters of its tests, in this run."""
    found: dict[str, set[str]] = {}
    seen = set()
    for item in request.session.items:
        name = getattr(item, "originalname", item.name)
        seen.add(f"{item.path.name}: {name}")
        callspec = getattr(item, "callspec", None)
        for row in idsOf(name):
            found.setdefault(row, set())
            for value in callspec.params.values() if callspec is not None else ():
                found[row].update(words(value))
    if not {test for tests in carried().values() for test in tests} <= seen:
        pytest.skip("only a part of the tests is in this run")
    return found


def test_everyRowOverEverySelector(parameters: dict[str, set[str]]) -> None:
    missing = {row: BESIDE_EPOLL - parameters[row] for row in rows() if not parameters[row] >= BESIDE_EPOLL}
    assert {row: selectors for row, selectors in missing.items() if row not in listed(ANY_SELECTOR)} == {}
    # What has them all is no exception.
    assert listed(ANY_SELECTOR) <= missing.keys()


def test_everyRowOverEveryKindOfConnection(parameters: dict[str, set[str]]) -> None:
    missing = {row: KINDS - parameters[row] for row in rows() if row[0] in "CEL" and not parameters[row] >= KINDS}
    assert {row: kinds for row, kinds in missing.items() if row not in listed(SOME_KINDS)} == {}
    assert listed(SOME_KINDS) <= missing.keys()


def test_idsInNames() -> None:
    assert idsOf("test_C1_C3_classOfAnErrno") == ["C1", "C3"]
    assert idsOf("test_S_logs_areEscaped") == ["S_logs"]
    assert idsOf("test_PROXY_wrongLines") == ["PROXY"]
    assert idsOf("test_CTCP") == idsOf("test_T1") == idsOf("test_readsE20_") == []


def test_everyRowHasATest() -> None:
    assert rows()
    assert [name for name in rows() if name not in carried()] == []


def test_everyIdHasOneRow() -> None:
    known = rows()
    assert sorted(set(known)) == sorted(known)
    assert {name: tests for name, tests in carried().items() if name not in {*known, *INVARIANTS}} == {}
