"""One end of a WebSocket from its opening to its end, without a socket and a clock: what may be said when, how a Close
is answered, and how it ended (RFC 6455, sections 5.5 and 7).

What comes goes to a `MessageReader`, which tells messages to whoever wants them and control frames here; what is to be
sent goes to `write`; everything else is told to `shell`.
"""

from __future__ import annotations

from enum import Enum

from protocols.websocket._codes import CloseCode, isSendable
from protocols.websocket._frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    Keys,
    frame,
    maskedFrame,
)
from protocols.websocket._reader import MessageReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from protocols.websocket._deflate import Deflate
    from protocols.websocket._options import Options
    from protocols.websocket._reader import Sink

    class Shell(Protocol):
        """Who holds the connection. `closed` or `failed` is called at most once."""

        def pinged(self, payload: bytes) -> object: ...
        def ponged(self, payload: bytes) -> object: ...
        def closed(self) -> object: ...
        def failed(self) -> object: ...
        def raised(self, problem: Exception) -> object: ...


__all__ = ["LISTENING", "Event", "Session", "State", "asPayload", "closing"]


class State(Enum):
    """What was said so far."""

    #: Messages go both ways.
    OPEN = "open"
    #: This end has said Close.
    CLOSING = "closing"
    #: Both have.
    CLOSED = "closed"
    #: It is over without that.
    FAILED = "failed"


class Event(Enum):
    """What leads from one to the next."""

    SAY_CLOSE = "this end says Close"
    HEAR_CLOSE = "the peer says Close"
    BREAK = "the peer broke the protocol"
    END = "the connection is over"


# What is not listed is a bug, and raises KeyError.
TABLE = {
    (State.OPEN, Event.SAY_CLOSE): State.CLOSING,
    (State.OPEN, Event.HEAR_CLOSE): State.CLOSED,
    (State.OPEN, Event.BREAK): State.FAILED,
    (State.OPEN, Event.END): State.FAILED,
    (State.CLOSING, Event.HEAR_CLOSE): State.CLOSED,
    (State.CLOSING, Event.BREAK): State.FAILED,
    (State.CLOSING, Event.END): State.FAILED,
    (State.CLOSED, Event.END): State.CLOSED,
    (State.FAILED, Event.END): State.FAILED,
}


# Frames of the peer's are read.
LISTENING = (State.OPEN, State.CLOSING)


class _Nobody:
    def messageReceived(self, message: Any) -> None:
        """Nobody wants it."""

    pingReceived = pongReceived = raised = messageReceived

    def closeReceived(self, code: int, reason: str) -> None:
        """Nor that."""

    brokenProtocol = closeReceived


_NOBODY = _Nobody()


def asPayload(where: str, message: Any) -> tuple[int, bytes]:
    """The opcode and the bytes of a message; TypeError, which names `where`, for what is none."""
    if message.__class__ is str:
        return TEXT, message.encode()
    if message.__class__ is bytes:
        return BINARY, message
    if isinstance(message, str):
        return TEXT, message.encode()
    if isinstance(message, (bytes, bytearray, memoryview)):
        return BINARY, bytes(message)
    raise TypeError(f"{where}: a message must be str or bytes, not {type(message).__name__} ({repr(message)[:60]})")


class Session:
    """One end. Pure.

    :ivar state: see `State`.
    :ivar reader: gets what comes: ``reader.receive(data)``.
    :ivar pack: makes a frame of its first byte and the payload, and compresses it where that was agreed on.
    :ivar code, reason: how it ended, as `WebSocketClosed` and `WebSocketLost` tell; while it is open, how it would if
        it broke now.
    :ivar byPeer: whether the peer said Close first.
    """

    __slots__ = (
        "_deflate",
        "_keys",
        "_sending",
        "_shell",
        "byPeer",
        "client",
        "code",
        "pack",
        "reader",
        "reason",
        "state",
        "write",
    )

    def __init__(
        self,
        client: bool,
        sink: Sink,
        shell: Shell,
        write: Callable[[bytes], object],
        options: Options,
        deflate: Deflate | None = None,
    ) -> None:
        """`client`: whether this end is the one that asked. `write` is called with bytes to be sent."""
        self.client = client
        self.state = State.OPEN
        self.code: int = CloseCode.ABNORMAL
        self.reason = ""
        self.byPeer = False
        self.write = write
        self.reader = MessageReader(sink, self, not client, options.maxMessage, options.maxFragments, deflate)
        self._shell: Shell | None = shell
        self._deflate = deflate
        self._keys = Keys() if client else None
        # Whether a message is being sent in fragments.
        self._sending = False
        self.pack: Callable[[int, bytes], bytes] = (
            self._packDeflated if deflate is not None else self._packMasked if client else frame
        )

    # Out.

    def _packMasked(self, first: int, payload: bytes) -> bytes:
        assert self._keys is not None
        return maskedFrame(first, payload, self._keys.next())

    def _packDeflated(self, first: int, payload: bytes) -> bytes:
        if payload and (first == FIN | TEXT or first == FIN | BINARY):
            assert self._deflate is not None
            first, payload = first | RSV1, self._deflate.deflate(payload)
        return frame(first, payload) if self._keys is None else maskedFrame(first, payload, self._keys.next())

    def fragment(self, opcode: int, payload: bytes, last: bool) -> None:
        """Send a part of a message, which is never compressed; `opcode` says what the first one begins."""
        if self.state is State.OPEN:
            first = CONTINUATION if self._sending else opcode
            self._sending = not last
            self.write(self._plain(first | FIN if last else first, payload))

    def _plain(self, first: int, payload: bytes) -> bytes:
        return frame(first, payload) if self._keys is None else maskedFrame(first, payload, self._keys.next())

    def ping(self, payload: bytes) -> None:
        """Ask for an answer; `shell.ponged` tells what it was."""
        if self.state is State.OPEN:
            self.write(self._plain(FIN | PING, payload))

    def close(self, code: int, reason: bytes) -> None:
        """Say Close. What the peer still sends is not told any more."""
        self._step(Event.SAY_CLOSE)
        self.reader.sink = _NOBODY
        self._sayClose(code, reason)

    def _sayClose(self, code: int, reason: bytes) -> None:
        payload = b"" if code == CloseCode.NO_STATUS else code.to_bytes(2, "big") + reason
        self.write(self._plain(FIN | CLOSE, payload))

    def fail(self, code: int, reason: str) -> None:
        """Say why, if nothing was said yet, and have the connection closed: it is of no use any more."""
        before = self.state
        if before not in LISTENING:
            return
        self._step(Event.BREAK)
        self.reader.end()
        self.code, self.reason = code, reason
        if before is State.OPEN:
            # What the peer sent may stand in it, and 123 bytes are what a Close frame holds.
            self._sayClose(code, reason.encode("utf-8", "replace")[:120].decode("utf-8", "ignore").encode())
        if self._shell is not None:
            self._shell.failed()

    def ended(self) -> None:
        """The connection is over. Lets go of everybody."""
        self._step(Event.END)
        self.reader.release(_NOBODY)
        self._shell = None
        self.write = _NOBODY.messageReceived
        self.pack = frame

    def _step(self, event: Event) -> None:
        self.state = TABLE[self.state, event]

    # What the reader tells.

    def pingReceived(self, payload: bytes) -> None:
        """The peer asks whether we are here."""
        # Told only before the peer's Close, and until then it is to be answered, behind a Close of ours too.
        self.write(self._plain(FIN | PONG, payload))
        if self._shell is not None:
            self._shell.pinged(payload)

    def pongReceived(self, payload: bytes) -> None:
        """The peer answered, or says so unasked."""
        if self._shell is not None:
            self._shell.ponged(payload)

    def closeReceived(self, code: int, reason: str) -> None:
        """The peer says Close."""
        before = self.state
        self._step(Event.HEAR_CLOSE)
        self.code, self.reason = code, reason
        if before is State.OPEN:
            self.byPeer = True
            self._sayClose(code, reason.encode())
        if self._shell is not None:
            self._shell.closed()

    def brokenProtocol(self, code: int, reason: str) -> None:
        """The peer did what it must not."""
        self.fail(code, reason)

    def raised(self, problem: Exception) -> None:
        """The program did not do what it should."""
        if self._shell is not None:
            self._shell.raised(problem)


def closing(where: str, code: int, reason: str) -> bytes:
    """`reason` as it is sent; ValueError, which names `where`, when these cannot be sent."""
    if code != CloseCode.NO_STATUS and not isSendable(code):
        raise ValueError(f"{where}: code {code} may not be sent; the program's own are from 4000 to 4999")
    payload = reason.encode()
    if len(payload) > 123:
        raise ValueError(f"{where}: reason must be of 123 bytes at most, in UTF-8, not {len(payload)}")
    if payload and code == CloseCode.NO_STATUS:
        raise ValueError(f"{where}: a reason needs a code")
    return payload
