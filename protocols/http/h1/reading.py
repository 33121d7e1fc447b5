"""Where the bytes wait that a reader has not read, when it goes on, and how a reading ends.

Bytes in, calls out; no transport, no clock. Each byte is looked at a fixed number of times however it comes: a message
that comes whole is read where it lies, and one that drips is looked at from where the last look ended. What is wrong is
refused for the same reason however the bytes were cut.
"""

from __future__ import annotations

from protocols.http.error import BadMessage, HTTPError, Incomplete, TooLarge
from protocols.http.h1.startlines import BAD_BYTE
from protocols.http.h1.states import Event, State, after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from protocols.http.limits import Limits

__all__ = ["Reading"]

# A global is found faster than a member of an enum.
_HEAD = State.HEAD
_HELD = State.HELD
_CLOSED = State.CLOSED


class Reading:
    """The part of a reader that keeps what waits; `Reader` knows bodies, and those that derive from it heads.

    :ivar limits: its `Limits`.
    :ivar state: its `State`.
    """

    __slots__ = (
        "_at",
        "_data",
        "_ended",
        "_expected",
        "_isPartial",
        "_left",
        "_lineStart",
        "_next",
        "_overhead",
        "_paused",
        "_received",
        "_running",
        "_scanned",
        "_tail",
        "limits",
        "state",
    )

    #: The functions that read on in each state, by its number. False: what waits is not all that they need.
    _steps: ClassVar[tuple[Callable[[Any], bool], ...]]

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = State.HEAD
        # Invariant: what waits is _data[_at:], then _tail. If _isPartial, _data is empty, the tail was looked at up to
        # _scanned, and is not all of what the state needs.
        self._data = b""
        self._at = 0
        self._tail: bytearray | None = None
        self._isPartial = False
        self._scanned = 0
        # Where the line begins that is not complete.
        self._lineStart = 0
        self._paused = False
        self._running = False
        self._ended = False
        # The body: how much of it, or of the chunk, is to come; how much was announced; how much has come, and how much
        # framing with it.
        self._left = 0
        self._expected: int | None = None
        self._received = 0
        self._overhead = 0
        # What is to happen behind the message.
        self._next = Event.MESSAGE

    # ---- From outside ----

    def receive(self, data: bytes) -> None:
        """Bytes came: call the sink for all that is whole.

        :raises BadMessage: if they are none that may come here. Nothing is read after that.
        :raises TooLarge: if there are more of something than a limit allows. Nothing is read after that.
        """
        if self._data or self._tail is not None or self.state >= _CLOSED:
            self._keep(data)
        else:
            self._data = data if data.__class__ is bytes else bytes(data)
            self._at = 0
        if not (self._running or self._paused):
            self._run()

    def pause(self) -> None:
        """Call nothing any more until `resume`. What has come waits, and so does what comes."""
        self._paused = True

    def resume(self) -> None:
        """Go on: behind `pause`, and behind a request that asked for another protocol and does not get it.

        From inside a call of the sink it only allows what follows. Raises as `receive` does.
        """
        self._paused = False
        if self.state is State.HELD:
            self.state = after(State.HELD, Event.RESUME)
        if not self._running:
            self._run()

    @property
    def paused(self) -> bool:
        """Whether nothing is called until `resume`."""
        return self._paused or self.state is State.HELD

    @property
    def buffered(self) -> int:
        """How many bytes have come and wait."""
        return len(self._data) - self._at + (0 if self._tail is None else len(self._tail))

    def ended(self) -> None:
        """The peer has ended the connection in good order: nothing more comes. Not to be called when it broke.

        :raises Incomplete: if that is in the middle of a message. If the reader is paused and something waits, it is
            `resume` that raises it.
        """
        self._ended = True
        if not (self._running or self._paused):
            self._run()

    def switch(self) -> bytes:
        """The connection is another protocol's from here on.

        To be called behind a head, or the message, with which that was agreed: CONNECT, 101, an Upgrade.

        :return: what has come behind it.
        :raises RuntimeError: in the middle of a message.
        """
        if self.state is State.LENGTH and not self._left:
            # The message is whole but for being told so.
            self.state = State.HEAD
        self.state = after(self.state, Event.SWITCH)
        rest = self._data[self._at :]
        if self._tail is not None:
            rest += self._tail
        self._forget()
        return rest

    # ---- Going on ----

    def _run(self) -> None:
        """Read what has come, until there is no more, or nothing may be called."""
        self._running = True
        steps = self._steps
        try:
            while not self._paused and self.state < _HELD:
                if self._at == len(self._data):
                    self._data = b""
                    self._at = 0
                    if self._tail is None and self.state is _HEAD:
                        break
                    if not self._refill():
                        break
                    continue
                if not steps[self.state](self):
                    if self._tail is None:
                        self._putAside()
                        self._look()
                        break
                    # Came while nothing could be called.
                    self._takeUp()
            if self._ended or self.state >= _CLOSED:
                self._afterwards()
        except HTTPError as e:
            self.state = State.FAILED
            self._forget()
            raise e from None
        finally:
            self._running = False

    def _keep(self, data: bytes) -> None:
        """There is something that waits, so that this waits behind it; or nothing is read any more."""
        if self.state < _CLOSED:
            if self._tail is None:
                self._tail = bytearray()
            self._tail += data

    def _refill(self) -> bool:
        """All of the data has been read: whether there is more to do."""
        if self.state is State.LENGTH and not self._left:
            # All of it had come, and the end was not told since the last piece made somebody pause.
            self._whole([])
            return True
        if self._tail is None or (self._isPartial and not self._look()):
            return False
        self._takeUp()
        return True

    def _afterwards(self) -> None:
        """What came has been read, and nothing more will be, or will come."""
        if self.state is State.CLOSED:
            self._forget()
        elif self._ended and not self._paused:
            self._end()

    def _putAside(self) -> None:
        """What is left of the data is the beginning of something: it waits in the tail."""
        self._tail = bytearray(self._data[self._at :])
        self._isPartial = True
        self._data = b""
        self._at = self._scanned = self._lineStart = 0

    def _takeUp(self) -> None:
        """All that waits is to be read."""
        if self._tail is not None:
            self._data = self._data[self._at :] + self._tail
            self._at = 0
            self._tail = None
        self._isPartial = False
        self._scanned = self._lineStart = 0

    def _forget(self) -> None:
        self._data = b""
        self._at = 0
        self._tail = None
        self._isPartial = False

    def _look(self) -> bool:
        """More of what was not complete has come to the tail: whether it is now.

        :raises HTTPError: if it cannot become so.
        """
        tail = self._tail
        assert tail is not None
        if self.state is State.HEAD:
            return self._lookAtHead(tail)
        if self.state is State.TRAILERS:
            if tail.startswith(b"\r\n") or tail.find(b"\r\n\r\n", max(self._scanned - 3, 0)) >= 0:
                return True
            self._examine(tail, self.limits.line, self.limits.trailers, "trailers", "trailers")
            return False
        # The line of a chunk, or its end: short enough to be looked at again.
        return True

    def _lookAtHead(self, tail: bytearray) -> bool:
        raise NotImplementedError

    def _firstLine(self, line: bytes) -> None:
        """The first line of a head is complete: refuse what is none."""

    def _firstLineTooLong(self) -> TooLarge:
        raise NotImplementedError

    def _examineHead(self, head: bytes | bytearray) -> None:
        """`_examine` for a head."""
        raise NotImplementedError

    def _examineWhole(self, head: bytes) -> None:
        """Look at a whole head that may be larger than one of the limits."""
        self._examineHead(head)
        self._scanned = self._lineStart = 0

    def _examine(self, head: bytes | bytearray, first: int, most: int, place: str, behind: str) -> None:
        """Look at the beginning of a head (or trailers), or all of it, from where the last look ended.

        What comes first is what it is refused for, however much is there.

        :param first: how long its first line may be; any other is `Limits.line`.
        :param most: how long all of it may be.
        :param place: what its first line is called in an error, and `behind` all others.
        """
        isHead = place != "trailers"
        size = len(head)
        # A CR at the end may be half of a line's end, which has no part in the length of the line.
        content = size - 1 if head.endswith(b"\r") else size
        found = BAD_BYTE(head, max(self._scanned - 1, 0))
        bad = size if found is None else found.start()
        while True:
            start = self._lineStart
            end = head.find(b"\r\n", max(start, self._scanned - 1))
            stop = content if end < 0 else end
            tooLong = start + (first if start == 0 else self.limits.line)
            if found is not None and bad <= min(stop, tooLong, most):
                around = bytes(head[max(bad - 20, start) : bad + 20])
                raise BadMessage("control character or half a line end", 400, behind if start else place, around)
            if stop > tooLong and tooLong <= most:
                raise self._firstLineTooLong() if start == 0 and isHead else TooLarge("line", self.limits.line, 431)
            if (size if end < 0 else end + 2) > most:
                raise TooLarge("head" if isHead else "trailers", most, 431)
            if end < 0:
                break
            if start == 0 and isHead:
                self._firstLine(bytes(head[:end]))
            self._lineStart = end + 2
        self._scanned = size

    def _end(self) -> None:
        """The peer's end, and all that came before it has been read."""
        state = self.state
        if state >= State.HELD:
            return
        if state is State.HEAD:
            if self._tail is None and not self._isAwaited():
                self.state = after(state, Event.LAST_MESSAGE)
                return
            error = Incomplete(self.buffered, None, "head")
        elif state is State.UNTIL_CLOSE:
            self._whole([])
            return
        else:
            part = "trailers" if state is State.TRAILERS else "body"
            error = Incomplete(self._received, self._expected, part)
        raise error

    def _whole(self, trailers: list[tuple[bytes, bytes]]) -> None:
        raise NotImplementedError

    def _isAwaited(self) -> bool:
        """Whether a message must come."""
        return False
