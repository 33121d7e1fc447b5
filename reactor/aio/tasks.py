"""Futures, tasks, what makes them, and who is told of what nobody caught."""

from __future__ import annotations

import asyncio
import sys
import traceback
from asyncio.log import logger

from reactor.aio.running import Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context
    from typing import Any, TypeVar

    T = TypeVar("T")

    Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

# From 3.14 on a factory is given every keyword of `create_task`; before, the name is set afterwards.
_FACTORIES_TAKE_ALL = sys.version_info >= (3, 14)


class Tasks(Running):
    """The part of `EventLoop` that makes futures and tasks."""

    def __init__(self) -> None:
        super().__init__()
        self._taskFactory: Callable[..., Any] | None = None
        self._handler: Handler | None = None

    def create_future(self) -> asyncio.Future[Any]:
        """A new future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None, **kwargs: Any
    ) -> asyncio.Task[T]:
        """Run `coro` as a task.

        :param context: the context variables that it runs in; None: a copy of the current ones.
        :param kwargs: what the task factory, or this Python's `asyncio.Task`, takes besides.
        """
        self._checkClosed()
        factory = self._taskFactory
        if context is not None:
            kwargs["context"] = context
        if factory is None:
            task = asyncio.Task(coro, loop=self, name=name, **kwargs)
            if task._source_traceback:  # type: ignore[attr-defined]
                del task._source_traceback[-1]  # type: ignore[attr-defined]
            return task
        if _FACTORIES_TAKE_ALL:
            if name is not None:
                kwargs["name"] = name
            return factory(self, coro, **kwargs)  # type: ignore[no-any-return]
        made: asyncio.Task[T] = factory(self, coro, **kwargs)
        if name is not None:
            made.set_name(name)
        return made

    def set_task_factory(self, factory: Callable[..., Any] | None) -> None:
        """Have `create_task` call `factory(loop, coroutine, **keywords)`; None: make an `asyncio.Task`."""
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._taskFactory = factory

    def get_task_factory(self) -> Callable[..., Any] | None:
        """What `set_task_factory` was given."""
        return self._taskFactory

    # What nobody caught.

    def set_exception_handler(self, handler: Handler | None) -> None:
        """Have `handler(loop, context)` told of what goes wrong and reaches nobody; None: it is logged."""
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._handler = handler

    def get_exception_handler(self) -> Handler | None:
        """What `set_exception_handler` was given."""
        return self._handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log `context` on the logger "asyncio": its message, then every other fact on a line of its own."""
        problem = context.get("exception")
        lines = [context.get("message") or "Unhandled exception in event loop"]
        for key in sorted(context):
            if key in ("message", "exception"):
                continue
            value = context[key]
            if key == "source_traceback":
                lines.append(
                    "Object created at (most recent call last):\n" + "".join(traceback.format_list(value)).rstrip()
                )
            elif key == "handle_traceback":
                lines.append(
                    "Handle created at (most recent call last):\n" + "".join(traceback.format_list(value)).rstrip()
                )
            else:
                lines.append(f"{key}: {value!r}")
        info = (type(problem), problem, problem.__traceback__) if problem is not None else None
        logger.error("\n".join(lines), exc_info=info)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell the exception handler of `context`: "message", "exception", and whatever else is known.

        Never raises, but for KeyboardInterrupt and SystemExit.
        """
        try:
            if self._handler is None:
                self.default_exception_handler(context)
                return
            about = next((context[key] for key in ("task", "future", "handle") if context.get(key) is not None), None)
            ask = getattr(about, "get_context", None)
            inContext = None if ask is None else ask()
            if inContext is not None and hasattr(inContext, "run"):
                inContext.run(self._handler, self, context)
            else:
                self._handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._handlerRaised(e, context)

    def _handlerRaised(self, problem: BaseException, context: dict[str, Any]) -> None:
        try:
            self.default_exception_handler(
                {"message": "Unhandled error in exception handler", "exception": problem, "context": context}
            )
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            logger.error(
                "Exception in default exception handler while handling an unexpected error in custom exception handler",
                exc_info=True,
            )
