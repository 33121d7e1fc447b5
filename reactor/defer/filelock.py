"""A lock that processes share, and that can be waited for: the link that `linklock` makes, looked at once a second."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from reactor._ground.current import currentReactor
from reactor._ground.linklock import Lock, isOurs, remove
from reactor.defer.deferred import Deferred
from reactor.defer.errors import AlreadyTryingToLockError, TimeoutError
from reactor.defer.shortcuts import fail, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.interfaces import IReactorTime


class FilesystemLock:
    """A lock that one process at a time can have.

    :param name: the path of the link.
    :ivar locked: whether this object has the lock.
    :ivar clean: whether the last owner had released it; False if it was taken over from a process that is gone.
    """

    locked = False
    clean = True

    def __init__(self, name: str) -> None:
        self.name = name

    def lock(self) -> bool:
        """Take the lock if nobody has it, or if its owner is gone. Whether it is ours now.

        :raises OSError: the link can be neither made nor read.
        """
        lock = Lock(os.fsencode(self.name))
        try:
            lock.take()
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise
            with suppress(FileNotFoundError):
                # What is there and no link is nothing to wait for.
                os.readlink(self.name)
            return False
        self.locked, self.clean = True, not lock.broken
        return True

    def unlock(self) -> None:
        """Release the lock.

        :raises ValueError: another process has it.
        :raises OSError: there is no lock.
        """
        path = os.fsencode(self.name)
        if not isOurs(path):
            owner = os.readlink(self.name)
            what = "an earlier process with this one's number" if owner == str(os.getpid()) else f"process {owner}"
            raise ValueError(f"lock {self.name!r} is owned by {what}, not by this one")
        remove(path)
        self.locked = False


class DeferredFilesystemLock(FilesystemLock):
    """A `FilesystemLock` that can be waited for. It looks once a second.

    :param name: the path of the link.
    :param scheduler: what has ``callLater``; None is the reactor of this thread.
    """

    _interval = 1

    def __init__(self, name: str, scheduler: IReactorTime | None = None) -> None:
        super().__init__(name)
        self._scheduler: Any = scheduler
        self._waiting: Deferred[None] | None = None
        self._calls: dict[str, Any] = {}

    def deferUntilLocked(self, timeout: float | None = None) -> Deferred[None]:
        """Take the lock as soon as it is free; a Deferred of None. Cancelling that gives up.

        It fails with `TimeoutError` when the lock was not to be had in `timeout` seconds, with
        `AlreadyTryingToLockError` when this object is waiting already, and with OSError when the link can be neither
        made nor read.
        """
        if self._waiting is not None:
            return fail(AlreadyTryingToLockError("deferUntilLocked isn't safe for concurrent use."))
        try:
            if self.lock():
                return succeed(None)
        except OSError:
            return fail()
        if self._scheduler is None:
            self._scheduler = currentReactor()
        deferred: Deferred[None] = Deferred(lambda _: self._stopTrying())
        self._waiting = deferred
        if timeout is not None:
            self._calls["expire"] = self._scheduler.callLater(timeout, self._expired, timeout)
        self._tryLater()
        return deferred

    def _tryLater(self) -> None:
        self._calls["try"] = self._scheduler.callLater(self._interval, self._try)

    def _try(self) -> None:
        try:
            if not self.lock():
                self._tryLater()
                return
        except OSError as error:
            self._stopTrying().errback(error)
        else:
            self._stopTrying().callback(None)

    def _expired(self, timeout: float) -> None:
        self._stopTrying().errback(TimeoutError(f"Timed out acquiring lock: {self.name} after {timeout:f}s"))

    def _stopTrying(self) -> Deferred[None]:
        """Wait no longer; returns the Deferred that did."""
        deferred, self._waiting = self._waiting, None
        for call in self._calls.values():
            if call.active():
                call.cancel()
        self._calls.clear()
        assert deferred is not None
        return deferred


def isLocked(name: str) -> bool:
    """Whether some process, perhaps this one, has the lock of that name."""
    lock = FilesystemLock(name)
    if not lock.lock():
        return True
    lock.unlock()
    return False
