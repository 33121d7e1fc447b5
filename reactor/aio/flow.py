"""When a protocol is told to write no more for now, and to go on: between a high and a low number of bytes that wait to
be sent. Pure: told how much is queued.

Only a transport whose buffer has grown beyond the high mark has one of these as its wire's source of data; so nothing
is counted for the others.
"""

from __future__ import annotations

from reactor._transport.stream.producers import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HIGH = 65536


class Limited:
    """A transport whose protocol is told: both marks, and who is told how. What it is in front of looks at them."""

    # None of its own, so that it goes with asyncio's classes; whoever is limited has these.
    __slots__ = ()

    _high: int
    _low: int
    _pausedWriting: bool
    _protocol: Any

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high mark, in bytes, see `set_write_buffer_limits`."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have the protocol told to pause above `high` bytes that wait, and to go on when `low` are left.

        ValueError unless high >= low >= 0. Defaults: 64 KiB, and a quarter of `high`.
        """
        self._high, self._low = limits(high, low)  # type: ignore[misc]
        self._press()

    def _press(self) -> None:
        """Tell the protocol to pause, if too much waits."""
        raise NotImplementedError

    def _report(self, problem: BaseException, text: str) -> None:
        raise NotImplementedError

    def _pauseWriting(self) -> None:
        self._pausedWriting = True  # type: ignore[misc]
        self._tellWriting("pause_writing")

    def _resumeWriting(self) -> None:
        """Little enough waits: tell the protocol, if it was told to pause."""
        if self._pausedWriting:
            self._pausedWriting = False  # type: ignore[misc]
            self._tellWriting("resume_writing")

    def _tellWriting(self, method: str) -> None:
        try:
            getattr(self._protocol, method)()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._report(e, f"protocol.{method}() failed")


class Flow(Source):
    """The source of a wire, or pipe, whose protocol was told to pause."""

    __slots__ = ("_below", "_transport")

    def __init__(self, transport: Limited, below: Any) -> None:
        """`below` has this as its `source`."""
        super().__init__(None, True)
        self._transport: Limited | None = transport
        self._below = below

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
            if self._below.source is self:
                self._below.source = None
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
