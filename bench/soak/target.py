"""The server under load as it is seen from outside: its ports, its descriptors, its memory, and an old connection."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from bench.child import Child, python
from bench.machine import residentKiB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# Seconds for an answer of the old connection's process.
_PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class State:
    """What the server holds: open descriptors, and resident memory in KiB."""

    descriptors: int
    memory: float


class Target:
    """A server and an old connection to it, each in a process. A context manager: they end with it."""

    def __init__(self, lifetime: int, handshakeTimeout: float, interval: float) -> None:
        """They live `lifetime` seconds at most. The server gives up handshakes after `handshakeTimeout` seconds, the
        old connection is used every `interval` seconds.
        """
        self._server = Child(python("bench.soak.server", lifetime, handshakeTimeout), None)
        self._pinger: Child | None = None
        try:
            word, plain, secure = self._server.line(20.0).split()
            assert word == "ready"
            self.port, self.securePort = int(plain), int(secure)
            self._pinger = Child(python("bench.soak.pinger", self.port, interval), None)
            self._pinger.port()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def state(self) -> State:
        """What the server holds now."""
        return State(len(os.listdir(f"/proc/{self._server.pid}/fd")), residentKiB(self._server.pid))

    def latency(self) -> dict[str, float]:
        """The old connection's round trips since this was asked last: count, and p50, p99, max in milliseconds."""
        assert self._pinger is not None
        os.kill(self._pinger.pid, signal.SIGUSR1)
        return self._pinger.figures(_PATIENCE)

    def complaint(self) -> str:
        """What the server has said on standard error."""
        return self._server.complaint()

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in (self._pinger, self._server):
            if child is not None:
                child.__exit__(kind, value, trace)
