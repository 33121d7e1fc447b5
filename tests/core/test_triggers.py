"""System events without a reactor: three phases, Deferreds that are waited for, and triggers that raise."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from reactor._core.triggers import Triggers
from reactor.defer import Deferred


class Traced:
    """Triggers that say when they are called."""

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.escaped: list[BaseException] = []
        self.triggers = Triggers(self.escaped.append)

    def add(self, phase: str, name: str, result: Any = None, event: str = "event") -> Any:
        def trigger() -> Any:
            self.trace.append(name)
            if isinstance(result, BaseException):
                raise result
            return result() if callable(result) else result

        return self.triggers.add(phase, event, trigger, (), {})

    def fire(self, event: str = "event") -> list[str]:
        self.triggers.fire(event, lambda: self.trace.append("built-in"), lambda: self.trace.append("done"))
        return self.trace


def test_phasesInOrder() -> None:
    traced = Traced()
    for phase in ("after", "during", "before"):
        traced.add(phase, f"{phase} 1")
        traced.add(phase, f"{phase} 2")
    assert traced.fire() == [
        "before 1",
        "before 2",
        "built-in",
        "during 1",
        "during 2",
        "after 1",
        "after 2",
        "done",
    ]


def test_calledOnce() -> None:
    traced = Traced()
    traced.add("before", "once")
    traced.fire()
    traced.trace.clear()
    assert traced.fire() == ["built-in", "done"]


def test_argumentsArePassed() -> None:
    triggers = Triggers(lambda problem: None)
    seen: list[Any] = []
    triggers.add("during", "event", lambda *args, **kw: seen.append((args, kw)), (1, 2), {"a": 3})
    triggers.fire("event")
    assert seen == [((1, 2), {"a": 3})]


def test_eventsAreApart() -> None:
    traced = Traced()
    traced.add("before", "mine", event="mine")
    traced.add("before", "yours", event="yours")
    assert traced.fire("mine") == ["mine", "built-in", "done"]


def test_addedMeanwhile() -> None:
    traced = Traced()
    traced.add("before", "before", lambda: traced.add("before", "another") and traced.add("after", "at the end"))
    traced.add("during", "during", lambda: traced.add("before", "too late"))
    assert traced.fire() == ["before", "another", "built-in", "during", "at the end", "done"]
    traced.trace.clear()
    assert traced.fire() == ["too late", "built-in", "done"]


def test_removed() -> None:
    traced = Traced()
    handle = traced.add("before", "not called")
    assert "before event" in repr(handle)
    traced.triggers.remove(handle)
    assert traced.fire() == ["built-in", "done"]
    with pytest.raises(ValueError, match="removed or called before"):
        traced.triggers.remove(handle)


def test_removedByAnEarlierOne() -> None:
    traced = Traced()
    traced.add("before", "first", lambda: traced.triggers.remove(second))
    second = traced.add("during", "second")
    assert traced.fire() == ["first", "built-in", "done"]


def test_removedWhenItWasCalled() -> None:
    traced = Traced()
    handle = traced.add("before", "called")
    traced.fire()
    with pytest.raises(ValueError, match="removed or called before"):
        traced.triggers.remove(handle)


@pytest.mark.parametrize("thing", [None, 1, ("before", "event", list)])
def test_removedWhatIsNone(thing: Any) -> None:
    with pytest.raises(TypeError, match="is not what addSystemEventTrigger returned"):
        Triggers(print).remove(thing)


def test_refused() -> None:
    triggers = Triggers(print)
    with pytest.raises(KeyError, match="must be one of before, during, after, not 'between'"):
        triggers.add("between", "event", list, (), {})
    with pytest.raises(TypeError, match="must be callable, not 'list'"):
        triggers.add("before", "event", "list", (), {})  # type: ignore[arg-type]


def test_Y4_deferredsAreWaitedFor() -> None:
    traced = Traced()
    first: Deferred[str] = Deferred()
    second: Deferred[str] = Deferred()
    traced.add("before", "first", first)
    traced.add("before", "no Deferred", 17)
    traced.add("before", "second", second)
    traced.add("after", "after")
    waiting = ["first", "no Deferred", "second"]
    assert traced.fire() == waiting
    second.callback("two")
    assert traced.trace == waiting
    first.callback("one")
    assert traced.trace == [*waiting, "built-in", "after", "done"]
    # Whoever else holds them gets their results.
    results: list[str] = []
    first.addCallback(results.append)
    second.addCallback(results.append)
    assert results == ["one", "two"]


def test_Y4_oneThatHasFired() -> None:
    traced = Traced()
    fired: Deferred[None] = Deferred()
    fired.callback(None)
    traced.add("before", "fired", fired)
    assert traced.fire() == ["fired", "built-in", "done"]


def test_Y4_oneThatFails(caplog: pytest.LogCaptureFixture) -> None:
    traced = Traced()
    failing: Deferred[None] = Deferred()
    traced.add("before", "failing", failing)
    traced.fire()
    failing.errback(KeyError("of the Deferred"))
    assert traced.trace == ["failing", "built-in", "done"]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("reactor", logging.ERROR)
    assert "before event" in record.getMessage()
    assert "of the Deferred" in caplog.text


def test_Y4_onlyBeforeIsWaitedFor() -> None:
    traced = Traced()
    traced.add("during", "during", Deferred())
    traced.add("after", "after", Deferred())
    assert traced.fire() == ["built-in", "during", "after", "done"]


def test_Y4_abandoned() -> None:
    traced = Traced()
    waited: Deferred[None] = Deferred()
    traced.add("before", "before", waited)
    traced.add("after", "after")
    traced.fire()
    traced.triggers.abandon()
    waited.callback(None)
    assert traced.trace == ["before"]
    # The next time it is not waited for.
    traced.trace.clear()
    assert traced.fire() == ["built-in", "after", "done"]


def test_Y4_firedAgainMeanwhile() -> None:
    traced = Traced()
    waited: Deferred[None] = Deferred()
    traced.add("before", "before", waited)
    traced.fire()
    assert traced.fire() == ["before", "built-in", "done"]
    waited.callback(None)
    assert traced.trace == ["before", "built-in", "done"]


@pytest.mark.parametrize("phase", ["before", "during", "after"])
def test_Y3_oneThatRaises(phase: str, caplog: pytest.LogCaptureFixture) -> None:
    traced = Traced()
    traced.add(phase, "raises", KeyError("of the trigger"))
    traced.add(phase, "next")
    traced.add("after", "last")
    assert [name for name in traced.fire() if name != "built-in"] == ["raises", "next", "last", "done"]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("reactor", logging.ERROR)
    assert f"{phase} event" in record.getMessage()
    assert record.exc_info
    assert record.exc_info[0] is KeyError


def test_Y3_theBuiltInPartRaises(caplog: pytest.LogCaptureFixture) -> None:
    traced = Traced()
    traced.add("during", "during")

    def raises() -> None:
        raise KeyError("built in")

    traced.triggers.fire("event", during=raises, done=raises)
    assert traced.trace == ["during"]
    assert len(caplog.records) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("phase", ["before", "during", "after"])
def test_E20_whatIsToComeOutOfRun(phase: str, error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    traced = Traced()
    problem = error()
    traced.add(phase, "raises", problem)
    traced.add(phase, "next")
    traced.fire()
    assert traced.escaped == [problem]
    assert traced.trace[-1] == "done"
    assert "next" in traced.trace
    assert caplog.records == []
