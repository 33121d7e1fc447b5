"""What can be wrong with tasks that take turns: who is asked for what when it is too late, or too early."""

from __future__ import annotations


class SchedulerError(Exception):
    """A `Cooperator`, or a task of one, is in no state for what it was asked. The classes below say which."""


class SchedulerStopped(SchedulerError):
    """The `Cooperator` was stopped before the task had come to its end, or before the task was given to it."""


class TaskFinished(SchedulerError):
    """The task goes on no more; the classes below say why."""


class TaskDone(TaskFinished):
    """The task's iterator has come to its end."""


class TaskStopped(TaskFinished):
    """The task was stopped."""


class TaskFailed(TaskFinished):
    """The task's iterator raised, or a Deferred that it yielded failed."""


class NotPaused(SchedulerError):
    """A task was resumed that is not paused, or more often than it was paused."""
