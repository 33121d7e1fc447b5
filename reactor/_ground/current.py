"""Which reactor is meant when none is named.

A reactor says here when it begins and ends to run in a thread, and `reactor/__init__` says how the default one is made.
Everybody whose `reactor` or `clock` argument is None asks `currentReactor()`. Knows nothing of what a reactor does, so
that every layer may ask.
"""

from __future__ import annotations

import os
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reactor.base import Reactor

# One entry a thread in which a reactor runs at this moment.
_running: dict[int, Reactor] = {}
_makeDefault: list[Callable[[], Reactor]] = []
# A fork that began inside a callback runs no reactor until it makes one of its own.
os.register_at_fork(after_in_child=_running.clear)


def currentReactor() -> Reactor:
    """The reactor that runs in this thread, else the process's default one (made on first use)."""
    running = _running.get(get_ident())
    return running if running is not None else _makeDefault[0]()


def runningReactor() -> Reactor | None:
    """The reactor that runs in this thread, or None."""
    return _running.get(get_ident())


def carryingReactor() -> Reactor | None:
    """The reactor that runs in this thread, if it carries a loop of other words (see `reactor.aio`)."""
    running = _running.get(get_ident())
    return running if running is not None and running._run.carried is not None else None


def entered(reactor: Reactor) -> None:
    """`reactor` begins to run in this thread."""
    _running[get_ident()] = reactor


def left() -> None:
    """The reactor that ran in this thread has returned."""
    _running.pop(get_ident(), None)


def interrupted(problem: BaseException) -> None:
    """A KeyboardInterrupt or SystemExit came out of the program's code at a place that has to be brought to its end:
    the reactor that runs in this thread stops with it. Raised where none does.
    """
    reactor = _running.get(get_ident())
    if reactor is None:
        raise problem
    reactor._run.escaped(problem)
