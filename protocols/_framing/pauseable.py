"""A protocol that can be told to wait."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Pauseable:
    """For protocols of a program's own that keep what they do not deliver while they are paused."""

    #: Whether nothing is delivered: `pauseProducing` was called, and `resumeProducing` not yet.
    paused: bool = False
    transport: Any

    if TYPE_CHECKING:

        def dataReceived(self, data: bytes) -> None: ...

    def pauseProducing(self) -> None:
        """Deliver nothing until `resumeProducing`; reading stops too."""
        self.paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again: reading goes on, and `dataReceived` is called with nothing, for what was kept."""
        self.paused = False
        self.transport.resumeProducing()
        self.dataReceived(b"")

    def stopProducing(self) -> None:
        """Deliver nothing any more, and lose the connection."""
        self.paused = True
        self.transport.stopProducing()
