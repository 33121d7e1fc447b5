"""The same program on Twisted's epoll reactor and on ours, so that what it was told can be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from patience import PATIENCE
from twisted.internet.epollreactor import EPollReactor
from twisted.logger import globalLogPublisher
from twisted.python.log import textFromEventDict

from reactor.twisted import TwistedReactor

Told = list[Any]
Scene = Callable[[Any, Told], object]


def tracesOf(scene: Scene, kind: Callable[[], Any], signals: bool = False) -> Told:
    """What `scene(reactor, told)` writes down on a reactor of this kind, which it is to stop by `crash`. With `signals`
    the reactor hears of them, and so of children that end.
    """
    reactor = kind()
    told: Told = []
    late = reactor.callLater(PATIENCE, lambda: (told.append("too late"), reactor.crash()))
    reactor.callWhenRunning(scene, reactor, told)
    try:
        reactor.run(installSignalHandlers=signals)
    finally:
        if late.active():
            late.cancel()
        reactor.disconnectAll()
        if hasattr(reactor, "_poller"):
            reactor._poller.close()
    return told


def sameOnBoth(scene: Scene, signals: bool = False) -> Told:
    """What it writes down on ours, which must be what it does on Twisted's."""
    theirs = tracesOf(scene, EPollReactor, signals)
    ours = tracesOf(scene, TwistedReactor, signals)
    assert ours == theirs, f"ours: {ours}\ntheirs: {theirs}"
    assert "too late" not in ours
    return ours


class Log:
    """What Twisted's log is told meanwhile."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __enter__(self) -> Log:
        globalLogPublisher.addObserver(self.events.append)
        return self

    def __exit__(self, *problem: object) -> None:
        globalLogPublisher.removeObserver(self.events.append)

    def texts(self) -> list[str]:
        """What was said."""
        return [str(textFromEventDict(event)) for event in self.events if not event.get("isError")]

    def systems(self) -> list[str]:
        """Under which prefixes."""
        return [event.get("log_system", event.get("system")) for event in self.events]

    def failures(self) -> list[type]:
        """What was raised."""
        found = [event.get("log_failure", event.get("failure")) for event in self.events]
        return [failure.type for failure in found if failure is not None]
