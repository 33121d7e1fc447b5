"""What a server's TLS is made with, from files, and made anew when they change: a renewed certificate needs no restart.

Knows when to look; what the files are and what is made of them, it is told.
"""

from __future__ import annotations

import os
from time import monotonic

from reactor._ground.log import message
from reactor.defer.generic import Generic, T

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Reloading(Generic[T]):
    """A context, or whatever contexts come from, that looks at its files when a connection asks for it.

    While new files cannot be used (half written, say), the last that could be are.
    """

    def __init__(
        self,
        what: str,
        files: Callable[[], Iterable[str]],
        make: Callable[[], T],
        interval: float = 0.0,
    ) -> None:
        """`files()` are the paths to look at, `make()` makes a context of what they hold; what either raises comes out
        here, and is logged later. `what` is the name of it all in the log.

        :param interval: seconds in which they are looked at once at most.
        """
        self._what = what
        self._files = files
        self._make = make
        self._interval = interval
        # Looked at before they are read: what changes meanwhile is seen the next time.
        self._seen = self._look()
        self._made = make()
        self._next = monotonic() + interval
        # What was wrong with files that were seen, for one line in the log and not one for each connection.
        self._complained: Any = None

    def _look(self) -> list[Any]:
        seen = []
        for path in self._files():
            found = os.stat(path)
            seen.append((path, found.st_mtime_ns, found.st_size, found.st_ino))
        return seen

    def current(self) -> T:
        """Of what the files hold now."""
        now = monotonic()
        if now >= self._next:
            self._next = now + self._interval
            try:
                self._renew()
            except (OSError, ValueError) as e:
                self._complain(e)
        return self._made

    def getContext(self) -> T:
        """The same, for whoever takes this for a context factory."""
        return self.current()

    def _renew(self) -> None:
        seen = self._look()
        if seen != self._seen:
            self._made = self._make()
            self._seen, self._complained = seen, None

    def _complain(self, problem: Exception) -> None:
        text = str(problem).partition("\n")[0]
        if text != self._complained:
            self._complained = text
            message("warning", "%s: what is new cannot be used yet, and what was before is: %s", self._what, text)
