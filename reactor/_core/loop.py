"""One turn after another: calls from threads, due timers, poll, dispatch.

Bytes leave as soon as the callback that wrote them returns. A wire that has something to send and is not being read
from puts itself into `dirty`, and after each callback that the loop makes it flushes the wires in there; a wire that is
being read from looks after itself (it is `marked` already) and costs no entry. Sending at the end of the turn instead
was measured to double the system time of 16 KiB messages: the data had left the cache.

This is one of the two places that call user code (the other is a transport, which calls its protocol and factory): what
escapes is reported by `raised`, and the loop goes on. KeyboardInterrupt and SystemExit are handed to `escape`, which
stops the reactor and raises them again out of `run()`.

The loop has never heard of protocols, and of sockets only what makes them: `socket` and the clock of `timers` are what
a reactor in a simulated network has others of.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from contextvars import copy_context
from heapq import heappop, heappush
from time import monotonic

from reactor._core.contexts import inside, isEntered
from reactor._core.forks import tellInFork
from reactor._core.poller import ERROR, READ, WRITE, Poller, Watch, selectable
from reactor._core.timers import NOT_QUEUED, TimerQueue
from reactor._core.waker import Waker
from reactor._ground.log import reportException
from reactor.error import ConnectionFdescWentAway, ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any, Protocol

    class Dirty(Protocol):
        """Something with bytes to send or a close to carry out."""

        def flush(self) -> None: ...


# The kernel's clocks overflow at 2**31 milliseconds; nobody minds one idle turn an hour.
LONGEST_WAIT = 3600.0
# How many calls one turn makes, and for how many seconds it goes on beginning them: threads that ask for more and more
# must not keep connections and timers waiting.
MOST_CALLS = 1000
LONGEST_CALLS = 0.01
# As many are made in any case, so that no busy machine puts a timer between the few calls that most programs make.
FEWEST_CALLS = 16


class Loop:
    """The heart: `turn` until told otherwise."""

    __slots__ = (
        "__weakref__",
        "_lingers",
        "_renewed",
        "calls",
        "closing",
        "dirty",
        "ending",
        "escape",
        "poller",
        "reactor",
        "report",
        "socket",
        "timers",
        "waker",
    )

    def __init__(self, selector: selectors.BaseSelector | None, escape: Callable[[BaseException], object]) -> None:
        """Watch with `selector` (None: what suits this system best); `escape` is given a KeyboardInterrupt or
        SystemExit that a callback raised.
        """
        self.poller = Poller(selector)
        self.timers = TimerQueue(monotonic)
        # What opens the sockets of connections and ports.
        self.socket: Callable[[int, int], socket.socket] = socket.socket
        self.escape = escape
        # Who is told what user code raised: `report(text, problem, *args)`.
        self.report: Callable[..., object] = reportException
        # Whose loop this is.
        self.reactor: Any = None
        self.calls: deque[tuple[Context | None, Callable[..., object], tuple[Any, ...], dict[str, Any]]] = deque()
        self.dirty: list[Dirty] = []
        # Whether what is open is being closed: nothing new is begun.
        self.closing = False
        # Invariant: while it is not None, `_linger` is in `calls`.
        self.ending: Callable[[], object] | None = None
        # Whether all calls that came before it have been made.
        self._lingers = False
        # When the poller may be renewed again; None while that is about to happen.
        self._renewed: float | None = 0.0
        self.waker = Waker()
        self.poller.add(self.waker, READ)
        tellInFork(self)

    def callFromThread(self, f: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]) -> None:
        """Call `f(*args, **kw)` in the loop's thread, in the context variables of now.

        From any thread, and from signal handlers.
        """
        self.calls.append((copy_context(), f, args, kw))
        self.waker.ring()

    def soon(self, f: Callable[..., object], *args: Any) -> None:
        """Call `f(*args)` in the next turn. From the loop's thread only."""
        self.calls.append((None, f, args, {}))

    def soonIn(self, context: Context, f: Callable[..., object], *args: Any) -> None:
        """The same in `context`, that of a connection for example."""
        self.calls.append((context, f, args, {}))

    def atEnd(self, f: Callable[[], object]) -> None:
        """Call `f()` once, when the calls and timers that are due have been made and before the next wait for events.

        From any thread, and from signal handlers.
        """
        self._lingers = False
        self.ending = f
        self.callFromThread(self._linger, (), {})

    def _linger(self) -> None:
        # Stays in `calls` until the end of a turn has looked at `ending`, which it does only when there are calls: so
        # that a turn without any pays nothing for it.
        if self.ending is not None:
            # What came before it is done.
            self._lingers = True
            self.soon(self._linger)

    def turn(self, longest: float) -> None:
        """Do what is due, then wait for events (at most `longest` seconds; for ever when it is negative) and dispatch
        them.
        """
        done = True
        try:
            if self.dirty:
                self.flush()
            calls = self.calls
            if calls:
                # Nearly always they are few.
                if len(calls) <= FEWEST_CALLS:
                    self.runCalls()
                else:
                    done = self._runSome()
            timers = self.timers
            heap = timers.heap
            if heap:
                now = timers.seconds()
                if heap[0][0] <= now:
                    self.runTimers(now)
            if calls or self.dirty:
                longest = 0.0
                ending = self.ending
                if ending is not None and (done or self._lingers):
                    self.ending = None
                    ending()
            elif heap:
                # May be a stale entry: then the turn comes to nothing, once.
                wait = heap[0][0] - timers.seconds()
                if wait < 0.0:
                    longest = 0.0
                elif wait < longest or longest < 0.0:
                    longest = wait if wait < LONGEST_WAIT else LONGEST_WAIT
            self._dispatch(longest)
        except BaseException as e:
            self.raised("a turn of the loop raised", e)

    def _dispatch(self, longest: float) -> None:
        poller = self.poller
        watches = poller.watches
        fresh = poller.fresh
        dirty = self.dirty
        if fresh:
            fresh.clear()
            if poller.doubtful:
                self._doubt()
        try:
            events = poller.poll(longest)
        except (OSError, ValueError) as e:
            self._preen(e)
            return
        for fd, mask in events:
            try:
                watch = watches[fd]
            except KeyError:
                continue
            if fresh and fd in fresh:
                continue
            if mask == READ and watch.interest & READ:
                # Once for all that happens in there. By way of the class: a bound method made for it costs more than
                # the context does (0.08 us in place of 0.03).
                try:
                    watch.context.run(type(watch).readable, watch)
                except RuntimeError:
                    if not isEntered(watch.context):
                        raise
                    inside(watch.context, watch.readable)
            else:
                inside(watch.context, self._dispatchRare, watch, mask)
            if dirty:
                self.flush()

    def _preen(self, problem: BaseException) -> None:
        """The selector refused to wait: take out descriptors that were closed behind our back, and those with too high
        a number for it; else stop with it.
        """
        gone = [watch for watch in self.poller.watches.values() if not _open(watch.fd)]
        high: list[Watch] = []
        if isinstance(problem, ValueError):
            high = [watch for watch in self.poller.watches.values() if watch.armed and not selectable(watch.fd)]
        for watch in gone:
            inside(watch.context, watch.disconnect, Failure(ConnectionFdescWentAway()))
        for watch in high:
            reason = Failure(ConnectionLost(f"cannot watch descriptor {watch.fd}: {problem}"))
            inside(watch.context, watch.unwatchable, reason)
        if (not gone and not high) or self.waker in high:
            self.escape(problem)

    def _doubt(self) -> None:
        """The kernel tells of a descriptor that nobody here has any more: have the poller renewed. That takes a look at
        all that is watched, and is therefore done once a second at most.
        """
        if self._renewed is not None:
            wait = self._renewed - self.timers.seconds()
            self._renewed = None
            self.timers.callLater(max(0.0, wait), self._renew)

    def _renew(self) -> None:
        self._renewed = self.timers.seconds() + 1.0
        try:
            closed = self.poller.renew()
        except OSError:
            # No descriptor left for it: the next event asks again.
            return
        for watch in closed:
            if self.poller.watches.get(watch.fd) is watch:
                inside(watch.context, watch.disconnect, Failure(ConnectionFdescWentAway()))

    def _dispatchRare(self, watch: Watch, mask: int) -> None:
        interest = watch.interest
        if mask & ERROR:
            if interest & ERROR:
                watch.readable()
                return
            # Who reads hears of it by reading, behind the bytes that came before it; who only writes hears of it by
            # writing.
            mask |= READ if interest & READ else WRITE
        if not mask & interest:
            self.poller.spurious(watch)
            if self.poller.doubtful:
                self._doubt()
            return
        if mask & interest & READ:
            watch.readable()
            if mask & ERROR or self.poller.watches.get(watch.fd) is not watch:
                return
        if mask & watch.interest & WRITE:
            watch.writable()

    def flush(self) -> None:
        """Have every wire in `dirty` send, or close."""
        dirty = self.dirty
        while dirty:
            wires = dirty[:]
            dirty.clear()
            for wire in wires:
                wire.flush()

    def _runSome(self) -> bool:
        """Make the calls that are there now, as many as one turn makes; whether that was all of them."""
        count = len(self.calls)
        seconds = self.timers.seconds
        end = seconds() + LONGEST_CALLS
        for made in range(1, count + 1):
            self.runCalls(1)
            if made == MOST_CALLS or (made >= FEWEST_CALLS and seconds() >= end):
                return made == count
        return True

    def runCalls(self, most: int | None = None) -> None:
        """Make the calls that are there now (or `most` of them). What they ask for in their turn is done in the next
        one.
        """
        calls = self.calls
        left = len(calls) if most is None else most
        while left:
            left -= 1
            if not calls:
                # One of them turned the loop itself, and made the rest.
                return
            context, f, args, kw = calls.popleft()
            try:
                if context is None:
                    # Without what unpacking nothing costs.
                    if kw:
                        f(*args, **kw)
                    elif args:
                        f(*args)
                    else:
                        f()
                elif kw:
                    # From a thread, in a copy that nobody else has.
                    context.run(f, *args, **kw)
                else:
                    inside(context, f, *args)
            except BaseException as e:
                self.raised("a call from a thread raised: %r", e, f)
            if self.dirty:
                self.flush()

    def runTimers(self, now: float) -> None:
        """Make the calls that are due at `now`."""
        timers = self.timers
        heap = timers.heap
        count = len(heap)
        if count and (count < 2 or heap[1][0] > now) and (count < 3 or heap[2][0] > now):
            # One at most, as in most turns: no list of them is made, and none waits for another (0.3 us of 2.1 a turn).
            self._runFirst(now)
            return
        dirty = self.dirty
        # All are taken before the first is run, so that what a call schedules for now waits for the next turn.
        ready, waiting = list(self.timers.due(now)), self.timers.ready
        self.timers.ready = ready + waiting if waiting else ready
        for call in ready:
            try:
                call.runDue()
            except BaseException as e:
                self.raised("a delayed call raised", e)
            if dirty:
                self.flush()
        self.timers.ready = waiting

    def _runFirst(self, now: float) -> None:
        timers = self.timers
        heap = timers.heap
        if heap[0][0] > now:
            return
        _, serial, call = heappop(heap)
        if serial != call._entry:
            timers.stale -= 1
        elif call._when > now:
            heappush(heap, (call._when, serial, call))
        else:
            call._entry = NOT_QUEUED
            try:
                call.runDue()
            except BaseException as e:
                self.raised("a delayed call raised", e)
            if self.dirty:
                self.flush()

    def raised(self, text: str, problem: BaseException, *args: object) -> None:
        """User code raised `problem`: report it under `text % args`, or stop the reactor with it.

        In a fork it is raised: there is no reactor to stop, and nothing to go on with.
        """
        if self.poller.inFork:
            raise problem
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self.escape(problem)
        else:
            self.report(text, problem, *args)

    def forked(self) -> bool:
        """This is a fork: whatever was to be done, the parent does it; or the child does, if it has a poller."""
        if not self.poller.inFork:
            self.waker.renew()
            self.poller.renew()
            return True
        self.dirty.clear()
        self.calls.clear()
        self.ending = None
        self.timers.abandon()
        return False

    def close(self) -> None:
        """Give the kernel's side back. The loop is of no use afterwards."""
        self.waker.close()
        self.poller.close()


def _open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
