"""What goes wrong between an application and its server."""

from __future__ import annotations

__all__ = ["Disconnected", "LifespanFailed", "stemsFromDisconnected"]


class Disconnected(ConnectionResetError):
    """The client is gone: raised by `send`, an OSError as ASGI asks for since version 2.4 of HTTP's part."""


class LifespanFailed(RuntimeError):
    """The application said that it cannot be started, or raised as it was: the message says why."""


def stemsFromDisconnected(problem: BaseException | None) -> bool:
    """Whether an exception is a `Disconnected`, or came of one: nothing is wrong with the application then."""
    # A chain may be a circle by whoever has set one by hand.
    for _ in range(20):
        if problem is None or isinstance(problem, Disconnected):
            break
        if isinstance(problem, BaseExceptionGroup):
            return all(stemsFromDisconnected(each) for each in problem.exceptions)
        problem = problem.__cause__ or problem.__context__
    return isinstance(problem, Disconnected)
