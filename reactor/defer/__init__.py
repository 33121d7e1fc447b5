"""Deferreds: results that are not there yet, what is to be done with them, and ways to write that down.

`Deferred` is the thing itself; coroutines (`ensureDeferred`, `inlineCallbacks`) read like code that waits;
`gatherResults`, `DeferredList` and `race` wait for many; `DeferredLock`, `DeferredSemaphore` and `DeferredQueue` make
callbacks take turns.
"""

from __future__ import annotations

from reactor.defer.chain import passthru
from reactor.defer.coroutines import ensureDeferred, inlineCallbacks, returnValue
from reactor.defer.debug import DebugInfo
from reactor.defer.deferred import Deferred, getDebugging, setDebugging
from reactor.defer.errors import (
    AlreadyCalledError,
    AlreadyTryingToLockError,
    CancelledError,
    FailureGroup,
    FirstError,
    NotACoroutineError,
    QueueOverflow,
    QueueUnderflow,
    TimeoutError,
)
from reactor.defer.filelock import DeferredFilesystemLock
from reactor.defer.gather import DeferredList, gatherResults, race
from reactor.defer.locks import DeferredLock, DeferredQueue, DeferredSemaphore
from reactor.defer.shortcuts import FAILURE, SUCCESS, execute, fail, logError, maybeDeferred, succeed, timeout
from reactor.failure import Failure

# No names that are loaded when asked for: a module with a __getattr__ makes each `defer.succeed` of its users slower.
__all__ = [
    "Deferred",
    "succeed",
    "fail",
    "execute",
    "maybeDeferred",
    "ensureDeferred",
    "inlineCallbacks",
    "returnValue",
    "DeferredList",
    "gatherResults",
    "race",
    "SUCCESS",
    "FAILURE",
    "DeferredLock",
    "DeferredSemaphore",
    "DeferredQueue",
    "DeferredFilesystemLock",
    "passthru",
    "logError",
    "timeout",
    "setDebugging",
    "getDebugging",
    "DebugInfo",
    "Failure",
    "AlreadyCalledError",
    "CancelledError",
    "TimeoutError",
    "FirstError",
    "FailureGroup",
    "QueueOverflow",
    "QueueUnderflow",
    "NotACoroutineError",
    "AlreadyTryingToLockError",
]
