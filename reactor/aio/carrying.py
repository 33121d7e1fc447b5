"""Both worlds in one program: a reactor that carries an asyncio loop, coroutines of either that wait for things of the
other, and the end of both.

A coroutine that a Deferred drives is not a task. While one of its steps runs, asyncio is told that no task does: so
that what needs one, such as `asyncio.timeout`, says so instead of taking hold of whichever task happens to be below.
"""

from __future__ import annotations

import asyncio
from asyncio import events, tasks

from reactor._ground.current import currentReactor, runningReactor
from reactor.aio.loop import EventLoop
from reactor.defer import Deferred, driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from typing import Any, TypeVar

    from reactor.base import Reactor

    T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run `main` on a new loop and reactor, as ``asyncio.run``; its result.

    :param debug: asyncio's debug mode; None: as the environment says.
    """
    if events._get_running_loop() is not None:
        raise RuntimeError(
            "reactor.aio.run() cannot be called from a running event loop; reactor.aio.start(coroutine) runs a "
            "coroutine as a task of the one that runs"
        )
    with asyncio.Runner(debug=debug, loop_factory=EventLoop) as runner:
        return runner.run(main)


def install(reactor: Reactor | None = None) -> EventLoop:
    """Have `reactor` carry an asyncio loop: in every callback of its runs, ``asyncio.get_running_loop()`` is that one.

    Harmless when it carries one. At any moment, also while it runs.

    :param reactor: None: the one that runs in this thread, else the default one.
    """
    if reactor is None:
        reactor = currentReactor()
    carried = reactor._run.carried
    if isinstance(carried, EventLoop):
        return carried
    loop = EventLoop(reactor)
    if reactor is runningReactor() and reactor._run.turning:
        loop.entered()
    return loop


def start(coroutine: Coroutine[Any, Any, T], *, reactor: Reactor | None = None, name: str | None = None) -> Deferred[T]:
    """Run a coroutine of asyncio's world as a task; the Deferred of its result. Cancelling that cancels the task.

    The task is kept until it is done, whether or not anybody keeps the Deferred.

    :param reactor: on whose loop; None: the one that runs in this thread, else the default one. `install` is called for
        it.
    :param name: the task's name.
    """
    loop = install(reactor)
    task = loop.create_task(coroutine, name=name)
    if not task.done():
        # asyncio itself holds tasks weakly: one that waits for what only it knows of would be collected.
        loop._started.add(task)
        task.add_done_callback(loop._started.discard)
    return Deferred.fromFuture(task)


class _Side:
    """What Deferreds ask when they meet asyncio's things."""

    def futureForTask(self, deferred: Deferred[Any]) -> Generator[Any, Any, Any] | None:
        """For a task to wait for `deferred`; None when whoever waits is no task."""
        loop = events._get_running_loop()
        if loop is None or tasks.current_task(loop) is None:
            return None
        twisted = driver.twistedSide
        if twisted is not None and twisted.isDriving():
            # Whoever waits was begun by the task, and is none.
            return None
        return deferred.asFuture(loop).__await__()

    def deferredFor(self, future: asyncio.Future[Any], made: type[Deferred[Any]]) -> Deferred[Any]:
        """For a coroutine that a Deferred drives to wait for `future`."""
        future._asyncio_future_blocking = False
        return made.fromFuture(future)

    def cancelledByTheEnd(self, future: asyncio.Future[Any], problem: BaseException) -> bool:
        """Whether `problem` of `future` is that the run of its loop ends."""
        if not isinstance(problem, asyncio.CancelledError) or not isinstance(future, asyncio.Future):
            return False
        loop = future.get_loop()
        return isinstance(loop, EventLoop) and (loop._ending or future in loop._endCancelled)

    def outsideTasks(self, f: Callable[[Any], None], argument: Any) -> None:
        """Call `f(argument)`, and let no task be current meanwhile."""
        loop = events._get_running_loop()
        task = None if loop is None else tasks.current_task(loop)
        if loop is None or task is None:
            f(argument)
            return
        tasks._leave_task(loop, task)
        try:
            f(argument)
        finally:
            tasks._enter_task(loop, task)


driver.asyncioSide = _Side()
