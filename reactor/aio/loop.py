"""`EventLoop`: asyncio's loop on a reactor, put together from its parts."""

from __future__ import annotations

import asyncio
from asyncio.log import logger
from weakref import WeakSet

from reactor.aio.children import Children
from reactor.aio.files import checkSendFile
from reactor.aio.transport import StreamTransport
from reactor.base import Reactor
from reactor.defer import Deferred, DeferredList

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from reactor._core.triggers import TriggerHandle
    from reactor.failure import Failure


class EventLoop(Children):
    """An event loop of asyncio whose engine is a reactor.

    ``asyncio.run(main(), loop_factory=reactor.aio.EventLoop)``, or whatever else takes a loop. While it runs, its
    `reactor` is the current one of its thread.
    """

    #: Seconds that tasks have, once they were cancelled, when the reactor stops.
    stopTimeout: float | None = 10.0

    def __init__(self, reactor: Reactor | None = None) -> None:
        """Not running.

        :param reactor: whose engine is used, and left open when the loop is closed; None: one of its own. TypeError for
            what is no reactor, RuntimeError for one that carries a loop already.
        """
        if reactor is not None and not isinstance(reactor, Reactor):
            raise TypeError(f"EventLoop(): reactor must be a reactor.base.Reactor or None, not {reactor!r}")
        self._owned = reactor is None
        self._reactor = Reactor() if reactor is None else reactor
        self._run = self._reactor._run
        self._loop = self._run.loop
        if self._run.carried is not None:
            raise RuntimeError(f"EventLoop(): {self._reactor!r} carries {self._run.carried!r} already")
        self._run.carried = self
        self._trigger: TriggerHandle | None = None
        # What `reactor.aio.start` has started and is not done.
        self._started: set[asyncio.Task[Any]] = set()
        # Whether the reactor stops, and what whoever runs the loop has cancelled at the end: see `fireFromFuture`.
        self._ending = False
        self._endCancelled: WeakSet[asyncio.Future[Any]] = WeakSet()
        # What a stop of the reactor waits for before tasks are cancelled.
        self._before: list[Deferred[Any]] = []
        super().__init__()
        self.set_debug(asyncio.coroutines._is_debug_mode())  # type: ignore[attr-defined]

    @property
    def reactor(self) -> Reactor:
        """The reactor that it is on."""
        return self._reactor

    async def sendfile(  # type: ignore[override]
        self,
        transport: StreamTransport,
        file: IO[bytes],
        offset: int = 0,
        count: int | None = None,
        *,
        fallback: bool = True,
    ) -> int:
        """Send a file over `transport`; how many bytes. The file's position is put behind what was sent.

        :param fallback: whether it may be read and written where the kernel cannot send it by itself, as under TLS;
            SendfileNotAvailableError otherwise.
        """
        if transport.is_closing():
            raise RuntimeError("Transport is closing")
        if not isinstance(transport, StreamTransport):
            raise RuntimeError(f"sendfile is not supported for transport {transport!r}")
        checkSendFile(file, offset, count)
        return await transport._sendFile(file, offset, count, fallback)

    # The end.

    def endAfter(self, deferred: Deferred[Any]) -> None:
        """Have tasks live on when the reactor stops, until `deferred` has fired: for what is drained first. To be
        called before that, or by a trigger "before" its shutdown that was added before its run.
        """
        ended: Deferred[None] = Deferred()
        self._before.append(ended)

        def over(result: Any) -> Any:
            ended.callback(None)
            return result

        deferred.addBoth(over)

    def entered(self) -> None:
        """The reactor begins to run in this thread."""
        tasks = [task for task in asyncio.all_tasks(self) if isinstance(task, asyncio.Task)]
        others = [task for task in tasks if not self._closes(task)]
        # Cancelled between two runs: by asyncio's runner, when the main task is over.
        cancelled = [task for task in others if task.cancelling()]
        self._endCancelled.update(cancelled)
        # Futures that stand for tasks, as asyncio.gather's, hear of it in that run; or, by way of others, in the next
        # ones, which close what is left.
        if others or not tasks:
            self._ending = bool(cancelled) and len(cancelled) == len(others)
        super().entered()
        if self._trigger is None:
            self._trigger = self._reactor.addSystemEventTrigger("before", "shutdown", self._reactorStops)

    def _closes(self, task: asyncio.Task[Any]) -> bool:
        """Whether `task` is what a loop is asked for before it is closed."""
        code = getattr(task.get_coro(), "cr_code", None)
        return code in (EventLoop.shutdown_asyncgens.__code__, EventLoop.shutdown_default_executor.__code__)

    def _reactorStops(self) -> Deferred[None] | None:
        """The reactor stops: its shutdown waits until the tasks have ended."""
        self._trigger = None
        if not self.is_running():
            return None
        before, self._before = self._before, []
        if before:
            return DeferredList(before).addCallback(lambda _: self._endTasks())
        return self._endTasks()

    def _endTasks(self) -> Deferred[None]:
        finished: Deferred[None] = Deferred.fromFuture(self.create_task(self._finish(), name="the end of the tasks"))
        # Cancelled with all other tasks when `asyncio.run` ends first.
        finished.addErrback(_wasCancelled)
        # In a call of its own: what is closed then tells its protocols by calls in line, which is worked off now.
        ended: Deferred[None] = Deferred()
        finished.addBoth(lambda _: self._loop.soon(ended.callback, None))
        return ended

    async def _finish(self) -> None:
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks(self) if task is not mine]
        # Their Deferreds tell.
        started = self._started.copy()
        self._ending = True
        for task in others:
            task.cancel()
        if others:
            done, left = await asyncio.wait(others, timeout=self.stopTimeout)
            for task in done:
                if task not in started and not task.cancelled() and task.exception() is not None:
                    self.call_exception_handler(
                        {
                            "message": "unhandled exception during the reactor's shutdown",
                            "exception": task.exception(),
                            "task": task,
                        }
                    )
            for task in left:
                logger.warning("%r did not end within %s s of the reactor's stop", task, self.stopTimeout)
        await self.shutdown_asyncgens()
        await self.shutdown_default_executor(self.stopTimeout)
        self._executorOver = self._asyncgensOver = False
        self._executor = None

    def _closeParts(self) -> None:
        if self._trigger is not None:
            self._reactor.removeSystemEventTrigger(self._trigger)
        self._started.clear()
        self._closeSignals()
        self._closeExecutor()
        for watch in list(self._descriptors.values()):
            self._forgetDescriptor(watch)
        self._run.carried = None
        if self._owned:
            # What the program still waits for: services, for instance.
            self._run.triggers.fire("shutdown")
            self._reactor.close()


def _wasCancelled(failure: Failure) -> None:
    failure.trap(asyncio.CancelledError)
