"""bench.soak: its short form holds on this machine, and it says so when something is not as it should be."""

from __future__ import annotations

import pytest
from benching import runBench

from bench.soak.__main__ import given
from bench.soak.crowd import Tally
from bench.soak.numbers import NUMBERS, fieldOf
from bench.soak.scenarios import SCENARIOS
from bench.soak.target import State
from bench.soak.verdict import HEAD, Round, problems, row


def soak(*arguments: str, status: int) -> str:
    return runBench(*arguments, status=status, module="bench.soak")


def test_theShortForm() -> None:
    output = soak("--short", status=0)
    lines = [line.split()[0] for line in output.splitlines() if line]
    assert [name for name in lines if name in SCENARIOS] == list(SCENARIOS)
    assert "Nothing lost" in output


def test_anOldConnectionThatWaits() -> None:
    output = soak("burst", "--short", "--burst", "20", "--burst-rounds", "1", "--latency", "0", status=1)
    assert "an old connection waited" in output


def test_aMistake() -> None:
    assert "no scenario is called 'x'" in soak("x", status=2)
    assert "--held" in soak("--held", "many", status=2)
    assert "without a round" in soak("--burst-rounds", "0", status=2)


GOOD = Round(Tally(begun=2, good=2), [0.001], [5.0, 5.1], State(12, 2e4), State(10, 1e4), {"p99": 1.0, "max": 2.0}, 1.0)


def changed(**what: object) -> Round:
    fields = {name: getattr(GOOD, name) for name in Round.__slots__}
    return Round(**(fields | what))


def test_nothingIsWrong() -> None:
    for name in SCENARIOS:
        assert problems(name, State(10, 9e3), [GOOD, GOOD], given([])) == []
        assert len(row(name, State(10, 9e3), [GOOD])) == len(HEAD)


@pytest.mark.parametrize(
    "name, bad, text",
    [
        ("mixed", changed(tally=Tally(begun=2, good=2, lost=1)), "lost=1"),
        ("mixed", changed(tally=Tally(begun=2, good=2, wrong=1)), "wrong=1"),
        ("cycles", changed(tally=Tally(begun=2, good=1, failed=1)), "failed=1"),
        ("held", changed(after=State(11, 1e4)), "11 descriptors, 10 at the beginning"),
        ("held", changed(after=State(10, 1e4 + 2149)), "grew by 2,149 KiB, more than 2,148"),
        ("burst", changed(latency={"p99": 1.0, "max": 99.1}), "50.5 ms"),
        ("handshakes", changed(lives=[1.0, 5.0]), "dropped after 1.00 to 5.00 s"),
        ("handshakes", changed(lives=[5.0, 9.0]), "dropped after 5.00 to 9.00 s"),
    ],
)
def test_whatIsWrong(name: str, bad: Round, text: str) -> None:
    (found,) = problems(name, State(10, 9e3), [GOOD, bad], given([]))
    assert text in found


def test_everyNumberIsAnOption() -> None:
    for name, (default, short, _) in NUMBERS.items():
        assert getattr(given([]), fieldOf(name)) == default
        assert getattr(given(["--short"]), fieldOf(name)) == short
        assert getattr(given([f"--{name}", "7"]), fieldOf(name)) == 7
