"""`Body`: a body that comes, as whoever reads it sees it: piece by piece, or whole with a bound.

It stands between a connection, which feeds it, and one reader. What nobody has read waits, and when more than a bound
waits the connection is paused: nothing comes faster than it is taken. It knows no transport, and no codings.
"""

from __future__ import annotations

from protocols.http.error import TooLarge
from reactor.defer import Deferred, fail, succeed
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zope.interface import implementer

    from reactor.interfaces import IPushProducer
else:
    from reactor._ground.declare import IPushProducer, implementer

__all__ = ["Body", "HELD"]

#: Bytes that wait until the connection is paused.
HELD = 65536
# What a piece that waits takes besides its bytes: of those with two bytes each, half a million would be within HELD.
_PIECE = 64


class Body:
    """One body. ``async for piece in body``, `read` and `deliver` are the three ways to take it, one at a time.

    :ivar received: how many bytes have come, taken or not.
    :ivar problem: what it failed with, for whoever reads it: what broke it off, or that it was too large; None so far.
    :ivar trailers: the fields behind it as pairs of bytes; None before it has ended.
    """

    __slots__ = (
        "_begin",
        "_discarding",
        "_failure",
        "_held",
        "_limit",
        "_paused",
        "_pieces",
        "_resume",
        "_stop",
        "_waiting",
        "_weight",
        "_whole",
        "problem",
        "received",
        "trailers",
    )

    def __init__(
        self,
        pause: Callable[[], object],
        resume: Callable[[], object],
        begin: Callable[[], object] | None = None,
        held: int = HELD,
    ) -> None:
        """
        :param pause: called when more than `held` bytes wait, and not again before `resume` was.
        :param resume: called when those are taken; it may feed this body from inside.
        :param begin: called once, when somebody waits for a piece for the first time: for 100 Continue.
        """
        self._stop = pause
        self._resume = resume
        self._begin = begin
        self._held = held
        self._pieces: list[bytes] = []
        # What those weigh: their bytes, and something for each.
        self._weight = 0
        self._paused = False
        self._discarding = False
        self._failure: Failure | None = None
        # Who waits: for the next piece, or if `_whole` for all of it, of `_limit` bytes at most.
        self._waiting: Deferred[bytes] | None = None
        self._whole = False
        self._limit: int | None = None
        self.received = 0
        self.problem: BaseException | None = None
        self.trailers: list[tuple[bytes, bytes]] | None = None

    # ---- Who feeds it ----

    def bodyReceived(self, data: bytes) -> None:
        """A piece came, not an empty one."""
        self.received += len(data)
        waiting = self._waiting
        if waiting is not None and not self._whole:
            self._waiting = None
            waiting.callback(data)
            return
        if self._discarding:
            return
        self._pieces.append(data)
        self._weight += len(data) + _PIECE
        if waiting is None:
            if self._weight > self._held and not self._paused:
                self._paused = True
                self._stop()
        elif self._limit is not None and self.buffered > self._limit:
            self._waiting = None
            waiting.errback(self._tooLarge(self._limit))

    def bodyEnded(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """It is whole."""
        if self.isOver:
            return
        self.trailers = trailers
        self._begin = None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            if self._whole:
                waiting.callback(self._taken())
            else:
                waiting.errback(StopAsyncIteration())

    def bodyFailed(self, reason: Failure | BaseException) -> None:
        """It broke off: what has come can still be taken piece by piece, then `reason` is raised."""
        if self.isOver:
            return
        failure = self._failure = reason if isinstance(reason, Failure) else Failure(reason)
        self.problem = failure.value
        self._begin = None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(self._failure)

    # ---- Who reads it ----

    @property
    def buffered(self) -> int:
        """Bytes that have come and were not taken."""
        return self._weight - _PIECE * len(self._pieces)

    @property
    def isWhole(self) -> bool:
        """Whether all of it has come."""
        return self.trailers is not None

    @property
    def isOver(self) -> bool:
        """Whether nothing more comes: it is whole, or broke off."""
        return self.trailers is not None or self._failure is not None

    @property
    def isPaused(self) -> bool:
        """Whether the connection is paused since more waits than may."""
        return self._paused

    @property
    def isAwaited(self) -> bool:
        """Whether somebody waits for more of it to come."""
        return self._waiting is not None

    def __aiter__(self) -> Body:
        """Itself: what has come, never empty, until it is whole. What broke it off is raised behind what came."""
        return self

    def __anext__(self) -> Deferred[bytes]:
        """What has come and was not taken, or the next piece. RuntimeError while somebody else waits."""
        self._alone()
        if self._pieces:
            return succeed(self._taken())
        if self._failure is not None:
            return fail(Failure(self._failure.value))
        if self.trailers is not None:
            return fail(StopAsyncIteration())
        return self._wait(False, None)

    def read(self, limit: int | None = None) -> Deferred[bytes]:
        """All that has not been taken, when it has come.

        It fails with TooLarge as soon as that is more than `limit` bytes (None: no bound), and the body is discarded
        then; and with what broke it off. Cancelled, it leaves what has come to the next reader.
        """
        self._alone()
        if limit is not None and self.buffered > limit:
            return fail(self._tooLarge(limit))
        if self._failure is not None:
            return fail(Failure(self._failure.value))
        if self.trailers is not None:
            return succeed(self._taken())
        return self._wait(True, limit)

    def deliver(self, consumer: Any) -> Deferred[int]:
        """Write all of it to `consumer` (an IConsumer, a transport mostly), no faster than that takes it.

        The Deferred fires with the number of bytes when the last was written; it fails with what broke the body off,
        and with ConnectionLost when the consumer wants no more. Cancelling it stops the delivery. RuntimeError when
        the consumer has a producer.
        """
        return _Delivery(self, consumer).begin()

    def discard(self) -> None:
        """Nobody will read it: forget what has come, and what comes. The connection is not held up by it any more."""
        self._discarding = True
        self._pieces = []
        self._weight = 0
        self._go()

    # ---- Inside ----

    def _alone(self) -> None:
        if self._waiting is not None:
            raise RuntimeError("somebody else is reading this body")

    def _wait(self, whole: bool, limit: int | None) -> Deferred[bytes]:
        waiting = self._waiting = Deferred(self._forget)
        self._whole = whole
        self._limit = limit
        begin, self._begin = self._begin, None
        if begin is not None:
            begin()
        self._go()
        return waiting

    def _tooLarge(self, limit: int) -> TooLarge:
        self.discard()
        problem = self.problem = TooLarge("body", limit)
        return problem

    def _forget(self, deferred: Deferred[bytes]) -> None:
        self._waiting = None

    def _go(self) -> None:
        if self._paused:
            self._paused = False
            self._resume()

    def _taken(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._weight = 0
        self._go()
        return data


@implementer(IPushProducer)
class _Delivery:
    """Writes a body to a consumer."""

    def __init__(self, body: Body, consumer: Any) -> None:
        self._body = body
        self._consumer = consumer
        self._count = 0
        self._paused = False
        # Invariant: `_next` is None unless a piece is awaited; `_over` as soon as the consumer hears no more from here.
        self._next: Deferred[bytes] | None = None
        self._running = False
        self._over = False
        self._done: Deferred[int] = Deferred(self._cancelled)

    def begin(self) -> Deferred[int]:
        """Register with the consumer, and deliver what is there."""
        self._consumer.registerProducer(self, True)
        self._go()
        return self._done

    def _go(self) -> None:
        if self._running:
            return
        self._running = True
        while not (self._paused or self._over or self._next is not None):
            following = self._next = self._body.__anext__()
            following.addCallbacks(self._received, self._ended)
        self._running = False

    def _received(self, data: bytes) -> None:
        self._next = None
        self._count += len(data)
        self._consumer.write(data)
        self._go()

    def _ended(self, reason: Failure) -> None:
        self._next = None
        if self._over:
            return
        self._over = True
        self._consumer.unregisterProducer()
        if not self._done.called:
            self._done.callback(self._count if reason.check(StopAsyncIteration) is not None else reason)

    def _cancelled(self, deferred: Deferred[int]) -> None:
        if not self._over:
            self._consumer.unregisterProducer()
            self._give()

    def _give(self) -> None:
        self._over = True
        if self._next is not None:
            self._next.cancel()

    def pauseProducing(self) -> None:
        """The consumer has enough for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It has room."""
        self._paused = False
        self._go()

    def stopProducing(self) -> None:
        """It wants no more."""
        if not self._over:
            self._give()
            self._done.errback(ConnectionLost(f"who takes the body was gone after {self._count} bytes of it"))
