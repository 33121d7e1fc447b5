"""What programs add by `addReader` and `addWriter` is told as on Twisted's own reactor: what it logs bears its name,
and what it raises ends it alone.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

pytest.importorskip("twisted")

from bothreactors import Log, Told, sameOnBoth
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.internet.main import CONNECTION_DONE
from twisted.python import log
from zope.interface import implementer

# Twisted forks by itself, whatever threads there are.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@implementer(IReadWriteDescriptor)
class Reading:
    """One end of a pipe."""

    def __init__(self, reactor: Any, told: Told, what: Any, ending: Any = None) -> None:
        self.reactor, self.told, self.what, self.ending = reactor, told, what, ending
        self.fd, self.other = os.pipe()
        reactor.addReader(self)
        os.write(self.other, b"x")

    def fileno(self) -> int:
        return self.fd

    def logPrefix(self) -> str:
        return f"Reading {self.what!r}"

    def doRead(self) -> Any:
        log.msg("read")
        if isinstance(self.what, type):
            raise self.what
        return self.what

    def connectionLost(self, reason: Any) -> None:
        log.msg("lost")
        self.told.append((self.what, reason.type, self in self.reactor.getReaders()))
        os.close(self.fd)
        os.close(self.other)
        if self.ending is not None:
            raise self.ending


def test_whatEndsThem() -> None:
    def scene(reactor: Any, told: Told) -> None:
        for what in (ZeroDivisionError, CONNECTION_DONE, KeyboardInterrupt):
            Reading(reactor, told, what, KeyError)

        def watch() -> None:
            if len(told) == 3:
                told.sort(key=repr)
                reactor.crash()
            else:
                reactor.callLater(0, watch)

        watch()

    with Log() as events:
        told = sameOnBoth(scene)
    assert (CONNECTION_DONE, ConnectionDone, False) in told
    kinds = sorted(kind.__name__ for kind in events.failures())
    assert kinds == ["KeyError"] * 6 + ["KeyboardInterrupt"] * 2 + ["ZeroDivisionError"] * 2
    prefixes = {event["message"][0]: set() for event in events.events if event.get("message")}  # type: ignore[var-annotated]
    for event in events.events:
        if event.get("message"):
            prefixes[event["message"][0]].add(event["system"])
    names = {f"Reading {what!r}" for what in (ZeroDivisionError, CONNECTION_DONE, KeyboardInterrupt)}
    assert prefixes["read"] == prefixes["lost"] == names
    # Failures too.
    assert {event["system"] for event in events.events if event.get("isError")} == names
