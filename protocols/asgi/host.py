"""`ASGI`: an application of that interface as a handler for `Site`."""

from __future__ import annotations

import asyncio
import sys

from protocols.asgi.exchange import Exchange
from protocols.asgi.scopes import httpScope
from reactor import aio
from reactor._ground.naming import shown
from reactor.defer import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from protocols.http import Request
    from reactor.aio import EventLoop

__all__ = ["ASGI"]

# Python 3.12 and later run a task's first step as it is made, if asked to.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class ASGI:
    """Answers requests by an application of ASGI 3: ``Site(ASGI(app))``.

    The application runs as tasks of asyncio, on the loop that the reactor carries (`reactor.aio.install` is called for
    it). Its lifespan is `Lifespan`'s; ``python -m reactor serve`` sees to both.

    :param application: a coroutine function of ``scope, receive, send``, or a callable that gives coroutines.
    :param rootPath: where it is mounted, as ``/api``; ``root_path`` in its scopes.
    :param state: the lifespan's; every scope has a copy. None: scopes have none.
    :param reactor: on which it runs; None: the one that runs in this thread, else the default one.
    :raises TypeError, ValueError: for what is none of that.
    :ivar tasks: those that run, be it behind their answers.
    :ivar sockets: the WebSockets that are open.
    """

    def __init__(
        self,
        application: Callable[[Any, Any, Any], Coroutine[Any, Any, Any]],
        *,
        rootPath: str = "",
        state: dict[str, Any] | None = None,
        reactor: Any = None,
    ) -> None:
        if not callable(application):
            raise TypeError(f"ASGI(): application must be callable, not {shown(application)}")
        if rootPath and (not rootPath.startswith("/") or rootPath.endswith("/")):
            raise ValueError(f"ASGI(): rootPath must begin and not end with a slash, not {shown(rootPath)}")
        self.application = application
        self.rootPath = rootPath
        self.state = state
        self.loop: EventLoop = aio.install(reactor)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.sockets: set[Any] = set()

    def __call__(self, request: Request) -> Any:
        """For `Site`: the answer, or the Deferred of it."""
        if request._head.upgrade and any(each.lower() == "websocket" for each in request._head.upgrade):
            from protocols.asgi.sockets import openSocket

            return openSocket(self, request)
        exchange = Exchange(self, request)
        scope = httpScope(request, self.rootPath, self.state)
        task = self.run(scope, exchange.receive, exchange.send)
        if task.done():
            exchange.taskDone(task)
            return exchange.answer()
        task.add_done_callback(exchange.taskDone)
        return exchange.wait()

    def run(self, scope: Any, receive: Any, send: Any) -> asyncio.Task[Any]:
        """A task that runs the application for `scope`. If this Python can, its first step is done."""
        task = asyncio.Task(self.application(scope, receive, send), loop=self.loop, **_EAGER)
        if not task.done():
            # asyncio itself holds tasks weakly.
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return task

    def closeSockets(self) -> None:
        """Close the WebSockets there are, with 1012: the server stops, and the client may come again."""
        for each in list(self.sockets):
            each.close()

    def whenIdle(self, seconds: float | None = None) -> Deferred[None]:
        """Fires when no task of it runs, or after `seconds`."""

        async def wait() -> None:
            if self.tasks:
                await asyncio.wait(list(self.tasks), timeout=seconds)

        return aio.start(wait(), reactor=self.loop.reactor, name="the end of an application's tasks")

    def __repr__(self) -> str:
        return f"<ASGI {shown(self.application)}>"
