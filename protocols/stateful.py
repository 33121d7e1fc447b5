"""Protocols as chains of "when so many bytes are there, call this"."""

from __future__ import annotations

from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    State = tuple[Callable[[bytes], Any], int]

__all__ = ["StatefulProtocol"]


class StatefulProtocol(Protocol):
    """Collects bytes for its state, a pair: a function, and how many bytes it is to be called with.

    What the function returns is the next state; None: the same again. Nothing is called any more once the transport was
    asked to close.
    """

    #: Bytes a state may ask for. More, which a peer may have announced, is `lengthLimitExceeded`.
    MAX_LENGTH = 99999

    _state: State | None = None
    _rest: bytearray | None = None

    def getInitialState(self) -> State:
        """The first state. To be overridden: NotImplementedError otherwise."""
        raise NotImplementedError(f"{type(self).__name__} has no getInitialState")

    def makeConnection(self, transport: Any) -> None:
        """The connection is there. After `connectionMade`, asks for the first state."""
        super().makeConnection(transport)
        self._rest = bytearray()
        self._state = self.getInitialState()

    def lengthLimitExceeded(self, length: int) -> None:
        """A state asked for `length` bytes, more than `MAX_LENGTH`. Closes the connection; for subclasses."""
        self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Collect `data`, and call functions as long as there is enough for them.

        :raises ValueError: when a state asks for less than 0 bytes, or for 0 again and again.
        """
        rest = self._rest
        if rest is None:
            return
        rest += data
        used = 0
        while self._state is not None:
            function, length = self._state
            if length > self.MAX_LENGTH:
                self._rest = self._state = None
                self.lengthLimitExceeded(length)
                return
            if length < 0:
                raise ValueError(f"a state of {type(self).__name__} asks for {length} bytes: {self._state!r}")
            if len(rest) - used < length:
                break
            piece = bytes(rest[used : used + length])
            used += length
            following = function(piece)
            if self.transport.disconnecting:
                self._rest = self._state = None
                return
            if following:
                self._state = following
            elif not length:
                raise ValueError(f"a state of {type(self).__name__} asks for 0 bytes for ever: {self._state!r}")
        del rest[:used]
