"""What can go wrong with Deferreds, by name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from reactor.failure import Failure


class AlreadyCalledError(Exception):
    """A Deferred was fired a second time. The caller's mistake; in debug mode the text says who fired it first."""


class CancelledError(Exception):
    """The error of a Deferred that was cancelled and had no better one to tell."""


class TimeoutError(Exception):
    """A Deferred was cancelled because its time was over (`Deferred.addTimeout`), or a lock file was not to be had in
    time.

    This is neither the builtin of this name nor `reactor.error.TimeoutError`, which is about connections.
    """


class AlreadyTryingToLockError(Exception):
    """`DeferredFilesystemLock.deferUntilLocked` was called again while it is still trying."""


class QueueOverflow(Exception):
    """`DeferredQueue.put` was called when the queue held as many objects as it may."""


class QueueUnderflow(Exception):
    """`DeferredQueue.get` was called when as many wait for an object as may."""


class NotACoroutineError(TypeError):
    """A coroutine was asked for, and something else was given: often the function that makes it, without the call."""


class FirstError(Exception):
    """One of many Deferreds failed, and their `DeferredList` was not to wait for the others.

    :ivar subFailure: the Failure of the one that failed.
    :ivar index: its place in the list.
    """

    def __init__(self, failure: Failure, index: int) -> None:
        super().__init__(failure, index)
        self.subFailure = failure
        self.index = index

    def __repr__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure.value!r}]"

    def __str__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure}]"

    def __eq__(self, other: object) -> bool:
        """Equal to another one of the same Failure and index."""
        if not isinstance(other, FirstError):
            return NotImplemented
        return (self.subFailure, self.index) == (other.subFailure, other.index)

    def __hash__(self) -> int:
        return hash((self.subFailure, self.index))


class FailureGroup(Exception):
    """All Deferreds given to `race` failed.

    :ivar failures: their Failures, in the order of the Deferreds.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__()
        self.failures = failures


# Tracebacks, logs and pickles name these by where programs import them from.
for _error in (
    AlreadyCalledError,
    CancelledError,
    TimeoutError,
    AlreadyTryingToLockError,
    QueueOverflow,
    QueueUnderflow,
    NotACoroutineError,
    FirstError,
    FailureGroup,
):
    _error.__module__ = "reactor.defer"
