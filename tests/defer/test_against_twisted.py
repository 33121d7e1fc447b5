"""The same programs on Twisted's Deferreds and on ours: what is called with what, in which order, must be the same.

Each is about one thing. What differs on purpose is not in them: warnings and the texts of messages, and results that
are Deferreds.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pytest
from beside import OURS, THEIRS, Boom, Library, Scenario, trace, unhandled

__all__ = ["unhandled"]

SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def test_theComparisonWouldNoticeADifference() -> None:
    def different(library: Library, log: list[Any]) -> None:
        log.append(library.path)

    def same(library: Library, log: list[Any]) -> None:
        log.append(library.defer.fail(Boom(1)).addErrback(lambda failure: failure))

    assert trace(THEIRS, different) != trace(OURS, different)
    assert (
        trace(THEIRS, same)
        == trace(OURS, same)
        == [
            ("Deferred", True, 0, ("Failure", ("Boom", (1,)))),
            ("returned", None),
        ]
    )


def boom(*args: Any) -> Any:
    raise Boom("boom")


def watch(log: list[Any], name: str) -> Callable[[Any], Any]:
    """A callback that logs what it gets and passes it on."""

    def callback(result: Any) -> Any:
        log.append((name, result))
        return result

    return callback


@scenario
def chainOfAllSorts(library: Library, log: list[Any]) -> Any:
    d = library.defer.Deferred()
    d.addCallback(lambda x, y, z=0: x + y + z, 2, z=3).addBoth(watch(log, "a")).addCallback(boom)
    d.addCallback(watch(log, "not")).addErrback(watch(log, "b")).addErrback(lambda failure: failure.trap(Boom).__name__)
    d.addErrback(watch(log, "not")).addCallbacks(watch(log, "c"), watch(log, "not"))
    d.addCallback(lambda _: library.Failure(Boom(1))).addErrback(lambda failure: failure.trap(KeyError))
    d.addBoth(watch(log, "d"))
    d.callback(1)
    return d


@scenario
def firingMistakes(library: Library, log: list[Any]) -> Any:
    d = library.defer.Deferred()
    for fire in (lambda: d.errback(), lambda: d.callback(1), lambda: d.callback(2), lambda: d.errback(Boom())):
        try:
            log.append(fire())
        except Exception as error:
            log.append(type(error).__name__)
    return d


@scenario
def cancelWithoutCanceller(library: Library, log: list[Any]) -> Any:
    d = library.defer.Deferred().addBoth(watch(log, "d"))
    d.cancel()
    d.callback(1)
    log.append(d)
    d.callback(2)


@scenario
def cancelWithCancellers(library: Library, log: list[Any]) -> Any:
    for canceller in (log.append, lambda d: d.callback(1), lambda d: d.errback(Boom(2)), boom):
        d = library.defer.Deferred(canceller).addBoth(watch(log, "d"))
        for call in (d.cancel, d.cancel, lambda d=d: d.callback(3)):
            try:
                call()
            except Exception as error:
                log.append(type(error).__name__)
        log.append(d)


@scenario
def cancelOfOneThatWaits(library: Library, log: list[Any]) -> Any:
    inner = library.defer.Deferred(lambda _: log.append("cancelled")).addBoth(watch(log, "inner"))
    d = library.defer.succeed(1).addCallback(lambda _: inner).addBoth(watch(log, "d"))
    d.cancel()
    d.cancel()
    return [d, inner]


@scenario
def waiting(library: Library, log: list[Any]) -> Any:
    outer, middle, inner = (library.defer.Deferred() for _ in range(3))
    outer.addCallback(lambda _: middle).addBoth(watch(log, "outer"))
    middle.addCallback(lambda _: inner).addBoth(watch(log, "middle"))
    for d in (outer, middle):
        d.callback(None)
        log.append([outer, middle, inner])
    inner.addBoth(watch(log, "inner"))
    inner.errback(Boom())
    middle.addBoth(watch(log, "middle again"))
    return [outer, middle, inner]


@scenario
def pausing(library: Library, log: list[Any]) -> Any:
    d = library.defer.Deferred().addCallback(watch(log, "a"))
    d.pause()
    d.callback(1)
    d.addCallback(watch(log, "b"))
    log.append(d)
    d.unpause()
    d.pause()
    d.addCallback(lambda x: d.unpause() or x)
    d.unpause()
    return d


@scenario
def relayed(library: Library, log: list[Any]) -> Any:
    ds = [library.defer.Deferred() for _ in range(3)]
    for number, d in enumerate(ds):
        d.addBoth(watch(log, str(number)))
    ds[0].chainDeferred(ds[1]).addBoth(watch(log, "0 after"))
    ds[1].chainDeferred(ds[2]).addBoth(watch(log, "1 after"))
    ds[0].callback("x")
    again = library.defer.fail(Boom(1)).chainDeferred(ds[2])
    return [*ds, again]


@scenario
def shortcuts(library: Library, log: list[Any]) -> Any:
    async def coroutine(x: Any) -> Any:
        return x

    m = library.defer
    log.append([m.succeed(1), m.fail(Boom(1)), m.succeed(library.Failure(Boom(2)))])
    for f in (lambda: 1, boom, lambda: m.succeed(2), lambda: m.fail(Boom()), lambda: library.Failure(Boom(3))):
        log.append(m.maybeDeferred(f))
    log.append([m.maybeDeferred(coroutine, 4), m.execute(lambda x, y: (x, y), 1, y=2), m.execute(boom)])
    log.append([m.passthru(3), m.SUCCESS, m.FAILURE, m.getDebugging()])


@scenario
def coroutinesAndGenerators(library: Library, log: list[Any]) -> Any:
    m = library.defer

    @m.inlineCallbacks
    def generator(ds: Any) -> Any:
        for d in ds:
            try:
                log.append(("generator", (yield d)))
            except Boom as error:
                log.append(("generator", error))
        return "generator"

    async def coroutine(ds: Any) -> Any:
        for d in ds:
            try:
                log.append(("coroutine", await d))
            except Boom as error:
                log.append(("coroutine", error))
        return "coroutine"

    first, second, third = m.Deferred(), m.succeed(2), m.fail(Boom(3))
    wholes = [generator([first, second, third]), m.ensureDeferred(coroutine([first, m.succeed(2), third]))]
    log.append(wholes)
    for whole in wholes:
        whole.addBoth(watch(log, "whole"))
    first.callback(1)
    return [*wholes, first, second, third]


@scenario
def whatGeneratorsMayYield(library: Library, log: list[Any]) -> Any:
    m = library.defer

    async def coroutine() -> Any:
        return await m.succeed("coroutine")

    def part() -> Any:
        return (yield m.succeed("part"))

    @m.inlineCallbacks
    def generator() -> Any:
        log.append((yield 1))
        log.append((yield coroutine()))
        log.append((yield part()))
        log.append((yield from part()))
        try:
            yield library.Failure(Boom(1))
        except Boom as error:
            log.append(error)
        m.returnValue("early")

    return generator()


@scenario
def mistakesWithCoroutines(library: Library, log: list[Any]) -> Any:
    m = library.defer
    for call in (
        lambda: m.ensureDeferred(3),
        lambda: m.Deferred.fromCoroutine(m.succeed(1)),
        lambda: m.inlineCallbacks(lambda: 3)(),
        lambda: m.ensureDeferred(m.succeed(1)),
    ):
        try:
            log.append(call())
        except TypeError as error:
            log.append(type(error).__name__)


@scenario
def cancelledCoroutines(library: Library, log: list[Any]) -> Any:
    m = library.defer

    async def patient(ds: Any) -> Any:
        for d in ds:
            try:
                log.append(await d)
            except m.CancelledError as error:
                log.append(error)
        return "end"

    async def impatient(d: Any) -> Any:
        return await d

    cancellers = (None, lambda d: d.callback("part"), log.append)
    whole = m.ensureDeferred(patient([m.Deferred(canceller) for canceller in cancellers])).addBoth(watch(log, "whole"))
    for _ in cancellers:
        log.append(whole)
        whole.cancel()
    log.append(whole)
    last = m.Deferred()
    other = m.ensureDeferred(impatient(m.ensureDeferred(impatient(last)))).addBoth(watch(log, "other"))
    other.cancel()
    last.callback(1)
    raises = m.ensureDeferred(impatient(m.Deferred(boom)))
    raises.cancel()
    return [whole, other, last, raises]


@scenario
def contexts(library: Library, log: list[Any]) -> Any:
    m = library.defer
    variable = contextvars.ContextVar("variable", default="outside")

    def within(name: str, f: Callable[[], Any]) -> Any:
        def run() -> Any:
            variable.set(name)
            return f()

        return contextvars.copy_context().run(run)

    async def coroutine(d: Any) -> None:
        log.append(("begin", variable.get()))
        variable.set("coroutine")
        await d
        log.append(("end", variable.get()))

    d = m.Deferred()
    whole = within("starter", lambda: m.ensureDeferred(coroutine(d)))
    within("adder", lambda: whole.addCallback(lambda _: log.append(("callback", variable.get()))))
    within("firer", lambda: d.callback(None))
    log.append(variable.get())


@scenario
def lists(library: Library, log: list[Any]) -> Any:
    m = library.defer
    kinds: list[dict[str, Any]] = [
        {},
        {"consumeErrors": True},
        {"fireOnOneCallback": True},
        {"fireOnOneErrback": True},
        {"fireOnOneErrback": True, "consumeErrors": True},
    ]
    for kind in kinds:
        ds = [m.Deferred() for _ in range(3)]
        whole = m.DeferredList(ds, **kind)
        for number, fire in ((1, "errback"), (2, "callback"), (0, "callback")):
            getattr(ds[number], fire)(Boom(number) if fire == "errback" else number)
            log.append([whole.called, whole.resultList, whole.finishedCount])
        log.append(ds)
        cancelled = [m.Deferred(lambda _: log.append("cancelled")) for _ in range(2)]
        other = m.DeferredList(cancelled, **kind)
        other.cancel()
        log.append([other.called, cancelled])
    log.append([m.DeferredList([]), m.DeferredList([], fireOnOneCallback=True), m.gatherResults([])])


@scenario
def gathering(library: Library, log: list[Any]) -> Any:
    m = library.defer
    good = [m.Deferred(), m.succeed(2)]
    whole = m.gatherResults(good)
    good[0].callback(1)
    bad = [m.Deferred(lambda _: log.append("cancelled")) for _ in range(3)]
    other = m.gatherResults(bad, consumeErrors=True).addErrback(
        lambda failure: (failure.type.__name__, failure.value.index)
    )
    bad[1].callback(1)
    other.cancel()
    return [whole, other, bad]


@scenario
def racing(library: Library, log: list[Any]) -> Any:
    m = library.defer

    def racers() -> Any:
        return [m.Deferred(lambda _, number=number: log.append(("cancelled", number))) for number in range(3)]

    ds = racers()
    winner = m.race(ds).addBoth(watch(log, "winner"))
    ds[1].errback(Boom())
    ds[2].callback("x")
    lost = racers()
    nobody = m.race(lost).addErrback(lambda failure: [f.value.args for f in failure.value.failures])
    for number in (1, 0, 2):
        lost[number].errback(Boom(number))
    given = racers()
    up = m.race(given).addErrback(lambda failure: len(failure.value.failures))
    up.cancel()
    return [winner, ds, nobody, lost, up, given, m.race([]), m.race([m.succeed(1), m.Deferred()])]


@scenario
def locks(library: Library, log: list[Any]) -> Any:
    m = library.defer
    for lock in (m.DeferredLock(), m.DeferredSemaphore(1), m.DeferredSemaphore(2)):
        jobs = [m.Deferred() for _ in range(4)]

        def job(number: int, jobs: Any = jobs) -> Any:
            log.append(("begin", number))
            return jobs[number]

        results = [lock.run(job, number).addBoth(watch(log, f"result {number}")) for number in range(4)]
        results[2].cancel()
        jobs[0].callback("x")
        jobs[1].errback(Boom())
        jobs[3].callback("y")
        log.append([results, len(lock.waiting)])
        for number in range(3):
            lock.run(boom).addErrback(watch(log, f"bad {number}"))
        waits = [lock.acquire() for _ in range(4)]
        waits[2].cancel()
        for _ in range(4):
            try:
                lock.release()
            except AssertionError as error:
                log.append(str(error))
            log.append(waits)
    log.append([lock.tokens, lock.limit])
    try:
        m.DeferredSemaphore(0)
    except ValueError:
        log.append("ValueError")


@scenario
def queues(library: Library, log: list[Any]) -> Any:
    m = library.defer
    for limits in ((None, None), (1, 1), (0, 0), (2, 1)):
        queue = m.DeferredQueue(*limits)
        got = []
        for step in "ppgggpgcpp":
            try:
                if step == "p":
                    queue.put(len(got))
                elif step == "g":
                    got.append(queue.get().addBoth(watch(log, "got")))
                elif got:
                    got[-1].cancel()
            except Exception as error:
                log.append(type(error).__name__)
            log.append([len(queue.pending), len(queue.waiting), got])


@scenario
def timeLimits(library: Library, log: list[Any]) -> Any:
    m = library.defer

    def instead(result: Any, seconds: float) -> Any:
        log.append(("instead", result, seconds))
        return "instead"

    for canceller in (None, lambda d: d.callback("part"), lambda d: d.errback(Boom())):
        for onTimeoutCancel in (None, instead):
            for fired in (False, True):
                clock = library.Clock()
                d = m.Deferred(canceller).addTimeout(2, clock, onTimeoutCancel).addBoth(watch(log, "d"))
                clock.advance(1)
                if fired:
                    d.callback("in time")
                log.append(len(clock.getDelayedCalls()))
                clock.advance(1)
                log.append(d)


@scenario
def asyncioFutures(library: Library, log: list[Any]) -> Any:
    m = library.defer
    loop = asyncio.new_event_loop()
    try:
        for kind in ("result", "error", "cancel future", "cancel deferred"):
            d = m.Deferred()
            future = d.asFuture(loop)
            source = loop.create_future()
            from_ = m.Deferred.fromFuture(source).addBoth(watch(log, "from"))
            if kind == "result":
                d.callback(1)
                source.set_result(1)
            elif kind == "error":
                d.errback(Boom())
                source.set_exception(Boom())
            elif kind == "cancel future":
                future.cancel()
                source.cancel()
            else:
                d.cancel()
                from_.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            error = None if future.cancelled() else future.exception()
            log.append([kind, d, from_, future.cancelled(), source.cancelled(), error])
    finally:
        loop.close()


@scenario
def failures(library: Library, log: list[Any]) -> Any:
    try:
        boom()
    except Boom:
        f = library.Failure()
    log.append(
        [f.check(KeyError, Exception).__name__, f.check(KeyError), f.check("builtins.Exception"), f.trap(Boom).__name__]
    )
    log.append([f.getErrorMessage(), f.type.__name__, f.parents, [frame[0] for frame in f.frames], bool(f.tb)])
    log.append(
        [f.getBriefTraceback(), str(f), f.getTraceback(detail="verbose").partition("\n")[2].rpartition("*---")[0]]
    )
    f.cleanFailure()
    log.append([f.tb, f.value.__traceback__, [frame[0] for frame in f.frames]])
    for call in (
        f.raiseException,
        lambda: f.trap(KeyError),
        lambda: library.Failure(),
        lambda: f.getTraceback(detail="x"),
    ):
        try:
            call()
        except Exception as error:
            log.append(type(error).__name__)
    first = library.defer.FirstError(f, 3)
    log.append([repr(first), first == (f, 3), first.args[1]])


@pytest.mark.parametrize("name", SCENARIOS)
def test_sameTrace(name: str) -> None:
    assert trace(OURS, SCENARIOS[name]) == trace(THEIRS, SCENARIOS[name])
