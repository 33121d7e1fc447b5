"""What became of the tests of others: told by the program that runs them, an object of JSON a line, and compared
between a run on what they are made for and one on ours.

A test has an outcome, "passed", "failed", "skipped" or as yet `BEGAN`, and the text of its problem.
A test that is lost holds there and not on ours. It counts unless it is known, with the reason why; one that is known
and holds is told as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Outcomes = dict[str, tuple[str, str]]

BEGAN = "began"


def told(test: str, outcome: str, problem: str = "") -> str:
    """The line that says what became of `test`."""
    return json.dumps({"test": test, "outcome": outcome, "problem": problem[-4000:]}) + "\n"


def gathered(lines: Iterable[str]) -> Outcomes:
    """What became of each test. One that is told more than once failed if it is once told so, for the first reason."""
    became: Outcomes = {}
    for line in lines:
        each = json.loads(line)
        before = became.get(each["test"], (BEGAN,))[0]
        if before == BEGAN or (before != "failed" and each["outcome"] == "failed"):
            became[each["test"]] = each["outcome"], each["problem"]
    return became


def lostOf(theirs: Outcomes, ours: Outcomes, races: Collection[str]) -> dict[str, str]:
    """The tests that hold there and not on ours, and why; but those that hold or not as it comes."""
    held = [test for test, (outcome, _) in theirs.items() if outcome == "passed"]
    lost = {test: ours.get(test, ("", "not run"))[1] for test in held if ours.get(test, ("",))[0] != "passed"}
    return {test: problem for test, problem in lost.items() if not test.endswith(tuple(races))}


def asExpected(
    name: str,
    theirs: Outcomes,
    ours: Outcomes,
    again: Callable[[Collection[str]], Outcomes],
    known: Collection[str],
    races: Collection[str] = (),
) -> bool:
    """Whether nothing is lost but what is known to be. What is not as it should be is printed.

    :param again: runs the tests that it is given on ours once more, by themselves: one that holds then is not lost.
    :param known: the ends of names of tests that are lost, `races` of those that do not count.
    """
    lost = lostOf(theirs, ours, races)
    expected = tuple(known)
    unexpected = {test: text for test, text in lost.items() if not test.endswith(expected)}
    if unexpected:
        # Without those of which it is known: what they leave behind is found in others.
        second = again(unexpected)
        unexpected = {test: text for test, text in unexpected.items() if second.get(test, ("",))[0] != "passed"}
    holding = [each for each in expected if not any(test.endswith(each) for test in lost)]
    for test, problem in unexpected.items():
        print(f"{name}: lost: {test}\n{problem}\n")
    for each in holding:
        print(f"{name}: holds now, and is listed as lost: {each}")
    held = sum(outcome == "passed" for outcome, _ in theirs.values())
    print(f"{name}: {held} tests hold there, {len(unexpected)} of them are lost on ours", flush=True)
    return held > 0 and not unexpected and not holding
