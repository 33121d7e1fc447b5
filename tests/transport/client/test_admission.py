"""Which name is asked next: some at once, more at a pace, none that has left."""

from __future__ import annotations

import pytest

from reactor._transport.client.admission import AT_ONCE, MOST, PACE, Admission


def entered(admission: Admission[int], *names: int) -> None:
    for name in names:
        admission.waiting[name] = None


def asked(admission: Admission[int], now: float) -> list[int]:
    """All that may be asked now."""
    found = []
    while (name := admission.next(now)) is not None:
        found.append(name)
    return found


def test_someAtOnceAndNoneWithoutAName() -> None:
    admission: Admission[int] = Admission(3, 5, 1.0)
    assert admission.next(0.0) is None and admission.delay(0.0) is None
    entered(admission, 1, 2)
    assert sorted(asked(admission, 0.0)) == [1, 2]
    entered(admission, 3, 4)
    assert asked(admission, 0.0) == [3]
    assert list(admission.waiting) == [4]


def test_theOldestAndTheNewestTakeTurns() -> None:
    admission: Admission[int] = Admission(6, 6, 1.0)
    entered(admission, *range(8))
    assert asked(admission, 0.0) == [0, 7, 1, 6, 2, 5]


def test_furtherLanesComeSlowerTheMoreThereAre() -> None:
    admission: Admission[int] = Admission(2, 4, 1.0)
    entered(admission, *range(9))
    now = 100.0
    assert len(asked(admission, now)) == 2
    assert admission.delay(now) == 2.0
    assert asked(admission, now + 1.9) == [] and admission.delay(now + 1.5) == 0.5
    assert len(asked(admission, now + 2.0)) == 1
    assert admission.delay(now + 2.0) == 3.0
    assert len(asked(admission, now + 10.0)) == 1
    # All that there may be.
    assert admission.delay(now + 10.0) is None
    assert asked(admission, now + 1000.0) == []


def test_aLaneThatComesFreeIsTakenAtOnce() -> None:
    admission: Admission[int] = Admission(2, 4, 1.0)
    entered(admission, *range(9))
    assert len(asked(admission, 0.0)) == 2 and len(asked(admission, 2.0)) == 1
    for _ in range(3):
        admission.ended()
        assert len(asked(admission, 2.0)) == 1
    admission.ended()
    admission.ended()
    assert len(asked(admission, 2.0)) == 2


def test_lanesThatAreFreeWhenNothingWaitsAreClosed() -> None:
    admission: Admission[int] = Admission(1, 4, 1.0)
    entered(admission, 1, 2, 3)
    assert [len(asked(admission, now)) for now in (0.0, 1.0, 3.0)] == [1, 1, 1]
    for _ in range(3):
        admission.ended()
    assert admission.next(3.0) is None
    entered(admission, 4, 5)
    assert len(asked(admission, 3.0)) == 1 and admission.delay(3.0) == 1.0


def test_whatLeavesIsNotAsked() -> None:
    admission: Admission[int] = Admission(1, 4, 1.0)
    entered(admission, *range(100))
    assert asked(admission, 0.0) == [0]
    for name in range(1, 100):
        del admission.waiting[name]
    assert admission.delay(0.0) is None and asked(admission, 1000.0) == []


@pytest.mark.parametrize("hang", [5.0, 10.0, 30.0])
def test_aGoodNameBehindManyThatHang(hang: float) -> None:
    """Five hundred names of which each blocks its lane for `hang` seconds: one that is asked for later, at whatever
    moment, is asked within two seconds, and lanes come free all the time.
    """
    for moment in range(0, 61, 3):
        admission: Admission[int] = Admission()
        entered(admission, *range(500))
        blocked: list[float] = []
        waited = None
        for step in range(100 * (moment + 3)):
            now = step / 100
            if step == 100 * moment:
                entered(admission, 1000)
            while blocked and blocked[0] <= now:
                blocked.pop(0)
                admission.ended()
            for name in asked(admission, now):
                blocked.append(now + hang)
                if name == 1000:
                    waited = now - moment
            assert len(blocked) <= MOST
        assert waited is not None and waited < 2.0, (moment, waited)


def test_theNumbersThatTheDocumentationSays() -> None:
    assert (AT_ONCE, MOST, PACE) == (8, 64, 0.015)
    assert 25 < sum(PACE * lanes for lanes in range(AT_ONCE, MOST)) < 31
