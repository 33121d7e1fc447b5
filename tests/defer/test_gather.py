"""`DeferredList`, `gatherResults` and `race`."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.defer import (
    FAILURE,
    SUCCESS,
    CancelledError,
    Deferred,
    DeferredList,
    FailureGroup,
    FirstError,
    fail,
    gatherResults,
    race,
    succeed,
)
from reactor.failure import Failure


class Boom(Exception):
    """What goes wrong here."""


def three() -> list[Deferred[Any]]:
    return [Deferred(), Deferred(), Deferred()]


def raising(_: object) -> None:
    raise Boom("canceller")


def told(d: Deferred[Any]) -> Any:
    """The exception of a Deferred that failed; it counts as handled."""
    failure = d.result
    assert isinstance(failure, Failure)
    d.addErrback(lambda _: None)
    return failure.value


# ---- DeferredList ----


def test_listOfAll() -> None:
    ds = three()
    all_ = DeferredList(ds)
    ds[2].callback("c")
    ds[0].callback("a")
    assert not all_.called
    assert all_.resultList == [(SUCCESS, "a"), None, (SUCCESS, "c")]
    ds[1].callback("b")
    assert all_.result == [(True, "a"), (True, "b"), (True, "c")]
    assert [d.result for d in ds] == ["a", "b", "c"]
    assert all_.finishedCount == 3


def test_listOfNone() -> None:
    assert DeferredList([]).result == []
    assert not DeferredList([], fireOnOneCallback=True).called
    assert DeferredList([], fireOnOneErrback=True).result == []


def test_listTakesAnyIterable() -> None:
    assert DeferredList(succeed(x) for x in "ab").result == [(True, "a"), (True, "b")]


def test_listWithErrors() -> None:
    ds = three()
    all_ = DeferredList(ds)
    ds[0].callback("a")
    ds[1].errback(Boom())
    ds[2].callback("c")
    assert [pair[0] for pair in all_.result] == [SUCCESS, FAILURE, SUCCESS]
    assert all_.result[1][1].type is Boom
    # Nobody has handled it yet.
    assert isinstance(told(ds[1]), Boom)


def test_listThatConsumesErrors() -> None:
    d: Deferred[Any] = Deferred()
    all_ = DeferredList([d], consumeErrors=True)
    d.errback(Boom())
    assert all_.result[0][1].type is Boom
    assert d.result is None


def test_listThatFiresOnOneCallback() -> None:
    ds = three()
    all_ = DeferredList(ds, fireOnOneCallback=True, consumeErrors=True)
    ds[1].errback(Boom())
    assert not all_.called
    ds[2].callback("c")
    assert all_.result == ("c", 2)
    ds[0].callback("a")


def test_D8_listThatFiresOnOneErrback() -> None:
    ds = three()
    all_ = DeferredList(ds, fireOnOneErrback=True, consumeErrors=True)
    ds[0].callback("a")
    ds[2].errback(Boom())
    error = told(all_)
    assert type(error) is FirstError
    assert (error.index, error.subFailure.type) == (2, Boom)
    ds[1].errback(Boom())


def test_listCancelled() -> None:
    ds = three()
    all_ = DeferredList(ds, consumeErrors=True)
    ds[0].callback("a")
    all_.cancel()
    assert [pair[0] for pair in all_.result] == [True, False, False]
    assert all_.result[2][1].type is CancelledError
    all_.cancel()


def test_listCancelledWhenItsCallbackWaits() -> None:
    inner: Deferred[Any] = Deferred()
    all_ = DeferredList([succeed(1)]).addCallback(lambda _: inner)
    all_.cancel()
    assert type(told(all_)) is CancelledError


def test_listCancelledLogsWhatCancellersRaise(unhandled: Any) -> None:
    ds = [Deferred[Any](raising), Deferred[Any](raising)]
    DeferredList(ds, consumeErrors=True).cancel()
    texts = unhandled.texts()
    unhandled.records.clear()
    assert len(texts) == 2
    assert all("canceller" in text and "in raising" in text for text in texts)
    for d in ds:
        d.callback(None)


# ---- gatherResults ----


def test_gather() -> None:
    ds = three()
    all_ = gatherResults(ds)
    for name, d in zip("abc", ds, strict=True):
        d.callback(name)
    assert all_.result == ["a", "b", "c"]
    assert gatherResults([]).result == []


def test_D8_gatherFailsWithTheFirst() -> None:
    ds = three()
    all_ = gatherResults(ds, consumeErrors=True)
    ds[1].errback(Boom())
    ds[0].errback(Boom())
    error = told(all_)
    assert (error.index, error.subFailure.type) == (1, Boom)


def test_D8_gatherCancelled() -> None:
    cancelled: list[int] = []
    ds: list[Deferred[Any]] = [Deferred(lambda _, number=number: cancelled.append(number)) for number in range(3)]
    all_ = gatherResults(ds, consumeErrors=True)
    ds[1].callback("b")
    all_.cancel()
    assert cancelled == [0, 2]
    error = told(all_)
    assert (error.index, error.subFailure.type) == (0, CancelledError)


def test_firstError() -> None:
    failure = Failure(Boom("x"))
    error = FirstError(failure, 3)
    assert error.args == (failure, 3)
    assert repr(error) == "FirstError[#3, Boom('x')]"
    assert str(error).startswith("FirstError[#3, [Failure instance: Traceback (failure with no frames)")
    assert error == FirstError(failure, 3)
    assert error != FirstError(failure, 4)
    assert error != 3
    assert hash(error) == hash(FirstError(failure, 3))


# ---- race ----


def test_raceIsWonByTheFirst() -> None:
    cancelled: list[int] = []
    ds: list[Deferred[Any]] = [Deferred(lambda _, number=number: cancelled.append(number)) for number in range(3)]
    winner = race(ds)
    ds[1].callback("b")
    assert winner.result == (1, "b")
    assert cancelled == [0, 2]
    assert [d.result for d in ds] == [None, None, None]


def test_raceAmongThoseThatAreThere() -> None:
    late: Deferred[str] = Deferred()
    assert race([late, succeed("b"), succeed("c")]).result == (1, "b")
    assert late.called


def test_raceGoesOnAfterErrors() -> None:
    ds = three()
    winner = race(ds)
    ds[0].errback(Boom())
    ds[2].callback("c")
    assert winner.result == (2, "c")


def test_raceThatAllLose() -> None:
    ds = three()
    winner = race(ds)
    for number in (2, 0, 1):
        ds[number].errback(Boom(number))
    error = told(winner)
    assert type(error) is FailureGroup
    assert [failure.value.args[0] for failure in error.failures] == [0, 1, 2]


def test_raceCancelled() -> None:
    ds = three()
    winner = race(ds)
    ds[1].errback(Boom())
    winner.cancel()
    assert [failure.type for failure in told(winner).failures] == [CancelledError, Boom, CancelledError]


def test_raceOfNobodyNeverEnds() -> None:
    assert not race([]).called


@pytest.mark.parametrize("function", [DeferredList, gatherResults])
def test_theDeferredsGoOnWithTheirResults(function: Any) -> None:
    d: Deferred[str] = Deferred()
    function([d])
    later: list[str] = []
    d.addCallback(later.append)
    d.callback("x")
    assert later == ["x"]


def test_raceOfOneThatFailedAlready() -> None:
    assert type(told(race([fail(Boom())]))) is FailureGroup
