"""How long anything may take on one connection: one timer, which looks at what is going on when it is due.

What happens on the connection only writes down what changed, if that much; the timer is not moved with each request. So
what is over time is noticed when it is looked at: heads and bodies to the second, an idle connection too, a client that
does not take its answer within twice the time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.http.server.connection import Connection

__all__ = ["Deadlines"]


class Deadlines:
    """Those of `channel`, whose `expired(phase, seconds)` is called.

    :ivar since: when the last answer was written, or the connection was made.
    """

    __slots__ = ("_channel", "_clock", "_count", "_head", "_headOf", "_mark", "_progress", "_timer", "since")

    def __init__(self, channel: Connection, clock: Any) -> None:
        self._channel = channel
        self._clock = clock
        self.since = clock.seconds()
        # When the head began that is coming, and how many requests could come then: with another number it has come.
        self._head = self.since
        self._headOf = channel._left
        # A body: how much had come, and when that was looked at. None: nothing of one is awaited.
        self._mark: float | None = None
        self._count = 0
        # What was written and what of it was not taken, and when that was looked at.
        self._progress: tuple[int, int, float] | None = None
        self._timer: Any = clock.callLater(channel.site.headTimeout, self._look)

    def headBegan(self) -> None:
        """Some of a head has come, and not all."""
        channel = self._channel
        if self._headOf != channel._left:
            self._headOf = channel._left
            self._head = self._clock.seconds()
            self._lookIn(channel.site.headTimeout)

    def bodyBegan(self) -> None:
        """Some of a body has come, or its head, and not all."""
        if self._mark is None:
            self.bodyResumed()

    def bodyResumed(self) -> None:
        """A body is awaited from now on."""
        body = self._channel._body
        if body is not None:
            self._mark = self._clock.seconds()
            self._count = body.received
            self._lookIn(self._channel.site.bodyTimeout)

    def stop(self) -> None:
        """The connection is over, or closes."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _lookIn(self, seconds: float) -> None:
        timer = self._timer
        if timer is not None and timer.active() and timer.getTime() > self._clock.seconds() + seconds:
            timer.reset(seconds)

    def _look(self) -> None:
        now = self._clock.seconds()
        found = self._next()
        due, phase, seconds = found(now)
        if due <= now:
            self._channel.expired(phase, seconds)
            due = now + seconds
        if self._timer is not None:
            self._timer = self._clock.callLater(due - now, self._look)

    def _next(self) -> Any:
        """What is awaited of the client."""
        channel = self._channel
        if channel.transport.buffered:
            return self._writing
        self._progress = None
        if channel._sender is not None and channel._sender.since is not None:
            return self._sending
        if channel._body is not None:
            return self._bodyComes
        self._mark = None
        if channel._request is None:
            return self._headComes
        return self._nothing

    def _writing(self, now: float) -> tuple[float, str, float]:
        channel, limit = self._channel, self._channel.site.writeTimeout
        unsent, written = channel.transport.buffered, channel.written
        before = self._progress
        # Encrypted, it is some more than was written.
        if before is None or unsent < before[1] or unsent - before[1] < written - before[0]:
            self._progress = written, unsent, now
            return now + limit, "write", limit
        return before[2] + limit, "write", limit

    def _sending(self, now: float) -> tuple[float, str, float]:
        sender, limit = self._channel._sender, self._channel.site.writeTimeout
        since = None if sender is None else sender.since
        return (now if since is None else since) + limit, "write", limit

    def _bodyComes(self, now: float) -> tuple[float, str, float]:
        """A body comes at `bodyRate`, over each stretch of `bodyTimeout`; unless it is we who do not take it."""
        channel, site = self._channel, self._channel.site
        body, limit = channel._body, site.bodyTimeout
        count = 0 if body is None else body.received
        mark = self._mark
        if mark is None or channel._held or (body is not None and body.isOver):
            self._mark, self._count = now, count
            return now + limit, "body", limit
        if now >= mark + limit and count - self._count >= site.bodyRate * limit:
            self._mark, self._count = now, count
            return now + limit, "body", limit
        return mark + limit, "body", limit

    def _headComes(self, now: float) -> tuple[float, str, float]:
        channel, site = self._channel, self._channel.site
        if self._headOf == channel._left:
            return self._head + site.headTimeout, "head", site.headTimeout
        if channel._reader.buffered:
            self._headOf, self._head = channel._left, now
            return now + site.headTimeout, "head", site.headTimeout
        return self.since + site.idleTimeout, "idle", site.idleTimeout

    def _nothing(self, now: float) -> tuple[float, str, float]:
        """The handler is at work, and may take its time."""
        limit = self._channel.site.idleTimeout
        return now + limit, "", limit
