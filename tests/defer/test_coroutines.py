"""`inlineCallbacks`, `ensureDeferred`, `await`: code that waits in its middle."""

from __future__ import annotations

import contextvars
import traceback
from collections.abc import Callable
from types import coroutine
from typing import Any

import pytest

from reactor.defer import (
    CancelledError,
    Deferred,
    NotACoroutineError,
    ensureDeferred,
    fail,
    inlineCallbacks,
    returnValue,
    succeed,
)
from reactor.failure import Failure


class Boom(Exception):
    """What goes wrong here."""


# The same program in both notations: what it waits for, and what it tells.
Waits = Callable[[list[Deferred[Any]], list[Any]], Deferred[Any]]


@inlineCallbacks
def yielding(deferreds: list[Deferred[Any]], told: list[Any]) -> Any:
    for d in deferreds:
        try:
            told.append((yield d))
        except (Boom, CancelledError) as error:
            told.append(type(error))
    return "end"


def awaiting(deferreds: list[Deferred[Any]], told: list[Any]) -> Deferred[Any]:
    async def run() -> str:
        for d in deferreds:
            try:
                told.append(await d)
            except (Boom, CancelledError) as error:
                told.append(type(error))
        return "end"

    return ensureDeferred(run())


both = pytest.mark.parametrize("waits", [yielding, awaiting])


@both
def test_resultsThatAreThere(waits: Waits) -> None:
    told: list[Any] = []
    assert waits([succeed(1), fail(Boom()), succeed(None)], told).result == "end"
    assert told == [1, Boom, None]


@both
def test_resultsThatComeLater(waits: Waits) -> None:
    told: list[Any] = []
    first: Deferred[int] = Deferred()
    second: Deferred[int] = Deferred()
    d = waits([first, second], told)
    assert (told, d.called) == ([], False)
    first.callback(1)
    assert (told, d.called, first.result) == ([1], False, None)
    second.errback(Boom())
    assert (told, d.result, second.result) == ([1, Boom], "end", None)


@both
def test_pausedAndWaitingOnesAreWaitedFor(waits: Waits) -> None:
    told: list[Any] = []
    paused = succeed(1)
    paused.pause()
    inner: Deferred[int] = Deferred()
    outer = succeed(None).addCallback(lambda _: inner)
    d = waits([paused, outer], told)
    paused.unpause()
    assert told == [1]
    inner.callback(2)
    assert (told, d.result) == ([1, 2], "end")


@both
def test_callbacksBeforeAndBehindTheWait(waits: Waits) -> None:
    told: list[Any] = []
    awaited: Deferred[int] = Deferred()
    awaited.addCallback(lambda x: x + 1)
    waits([awaited], told)
    awaited.addCallback(told.append)
    awaited.callback(1)
    assert told == [2, None]


@both
def test_firingTwoThatWaitForEachOthersResults(waits: Waits) -> None:
    told: list[Any] = []
    awaited: Deferred[int] = Deferred()
    inner = waits([awaited], told)
    outer = waits([inner], told)
    awaited.callback(1)
    assert (told, outer.result) == ([1, "end"], "end")


def test_whatItRaisesIsTheError() -> None:
    @inlineCallbacks
    def generator() -> Any:
        yield succeed(1)
        raise Boom

    async def coroutine() -> None:
        await succeed(1)
        raise Boom

    for d in (generator(), ensureDeferred(coroutine())):
        assert d.result.type is Boom
        d.addErrback(lambda _: None)


def test_whatIsNotCaughtIsTheError() -> None:
    awaited: Deferred[int] = Deferred()

    async def coroutine() -> None:
        await awaited

    d = ensureDeferred(coroutine())
    error = Boom()
    awaited.errback(error)
    assert d.result.value is error
    d.addErrback(lambda _: None)


def test_theTracebackTellsEveryStepAndNothingOfOurs() -> None:
    def origin(_: object) -> None:
        raise Boom

    async def inner(d: Deferred[Any]) -> None:
        await d

    @inlineCallbacks
    def middle(d: Deferred[Any]) -> Any:
        yield ensureDeferred(inner(d))

    async def outer(d: Deferred[Any]) -> None:
        await middle(d)

    for fire in (True, False):
        awaited: Deferred[Any] = Deferred()
        awaited.addCallback(origin)
        if not fire:
            awaited.callback(None)
        d = ensureDeferred(outer(awaited))
        if fire:
            awaited.callback(None)
        failure = d.result
        d.addErrback(lambda _: None)
        ours = ("_loop", "_steps", "__await__")
        assert [frame[0] for frame in failure.frames if frame[0] not in ours] == ["outer", "middle", "inner", "origin"]
        lines = traceback.format_tb(failure.getTracebackObject())
        assert "await d" in "".join(lines) and "raise Boom" in lines[-1]


# ---- What else may be yielded ----


def test_otherThingsComeStraightBack() -> None:
    @inlineCallbacks
    def generator() -> Any:
        return [(yield 1), (yield None), (yield "x")]

    assert generator().result == [1, None, "x"]


def test_aYieldedFailureIsRaised() -> None:
    @inlineCallbacks
    def generator() -> Any:
        try:
            yield Failure(Boom())
        except Boom:
            return "caught"

    assert generator().result == "caught"


def test_coroutinesAndGeneratorsMayBeYielded() -> None:
    later: Deferred[str] = Deferred()

    async def coroutine() -> str:
        return await later

    def generator() -> Any:
        return (yield later)

    @inlineCallbacks
    def outer(inner: Any) -> Any:
        return (yield inner)

    first, second = outer(coroutine()), outer(generator())
    later.callback("x")
    assert (first.result, second.result) == ("x", None)


def test_generatorsByYieldFrom() -> None:
    later: Deferred[str] = Deferred()

    def part() -> Any:
        return (yield later)

    @inlineCallbacks
    def whole() -> Any:
        first = yield from part()
        second = yield from succeed("second")
        return [first, second]

    d = whole()
    later.callback("first")
    assert d.result == ["first", "second"]


def test_awaitablesOfOthers() -> None:
    @coroutine
    def theirs() -> Any:
        return (yield "sent back")

    async def ours() -> Any:
        return await theirs()

    assert ensureDeferred(ours()).result == "sent back"


# ---- Results ----


def test_returnValue() -> None:
    @inlineCallbacks
    def generator() -> Any:
        yield succeed(1)
        returnValue("early")

    assert generator().result == "early"


def test_anAwaitedResultStays() -> None:
    there = succeed(8)

    async def twice() -> int:
        return await there + await there

    assert ensureDeferred(twice()).result == 16
    assert there.result == 8


def test_anAwaitedErrorStaysAndCountsAsHandled() -> None:
    there = fail(Boom())

    async def twice() -> list[type[BaseException]]:
        seen: list[type[BaseException]] = []
        for _ in range(2):
            try:
                await there
            except Boom as error:
                seen.append(type(error))
        return seen

    assert ensureDeferred(twice()).result == [Boom, Boom]


def test_aYieldedResultIsTakenAway() -> None:
    there = succeed(8)

    @inlineCallbacks
    def twice() -> Any:
        return [(yield there), (yield there)]

    assert twice().result == [8, None]


@pytest.mark.parametrize("style", ["generator", "coroutine"])
def test_aReturnedDeferredIsAMistake(style: str) -> None:
    @inlineCallbacks
    def generator() -> Any:
        yield succeed(1)
        return Deferred()

    async def coroutine() -> Any:
        return Deferred()

    d = generator() if style == "generator" else ensureDeferred(coroutine())
    assert d.result.type is TypeError
    assert "await or yield it" in d.result.getErrorMessage()
    d.addErrback(lambda _: None)


def test_whoeverFiresTheDeferredOfACoroutineHasItsWay() -> None:
    awaited: Deferred[int] = Deferred()
    d = awaiting([awaited], [])
    d.callback("mine")
    awaited.callback(1)
    assert d.result == "mine"


# ---- What is no coroutine ----


def test_inlineCallbacksOfWhatMakesNoGenerator() -> None:
    with pytest.raises(TypeError, match="produce a generator; instead got 3"):
        inlineCallbacks(lambda: 3)()  # type: ignore[arg-type, return-value]

    def noYield() -> Any:
        returnValue(1)

    with pytest.raises(TypeError, match="produce a generator"):
        inlineCallbacks(noYield)()


def test_inlineCallbacksKeepsTheFunctionsName() -> None:
    assert yielding.__name__ == "yielding"
    assert yielding.__wrapped__  # type: ignore[attr-defined]


def test_notACoroutine() -> None:
    async def function() -> None: ...

    for wrong in (3, function, None):
        with pytest.raises(NotACoroutineError):
            ensureDeferred(wrong)  # type: ignore[arg-type]
        with pytest.raises(NotACoroutineError):
            Deferred.fromCoroutine(wrong)  # type: ignore[arg-type]
    with pytest.raises(NotACoroutineError):
        Deferred.fromCoroutine(succeed(1))  # type: ignore[arg-type]


def test_ensureDeferredOfADeferred() -> None:
    d = succeed(1)
    assert ensureDeferred(d) is d


def test_generatorsAreCoroutinesToo() -> None:
    def generator() -> Any:
        return (yield succeed(3)) + 1

    assert ensureDeferred(generator()).result == 4
    assert Deferred.fromCoroutine(generator()).result == 4


# ---- Cancelling ----


@both
def test_cancelReachesWhatIsWaitedFor(waits: Waits) -> None:
    told: list[Any] = []
    cancelled: list[Any] = []
    first: Deferred[int] = Deferred(cancelled.append)
    second: Deferred[int] = Deferred()
    d = waits([first, second], told)
    d.cancel()
    # It was caught, and what comes now decides.
    assert (cancelled, told, d.called, d.result) == ([first], [CancelledError], True, d.result)
    second.callback(2)
    assert (told, d.result) == ([CancelledError, 2], "end")


@both
def test_cancelAgainReachesWhatIsWaitedForThen(waits: Waits) -> None:
    told: list[Any] = []
    d = waits([Deferred(), Deferred(), Deferred()], told)
    d.cancel()
    d.cancel()
    d.cancel()
    assert (told, d.result) == ([CancelledError] * 3, "end")


def test_cancelThatIsNotCaught() -> None:
    awaited: Deferred[int] = Deferred()

    async def run() -> None:
        await awaited

    d = ensureDeferred(run())
    d.cancel()
    assert d.result.type is CancelledError
    d.addErrback(lambda _: None)
    awaited.callback(1)
    assert awaited.result is None


def test_cancelWithACancellerThatHasAResult() -> None:
    told: list[Any] = []
    d = awaiting([Deferred(lambda d: d.callback("part"))], told)
    d.cancel()
    assert (told, d.result) == (["part"], "end")


def test_cancelWithACancellerThatRaises() -> None:
    def canceller(_: object) -> None:
        raise Boom

    awaited: Deferred[int] = Deferred(canceller)
    told: list[Any] = []
    d = awaiting([awaited], told)
    d.cancel()
    assert d.result.type is Boom
    d.addErrback(lambda _: None)
    awaited.callback(1)
    assert told == [1]


def test_cancelFromInside() -> None:
    first: Deferred[int] = Deferred()
    second: Deferred[int] = Deferred()

    async def run() -> int:
        await first
        d.cancel()
        return await second

    d = ensureDeferred(run())
    first.callback(1)
    second.callback(2)
    assert d.result == 2


# ---- Contexts of variables ----

user = contextvars.ContextVar("user", default="nobody")


def setUser(name: str) -> None:
    user.set(name)


@pytest.mark.parametrize("style", ["generator", "coroutine"])
def test_allStepsRunInOneContextOfTheirOwn(style: str) -> None:
    told: list[str] = []
    awaited: Deferred[None] = Deferred()

    @inlineCallbacks
    def generator() -> Any:
        told.append(user.get())
        user.set("inside")
        yield awaited
        told.append(user.get())

    async def coroutine() -> None:
        told.append(user.get())
        user.set("inside")
        await awaited
        told.append(user.get())

    def start() -> Deferred[Any]:
        user.set("starter")
        d = generator() if style == "generator" else ensureDeferred(coroutine())
        assert user.get() == "starter"
        return d

    d = contextvars.copy_context().run(start)
    d.addCallback(lambda _: told.append(user.get()))
    contextvars.copy_context().run(lambda: (setUser("firer"), awaited.callback(None)))
    # Callbacks run where it is fired; so do those of the Deferred of the whole.
    assert told == ["starter", "inside", "firer"]
    assert user.get() == "nobody"


def test_callbacksRunInTheContextOfWhoeverFires() -> None:
    told: list[str] = []
    d: Deferred[None] = Deferred()
    contextvars.copy_context().run(lambda: (setUser("adder"), d.addCallback(lambda _: told.append(user.get()))))
    contextvars.copy_context().run(lambda: (setUser("firer"), d.callback(None)))
    assert told == ["firer"]


def test_aYieldedCoroutineSeesTheVariablesOfTheOneThatYieldsIt() -> None:
    told: list[str] = []

    async def child() -> None:
        told.append(user.get())
        user.set("child")

    @inlineCallbacks
    def parent() -> Any:
        user.set("parent")
        yield child()
        told.append(user.get())

    parent()
    assert told == ["parent", "parent"]
