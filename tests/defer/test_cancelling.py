"""Giving up: `cancel`, and what a clock does with `addTimeout`."""

from __future__ import annotations

from typing import Any

import pytest

from reactor.defer import AlreadyCalledError, CancelledError, Deferred, TimeoutError, succeed
from reactor.error import TimeoutError as ConnectionTimeoutError
from reactor.failure import Failure
from reactor.task import Clock


class Boom(Exception):
    """What goes wrong here."""


def boom(_: object) -> Any:
    raise Boom("boom")


def traced(deferred: Deferred[Any]) -> list[Any]:
    """What comes out of the chain: one result, or the exception of one Failure."""
    out: list[Any] = []
    deferred.addCallbacks(out.append, lambda failure: out.append(failure.value))
    return out


# ---- Giving up ----


def test_D5_cancelWithoutCanceller() -> None:
    d: Deferred[int] = Deferred()
    d.cancel()
    # Whoever works for it does not know: one late call is ignored, a second one is a mistake.
    d.callback(1)
    with pytest.raises(AlreadyCalledError):
        d.callback(2)
    assert isinstance(traced(d)[0], CancelledError)


def test_D5_aLateErrbackIsIgnoredToo() -> None:
    d: Deferred[int] = Deferred()
    d.addErrback(lambda failure: failure.type)
    d.cancel()
    d.errback(Boom())
    assert d.result is CancelledError


def test_D5_aLateCallInsideTheErrbackIsIgnored() -> None:
    d: Deferred[int] = Deferred()
    d.addErrback(lambda _: d.callback(1))
    d.cancel()
    assert d.result is None


def test_D5_cancellerThatDoesNotFire() -> None:
    given: list[object] = []
    d: Deferred[int] = Deferred(given.append)
    d.cancel()
    assert given == [d]
    with pytest.raises(AlreadyCalledError):
        d.callback(1)
    assert isinstance(traced(d)[0], CancelledError)


def test_D5_cancellerThatFires() -> None:
    d: Deferred[str] = Deferred(lambda d: d.callback("part"))
    d.cancel()
    assert traced(d) == ["part"]
    e: Deferred[str] = Deferred(lambda e: e.errback(Boom()))
    e.cancel()
    assert isinstance(traced(e)[0], Boom)


def test_D5_cancellerThatRaises() -> None:
    d: Deferred[int] = Deferred(boom)
    with pytest.raises(Boom):
        d.cancel()
    assert not d.called
    d.callback(1)
    assert traced(d) == [1]


def test_D5_cancelWhenFired() -> None:
    d = succeed(1)
    d.cancel()
    assert traced(d) == [1]
    used: Deferred[int] = Deferred(boom)
    used.callback(1)
    used.cancel()
    assert traced(used) == [1]


def test_D5_cancelReachesTheOneThatIsWaitedFor() -> None:
    inner: Deferred[int] = Deferred()
    d = succeed(None).addCallback(lambda _: inner)
    d.cancel()
    assert isinstance(traced(d)[0], CancelledError)
    inner.callback(1)
    assert inner.result is None


def test_D5_cancelTwice() -> None:
    d: Deferred[int] = Deferred()
    d.cancel()
    d.cancel()
    assert isinstance(traced(d)[0], CancelledError)


def test_D5_cancelUsesTheOverriddenOneOfASubclass() -> None:
    class Stubborn(Deferred[int]):
        def cancel(self) -> None:
            self.callback(7)

    inner = Stubborn()
    d = succeed(None).addCallback(lambda _: inner)
    d.cancel()
    assert traced(d) == [7]


# ---- Time limits ----


def test_D9_addTimeout() -> None:
    clock = Clock()
    d: Deferred[int] = Deferred()
    d.addTimeout(2, clock)
    clock.advance(1.5)
    assert not d.called
    clock.advance(0.5)
    (error,) = traced(d)
    assert type(error) is TimeoutError and not isinstance(error, ConnectionTimeoutError)
    assert error.args == (2, "Deferred")


def test_D9_inTime() -> None:
    clock = Clock()
    d: Deferred[int] = Deferred()
    d.addTimeout(2, clock)
    d.callback(1)
    assert clock.getDelayedCalls() == []
    clock.advance(5)
    assert traced(d) == [1]


def test_D9_theChainSoFarCounts() -> None:
    clock = Clock()
    inner: Deferred[int] = Deferred()
    d = succeed(None).addCallback(lambda _: inner).addTimeout(2, clock).addErrback(lambda failure: failure.type)
    clock.advance(2)
    assert d.result is TimeoutError


def test_D9_whatTheCancellerMakesOfItStays() -> None:
    clock = Clock()
    d: Deferred[str] = Deferred(lambda d: d.callback("part"))
    e: Deferred[str] = Deferred(lambda d: d.errback(Boom()))
    d.addTimeout(1, clock)
    e.addTimeout(1, clock)
    clock.advance(1)
    assert traced(d) == ["part"]
    assert isinstance(traced(e)[0], Boom)


def test_D9_cancelledBeforeItsTimeIsOver() -> None:
    clock = Clock()
    d: Deferred[int] = Deferred().addTimeout(1, clock)
    d.cancel()
    assert isinstance(traced(d)[0], CancelledError)
    assert clock.getDelayedCalls() == []


def test_D9_onTimeoutCancel() -> None:
    clock = Clock()
    told: list[Any] = []

    def instead(result: Any, timeout: float) -> str:
        told.append((result.type if isinstance(result, Failure) else result, timeout))
        return "instead"

    d: Deferred[Any] = Deferred().addTimeout(1, clock, instead)
    e: Deferred[Any] = Deferred(lambda e: e.callback("part")).addTimeout(1, clock, onTimeoutCancel=instead)
    in_time: Deferred[Any] = Deferred().addTimeout(1, clock, onTimeoutCancel=instead)
    in_time.callback("in time")
    clock.advance(1)
    assert told == [(CancelledError, 1), ("part", 1)]
    assert [traced(x) for x in (d, e, in_time)] == [["instead"], ["instead"], ["in time"]]
