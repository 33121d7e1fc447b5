"""Programs made up by chance, driven by a clock, on Twisted's tasks and on ours: all their steps must show the same.

Not in them is what doc/compatibility.rst says is different: a LoopingCall that is stopped and started anew in the
middle of a call, a task that is stopped before a Deferred that it waits for fails, and a Cooperator that is stopped
with several tasks at work (Twisted forgets every other one).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reactor.defer
import reactor.task

theirDefer = pytest.importorskip("twisted.internet.defer", reason="Twisted, to compare with, is not installed")
theirTask = pytest.importorskip("twisted.internet.task")

Library = SimpleNamespace
THEIRS = SimpleNamespace(task=theirTask, Deferred=theirDefer.Deferred)
OURS = SimpleNamespace(task=reactor.task, Deferred=reactor.defer.Deferred)
Trace = list[Any]


class Boom(Exception):
    """What goes wrong here."""


def plain(value: Any) -> object:
    kept = getattr(value, "value", None)
    if isinstance(kept, BaseException):
        return type(kept).__name__
    return value if isinstance(value, (int, float, str, type(None))) else type(value).__name__


def attempt(trace: Trace, what: str, f: Any, *args: Any) -> Any:
    try:
        result = f(*args)
    except Exception as e:
        trace.append((what, "raised", type(e).__name__))
        return None
    trace.append((what, plain(result)))
    return result


# LoopingCall.

# Binary fractions, so that sums are exact, and some that are not.
seconds = st.sampled_from([0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3.25, 10, 0.1, 0.3, 1 / 3])
# None of 0: on a clock it would never let go.
intervals = seconds.filter(bool)
loopSteps = st.one_of(
    st.tuples(st.just("advance"), seconds),
    st.tuples(st.just("pump"), st.lists(seconds, max_size=4)),
    st.tuples(st.just("start"), intervals, st.booleans()),
    st.tuples(st.sampled_from(["stop", "reset", "fire", "fail"])),
)
calls = st.lists(
    st.sampled_from("none none none value deferred fired failed raise stop reset work".split()), max_size=12
)


class Loop:
    def __init__(self, library: Library, trace: Trace, calls: list[str], counted: bool) -> None:
        self.library, self.trace, self.calls = library, trace, list(calls)
        self.clock = library.task.Clock()
        self.waiting: Any = None
        self.inside = False
        make = library.task.LoopingCall
        self.loop = make.withCount(self.called) if counted else make(self.called, "argument", keyword=1)
        self.loop.clock = self.clock

    def called(self, *args: Any, **kw: Any) -> Any:
        what = self.calls.pop(0) if self.calls else "none"
        self.trace.append(("call", self.clock.seconds(), args, kw, what, self.loop.running, self.loop.interval))
        if what == "raise":
            raise Boom
        if what == "value":
            return 5
        if what in ("deferred", "fired", "failed"):
            deferred = self.library.Deferred()
            if what == "deferred":
                self.waiting = deferred
            elif what == "fired":
                deferred.callback(1)
            else:
                deferred.errback(Boom())
            return deferred
        if what == "work":
            # Takes longer than some intervals.
            self.clock.rightNow += 1.25
        elif what == "stop":
            attempt(self.trace, "stop inside", self.loop.stop)
        elif what == "reset":
            attempt(self.trace, "reset inside", self.loop.reset)
        return None

    def step(self, what: str, *args: Any) -> None:
        if what in ("advance", "pump"):
            getattr(self.clock, what)(*args)
        elif what == "start":
            if self.waiting is None or self.loop.running:
                started = attempt(self.trace, "start", self.loop.start, *args)
                if started is not None:
                    started.addBoth(lambda result: self.trace.append(("ended", plain(result), self.loop.running)))
        elif what in ("fire", "fail"):
            waiting, self.waiting = self.waiting, None
            if waiting is not None:
                waiting.callback(1) if what == "fire" else waiting.errback(Boom())
        else:
            attempt(self.trace, what, getattr(self.loop, what))
        due = [call.getTime() for call in self.clock.getDelayedCalls()]
        self.trace.append((what, self.loop.running, self.loop.call is not None, self.loop.starttime, due))


@settings(max_examples=150)
@given(st.lists(loopSteps, max_size=25), calls, st.booleans())
def test_loopingCall(steps: list[Any], calls: list[str], counted: bool) -> None:
    traces: list[Trace] = []
    for library in (OURS, THEIRS):
        trace: Trace = []
        traces.append(trace)
        loop = Loop(library, trace, calls, counted)
        loop.step("start", 0.5, True)
        for step in steps:
            loop.step(*step)
    assert traces[0] == traces[1]


# Cooperator.

yields = st.lists(
    st.sampled_from("none none none value deferred fired failed raise pause stop cooperate stopAll".split()), max_size=6
)
taskSteps = st.one_of(
    st.tuples(st.just("advance")),
    st.tuples(st.just("cooperate"), yields),
    st.tuples(st.just("coiterate"), yields),
    st.tuples(st.sampled_from(["pause", "resume", "stop", "whenDone", "fire", "fail"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["stopAll", "startAll"])),
)


class Work:
    def __init__(self, library: Library, trace: Trace, slice: int, started: bool) -> None:
        self.library, self.trace = library, trace
        self.clock = library.task.Clock()
        self.tasks: list[Any] = []
        self.waits: dict[int, Any] = {}
        self.made = 0

        def predicate() -> Any:
            left = slice

            def over() -> bool:
                nonlocal left
                left -= 1
                return left <= 0

            return over

        self.cooperator = library.task.Cooperator(predicate, lambda f: self.clock.callLater(1, f), started)

    def iterator(self, number: int, yields: list[str]) -> Any:
        for count, what in enumerate(yields):
            self.trace.append(("step", number, count, what))
            if what == "raise":
                raise Boom
            if what in ("deferred", "fired", "failed"):
                deferred = self.library.Deferred()
                if what == "deferred":
                    self.waits[number] = deferred
                elif what == "fired":
                    deferred.callback(1)
                else:
                    deferred.errback(Boom())
                yield deferred
                continue
            if what in ("pause", "stop"):
                attempt(self.trace, what, getattr(self.tasks[number], what))
            elif what == "cooperate":
                self.add("cooperate", ["none", "none"])
            elif what == "stopAll":
                self.stopAll()
            yield 5 if what == "value" else None

    def add(self, how: str, yields: list[str]) -> None:
        number = self.made
        self.made += 1
        if how == "coiterate":
            # There is no task in hand that could be paused or stopped.
            yields = [what for what in yields if what not in ("pause", "stop")]
            self.tasks.append(None)
            done = self.cooperator.coiterate(self.iterator(number, yields))
        else:
            self.tasks.append(None)
            self.tasks[number] = self.cooperator.cooperate(self.iterator(number, yields))
            done = self.tasks[number].whenDone()
        done.addBoth(lambda result: self.trace.append(("done", number, plain(result))))

    def stopAll(self) -> None:
        if len(self.cooperator._tasks) < 2:
            self.cooperator.stop()

    def step(self, what: str, *args: Any) -> None:
        if what == "advance":
            self.clock.advance(1)
        elif what in ("cooperate", "coiterate"):
            self.add(what, *args)
        elif what in ("fire", "fail"):
            waits = self.waits.pop(args[0], None)
            if waits is not None:
                waits.callback(1) if what == "fire" else waits.errback(Boom())
        elif what == "stopAll":
            self.stopAll()
        elif what == "startAll":
            self.cooperator.start()
        elif args[0] < len(self.tasks) and self.tasks[args[0]] is not None:
            if what == "stop":
                # Differs: the late failure of what it waited for changes what it ended with.
                self.waits.pop(args[0], None)
            result = attempt(self.trace, what, getattr(self.tasks[args[0]], what))
            if what == "whenDone":
                result.addBoth(lambda result: self.trace.append(("also done", plain(result))))
        self.trace.append((what, self.cooperator.running, len(self.clock.getDelayedCalls())))


@settings(max_examples=150)
@given(st.lists(taskSteps, max_size=25), st.integers(1, 4), st.booleans())
def test_cooperator(steps: list[Any], slice: int, started: bool) -> None:
    traces: list[Trace] = []
    for library in (OURS, THEIRS):
        trace: Trace = []
        traces.append(trace)
        work = Work(library, trace, slice, started)
        for step in [("cooperate", ["none", "value", "none"]), ("cooperate", ["deferred", "none"]), *steps]:
            work.step(*(step if isinstance(step, tuple) else (step,)))
        for _ in range(3):
            work.step("advance")
    assert traces[0] == traces[1]
