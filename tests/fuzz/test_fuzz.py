"""Every harness holds on every input of its corpus; looking for more is `harness.main`'s."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
HARNESSES = sorted(path.stem for path in HERE.glob("fuzz_*.py"))
INPUTS = [(name, path) for name in HARNESSES for path in sorted((HERE / "corpus" / name[5:]).iterdir())]


@pytest.mark.parametrize("name, path", [pytest.param(n, p, id=f"{n[5:]}-{p.name}") for n, p in INPUTS])
def test_corpus(name: str, path: Path) -> None:
    import_module(name).one(path.read_bytes())


def test_everyHarnessHasACorpus() -> None:
    assert {name for name, _ in INPUTS} == set(HARNESSES)
    assert {path.name for path in (HERE / "corpus").iterdir()} == {name[5:] for name in HARNESSES}
