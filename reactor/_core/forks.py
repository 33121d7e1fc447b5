"""What becomes of a loop in a fork of its process.

`os.fork()` copies everything and shares every descriptor. A child that goes on where its parent was (it leaves the
callback that forked, be it by an exception on its way to `sys.exit`) would read what its parent is sent, send once more
what is queued, continue its TLS, wait on the same epoll set, and run its shutdown. So whatever stands for something of
the kernel's, or for something that is still to be done, is told in the child before any other code runs there, and lets
go of it: it closes nothing and sends nothing. What costs nothing in the parent is to be preferred to asking, before
each system call, whose process this is.

A loop that does not run and says so (`Poller.goesAlong`) is the one exception: it is the child's as well, with its own
of whatever the two would share.
"""

from __future__ import annotations

import os
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Forked(Protocol):
        """Who is told."""

        def forked(self) -> bool | None: ...


# Weakly, in the order in which they came. Entries come and go in one step each, whichever thread's they are.
_told: dict[ref[Any], None] = {}


def tellInFork(thing: Forked) -> None:
    """Have `thing.forked()` called in a child that this process forks, as long as the thing lives.

    It is told once, unless it returns True: it goes on in the child, and is to be told of the child's forks too.
    """
    _told[ref(thing, _gone)] = None


def _gone(dead: ref[Any]) -> None:
    _told.pop(dead, None)


def _forked() -> None:
    things = [each() for each in list(_told)]
    # They are told once: a fork of the fork finds nothing of theirs.
    _told.clear()
    problems: list[BaseException] = []
    for thing in things:
        if thing is not None:
            try:
                if thing.forked():
                    tellInFork(thing)
            except BaseException as e:
                problems.append(e)
    if problems:
        # The interpreter says so on standard error, and goes on.
        raise problems[0]


os.register_at_fork(after_in_child=_forked)
