"""Work that would block in other threads, with its result as a Deferred; and calls into the reactor from other threads
that wait for the result.

Everything else of the reactor belongs to its own thread: only `reactor.callFromThread` and what is in here may be
called from others.
"""

from __future__ import annotations

from _thread import allocate_lock

from reactor._face.threads import InThreads
from reactor._ground.current import currentReactor, runningReactor
from reactor.defer import Deferred, fail, maybeDeferred
from reactor.error import ReactorNotRunning
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["blockingCallFromThread", "callMultipleInThread", "deferToThread", "deferToThreadPool"]


def deferToThread(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
    """Call `f(*args, **kwargs)` in a thread of the pool of this thread's reactor, in the context variables of now.

    :return: the Deferred of what it returns, or raises; it fires in the reactor's thread. `ReactorNotRunning` when the
        reactor has stopped. Cancelling it does not end the call, whose result is dropped then.
    :raises TypeError: for an `f` that cannot be called.
    """
    if not callable(f):
        raise TypeError(f"deferToThread(): {f!r} is not callable")
    reactor = currentReactor()
    try:
        pool = reactor.getThreadPool()
    except ReactorNotRunning:
        return fail()
    return deferToThreadPool(reactor, pool, f, *args, **kwargs)


def deferToThreadPool(
    reactor: Any, threadpool: Any, f: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Deferred[Any]:
    """As `deferToThread`, in a thread of `threadpool` (a `reactor.threadpool.ThreadPool`), for `reactor`.

    The Deferred fails with ReactorNotRunning when the pool was stopped, with RuntimeError when the system has no thread
    to give.
    """
    deferred: Deferred[Any] = Deferred()

    def ended(succeeded: bool, result: Any) -> None:
        if isinstance(result, Deferred):
            result = Failure(TypeError(f"{f!r} returned a Deferred, which belongs to the reactor's thread"))
        reactor.callFromThread(deferred.callback, result)

    try:
        threadpool.callInThreadWithCallback(ended, f, *args, **kwargs)
    except RuntimeError as e:
        return fail(ReactorNotRunning(str(e)) if threadpool.joined else e)
    return deferred


def callMultipleInThread(
    tupleList: Iterable[tuple[Callable[..., object], Iterable[Any], dict[str, Any]]],
) -> None:
    """Make calls one after another in one thread of the pool of this thread's reactor.

    :param tupleList: of each call the function, its arguments, and those by keyword. The first that raises is the last;
        what it raises is logged.
    :raises ReactorNotRunning: when the reactor has stopped.
    """
    currentReactor().callInThread(_callAll, list(tupleList))


def _callAll(calls: list[tuple[Callable[..., object], Iterable[Any], dict[str, Any]]]) -> None:
    for f, args, kwargs in calls:
        f(*args, **kwargs)


def blockingCallFromThread(reactor: Any, f: Callable[..., Any], /, *a: Any, **kw: Any) -> Any:
    """Call `f(*a, **kw)` in the thread of `reactor`, in the context variables of now, and wait for its result; that of
    its Deferred if it returns one, that of its coroutine if it is an ``async def``.

    What it raises, or what the Deferred fails with, is raised here.

    :raises RuntimeError: when this is the reactor's own thread, which would wait for itself for ever.
    :raises ReactorNotRunning: when the reactor has stopped, or stops before the Deferred fires.
    """
    if runningReactor() is reactor:
        raise RuntimeError("blockingCallFromThread(): this is the reactor's own thread; it would wait for ever")
    blocked = reactor._blocking() if isinstance(reactor, InThreads) else set()
    call = _BlockingCall(reactor, blocked)
    blocked.add(call)
    reactor.callFromThread(call.make, f, a, kw)
    if isinstance(reactor, InThreads):
        # It may have made its last turn; else it does the same when it has.
        reactor._refuseBlocked()
    result = call.wait()
    if isinstance(result, Failure):
        # Deferreds pass failures on without a trace that names this thread: the raise adds it.
        result.raiseException()
    return result


class _BlockingCall:
    """One call that another thread waits for."""

    __slots__ = ("_answered", "_begun", "_blocked", "_reactor", "_result", "_trigger", "_waits")

    def __init__(self, reactor: Any, blocked: set[_BlockingCall]) -> None:
        self._reactor = reactor
        # Invariant: this is in there until one of `make` and `refuse` has acquired `_begun`.
        self._blocked = blocked
        self._begun = allocate_lock()
        self._result: Any = None
        self._trigger: Any = None
        # Whether the result is not there yet, for the reactor's thread; and the same for the one that waits, which
        # acquires the lock when it is there.
        self._waits = True
        self._answered = allocate_lock()
        self._answered.acquire()

    def wait(self) -> Any:
        self._answered.acquire()
        result, self._result = self._result, None
        return result

    def _begin(self) -> bool:
        if not self._begun.acquire(False):
            return False
        self._blocked.discard(self)
        return True

    def refuse(self) -> None:
        """Nobody is there to make it. From any thread."""
        if self._begin():
            self._result = Failure(ReactorNotRunning("blockingCallFromThread(): this reactor has stopped"))
            self._answered.release()

    def make(self, f: Callable[..., Any], a: tuple[Any, ...], kw: dict[str, Any]) -> None:
        if not self._begin():
            return
        maybeDeferred(f, *a, **kw).addBoth(self._answer)
        if self._waits:
            self._trigger = self._reactor.addSystemEventTrigger("during", "shutdown", self._stopped)

    def _answer(self, result: Any) -> None:
        if self._trigger is not None:
            trigger, self._trigger = self._trigger, None
            self._reactor.removeSystemEventTrigger(trigger)
        if self._waits:
            self._waits = False
            self._result = result
            self._answered.release()

    def _stopped(self) -> None:
        self._trigger = None
        self._answer(Failure(ReactorNotRunning("blockingCallFromThread(): the reactor stopped before the result came")))
