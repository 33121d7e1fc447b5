from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor._core.backoff import Pause, grown, spread
from reactor.task import Clock


def test_grows_by_the_factor_up_to_the_longest() -> None:
    delay, delays = 1.0, []
    for _ in range(5):
        delay = grown(delay, 2, 10)
        delays.append(delay)
    assert delays == [2, 4, 8, 10, 10]


def test_growing_many_times_is_growing_once_and_again() -> None:
    assert [grown(1.0, 1.5, 60, times) for times in (0, 1, 2, 3)] == [1, 1.5, 2.25, 3.375]
    assert grown(1.0, 1.5, 60, 1_000_000) == 60, "no overflow"
    assert grown(1, 2, 60, 1_000_000) == 60, "not an integer of a million bits"


@given(st.floats(0, 1e4), st.floats(0, 10), st.floats(0, 1e4), st.integers())
def test_spread_stays_within_bounds(delay: float, part: float, longest: float, seed: int) -> None:
    delay = min(delay, longest)
    assert 0 <= spread(delay, part, longest, random.Random(seed).normalvariate) <= longest


def test_spread_about_the_delay() -> None:
    assert spread(10, 0.5, 100, lambda mean, deviation: mean + deviation) == 15
    assert spread(10, 0.5, 100, lambda mean, deviation: mean - 3 * deviation) == 0
    assert spread(10, 0.5, 12, lambda mean, deviation: mean + deviation) == 9, "reflected at the longest"


@pytest.mark.parametrize("part", [0, None])
def test_no_spread(part: float | None) -> None:
    assert spread(10, part, 100, random.normalvariate) == 10


def test_a_pause_has_one_end() -> None:
    clock, heard = Clock(), []
    pause = Pause()
    pause.end()
    pause.begin(clock, 1, lambda: heard.append("one"))
    pause.begin(clock, 2, lambda: heard.append("two"))
    clock.advance(1)
    assert heard == []
    clock.advance(1)
    assert heard == ["two"]
    pause.end()
    pause.begin(clock, 1, lambda: heard.append("three"))
    pause.end()
    assert clock.getDelayedCalls() == []
