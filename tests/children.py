"""What tests of child processes share: a protocol that keeps a trace, and small programs to run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from net import Net

from reactor.failure import Failure
from reactor.protocol import ProcessProtocol

SH = "/bin/sh"


class Child(ProcessProtocol):
    """Keeps what it hears; `on[event]` is called with it."""

    transport: Any

    def __init__(self, **on: Callable[..., Any]) -> None:
        self.events: list[str] = []
        self.received: dict[int, bytes] = {}
        self.reasons: list[Any] = []
        self.on = on

    def _heard(self, event: str, hook: str, *args: Any) -> None:
        assert "ended" not in self.events, f"{event} after processEnded: {self.events}"
        self.events.append(event)
        if hook in self.on:
            self.on[hook](self, *args)

    def connectionMade(self) -> None:
        self._heard("made", "made")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        assert f"lost {childFD}" not in self.events, self.events
        self.received[childFD] = self.received.get(childFD, b"") + data
        if f"data {childFD}" not in self.events:
            self._heard(f"data {childFD}", "data", childFD, data)
        elif "data" in self.on:
            self.on["data"](self, childFD, data)

    def childConnectionLost(self, childFD: int) -> None:
        self._heard(f"lost {childFD}", "lost", childFD)

    def processExited(self, reason: Failure) -> None:
        self.reasons.append(reason)
        self._heard("exited", "exited", reason)

    def processEnded(self, reason: Failure) -> None:
        self.reasons.append(reason)
        self._heard("ended", "ended", reason)

    @property
    def over(self) -> bool:
        return "ended" in self.events

    @property
    def out(self) -> bytes:
        return self.received.get(1, b"")

    @property
    def reason(self) -> Any:
        return self.reasons[-1].value


def spawn(net: Net, executable: Any, *args: Any, on: dict[str, Any] | None = None, **kw: Any) -> Child:
    """A child that runs `executable`, called by its name, with `args`."""
    child = Child(**(on or {}))
    returned = net.reactor.spawnProcess(child, executable, [executable, *args], **kw)
    assert returned is child.transport
    return child


def shell(net: Net, script: str, on: dict[str, Any] | None = None, **kw: Any) -> Child:
    """A child that runs a shell script."""
    return spawn(net, SH, "-c", script, on=on, **kw)


def python(net: Net, source: str, *args: Any, on: dict[str, Any] | None = None, **kw: Any) -> Child:
    """A child that runs Python source."""
    return spawn(net, sys.executable, "-I", "-S", "-c", source, *args, on=on, **kw)


def ended(net: Net, child: Child) -> Child:
    """Turn until it has ended; nothing of it is left."""
    net.until(lambda: child.over)
    assert child.events[-1] == "ended"
    assert [child.events.count(each) for each in ("made", "exited", "ended")] == [1, 1, 1]
    assert child.transport.pid is None
    return child


def children() -> set[int]:
    """The processes whose parent this is, zombies included."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found |= {int(word) for word in file.read().split()}
        except OSError:
            pass
    return found
