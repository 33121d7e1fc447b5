"""What a child process is, by Twisted's classes: for `isinstance` and annotations."""

from __future__ import annotations

from reactor._ground.current import runningReactor
from reactor._transport.process.process import Process, PTYProcess

__all__ = ["PTYProcess", "Process", "reapAllProcesses"]


def reapAllProcesses() -> None:
    """Look now whether children of the reactor that runs in this thread have ended and nobody said so, because a
    program has put a handler of its own on SIGCHLD. Where the system tells the end of each (pidfd), there are none.
    """
    running = runningReactor()
    if running is not None and running._children is not None:
        running._children.look()
