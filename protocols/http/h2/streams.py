"""One stream of a connection: a request and its answer, of which one comes and the other is sent.

What comes is given to `user` as long as that takes it; beyond that it waits here as plain bytes, and the peer gets no
more window than was taken (RFC 9113, section 5.2). What is sent waits here until the peer's windows are open. Pure.
"""

from __future__ import annotations

from collections import deque

from protocols.http.h2.errors import CANCEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from protocols.http.error import HTTPError
    from protocols.http.h2.session import Session

    Pairs = list[tuple[bytes, bytes]]

    class User(Protocol):
        """Whose stream it is. `streamFailed` may follow `messageReceived`, as long as not all was sent."""

        def bodyReceived(self, data: bytes) -> None: ...
        def messageReceived(self, trailers: Pairs) -> None: ...
        def streamFailed(self, problem: HTTPError) -> None: ...
        def allSent(self) -> None:
            """The last frame was sent that `end` asked for."""

        def room(self) -> None:
            """Less than `ROOM` bytes wait to be sent, after there were more."""


__all__ = ["ROOM", "Stream"]

#: Bytes that wait to be sent at which whoever writes is to wait.
ROOM = 65536


class Stream:
    """See the module.

    :ivar id: its number.
    :ivar user: who is told; set when its head has come.
    :ivar method: of its request.
    :ivar unsent: bytes that wait to be sent.
    :ivar since: when some of those were sent last, or the first came; None while none wait.
    """

    __slots__ = (
        "_credit",
        "_held",
        "_out",
        "_pressed",
        "_silent",
        "_told",
        "_trailersOut",
        "ended",
        "ending",
        "expected",
        "id",
        "isOpen",
        "method",
        "paused",
        "received",
        "sentAll",
        "session",
        "since",
        "trailers",
        "unsent",
        "user",
    )

    def __init__(self, session: Session, number: int, method: str) -> None:
        self.session = session
        self.id = number
        self.user: Any = None
        self.method = method
        #: Whether frames may still come or be sent.
        self.isOpen = True
        # What comes: how much is to, and has; what waits since `user` has paused; what was taken and not given back.
        self.expected: int | None = None
        self.received = 0
        self.paused = False
        self.ended = False
        self.trailers: Pairs = []
        # Whether the user knows that all has come; whether it is to hear nothing any more.
        self._told = False
        self._silent = False
        self._held = bytearray()
        self._credit = 0
        # What is sent.
        self._out: deque[bytes] = deque()
        self._trailersOut: Pairs = []
        self._pressed = False
        self.unsent = 0
        self.since: float | None = None
        self.ending = False
        self.sentAll = False

    # ---- In ----

    @property
    def buffered(self) -> int:
        """Bytes that have come and that the user has not taken."""
        return len(self._held)

    def deliver(self, data: bytes, padding: int, ended: bool) -> None:
        """The session: a frame came."""
        self.received += len(data)
        self._give(padding)
        if ended:
            self.ended = True
        if self.paused:
            self._held += data
        elif data:
            self.user.bodyReceived(data)
            self._give(len(data))
        self._tellEnd()

    def pause(self) -> None:
        """The user takes no more for now."""
        self.paused = True

    def resume(self) -> None:
        """It takes some; it may be given some from inside."""
        if not self.paused:
            return
        self.paused = False
        if self._held and not self._told:
            data = bytes(self._held)
            self._held.clear()
            self.user.bodyReceived(data)
            self._give(len(data))
        self._tellEnd()
        self.session.touched()

    def _tellEnd(self) -> None:
        if self.ended and not self._held and not self._told:
            self._told = True
            self.user.messageReceived(self.trailers)
            self._over()

    def _give(self, count: int) -> None:
        """The reader has taken so much: the peer may send as much again."""
        self._credit += count
        if self._credit >= self.session.bounds.streamWindow // 2 and not self.ended and self.isOpen:
            credit, self._credit = self._credit, 0
            self.session.widen(self, credit)

    def fail(self, problem: HTTPError) -> None:
        """The session: it is over, and was not whole."""
        self.isOpen = False
        self._drop()
        if not self._silent and self.user is not None:
            self._told = self._silent = True
            self._held.clear()
            self.user.streamFailed(problem)

    # ---- Out ----

    def sendHead(self, headers: Pairs, end: bool = False) -> None:
        """Send a head: pseudo-header fields first, all checked and in lower case. With `end` nothing follows."""
        if self.isOpen:
            self.session.sendHead(self, headers, end)
            if end:
                self.ending = self.sentAll = True
                self._over()
            self.session.touched()

    def write(self, data: bytes) -> None:
        """Send some of the body, when there is room for it."""
        if data and self.isOpen and not self.ending:
            self._out.append(data)
            self.unsent += len(data)
            self.session.queue(self, len(data))
            if self.unsent > ROOM:
                self._pressed = True
            self.session.touched()

    def end(self, trailers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """The body is whole."""
        if self.isOpen and not self.ending:
            self.ending = True
            self._trailersOut = list(trailers)
            self.session.queue(self, 0)
            self.session.touched()

    def reset(self, code: int = CANCEL) -> None:
        """Give it up: nothing is sent or told any more."""
        if self.isOpen:
            self._told = self._silent = True
            self.isOpen = False
            self._drop()
            self._held.clear()
            self.session.resetStream(self, code)
            self.session.touched()

    def _drop(self) -> None:
        self.session.unqueue(self, self.unsent)
        self.unsent = 0
        self.since = None
        self._out.clear()

    def next(self, most: int) -> tuple[bytes, bool]:
        """The session: at most `most` bytes that wait, and whether nothing follows them, trailers neither."""
        out = self._out
        pieces, size = [], 0
        while out and size < most:
            piece = out.popleft()
            if len(piece) > most - size:
                # A view, so that a large body is not copied once for each frame.
                view = memoryview(piece)
                out.appendleft(view[most - size :])  # type: ignore[arg-type]
                piece = view[: most - size]  # type: ignore[assignment]
            pieces.append(piece)
            size += len(piece)
        self.unsent -= size
        return b"".join(pieces), self.ending and not out and not self._trailersOut

    @property
    def lastTrailers(self) -> Pairs:
        """What is to be sent behind the body, once that is sent."""
        return self._trailersOut if self.ending and not self._out else []

    def sent(self) -> None:
        """The session: a part of it is sent, or all."""
        if self._pressed and self.unsent < ROOM // 2 and not self.ending:
            self._pressed = False
            self.user.room()

    @property
    def isPressed(self) -> bool:
        """Whether whoever writes is to wait for `room`."""
        return self._pressed

    def _over(self) -> None:
        if self.sentAll and self._told and self.isOpen:
            self.isOpen = False
            self.session.forget(self)

    def finished(self) -> None:
        """The session: its last frame is sent."""
        self.sentAll = True
        self.since = None
        self._over()
        self.user.allSent()
