"""A connection as an asyncio protocol sees it: asyncio's words over a wire, and TLS layers where there are any.

It is what stands on top of the stack, so it is told everything (see `stream.stack`), and tells the protocol. What the
protocol is told of the end it is told in a turn of its own, as asyncio does.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.log import logger
from asyncio.trsock import TransportSocket

from reactor._core.contexts import inside
from reactor._transport.stream.lifecycle import READING, WRITING, State
from reactor._transport.stream.producers import Source
from reactor._transport.stream.wire import Wire
from reactor.aio.errors import exceptionOf
from reactor.aio.files import regularFile
from reactor.aio.flow import HIGH, Flow, Limited
from reactor.aio.receiving import NOBODY, AsyncioWire, BufferedWire, Receiver
from reactor.error import ConnectionLost
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reactor._transport.tls.layer import Layer
    from reactor.aio.server import Server
    from reactor.aio.tasks import Tasks

    Bytes = bytes | bytearray | memoryview

# Found faster, for each message, than members of an enum.
OPEN, HEARD = State.OPEN, State.HEARD
_LEAVING = frozenset({State.CLOSING, State.ENDING, State.CLOSED})


class StreamTransport(Limited, asyncio.Transport):
    """What `create_connection` returns, and a server's protocols are given."""

    # A pause is over as soon as it is taken back.
    resuming = False

    if TYPE_CHECKING:
        _extra: dict[str, Any]

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_began",
        "_ended",
        "_high",
        "_lateWrites",
        "_loop",
        "_low",
        "_made",
        "_pausedReading",
        "_pausedWriting",
        "_protocol",
        "_receiver",
        "_server",
        "_top",
        "_wire",
    )

    def __init__(
        self,
        loop: Tasks,
        wire: Wire,
        top: Wire | Layer,
        protocol: Any,
        made: asyncio.Future[None] | None = None,
        server: Server | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Stand on `top`, which is `wire` or a layer above it. `made` is given a result, or an exception, when the
        connection is there, or is not to be.
        """
        super().__init__(extra)
        self._loop = loop
        self._wire = wire
        self._top = top
        self._made = made
        self._server = server
        self._high, self._low = HIGH, HIGH // 4
        self._pausedReading = self._pausedWriting = False
        # Whether the protocol was told of the connection, and that it is over or about to be told so.
        self._began = self._ended = False
        self._lateWrites = 0
        self._receiver: Any = NOBODY
        self._protocol: Any = None
        top.owner = self
        self._setReceiver(protocol)
        if server is not None:
            server._attach(self)

    def _setReceiver(self, protocol: Any) -> None:
        self._protocol = protocol
        wire = self._wire
        wire.receiver = self._receiver = Receiver(protocol, self._loop)
        buffered = isinstance(protocol, asyncio.BufferedProtocol)
        if buffered is not isinstance(wire, BufferedWire):
            wire.__class__ = BufferedWire if buffered else AsyncioWire

    # The beginning.

    def begin(self) -> None:
        """The connection is made: tell the protocol, and read; under TLS, shake hands first."""
        self._wire.start()
        if not self._ended:
            inside(self._wire.context, self._introduce)

    def _introduce(self) -> None:
        self._began = True
        try:
            self._protocol.connection_made(self)
        except (SystemExit, KeyboardInterrupt) as e:
            self._wire.escape(e)
        except BaseException as e:
            self._fatal(e, "Fatal error: protocol.connection_made() call failed.")
        self._settleMade(None)

    def _settleMade(self, problem: BaseException | None) -> None:
        made, self._made = self._made, None
        if made is not None and not made.done():
            if problem is None:
                made.set_result(None)
            else:
                made.set_exception(problem)

    # Reading.

    def is_reading(self) -> bool:
        """Whether the protocol is given what comes."""
        return not self._pausedReading and not self.is_closing()

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`; harmless when it is paused or closing."""
        if not self.is_reading():
            return
        self._pausedReading = True
        self._top.pause()

    def resume_reading(self) -> None:
        """Deliver again; harmless when it is not paused."""
        if self.is_closing() or not self._pausedReading:
            return
        self._pausedReading = False
        self._top.resume()

    # Writing.

    def write(self, data: Bytes) -> None:
        """Send `data` (a bytearray or memoryview is copied now). TypeError for anything but bytes; RuntimeError after
        `write_eof`. After the end it is dropped, and that is logged once.
        """
        if data.__class__ is not bytes:
            if isinstance(data, memoryview):
                data = data.tobytes()
            elif isinstance(data, (bytes, bytearray)):
                data = bytes(data)
            else:
                raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        wire = self._wire
        if (
            wire._marked
            and wire._piece is None
            and wire._outbox is None
            and wire.state is OPEN
            and wire.source is None
            and self._top is wire
            and 0 < len(data) <= self._high
        ):
            # Nearly always: the first answer to what came. It is kept as the wire's own `write` keeps it (measured: 5 %
            # of a message's instructions).
            wire._piece = data
            return
        top = self._top
        state = top.state
        if state is not OPEN and state is not HEARD:
            self._cannotWrite(state, data)
            return
        if not data:
            return
        top.write(data)
        if wire._outbox is not None or len(data) > self._high or top is not wire:
            self._press()

    def writelines(self, list_of_data: Iterable[Bytes]) -> None:
        """Send every piece, in order."""
        self.write(b"".join(list_of_data))

    def _cannotWrite(self, state: State, data: bytes) -> None:
        if state in (State.FINISHING, State.FINISHED, State.HEARD_LAST):
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        self._lateWrites += 1
        if self._lateWrites == 1 and state is not State.CLOSING:
            logger.warning("%r is over: what is written to it from now on is dropped", self)

    def _press(self) -> None:
        """Something was written to what others wait in front of: tell the protocol if that is too much."""
        if self._pausedWriting or self._top.buffered <= self._high:
            return
        wire = self._wire
        if wire.source is not None:
            return
        # What the kernel takes at once is nothing to wait for.
        wire.flush()
        if self._top.buffered <= self._high or self._top.state not in WRITING:
            return
        wire.source = Flow(self, wire)
        self._pauseWriting()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._top.buffered

    def can_write_eof(self) -> bool:
        """Whether `write_eof` is possible."""
        return True

    def write_eof(self) -> None:
        """Send what waits, then end our half."""
        if self._top.state in WRITING:
            self._top.finish()

    async def _sendFile(self, file: Any, offset: int, count: int | None, fallback: bool) -> int:
        from reactor._transport.stream.sendfile import sendFile

        if not fallback:
            self._checkKernelSends(file)
        sent = 0
        try:
            sent = await sendFile(self, file, offset, count).asFuture(self._loop)
        except ConnectionLost as e:
            sent = getattr(e, "sent", 0)
            raise ConnectionError("Connection closed by peer") from e
        finally:
            if hasattr(file, "seek"):
                file.seek(offset + sent)
        return sent

    def _checkKernelSends(self, file: Any) -> None:
        """SendfileNotAvailableError for a file that the kernel cannot send by itself."""
        regularFile(file)

    # For `sendFile`.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """A file is read and written piece by piece."""
        wire = self._wire
        if wire.source is not None:
            raise RuntimeError("another file is being sent, or the protocol was told to pause")
        wire.source = Source(producer, streaming)
        producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """The file is sent."""
        self._wire.sourceGone()
        if self._top is not self._wire:
            self._top.sourceGone()

    # The end.

    def is_closing(self) -> bool:
        """Whether it is closed, asked to close, or cannot send any more."""
        return self._top.state in _LEAVING or self._wire._broken is not None

    def close(self) -> None:
        """Send what waits, then close; `connection_lost(None)` follows. Nothing more is delivered."""
        if not self._began and not self._ended:
            self.abort()
            return
        if self._top.state not in _LEAVING:
            self._top.lose()
            # Told in the order in which it was asked for among other calls.
            self._wire.flush()

    def abort(self) -> None:
        """Close at once and drop what waits; `connection_lost(None)` follows."""
        self._top.abort()

    def __del__(self) -> None:
        if getattr(self, "_ended", True) or self._loop.is_closed():
            return
        import warnings

        warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self)

    # Who and where.

    def get_protocol(self) -> Any:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Tell `protocol` from now on."""
        if self._ended:
            self._protocol = protocol
        else:
            self._setReceiver(protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """A fact by its name: "socket", "sockname", "peername", and under TLS "sslcontext", "ssl_object", "peercert",
        "cipher", "compression".
        """
        found = self._extra.get(name)
        if found is not None or name in self._extra:
            return found
        wire = self._wire
        try:
            if name == "socket":
                found = TransportSocket(wire.socket)
            elif name == "sockname":
                found = wire.ownName()
            elif name == "peername":
                found = wire.socket.getpeername()
            else:
                return default
        except OSError:
            return default
        self._extra[name] = found
        return found

    def __repr__(self) -> str:
        fd = self._wire.fd
        state = "closed" if self._top.state is State.CLOSED else "closing" if self.is_closing() else "open"
        return f"<{type(self).__name__} fd={fd} {state} {self._protocol.__class__.__name__}>"

    # What those below tell of.

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
        return self._top.buffered

    def getPeer(self) -> None:
        """For `sendFile`, whose errors name the peer."""

    def endReceived(self) -> bool:
        """The peer ended its half; whether ours goes on."""
        try:
            goesOn = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt) as e:
            self._wire.escape(e)
            return True
        except BaseException as e:
            self._fatal(e, "Fatal error: protocol.eof_received() call failed.")
            return True
        return self._heardEnd(bool(goesOn))

    def _heardEnd(self, goesOn: bool) -> bool:
        if not goesOn and self._top.state in READING:
            # What waits to be sent is sent first.
            self._top.lose()
        return True

    def writingEnded(self) -> None:
        """Our half is ended; nobody asked to be told."""

    def farewell(self) -> None:
        """The reactor stops."""

    def closing(self) -> None:
        """The socket is about to be closed: keep the addresses that it would no longer tell."""
        self.get_extra_info("sockname")
        self.get_extra_info("peername")

    def lost(self, reason: Failure) -> None:
        """The connection is over: tell the protocol in the next turn."""
        if self._ended:
            return
        self._ended = True
        self._top.receiver = self._receiver = NOBODY
        self._pausedWriting = False
        problem = exceptionOf(reason)
        if not self._began:
            self._settleMade(problem or ConnectionResetError("the connection was closed before it was made"))
        if not self._known():
            # Nobody knows of it but who asked for it.
            self._forget()
        elif self._loop.is_closed():
            self._forget()
        else:
            self._loop.call_soon(self._tellLost, problem, context=self._wire.context)

    def _known(self) -> bool:
        """Whether the protocol knows of the connection."""
        return self._began

    def _tellLost(self, problem: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(problem)
        finally:
            self._forget()

    def _forget(self) -> None:
        # So that it is freed with its last reference, although its protocol keeps it.
        self._protocol = None
        server, self._server = self._server, None
        if server is not None:
            server._detach(self)

    def raised(self, problem: BaseException) -> Failure | None:
        """The protocol raised `problem`: report it. The failure to end the connection with, None when the loop ends its
        run instead.
        """
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._wire.escape(problem)
            return None
        method = "buffer_updated" if isinstance(self._protocol, asyncio.BufferedProtocol) else "data_received"
        self._report(problem, f"Fatal error: protocol.{method}() call failed.")
        return Failure(problem)

    def _fatal(self, problem: BaseException, text: str) -> None:
        """Report `problem`, and end the connection with it, behind what was written."""
        self._report(problem, text)
        self._wire.flush()
        self._top.abort(Failure(problem))

    def _report(self, problem: BaseException, text: str) -> None:
        self._loop.call_exception_handler(
            {"message": text, "exception": problem, "transport": self, "protocol": self._protocol}
        )


def withoutDelay(sock: socket.socket) -> None:
    """Small writes on a TCP socket are not held back."""
    if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            # Reset already; reading will tell.
            pass
