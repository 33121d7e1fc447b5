"""Who is told when a client has taken what was written: a producer that never writes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IPullProducer
else:
    from reactor._ground.declare import IPullProducer, implementer

__all__ = ["UNSENT", "Unsent"]

#: Bytes of answers that a client has not taken at which no further request of its is read.
UNSENT = 131072


@implementer(IPullProducer)
class Unsent:
    """Calls `taken` once, when all that `transport` has queued by now is sent."""

    __slots__ = ("_asked", "_taken", "_transport")

    def __init__(self, transport: Any, taken: Callable[[], object]) -> None:
        self._transport = transport
        self._taken: Callable[[], object] | None = taken
        # A pull producer is asked once as it is registered.
        self._asked = False
        transport.registerProducer(self, False)
        self._asked = True

    def resumeProducing(self) -> None:
        """All is sent."""
        taken = self._taken
        if self._asked and taken is not None:
            self.stop()
            taken()

    def stopProducing(self) -> None:
        """The connection ends."""
        self._taken = None

    def stop(self) -> None:
        """Nobody needs to know any more."""
        self._taken = None
        self._transport.unregisterProducer()
