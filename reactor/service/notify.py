"""What a service manager such as systemd wants to know of a process: that it is ready, that it stops, that it is alive.

The protocol is that of ``sd_notify(3)``: datagrams of lines ``NAME=value`` to the UNIX socket that the environment
names. Without one, nothing is said.
"""

from __future__ import annotations

import os
import socket

from reactor._ground.log import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

# The longest that the loop may be held up by a service manager that does not read.
_SECONDS = 1.0
_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Tells the service manager."""

    def __init__(self, address: str | None, watchdog: float | None = None) -> None:
        """To the socket at the path `address`; with a leading ``@`` it is a name of Linux's abstract namespace; None:
        nobody is told.

        :param watchdog: seconds within which the manager wants a sign of life; None: it wants none.
        :raises ValueError: for an address that is neither.
        """
        if address is not None and (address[:1] not in ("/", "@") or len(address) < 2 or "\0" in address):
            raise ValueError(f"Notifier(): address must be an absolute path or begin with @, not {address!r}")
        self.address = address
        self.watchdog = watchdog
        self._beat: Any = None

    @classmethod
    def fromEnvironment(cls, environment: MutableMapping[str, str] | None = None) -> Notifier:
        """As the service manager says in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. They are taken out of the
        environment (None: this process's), so that no process that is started from here speaks for this one.

        What cannot be understood is logged and counts as not given.
        """
        found = os.environ if environment is None else environment
        address, usec, pid = [found.pop(name, None) or None for name in _VARIABLES]
        watchdog = None
        if usec is not None and (pid is None or pid == str(os.getpid())):
            if usec.isascii() and usec.isdigit() and int(usec) > 0:
                watchdog = int(usec) / 1e6
            else:
                message("warning", "WATCHDOG_USEC must be a number of microseconds, not %r: not used", usec)
        try:
            return cls(address, watchdog)
        except ValueError:
            message("warning", "NOTIFY_SOCKET must be an absolute path or begin with @, not %r: not used", address)
            return cls(None)

    def notify(self, state: str) -> bool:
        """Send `state`, lines of ``NAME=value`` as in sd_notify(3). Whether it was sent: not when there is nobody, and
        not when the system refuses, which is logged.
        """
        if self.address is None:
            return False
        address = self.address
        if address[0] == "@":
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(_SECONDS)
                sock.sendto(state.encode(), address)
        except OSError as e:
            message("warning", "the service manager at %s could not be told %r: %s", self.address, state, e)
            return False
        return True

    def ready(self) -> bool:
        """The service has started."""
        return self.notify("READY=1")

    def stopping(self) -> bool:
        """The service has begun to stop."""
        return self.notify("STOPPING=1")

    def status(self, text: str) -> bool:
        """Where the service stands, a line for people to read."""
        return self.notify(f"STATUS={' '.join(text.split())}")

    def beat(self, clock: Any) -> None:
        """Give signs of life, twice as often as they are wanted, as long as `clock` (a reactor) turns: whatever blocks
        the loop longer than that is noticed. Nothing when none are wanted.
        """
        self.rest()
        if self.watchdog is not None and self.address is not None:
            self.notify("WATCHDOG=1")
            self._beat = clock.callLater(self.watchdog / 2, self._again, clock)

    def rest(self) -> None:
        """Give no more signs of life."""
        beat, self._beat = self._beat, None
        if beat is not None:
            beat.cancel()

    def _again(self, clock: Any) -> None:
        self._beat = None
        self.beat(clock)
