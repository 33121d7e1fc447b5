"""The life of an application of ASGI: it is told that the server starts and stops, and says when it is done with that.

An application need not know of it. One that raises before it asks for the first message does not; one that raises
later has failed, and so has the start.
"""

from __future__ import annotations

import asyncio

from protocols.asgi.error import LifespanFailed
from protocols.asgi.scopes import lifespanScope
from reactor import aio
from reactor._ground.log import message as say
from reactor._ground.log import reportException
from reactor._ground.naming import shown
from reactor.defer import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Lifespan", "MODES"]

#: Whether an application's lifespan is used: if it knows of it, always (who does not has failed), or never.
MODES = ("auto", "on", "off")


class Lifespan:
    """One life of one application.

    :param application: of ASGI 3.
    :param mode: one of `MODES`.
    :param reactor: as for `ASGI`.
    :ivar state: what the application has kept for its requests: for ``ASGI(state=)``.
    """

    def __init__(self, application: Any, mode: str = "auto", reactor: Any = None) -> None:
        if mode not in MODES:
            raise ValueError(f"Lifespan(): mode must be one of {', '.join(MODES)}, not {shown(mode)}")
        self.application = application
        self.mode = mode
        self.state: dict[str, Any] = {}
        self._loop = aio.install(reactor)
        self._task: asyncio.Task[None] | None = None
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard = False
        self._started: asyncio.Future[None] | None = None
        self._stopped: asyncio.Future[None] | None = None

    def startup(self) -> Deferred[None]:
        """Tell it that the server starts. Fires when it is ready, fails with LifespanFailed when it cannot be."""
        return aio.start(self._startup(), reactor=self._loop.reactor, name="lifespan startup")

    def shutdown(self, seconds: float | None = None) -> Deferred[None]:
        """Tell it that the server stops. Fires when it has said that it is done, has ended, or has not in `seconds`;
        what goes wrong is logged.
        """
        return aio.start(self._shutdown(seconds), reactor=self._loop.reactor, name="lifespan shutdown")

    async def _startup(self) -> None:
        if self.mode == "off":
            return
        self._started = self._loop.create_future()
        self._messages.put_nowait({"type": "lifespan.startup"})
        self._task = self._loop.create_task(self._live(), name="lifespan")
        await self._started

    async def _shutdown(self, seconds: float | None) -> None:
        task = self._task
        if task is None or task.done():
            return
        self._stopped = self._loop.create_future()
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        done, _ = await asyncio.wait([self._stopped, task], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            say("warning", "%s has not shut down in %g s", shown(self.application), seconds)
        else:
            # It may have something to do behind its last word.
            await asyncio.wait([task], timeout=1 if seconds is None else min(seconds, 1))
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1)

    async def _live(self) -> None:
        problem: BaseException | None = None
        try:
            await self.application(lifespanScope(self.state), self._receive, self._send)
        except asyncio.CancelledError:
            raise
        except Exception as e:
            problem = e
        self._ended(problem)

    def _ended(self, problem: BaseException | None) -> None:
        started = self._started
        if started is None or started.done():
            if problem is not None and (self._stopped is None or not self._stopped.done()):
                reportException("the lifespan of %s raised", problem, shown(self.application))
            return
        if self._heard and problem is not None:
            failed = LifespanFailed(f"its startup raised {type(problem).__name__}: {problem}")
            failed.__cause__ = problem
            started.set_exception(failed)
        elif self.mode == "on":
            what = "returned" if problem is None else f"raised {type(problem).__name__}: {problem}"
            started.set_exception(LifespanFailed(f"it does not know of lifespan: it {what}"))
        else:
            say("info", "%s does not know of lifespan", shown(self.application))
            self.state = {}
            started.set_result(None)

    async def _receive(self) -> dict[str, Any]:
        self._heard = True
        return await self._messages.get()

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        phase, _, what = kind.removeprefix("lifespan.").partition(".")
        future = {"startup": self._started, "shutdown": self._stopped}.get(phase)
        if what not in ("complete", "failed") or not kind.startswith("lifespan."):
            raise RuntimeError(f"send(): no message of type {shown(kind)} can be sent in a lifespan")
        if future is None or future.done():
            raise RuntimeError(f"send(): {kind} does not come now")
        if what == "complete":
            future.set_result(None)
        elif phase == "startup":
            future.set_exception(LifespanFailed(message.get("message") or "it gave no reason"))
        else:
            say("error", "%s: shutdown failed: %s", shown(self.application), message.get("message") or "without reason")
            future.set_result(None)
