"""Calls in time: again and again (`LoopingCall`), once later (`deferLater`), a bit at a time (`cooperate`), a whole
program (`react`), and a clock for tests that a program moves by hand (`Clock`).
"""

from __future__ import annotations

from reactor.task.clock import Clock, deferLater
from reactor.task.cooperation import CooperativeTask, Cooperator, coiterate, cooperate
from reactor.task.errors import (
    NotPaused,
    SchedulerError,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
)
from reactor.task.looping import LoopingCall
from reactor.task.main import react

__all__ = [
    "Clock",
    "CooperativeTask",
    "Cooperator",
    "LoopingCall",
    "NotPaused",
    "SchedulerError",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
    "deferLater",
    "react",
]
