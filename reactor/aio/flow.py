"""When a protocol is told to write no more for now, and to go on: between a high and a low number of bytes that wait to
be sent. Pure: told how much is queued.

Only a transport whose buffer has grown beyond the high mark has one of these as its wire's source of data; so nothing
is counted for the others.
"""

from __future__ import annotations

from reactor._transport.stream.producers import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.aio.transport import StreamTransport

HIGH = 65536


class Flow(Source):
    """The source of a wire whose protocol was told to pause."""

    __slots__ = ("_transport",)

    def __init__(self, transport: StreamTransport) -> None:
        super().__init__(None, True)
        self._transport: StreamTransport | None = transport

    def fill(self, size: int) -> None:
        """More was written; who writes was told already."""

    def left(self, size: int) -> None:
        """So much is left after something was sent."""
        transport = self._transport
        if transport is not None and size <= transport._low:
            self._resume()

    def drained(self) -> None:
        """All is sent."""
        self._resume()

    def _resume(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport._resumeWriting()

    @property
    def over(self) -> bool:
        """A close waits for nobody."""
        return True

    def stop(self) -> None:
        """The connection is over."""
        self._transport = None


def limits(high: int | None, low: int | None) -> tuple[int, int]:
    """Both marks, in bytes, from what `set_write_buffer_limits` was given. ValueError unless high >= low >= 0."""
    if high is None:
        high = HIGH if low is None else 4 * low
    if low is None:
        low = high // 4
    if not high >= low >= 0:
        raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
    return high, low
