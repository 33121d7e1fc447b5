"""What makes an end of a simulated connection write: producers of each kind, each of which fails when it is asked for
something out of turn.
"""

from __future__ import annotations

from reactor._transport.stream.producers import HIGH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reactor.testing.simulation.ends import End

PULLS, PULLED = 3, 100
PUSHES, PUSHED = 12, 20_000


class Idler:
    """A push producer that writes nothing by itself, and is unregistered by somebody else."""

    streaming = True

    def __init__(self, end: End) -> None:
        """For `end`."""
        self.end = end
        self.paused = False

    def begin(self) -> None:
        """It is registered."""

    def pauseProducing(self) -> None:
        """It wrote much: it is to wait."""
        assert self.end.producing is self, "paused, and not registered"
        assert not self.paused, "paused twice"
        self.paused = True

    def resumeProducing(self) -> None:
        """It may go on."""
        assert self.end.producing is self, "resumed, and not registered"
        assert self.paused, "resumed, and not paused"
        self.paused = False

    def stopProducing(self) -> None:
        """Nothing more is sent."""
        end = self.end
        assert not end.lost or end.producing is None, "E32: stopped after connectionLost"
        end.stops += 1
        end.producing = None


class Pusher(Idler):
    """A push producer that writes as long as it may, until it has written it all."""

    def __init__(self, end: End) -> None:
        """For `end`."""
        super().__init__(end)
        self.left = PUSHES

    def begin(self) -> None:
        """Write until somebody says stop."""
        end = self.end
        # A byte at a time would take for ever.
        size = PUSHED if end.roomy else PULLED
        while self.left and not self.paused and end.producing is self:
            self.left -= 1
            end.do(size)
            if end.producing is self and not end.waiting and not end.asked:
                buffered = end.transport.buffered
                assert self.paused or buffered <= HIGH, f"E30: {buffered} bytes are queued, and it is not told to wait"
        if not self.left and end.producing is self:
            end.do("unregister")

    def resumeProducing(self) -> None:
        """It may go on."""
        super().resumeProducing()
        self.begin()


class Puller(Idler):
    """A producer that writes when it is asked, three times."""

    streaming = False

    def __init__(self, end: End) -> None:
        """For `end`."""
        super().__init__(end)
        self.left = PULLS

    def pauseProducing(self) -> None:
        """Never asked of this kind."""
        raise AssertionError("a pull producer was paused")

    def resumeProducing(self) -> None:
        """Write once."""
        assert self.end.producing is self, "asked, and not registered"
        self.left -= 1
        self.end.do(PULLED)
        if not self.left:
            self.end.do("unregister")


PRODUCERS = {"register": Idler, "push": Pusher, "pull": Puller}
