"""D10: Deferreds, and what they hold, are freed by reference counts alone; an error keeps alive only what it must."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from reactor.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    DeferredLock,
    DeferredSemaphore,
    ensureDeferred,
    fail,
    gatherResults,
    inlineCallbacks,
    maybeDeferred,
    race,
    succeed,
)
from reactor.failure import Failure
from reactor.task import Clock

pytestmark = pytest.mark.usefixtures("noCollector")

Way = Callable[[], Deferred[Any]]
WAYS: dict[str, Way] = {}
UNHANDLED: dict[str, Way] = {}


class Boom(Exception):
    """What goes wrong here."""


class Thing:
    """Something whose end can be seen."""


def way(function: Way) -> Way:
    WAYS[function.__name__] = function
    return function


def unhandledWay(function: Way) -> Way:
    UNHANDLED[function.__name__] = function
    return function


def boom(_: object = None) -> Any:
    raise Boom


def ignore(_: object) -> None:
    pass


@way
def result() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(str).addBoth(lambda x: x)
    d.callback(1)
    return d


@way
def cancelled() -> Deferred[Any]:
    d: Deferred[Any] = Deferred(lambda d: None)
    d.cancel()
    return d.addErrback(ignore)


@way
def cancellerThatKnowsTheDeferred() -> Deferred[Any]:
    d: Deferred[Any] = Deferred(lambda _: d.callback(None))
    d.callback(None)
    return d


@way
def callbackThatKnowsTheDeferred() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(lambda _: d.called)
    d.callback(None)
    return d


@way
def handled() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(boom).addErrback(ignore)
    d.callback(1)
    return d


@way
def handledLater() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(boom)
    d.callback(1)
    return d.addErrback(ignore)


@way
def passedOn() -> Deferred[Any]:
    return succeed(1).addCallback(boom).addErrback(lambda failure: failure).addErrback(ignore)


@way
def trapped() -> Deferred[Any]:
    return succeed(1).addCallback(boom).addErrback(lambda failure: failure.trap(Boom))


@way
def trappedInVain() -> Deferred[Any]:
    def errback(failure: Failure) -> None:
        failure.trap(KeyError)

    d: Deferred[Any] = Deferred()
    d.addCallback(boom).addErrback(errback).addErrback(ignore)
    d.callback(1)
    return d


@way
def raisedAgain() -> Deferred[Any]:
    def errback(failure: Failure) -> None:
        failure.raiseException()

    def errbackOfItself(failure: Failure) -> None:
        raise failure

    return succeed(1).addCallback(boom).addErrback(errback).addErrback(errbackOfItself).addErrback(ignore)


@way
def errorFromAnError() -> Deferred[Any]:
    def errback(failure: Failure) -> None:
        raise Boom from failure.value

    return succeed(1).addCallback(boom).addErrback(errback).addErrback(ignore)


@way
def waitedForAnother() -> Deferred[Any]:
    inner: Deferred[Any] = Deferred()
    d = succeed(1).addCallback(lambda _: inner)
    inner.callback(1)
    return d


@way
def waitedForAnotherThatFailed() -> Deferred[Any]:
    inner: Deferred[Any] = Deferred()
    inner.addCallback(boom)
    d = succeed(1).addCallback(lambda _: inner)
    inner.callback(1)
    return d.addErrback(ignore)


@way
def relayed() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    succeed(1).addCallback(boom).chainDeferred(d)
    return d.addErrback(ignore)


@way
def generatorThatWaited() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        yield awaited

    awaited: Deferred[Any] = Deferred()
    d = run()
    awaited.callback(1)
    return d


@way
def generatorThatFailed() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        yield awaited

    awaited: Deferred[Any] = Deferred()
    d = run()
    awaited.errback(Boom())
    return d.addErrback(ignore)


@way
def generatorThatCaught() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        try:
            yield awaited
        except Boom:
            yield succeed(None)

    awaited: Deferred[Any] = Deferred()
    awaited.addCallback(boom)
    d = run()
    awaited.callback(None)
    return d


@way
def generatorCancelled() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        yield Deferred()

    d = run()
    d.cancel()
    return d.addErrback(ignore)


@way
def generatorCancelledThatWentOn() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        try:
            yield Deferred()
        except CancelledError:
            yield last

    last: Deferred[Any] = Deferred()
    d = run()
    d.cancel()
    last.callback(None)
    return d


@way
def coroutineThatFailed() -> Deferred[Any]:
    async def run() -> None:
        await awaited

    awaited: Deferred[Any] = Deferred()
    awaited.addCallback(boom)
    d = ensureDeferred(run())
    awaited.callback(None)
    return d.addErrback(ignore)


@way
def coroutineThatCaught() -> Deferred[Any]:
    async def run() -> None:
        try:
            await fail(Boom())
        except Boom:
            pass

    return ensureDeferred(run())


@way
def coroutinesOfCoroutines() -> Deferred[Any]:
    async def inner() -> None:
        await awaited

    async def middle() -> None:
        await ensureDeferred(inner())

    async def outer() -> None:
        await middle()

    awaited: Deferred[Any] = Deferred()
    d = ensureDeferred(outer())
    awaited.errback(Boom())
    return d.addErrback(ignore)


@way
def list_() -> Deferred[Any]:
    ds = [Deferred[Any](), Deferred[Any]()]
    all_ = DeferredList(ds, consumeErrors=True)
    ds[0].callback(1)
    ds[1].errback(Boom())
    return all_


@way
def gathered() -> Deferred[Any]:
    ds = [Deferred[Any](), Deferred[Any]()]
    ds[0].addCallback(boom)
    all_ = gatherResults(ds, consumeErrors=True)
    ds[0].callback(1)
    ds[1].callback(1)
    return all_.addErrback(ignore)


@way
def raced() -> Deferred[Any]:
    ds = [Deferred[Any](), Deferred[Any]()]
    winner = race(ds)
    ds[1].callback(1)
    return winner


@way
def lost() -> Deferred[Any]:
    ds = [Deferred[Any](), Deferred[Any]()]
    winner = race(ds)
    for d in ds:
        d.errback(Boom())
    return winner.addErrback(ignore)


@way
def lock() -> Deferred[Any]:
    lock = DeferredLock()
    lock.acquire()
    d = lock.run(boom)
    lock.release()
    return d.addErrback(ignore)


@way
def semaphore() -> Deferred[Any]:
    return DeferredSemaphore(1).run(boom).addErrback(ignore)


@way
def timedOut() -> Deferred[Any]:
    clock = Clock()
    d: Deferred[Any] = Deferred().addTimeout(1, clock)
    clock.advance(1)
    return d.addErrback(ignore)


@way
def inTime() -> Deferred[Any]:
    d: Deferred[Any] = Deferred().addTimeout(1, Clock())
    d.callback(None)
    return d


@way
def maybe() -> Deferred[Any]:
    return maybeDeferred(boom).addErrback(ignore)


@unhandledWay
def inChain() -> Deferred[Any]:
    d: Deferred[Any] = Deferred()
    d.addCallback(boom)
    d.callback(1)
    return d


@unhandledWay
def inChainOfTheOneThatIsAwaited() -> Deferred[Any]:
    inner: Deferred[Any] = Deferred()
    inner.addCallback(boom)
    d = succeed(None).addCallback(lambda _: inner)
    inner.callback(1)
    return d


@unhandledWay
def inCoroutine() -> Deferred[Any]:
    async def run() -> None:
        await awaited
        boom()

    awaited: Deferred[Any] = Deferred()
    d = ensureDeferred(run())
    awaited.callback(None)
    return d


@unhandledWay
def inGeneratorAtOnce() -> Deferred[Any]:
    @inlineCallbacks
    def run() -> Any:
        yield succeed(1)
        boom()

    d = run()
    return d


@unhandledWay
def inFunction() -> Deferred[Any]:
    d = maybeDeferred(boom)
    return d


def freed(make: Way) -> None:
    """A Deferred made by `make` is freed, and with it what hangs on it, when the last variable for it is gone."""

    def use() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        thing = Thing()
        d = make()
        d.thing = thing  # type: ignore[attr-defined]
        return weakref.ref(d), weakref.ref(thing)

    deferred, thing = use()
    assert deferred() is None
    assert thing() is None


@pytest.mark.parametrize("name", WAYS)
def test_D10_freedByReferenceCountsAlone(name: str) -> None:
    freed(WAYS[name])


@pytest.mark.parametrize("name", UNHANDLED)
def test_D10_freedThoughNobodyHandledTheError(name: str, unhandled: Any) -> None:
    freed(UNHANDLED[name])
    assert len(unhandled.records) == 1
    unhandled.records.clear()


def test_D10_aHandledErrorKeepsNoFrame() -> None:
    def inner(_: object) -> None:
        thing = Thing()
        seen.append(weakref.ref(thing))
        raise Boom

    seen: list[weakref.ref[Thing]] = []
    d = succeed(None).addCallback(inner)
    assert seen[0]() is not None
    d.addErrback(ignore)
    assert seen[0]() is None


def test_D10_cleanFailureLetsGoOfFrames(unhandled: Any) -> None:
    def inner(_: object) -> None:
        thing = Thing()
        seen.append(weakref.ref(thing))
        raise Boom

    seen: list[weakref.ref[Thing]] = []
    d = succeed(None).addCallback(inner)
    d.result.cleanFailure()
    assert seen[0]() is None
    assert "in inner" in d.result.getTraceback()
    d.addErrback(ignore)
    assert unhandled.records == []


def test_D10_theFiringFunctionsFrameIsNotKept() -> None:
    def fire(d: Deferred[Any]) -> weakref.ref[Thing]:
        thing = Thing()
        d.callback(None)
        return weakref.ref(thing)

    d: Deferred[Any] = Deferred()
    d.addCallback(boom)
    thing = fire(d)
    assert isinstance(d.result, Failure)
    assert thing() is None
    d.addErrback(ignore)


def test_D10_aFinishedCoroutineIsFreed() -> None:
    async def run(thing: Thing, d: Deferred[None]) -> None:
        await d

    d: Deferred[None] = Deferred()
    thing = Thing()
    whole = ensureDeferred(run(thing, d))
    seen = weakref.ref(thing)
    del thing
    assert seen() is not None
    d.callback(None)
    assert seen() is None
    assert whole.called
