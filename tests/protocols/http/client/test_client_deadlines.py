"""The one timer of a client: everybody is told in time, and the clock is not asked more often than it must be."""

from __future__ import annotations

from protocols.http.client.deadlines import GRAIN, Deadlines
from reactor.task import Clock


class Watched:
    def __init__(self, deadlines: Deadlines, clock: Clock, deadline: float) -> None:
        self.deadlines = deadlines
        self.clock = clock
        self.deadline = deadline
        self.told: float | None = None
        deadlines.add(self)

    def expired(self) -> None:
        assert self.told is None
        self.told = self.clock.seconds()
        self.deadlines.discard(self)


def test_each_is_told_once_and_in_time() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    later, sooner, latest = [Watched(deadlines, clock, seconds) for seconds in (2.0, 1.0, 3.0)]
    assert len(clock.calls) == 1
    clock.advance(1)
    assert (sooner.told, later.told) == (1, None)
    latest.deadline = 1.5
    deadlines.sooner(1.5)
    clock.advance(0.5)
    assert latest.told == 1.5
    clock.advance(0.5)
    assert later.told == 2 and clock.calls == [] and not deadlines.watched


def test_one_that_is_put_off_or_gone_is_not_told() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    off, gone = Watched(deadlines, clock, 1), Watched(deadlines, clock, 1)
    off.deadline = 5
    deadlines.discard(gone)
    clock.advance(1)
    assert off.told is gone.told is None
    clock.advance(4)
    assert off.told == 5 and clock.calls == []


def test_a_thousand_close_together_are_a_few_looks() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    crowd = [Watched(deadlines, clock, 1 + number / 10_000) for number in range(1000)]
    looks = 0
    while clock.calls:
        looks += 1
        clock.advance(clock.calls[0].getTime() - clock.seconds())
    assert looks <= 0.1 / GRAIN + 2
    assert all(each.told is not None and 0 <= each.told - each.deadline <= GRAIN + 1e-9 for each in crowd)


def test_one_that_ends_others_when_it_is_told() -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    other = Watched(deadlines, clock, 1)

    class Ends(Watched):
        def expired(self) -> None:
            super().expired()
            self.deadlines.discard(other)

    others = [Ends(deadlines, clock, 0.5)]
    clock.advance(2)
    assert others[0].told is not None and other.told in (None, 2)
