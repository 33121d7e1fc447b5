"""Looks whether a file that a module of this process was loaded from has changed; for development.

It is the worker that knows what is loaded, and its supervisor that starts another: that one is asked as anybody would,
by SIGHUP.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from reactor._ground.log import message as say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Watch"]


class Watch:
    """Looks now and then."""

    #: Seconds between two looks.
    interval = 0.4

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._seen: dict[str, float] = {}
        # What was changed since then may have been read before.
        self._began = time.time() - time.process_time()

    def begin(self) -> None:
        """Look from now on."""
        self._look()

    def changed(self) -> list[str]:
        """The files that have changed since this was asked last, or since the process began."""
        found = []
        for path in self._files():
            try:
                at = os.stat(path).st_mtime
            except OSError:
                # It is being written, or gone; what is loaded is what it was.
                continue
            before = self._seen.get(path, self._began)
            if at > before:
                found.append(path)
            self._seen[path] = max(at, before)
        return found

    def _files(self) -> list[str]:
        found = set()
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.endswith(".py"):
                found.add(os.path.abspath(path))
        return sorted(found)

    def _look(self) -> None:
        changed = self.changed()
        if changed:
            say("info", "changed: %s", ", ".join([os.path.relpath(each) for each in changed]))
            os.kill(os.getppid(), signal.SIGHUP)
        self._reactor.callLater(self.interval, self._look)
