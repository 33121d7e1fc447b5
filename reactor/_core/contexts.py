"""Context variables of connections: each connection, port, child process and descriptor has a context of its own, a
copy of that in which it was made, and its callbacks are made in that. So what one of them sets there (who has logged
in) is seen by its own callbacks later and by the timers that they make, and by nobody else.

The loop enters a watch's context when it dispatches to it, once for all that happens in there. Where a callback is made
for another reason (the reactor stops, a turn is over), whoever makes it enters the context by `inside`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Any


def inside(context: Context, f: Callable[..., Any], *args: Any) -> Any:
    """What `f(*args)` returns, called in `context`; in a copy of it when that is entered already, which it is when one
    of its own callbacks turns the loop.
    """
    try:
        return context.run(f, *args)
    except RuntimeError:
        if not isEntered(context):
            # The function's own error.
            raise
    return context.copy().run(f, *args)


def isEntered(context: Context) -> bool:
    """Whether something is being called in `context`, so that it cannot be entered."""
    try:
        context.run(_nothing)
    except RuntimeError:
        return True
    return False


def _nothing() -> None:
    """Tries whether it can be called."""
