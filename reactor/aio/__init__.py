"""asyncio's words over the reactor: an event loop for asyncio's programs, and both directions of await.

``asyncio.run(main(), loop_factory=reactor.aio.EventLoop)`` runs any asyncio program. In a program that lives on
``reactor.run()``, `install` has asyncio's libraries find a running loop, and `start` runs a coroutine of theirs as a
task.
"""

from __future__ import annotations

from reactor.aio.carrying import install, run, start
from reactor.aio.loop import EventLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["EventLoop", "install", "run", "start"]


def __getattr__(name: str) -> Any:
    if name == "EventLoopPolicy":
        # Pythons from 3.16 on have no policies, those from 3.14 on warn of them.
        from reactor.aio.policy import EventLoopPolicy

        return EventLoopPolicy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
