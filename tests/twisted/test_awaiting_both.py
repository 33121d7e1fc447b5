"""Coroutines of either world wait for Deferreds of the other, and what cancels them goes all the way through."""

from __future__ import annotations

import gc
from typing import Any

import pytest

pytest.importorskip("twisted.internet")

from twisted.internet import defer as theirs

from reactor import defer as ours
from reactor.failure import Failure
from reactor.twisted import fromTwisted, toTwisted

# Of each: a Deferred, and how a coroutine, and a generator, is made one.
WORLDS = {"ours": ours, "theirs": theirs}


class Problem(Exception):
    pass


def outcome(deferred: Any) -> Any:
    got: list[Any] = []
    deferred.addBoth(got.append)
    return got[0] if got else "nothing yet"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("driven", WORLDS)
@pytest.mark.parametrize("awaited", WORLDS)
def test_resultsAndErrors(driven: str, awaited: str, when: str) -> None:
    good, bad = WORLDS[awaited].Deferred(), WORLDS[awaited].Deferred()

    async def coroutine() -> list[Any]:
        got = [await good]
        try:
            await bad
        except Problem as e:
            got += e.args
        return got

    def fire() -> None:
        good.callback("good")
        bad.errback(Problem("bad"))

    if when == "before":
        fire()
    d = WORLDS[driven].ensureDeferred(coroutine())
    if when == "after":
        fire()
    assert outcome(d) == ["good", "bad"]


def test_inlineCallbacksOfOurs() -> None:
    d = theirs.Deferred()

    @ours.inlineCallbacks
    def generator() -> Any:
        with pytest.raises(Problem):
            yield theirs.fail(Problem())
        got = yield d
        return got

    result = generator()
    d.callback("yielded")
    assert outcome(result) == "yielded"


def test_inlineCallbacksOfTheirs() -> None:
    d: Any = ours.Deferred()

    @theirs.inlineCallbacks  # type: ignore[untyped-decorator]
    def generator() -> Any:
        with pytest.raises(Problem):
            yield toTwisted(ours.fail(Problem()))
        got = yield toTwisted(d)
        return got

    result = generator()
    d.callback("yielded")
    assert outcome(result) == "yielded"


def test_tracebacksCross() -> None:
    def raising() -> None:
        raise Problem

    for world, other in (("ours", "theirs"), ("theirs", "ours")):

        async def coroutine(world: Any = WORLDS[world]) -> None:
            await world.maybeDeferred(raising)

        got = outcome(WORLDS[other].ensureDeferred(coroutine()))
        assert "in raising" in got.getTraceback()


@pytest.mark.parametrize("depth", range(1, 8))
@pytest.mark.parametrize("outermost", WORLDS)
def test_cancellingGoesThroughAChainThatAlternates(depth: int, outermost: str) -> None:
    told: list[Any] = []
    other = {"ours": "theirs", "theirs": "ours"}

    async def level(name: str, left: int) -> None:
        try:
            if left:
                await WORLDS[other[name]].ensureDeferred(level(other[name], left - 1))
            else:
                await WORLDS[other[name]].Deferred(lambda _: told.append("cancelled"))
        except WORLDS[name].CancelledError:
            told.append(name)
            raise

    d = WORLDS[outermost].ensureDeferred(level(outermost, depth))
    d.cancel()
    names = [outermost, other[outermost]] * (depth + 1)
    assert told == ["cancelled", *reversed(names[: depth + 1])]
    assert outcome(d).type is WORLDS[outermost].CancelledError


@pytest.mark.parametrize("depth", range(1, 8))
@pytest.mark.parametrize("outermost", WORLDS)
def test_whoIsCancelledMayTidyUpFirst(depth: int, outermost: str) -> None:
    """What was cancelled ends when the innermost has, and how that ends."""
    other = {"ours": "theirs", "theirs": "ours"}
    tidied: list[Any] = []

    async def level(name: str, left: int) -> Any:
        if left:
            return await WORLDS[other[name]].ensureDeferred(level(other[name], left - 1))
        try:
            await WORLDS[other[name]].Deferred()
        except WORLDS[name].CancelledError:
            tidied.append(WORLDS[other[name]].Deferred())
            return await tidied[0]

    d = WORLDS[outermost].ensureDeferred(level(outermost, depth))
    ended: list[Any] = []
    d.addBoth(ended.append)
    d.cancel()
    assert tidied and ended == []
    tidied[0].callback("tidied up")
    assert ended == ["tidied up"]


def test_cancelledTwice() -> None:
    cancelled: list[int] = []

    async def stubborn(world: Any) -> str:
        for _ in range(2):
            try:
                await world.Deferred(lambda _: cancelled.append(1))
            except world.CancelledError:
                pass
        return "done"

    for outer, inner, convert in ((ours, theirs, fromTwisted), (theirs, ours, toTwisted)):
        cancelled.clear()
        d = convert(inner.ensureDeferred(stubborn(inner)))
        assert type(d) is outer.Deferred
        d.cancel()
        d.cancel()
        assert cancelled == [1, 1]
        assert outcome(d) == "done"


def test_convertedByHand() -> None:
    assert outcome(fromTwisted(theirs.succeed(1))) == 1
    assert outcome(toTwisted(ours.succeed(1))) == 1
    assert outcome(fromTwisted(theirs.fail(Problem()))).type is Problem
    assert type(outcome(fromTwisted(theirs.fail(Problem())))) is Failure
    assert outcome(toTwisted(ours.fail(Problem()))).type is Problem
    # In a chain of callbacks.
    d = ours.succeed(None).addCallback(lambda _: fromTwisted(theirs.succeed(2)))
    assert outcome(d) == 2
    d = theirs.succeed(None).addCallback(lambda _: toTwisted(ours.succeed(2)))
    assert outcome(d) == 2


def test_anErrorThatNobodyHandlesIsReportedOnce(caplog: pytest.LogCaptureFixture) -> None:
    from twisted.logger import globalLogPublisher

    events: list[Any] = []
    globalLogPublisher.addObserver(events.append)
    try:
        toTwisted(ours.fail(Problem("to theirs")))
        fromTwisted(theirs.fail(Problem("to ours")))
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert [str(each["log_failure"].value) for each in events if "log_failure" in each] == ["to theirs"]
    assert caplog.text.count("to ours") >= 1 and "to theirs" not in caplog.text


@pytest.mark.parametrize("driven", WORLDS)
def test_manyInARow(driven: str) -> None:
    """Without a deeper stack for each."""
    awaited = {"ours": theirs, "theirs": ours}[driven]

    async def coroutine() -> int:
        total = 0
        for number in range(3000):
            total += await awaited.succeed(number)
            d = awaited.Deferred()
            waiting.append(d)
            total += await d
        return total

    waiting: list[Any] = []
    result = WORLDS[driven].ensureDeferred(coroutine())
    while waiting:
        waiting.pop().callback(1)
    assert outcome(result) == sum(range(3000)) + 3000
