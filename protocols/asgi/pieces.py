"""The body of an answer that an application sends piece by piece, between it and the connection.

The connection asks for the next piece when there is room for it; one more waits here, and whoever sends another waits
until that one is taken. So an application goes no faster than its client reads.
"""

from __future__ import annotations

from protocols.asgi.error import Disconnected
from reactor.defer import Deferred, fail, succeed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Pieces"]


class Pieces:
    """An async iterable for `Response`, which `put` fills."""

    __slots__ = ("_asked", "_gone", "_makeFuture", "_outside", "_over", "_piece", "_problem", "_room")

    def __init__(
        self, makeFuture: Callable[[], asyncio.Future[None]], outside: Callable[[Callable[..., object], object], object]
    ) -> None:
        """
        :param makeFuture: makes a future of the application's loop.
        :param outside: calls a function with an argument in the connection's context, not the application's.
        """
        self._makeFuture = makeFuture
        self._outside = outside
        # Invariant: nobody has asked while there is a piece.
        self._piece: bytes | None = None
        self._asked: Deferred[bytes] | None = None
        self._room: asyncio.Future[None] | None = None
        self._problem: BaseException | None = None
        self._over = False
        # Nobody takes it: the client is gone, or the answer has no body; in that case nothing is wrong.
        self._gone = False

    # ---- The application ----

    async def put(self, data: bytes) -> None:
        """Have `data` sent; done when another piece may come. Disconnected when the client is gone."""
        while self._piece is not None and not self._gone:
            room = self._room = self._makeFuture()
            await room
        if self._gone or not data:
            return
        asked, self._asked = self._asked, None
        if asked is not None:
            self._outside(asked.callback, data)
        else:
            self._piece = data

    async def finish(self) -> None:
        """That was all."""
        self._over = True
        self._tell(StopAsyncIteration())

    def fail(self, problem: BaseException) -> None:
        """The rest cannot be had."""
        if not self._over:
            self._over = True
            self._problem = problem
            self._tell(problem)

    def _tell(self, problem: BaseException) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._outside(asked.errback, problem)

    # ---- The connection ----

    def __aiter__(self) -> Pieces:
        """Itself."""
        return self

    def __anext__(self) -> Deferred[bytes]:
        """The next piece, when there is one."""
        piece = self._piece
        if piece is not None:
            self._piece = None
            self._wake()
            return succeed(piece)
        if self._problem is not None:
            return fail(self._problem)
        if self._over:
            return fail(StopAsyncIteration())
        asked = self._asked = Deferred(self._forget)
        return asked

    def _forget(self, deferred: Deferred[bytes]) -> None:
        self._asked = None

    def close(self) -> None:
        """Nobody takes it any more."""
        self._gone = True
        self._piece = None
        self._wake()

    @property
    def isDropped(self) -> bool:
        """Whether nobody takes it."""
        return self._gone

    def _wake(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)


def gone() -> Disconnected:
    """What `send` raises then."""
    return Disconnected("the client is gone")
