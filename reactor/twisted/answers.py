"""Answers that are sent together, when what came in with one wait is told.

The answer to what a connection received is sent where its `dataReceived` returns. When that took long, as it does in
`twisted.web`, somebody who waits for it on the same machine is asleep by then: each send wakes him, which costs as much
as an echo, and he takes the processor's caches while the next callback wants them. With fifty connections of
`twisted.web` a request took 85 us of CPU time so, and 66 when what is ready at one time is answered at one time;
Twisted's reactors, which send in a later turn, take 77. An echo gains nothing by it.

So what came of a callback that did more than write once, and what a producer is registered for, is kept until the
turn's events are told, `LONGEST` seconds at most if others answer meanwhile, and `MOST` bytes at most.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor._core.loop import Loop
    from reactor._transport.stream.wire import Wire

# Seconds. A batch of a hundred requests of twisted.web's; what is longer would be felt by whoever waits for the first.
LONGEST = 0.005
# Bytes of one of them: more is sent while it is in the processor's cache.
MOST = 16384


class Answers:
    """The wires of one loop whose answers are to be sent."""

    def __init__(self, loop: Loop) -> None:
        """None yet."""
        self._soon = loop.soon
        self._wires: list[Wire] = []
        # Invariant: while it is true, `_due` is in the loop's calls, which it makes before it waits again.
        self._asked = False
        self._since = 0.0

    def add(self, wire: Wire) -> None:
        """`wire`, which is marked, has something to send."""
        wires = self._wires
        wires.append(wire)
        now = monotonic()
        if len(wires) == 1:
            self._since = now
            if not self._asked:
                self._asked = True
                self._soon(self._due)
        elif now - self._since >= LONGEST:
            self.send()

    def _due(self) -> None:
        self._asked = False
        self.send()

    def send(self) -> None:
        """Send them all."""
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.flush()
