"""In which order the addresses of a host are tried, and when all of them have failed."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor._transport.client.race import ATTEMPT_DELAY, Race, interleave

V4, V6 = socket.AF_INET, socket.AF_INET6
TARGETS = st.lists(st.tuples(st.sampled_from([V4, V6, socket.AF_UNIX]), st.integers(0, 5)), max_size=20)


def four(number: int) -> tuple[int, tuple[str, int]]:
    return V4, (f"192.0.2.{number}", 80)


def six(number: int) -> tuple[int, tuple[str, int, int, int]]:
    return V6, (f"2001:db8::{number}", 80, 0, 0)


def test_familiesTakeTurns() -> None:
    assert interleave([six(1), six(2), six(3), four(1), four(2)]) == [six(1), four(1), six(2), four(2), six(3)]


def test_theFirstFamilyBegins() -> None:
    assert interleave([four(1), six(1), six(2)]) == [four(1), six(1), six(2)]


def test_theDelayIsTheStandards() -> None:
    # RFC 8305, section 8: 250 ms recommended, at least 100 ms, at most 2 s.
    assert ATTEMPT_DELAY == 0.25


@given(TARGETS)
def test_orderOfAnyAddresses(targets: list[tuple[int, int]]) -> None:
    ordered = interleave(targets)
    assert len(ordered) == len(set(ordered)) and set(ordered) == set(targets)
    assert ordered[:1] == targets[:1]
    once = list(dict.fromkeys(targets))
    families = list(dict.fromkeys(family for family, _ in targets))
    # Where each stands: in which round of its family, and which family's turn that is.
    turns = []
    for target in ordered:
        own = [each for each in once if each[0] == target[0]]
        turns.append((own.index(target), families.index(target[0])))
    assert turns == sorted(turns)


@given(TARGETS, st.lists(st.booleans(), max_size=60))
def test_aRaceIsLostWhenAllHaveFailed(targets: list[tuple[int, int]], steps: list[bool]) -> None:
    race = Race(targets)
    tried: list[tuple[int, int]] = []
    running: list[tuple[int, int]] = []
    failures: list[tuple[tuple[int, int], BaseException]] = []
    for start in steps:
        if start:
            if not race.waiting:
                with pytest.raises(IndexError):
                    race.next()
                continue
            target = race.next()
            tried.append(target)
            running.append(target)
        elif running:
            # The one that was begun last, so that the order of failing differs from that of trying.
            target, problem = running.pop(), OSError(len(tried), "refused")
            race.failed(target, problem)
            failures.append((target, problem))
        assert tried == interleave(targets)[: len(tried)]
        assert race.waiting == interleave(targets)[len(tried) :]
        assert race.running == len(running)
        assert race.failures == failures
        assert race.lost() == (len(failures) == len(set(targets)))
