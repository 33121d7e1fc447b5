"""The body of an answer that a thread makes piece by piece, between it and the connection: in the reactor's thread."""

from __future__ import annotations

from reactor.defer import Deferred, fail, succeed

__all__ = ["Gone", "Pieces"]


class Gone(ConnectionResetError):
    """The client is gone: whoever makes the answer may stop."""


class Pieces:
    """An async iterable for `Response`, which `put` fills: one piece waits here at most."""

    def __init__(self) -> None:
        # Invariant: nobody has asked while there is a piece.
        self._piece: bytes | None = None
        self._room: Deferred[None] | None = None
        self._asked: Deferred[bytes] | None = None
        self._end: BaseException | None = None
        self._gone = False

    def put(self, data: bytes) -> Deferred[None]:
        """Have `data` sent. Fires when it is on its way; fails with `Gone`."""
        if self._gone:
            return fail(Gone("the client is gone"))
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.callback(data)
            return succeed(None)
        self._piece = data
        room = self._room = Deferred()
        return room

    def finish(self, problem: BaseException | None = None) -> None:
        """That was all, or the rest cannot be had."""
        self._end = StopAsyncIteration() if problem is None else problem
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.errback(self._end)

    def __aiter__(self) -> Pieces:
        """Itself."""
        return self

    def __anext__(self) -> Deferred[bytes]:
        """The next piece, when there is one."""
        piece, self._piece = self._piece, None
        if piece is not None:
            room, self._room = self._room, None
            if room is not None:
                room.callback(None)
            return succeed(piece)
        if self._end is not None:
            return fail(self._end)
        asked = self._asked = Deferred(self._forget)
        return asked

    def _forget(self, deferred: Deferred[bytes]) -> None:
        self._asked = None

    def close(self) -> None:
        """Nobody takes it any more."""
        self._gone = True
        room, self._room = self._room, None
        if room is not None:
            room.errback(Gone("the client is gone"))
