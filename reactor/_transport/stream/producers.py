"""Who makes what a connection sends, and when it is told to go on or to wait. Pure: told how much is queued, calls the
producer, knows no socket.

A push producer (`streaming`) writes when it likes and is paused above `high` bytes queued, resumed when all is sent. A
pull producer writes once each time it is asked, and is asked when all is sent.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes queued, unless somebody says otherwise; one more pauses a push producer.
HIGH = 65536


class Source:
    """A registered producer."""

    __slots__ = ("high", "paused", "producer", "streaming")

    def __init__(self, producer: Any, streaming: bool, high: int = HIGH) -> None:
        self.producer = producer
        self.streaming = streaming
        self.high = high
        # A pull producer counts as paused until it is asked.
        self.paused = not streaming

    def fill(self, size: int) -> None:
        """`size` bytes are queued now that something was written."""
        if size > self.high and not self.paused:
            self.paused = True
            self.producer.pauseProducing()

    def left(self, size: int) -> None:
        """`size` bytes are left, after some were sent. A producer is told when none are."""

    def drained(self) -> None:
        """All is sent."""
        if self.paused:
            self.paused = not self.streaming
            self.producer.resumeProducing()

    @property
    def over(self) -> bool:
        """Whether the producer is a connection that closes or is closed: it writes no more, and unregisters never.

        So it is in a relay, where each of two transports is the other's producer.
        """
        producer = self.producer
        return bool(getattr(producer, "disconnecting", False) or getattr(producer, "disconnected", False))

    def stop(self) -> None:
        """Nothing will be sent any more."""
        self.producer.stopProducing()
