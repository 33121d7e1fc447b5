"""A reactor of Twisted's words that is made for one test, and a coroutine that is run on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from patience import PATIENCE
from twisted.internet.defer import ensureDeferred


@contextmanager
def madeFor(kind: Any) -> Iterator[Any]:
    """A reactor of the class `kind`, which does not run for ever."""
    made = kind()
    late = made.callLater(PATIENCE, made.crash)
    yield made
    made.disconnectAll()
    if late.active():
        late.cancel()
    loop = getattr(made, "_asyncioEventloop", None)
    if loop is not None:
        loop.close()


def runOn(frame: Any, coroutine: Any, drive: Any = ensureDeferred) -> Any:
    """What a coroutine that Twisted drives comes to while `frame` runs."""
    results: list[Any] = []

    def begin() -> None:
        d = drive(coroutine)
        d.addBoth(results.append)
        d.addBoth(lambda _: frame.stop())

    frame.callWhenRunning(begin)
    frame.run(installSignalHandlers=False)
    (result,) = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result
