"""Adding callbacks, firing, pausing: one Deferred, and two that wait for each other."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from reactor.defer import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    fail,
    passthru,
    succeed,
)
from reactor.failure import Failure, NoCurrentExceptionError
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


# ---- Chains ----


def test_eachCallbackGetsWhatTheOneBeforeReturned() -> None:
    d: Deferred[int] = Deferred()
    out = traced(d.addCallback(lambda x: x + 1).addCallback(lambda x: x * 10))
    assert out == []
    d.callback(4)
    assert out == [50]


def test_callbacksAddedLaterRunAtOnce() -> None:
    d = succeed(1)
    assert traced(d.addCallback(lambda x: x + 1)) == [2]
    assert d.result is None


@pytest.mark.parametrize("fired", [False, True])
def test_furtherArguments(fired: bool) -> None:
    def f(result: object, *args: object, **kwargs: object) -> object:
        return (result.type if isinstance(result, Failure) else result, args, kwargs)

    def after(way: Any) -> object:
        d: Deferred[Any] = Deferred()
        if fired:
            d.callback(0)
        way(d)
        if not fired:
            d.callback(0)
        return d.result

    assert after(lambda d: d.addCallback(f, 1, a=2)) == (0, (1,), {"a": 2})
    assert after(lambda d: d.addBoth(f, 1, a=2)) == (0, (1,), {"a": 2})
    assert after(lambda d: d.addErrback(f, 1, a=2)) == 0
    assert after(lambda d: d.addCallbacks(f, f, (1,), {"a": 2}, (3,), {"b": 4})) == (0, (1,), {"a": 2})
    assert after(lambda d: d.addCallback(boom).addErrback(f, 1, a=2)) == (Boom, (1,), {"a": 2})
    assert after(lambda d: d.addCallback(boom).addBoth(f, 1, a=2)) == (Boom, (1,), {"a": 2})
    assert after(lambda d: d.addCallback(boom).addCallbacks(f, f, (1,), {"a": 2}, (3,), {"b": 4})) == (
        Boom,
        (3,),
        {"b": 4},
    )
    assert after(lambda d: d.addCallback(boom).addCallbacks(f, f, errbackArgs=(3,))) == (Boom, (3,), {})
    assert after(lambda d: d.addCallbacks(f, None, None, None, None, None)) == (0, (), {})
    # Without an errback, and with arguments for the callback, an error passes.
    assert after(lambda d: d.addCallback(boom).addCallbacks(f, None, (1,)).addErrback(f)) == (Boom, (), {})


def test_addingReturnsTheDeferred() -> None:
    d: Deferred[Any] = Deferred()
    assert d.addCallback(passthru) is d.addErrback(passthru) is d.addBoth(passthru) is d
    assert d.addCallbacks(passthru) is d.chainDeferred(Deferred()) is d.addTimeout(1, Clock()) is d


def test_anErrorSkipsCallbacksAndAResultSkipsErrbacks() -> None:
    calls: list[str] = []

    def note(name: str) -> Any:
        def called(result: object) -> str:
            calls.append(name)
            return name

        return called

    d: Deferred[Any] = Deferred()
    d.addCallback(boom).addCallback(note("skipped")).addErrback(note("errback")).addErrback(note("skipped"))
    d.addCallback(note("callback")).addBoth(note("both"))
    d.callback(None)
    assert calls == ["errback", "callback", "both"]
    assert d.result == "both"


def test_aReturnedFailureIsAnError() -> None:
    assert isinstance(traced(succeed(1).addCallback(lambda _: Failure(Boom())))[0], Boom)


def test_callbackWithAFailureIsAnError() -> None:
    d: Deferred[int] = Deferred()
    d.callback(Failure(Boom()))
    assert isinstance(traced(d)[0], Boom)


def test_whatCannotBeCalledIsAnErrorInTheChain() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(3)  # type: ignore[call-overload]
    d.callback(1)
    assert isinstance(traced(d)[0], TypeError)


def test_theCallbackSeesTheResultOnTheDeferred() -> None:
    d: Deferred[int] = Deferred()
    seen: list[object] = []
    d.addCallback(lambda _: seen.append(d.result) or "next").addCallback(lambda _: seen.append(d.result))
    d.callback(1)
    assert seen == [1, "next"]


def test_callbacksAddedByACallbackComeLast() -> None:
    order: list[str] = []
    d: Deferred[Any] = Deferred()

    def first(_: object) -> None:
        order.append("first")
        d.addCallback(lambda _: order.append("added"))
        order.append("first ends")

    d.addCallback(first).addCallback(lambda _: order.append("second"))
    d.callback(None)
    assert order == ["first", "first ends", "second", "added"]


def test_stateBeforeAndAfter() -> None:
    d: Deferred[int] = Deferred()
    assert (d.called, d.paused, hasattr(d, "result")) == (False, 0, False)
    d.callback(3)
    assert (d.called, d.paused, d.result) == (True, 0, 3)


def test_attributesAndSubclasses() -> None:
    class Named(Deferred[int]):
        name = "a"

    d = Named()
    d.other = 3  # type: ignore[attr-defined]
    d.callback(1)
    assert traced(d) == [1]
    plain: Any = Deferred()
    plain.note = "mine"
    assert plain.note == "mine"
    assert Deferred[int] == Deferred[int]


def test_repr() -> None:
    d: Deferred[Any] = Deferred()
    inner: Deferred[Any] = Deferred()
    assert repr(d) == f"<Deferred at {id(d):#x}>"
    d.addCallback(lambda _: inner)
    d.callback(None)
    assert repr(d) == f"<Deferred at {id(d):#x} waiting on Deferred at {id(inner):#x}>"
    inner.callback("x")
    assert repr(d) == f"<Deferred at {id(d):#x} current result: 'x'>"


# ---- Firing ----


def test_D1_firedTwice() -> None:
    d: Deferred[int] = Deferred()
    d.callback(1)
    with pytest.raises(AlreadyCalledError):
        d.callback(2)
    with pytest.raises(AlreadyCalledError):
        d.errback(Boom())
    assert d.result == 1


def test_D7_errbackWithoutAnException() -> None:
    d: Deferred[int] = Deferred()
    with pytest.raises(NoCurrentExceptionError):
        d.errback()
    with pytest.raises(NoCurrentExceptionError):
        fail()
    assert not d.called


def test_D7_errbackWithWhatIsNoException() -> None:
    d: Deferred[int] = Deferred()
    with pytest.raises(TypeError, match="'str'"):
        d.errback("str")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        fail(Boom)  # type: ignore[arg-type]
    assert not d.called


def test_D7_callbackWithADeferred() -> None:
    d: Deferred[Any] = Deferred()
    with pytest.raises(TypeError, match="chainDeferred"):
        d.callback(Deferred())
    with pytest.raises(TypeError):
        succeed(Deferred())
    assert not d.called


def test_errbackTakesTheCurrentException() -> None:
    d: Deferred[int] = Deferred()
    error = Boom()
    try:
        raise error
    except Boom:
        d.errback()
    assert traced(d) == [error]


# ---- One waits for another ----


def test_aReturnedDeferredIsWaitedFor() -> None:
    d: Deferred[Any] = Deferred()
    inner: Deferred[str] = Deferred()
    out = traced(d.addCallback(lambda _: inner))
    d.callback(None)
    assert (out, d.result, d.paused) == ([], inner, 1)
    inner.callback("inner")
    assert (out, d.paused) == (["inner"], 0)
    # The result has moved on.
    assert inner.result is None


def test_aReturnedDeferredThatFailed() -> None:
    inner: Deferred[str] = Deferred()
    late, early = (
        traced(succeed(1).addCallback(lambda _: inner)),
        traced(succeed(1).addCallback(lambda _: fail(Boom()))),
    )
    inner.errback(Boom())
    assert isinstance(early[0], Boom) and isinstance(late[0], Boom)


def test_whatWasAddedToTheInnerOneEarlierComesFirstAndLaterComesLast() -> None:
    order: list[Any] = []
    d: Deferred[Any] = Deferred()
    inner: Deferred[Any] = Deferred()
    inner.addCallback(lambda x: order.append(("before", x)) or "changed")
    d.addCallback(lambda _: inner).addCallback(lambda x: order.append(("outer", x)))
    d.callback(None)
    inner.addCallback(lambda x: order.append(("behind", x)))
    inner.callback("x")
    assert order == [("before", "x"), ("outer", "changed"), ("behind", None)]


def test_chainDeferred() -> None:
    source: Deferred[int] = Deferred()
    target: Deferred[int] = Deferred()
    order: list[Any] = []
    target.addCallback(lambda x: order.append(("target", x, source.result)))
    source.chainDeferred(target).addCallback(lambda x: order.append(("source", x)))
    source.callback(4)
    assert order == [("target", 4, 4), ("source", None)]


def test_chainDeferredWithAnError() -> None:
    source: Deferred[int] = Deferred()
    target: Deferred[int] = Deferred()
    source.chainDeferred(target)
    source.errback(Boom())
    assert isinstance(traced(target)[0], Boom)
    assert source.result is None


def test_chainDeferredToOneThatWasFired() -> None:
    source: Deferred[int] = Deferred()
    target = succeed(1)
    source.chainDeferred(target)
    source.callback(2)
    assert isinstance(traced(source)[0], AlreadyCalledError)
    assert target.result == 1


def test_chainDeferredToOneThatWasCancelled() -> None:
    source: Deferred[int] = Deferred()
    target: Deferred[int] = Deferred()
    source.chainDeferred(target)
    target.cancel()
    source.callback(2)
    assert source.result is None
    assert isinstance(traced(target)[0], CancelledError)


def test_chainDeferredToAPausedOne() -> None:
    source: Deferred[int] = Deferred()
    target: Deferred[int] = Deferred()
    out = traced(target)
    target.pause()
    source.chainDeferred(target)
    source.callback(2)
    assert out == []
    target.unpause()
    assert out == [2]


def test_chainDeferredHonoursAnOverriddenCallback() -> None:
    class Doubling(Deferred[int]):
        def callback(self, result: Any) -> None:
            super().callback(result * 2)

    target = Doubling()
    succeed(4).chainDeferred(target)
    assert target.result == 8


def test_D4_callbackReturnsItsOwnDeferred() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda _: d)
    with pytest.warns(RuntimeWarning, match=f"Deferred at {id(d):#x}.*its callback returned it"):
        d.callback(None)
    assert repr(d).endswith(f"waiting on Deferred at {id(d):#x}>")
    d.cancel()
    assert d.result is d


def test_D4_mutualWait() -> None:
    d: Deferred[Any] = Deferred()
    other: Deferred[Any] = Deferred()
    d.addCallback(lambda _: other)
    other.addCallback(lambda _: d)
    d.callback(None)
    with pytest.warns(RuntimeWarning, match="waits for itself"):
        other.callback(None)
    # Nothing to cancel, and no endless search for it.
    d.cancel()
    third = succeed(None).addCallback(lambda _: d)
    third.cancel()
    assert third.result is d


def test_D4_theWarningMayBeAnError() -> None:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda _: d)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d.callback(None)
    assert isinstance(traced(d)[0], RuntimeWarning)


# ---- Pausing ----


def test_pauseHoldsTheResult() -> None:
    d: Deferred[int] = Deferred()
    out = traced(d)
    d.pause()
    d.pause()
    d.callback(1)
    d.unpause()
    assert out == []
    d.unpause()
    assert out == [1]


def test_pausedAndFired() -> None:
    d = succeed(1)
    d.pause()
    out = traced(d)
    assert out == []
    d.unpause()
    assert out == [1]


def test_pausedWhileItWaits() -> None:
    inner: Deferred[int] = Deferred()
    d = succeed(None).addCallback(lambda _: inner)
    out = traced(d)
    behind: list[Any] = []
    inner.addCallback(behind.append)
    d.pause()
    inner.callback(1)
    assert (out, behind) == ([], [None])
    d.unpause()
    assert out == [1]


def test_pausingInsideACallbackHoldsNothingBack() -> None:
    d: Deferred[Any] = Deferred()
    order: list[int] = []
    d.addCallback(lambda _: d.pause()).addCallback(lambda _: order.append(1))
    d.addCallback(lambda _: d.unpause()).addCallback(lambda _: order.append(2))
    d.callback(None)
    assert order == [1, 2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_callbacksAsTwistedShowsThem() -> None:
    from twisted.internet.defer import Deferred as Twisteds

    def f(*args: Any, **kwargs: Any) -> None:
        pass

    def g(*args: Any, **kwargs: Any) -> None:
        pass

    def shown(d: Any) -> Any:
        d.addCallback(f)
        d.addCallback(f, 1, a=2)
        d.addErrback(g)
        d.addErrback(g, 1, a=2)
        d.addBoth(f)
        d.addBoth(f, 1)
        d.addCallbacks(f, g)
        d.addCallbacks(f, g, (1,), {"a": 2}, (3,), {"b": 4})
        d.addCallbacks(f)

        def half(function: Any, args: Any, kwargs: Any) -> Any:
            return (function, args or (), kwargs or {}) if function in (f, g) else None

        return [tuple(half(*part) for part in pair) for pair in d.callbacks]

    assert shown(Deferred()) == shown(Twisteds())
    waiting: Deferred[Any] = Deferred()
    outer = succeed(None).addCallback(lambda _: waiting)
    ((callback, errback),) = waiting.callbacks
    assert callback == errback and callback[1:] == ((), {})
    outer.addCallback(f)
    assert len(outer.callbacks) == 1
    waiting.callback(None)
    assert waiting.callbacks == outer.callbacks == []
