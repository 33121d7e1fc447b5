"""`TimerService` where it says more than Twisted's, which tests/service/test_services_against_twisted.py compares."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from reactor.defer import Deferred
from reactor.service import TimerService
from reactor.task import Clock


def made(call: Any, step: float = 1.0) -> tuple[TimerService, Clock]:
    service, clock = TimerService(step, call), Clock()
    service.clock = clock
    return service, clock


def test_aCallThatFailsIsLoggedOnce(caplog: pytest.LogCaptureFixture) -> None:
    service, clock = made(lambda: {}["missing"])
    service.startService()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "makes no more calls" in caplog.text and "KeyError: 'missing'" in caplog.text
    assert service.running and not clock.getDelayedCalls()


def test_startedTwiceItCallsOnce(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    service, clock = made(lambda: calls.append(1))
    service.startService()
    service.startService()
    assert len(calls) == len(clock.getDelayedCalls()) == 1
    assert "running already" in caplog.text
    service.stopService()


def test_startedAnewWhileACallGoesOn() -> None:
    waiting: list[Deferred[None]] = []

    def call() -> Deferred[None]:
        waiting.append(Deferred())
        return waiting[-1]

    service, clock = made(call)
    service.startService()
    stopped: list[Any] = []
    service.stopService().addCallback(stopped.append)
    service.startService()
    waiting[0].callback(None)
    assert stopped == [None] and service.running and len(waiting) == 2
    drained: list[Any] = []
    service.drain(1).addCallback(drained.append)
    assert drained == []
    waiting[1].callback(None)
    assert drained == [0] and not service.running and not clock.getDelayedCalls()


def test_stoppedWhatWasNeverStarted() -> None:
    stopped: list[Any] = []
    made(print)[0].stopService().addCallback(stopped.append)
    assert stopped == [None]


@pytest.mark.parametrize(
    ("step", "call", "error"), [(-1, print, ValueError), ("1", print, TypeError), (1, 2, TypeError)]
)
def test_refusesWhatIsNoStepOrNoCall(step: Any, call: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"must|callable"):
        TimerService(step, call)


def test_pickledItIsNotRunning() -> None:
    service, clock = made(print)
    service.call = (print, (), {"end": ""})
    service.startService()
    copy = pickle.loads(pickle.dumps(service))
    assert not copy.running and copy.clock is None and copy.step == 1
    service.stopService()
    assert "TimerService of print every 1 s, not running" in repr(copy)
