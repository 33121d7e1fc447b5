"""Pipes, terminals and the like: the reactor's readers and writers of plain descriptors under asyncio's words."""

from __future__ import annotations

import asyncio
import os
import stat
from asyncio.log import logger

from reactor._transport.process.pipe import PipeReader, PipeWriter
from reactor._transport.stream.lifecycle import State
from reactor.aio.errors import exceptionOf
from reactor.aio.flow import HIGH, Flow, Limited
from reactor.aio.signals import Signals
from reactor.error import ConnectionAborted, ConnectionDone
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class _PipeTransport:
    """What both directions share."""

    _loop: Pipes
    _pipe: Any
    _protocol: Any
    _extra: dict[str, Any]
    _ended: bool

    def is_closing(self) -> bool:
        """Whether it is closed, or asked to close."""
        return self._pipe.state is not State.OPEN or self._ended

    def get_protocol(self) -> Any:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Tell `protocol` from now on."""
        self._protocol = protocol

    def _begin(self) -> None:
        try:
            self._protocol.connection_made(self)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._report(e, "Fatal error: protocol.connection_made() call failed.")

    def _tellLost(self, problem: BaseException | None, file: Any) -> None:
        try:
            self._protocol.connection_lost(problem)
        finally:
            file.close()

    def pipeLost(self, name: Any, reason: Failure) -> None:
        """The pipe is closed."""
        if self._ended:
            return
        self._ended = True
        file = self._extra["pipe"]
        if self._loop.is_closed():
            file.close()
        else:
            self._loop.call_soon(self._tellLost, exceptionOf(reason), file)

    def raised(self, problem: BaseException) -> Failure | None:
        """The protocol raised `problem`: report it."""
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            self._loop._loop.escape(problem)
            return None
        self._report(problem, "Fatal error: protocol.data_received() call failed.")
        return Failure(problem)

    def _report(self, problem: BaseException, text: str) -> None:
        self._loop.call_exception_handler(
            {"message": text, "exception": problem, "transport": self, "protocol": self._protocol}
        )

    def __repr__(self) -> str:
        state = "closed" if self._ended else "closing" if self.is_closing() else "open"
        return f"<{type(self).__name__} fd={self._pipe.fd} {state}>"

    def __del__(self) -> None:
        if getattr(self, "_ended", True) or self._loop.is_closed():
            return
        import warnings

        warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self)


def _kindOf(pipe: Any, method: str) -> int:
    mode = os.fstat(pipe.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        raise ValueError(f"{method}(): a pipe, a socket or a character device was expected, got {pipe!r}")
    return mode


class _Reader(PipeReader):
    """A reader that ends as asyncio's do: at once, its owner telling the protocol in a turn of its own."""

    __slots__ = ()

    def lose(self) -> None:
        """Close."""
        self._end(Failure(ConnectionDone()))


class _Writer(PipeWriter):
    """A writer that ends so as well, and tells apart whether anything was cut off when the other end closes."""

    __slots__ = ()

    def lose(self) -> None:
        """Send what is queued, then close."""
        super().lose()
        self.flush()

    def abort(self, reason: Failure | None = None) -> None:
        """Drop what is queued and close."""
        self._end(reason if reason is not None else Failure(ConnectionAborted()))

    def _settle(self) -> None:
        if self.state is State.CLOSING and self._outbox is None:
            self._end(Failure(ConnectionDone()))

    def sendNow(self) -> None:
        """Send what is queued, without waiting to be told that there is room."""
        if self._outbox is not None:
            self._send()

    def readable(self) -> None:
        """The other end is closed."""
        if self._outbox is None:
            self._end(Failure(ConnectionDone()))
        else:
            super().readable()


class ReadPipeTransport(_PipeTransport, asyncio.ReadTransport):
    """What `connect_read_pipe` returns."""

    def __init__(self, loop: Pipes, pipe: Any, protocol: Any) -> None:
        """Take over the file object `pipe`."""
        self._ended = True
        super().__init__({"pipe": pipe})
        self._loop = loop
        self._protocol = protocol
        _kindOf(pipe, "connect_read_pipe")
        # The file object closes its descriptor; the reader one of its own.
        self._pipe = _Reader(loop._loop, os.dup(pipe.fileno()), None, self)
        self._ended = self._paused = self._asked = False

    def _start(self) -> None:
        self._pipe.start()
        self._begin()

    def pipeReceived(self, name: Any, data: bytes) -> None:
        """Bytes came."""
        self._protocol.data_received(data)

    def pipeLost(self, name: Any, reason: Failure) -> None:
        """The end came, or the pipe is closed."""
        if not self._ended and not self._asked and isinstance(reason.value, ConnectionDone):
            try:
                self._protocol.eof_received()
            except (SystemExit, KeyboardInterrupt) as e:
                self._loop._loop.escape(e)
            except BaseException as e:
                self._report(e, "Fatal error: protocol.eof_received() call failed.")
        super().pipeLost(name, reason)

    def is_reading(self) -> bool:
        """Whether the protocol is given what comes."""
        return not self._paused and not self.is_closing()

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        if self.is_reading():
            self._paused = True
            self._pipe.pause()

    def resume_reading(self) -> None:
        """Deliver again."""
        if self._paused and not self.is_closing():
            self._paused = False
            self._pipe.resume()

    def close(self) -> None:
        """Close; `connection_lost(None)` follows."""
        self._asked = True
        self._pipe.lose()

    def abort(self) -> None:
        """The same."""
        self.close()


class WritePipeTransport(_PipeTransport, Limited, asyncio.WriteTransport):
    """What `connect_write_pipe` returns."""

    def __init__(self, loop: Pipes, pipe: Any, protocol: Any) -> None:
        """Take over the file object `pipe`."""
        self._ended = True
        super().__init__({"pipe": pipe})
        self._loop = loop
        self._protocol = protocol
        mode = _kindOf(pipe, "connect_write_pipe")
        self._hears = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._pipe = _Writer(loop._loop, os.dup(pipe.fileno()), None, self)
        self._high, self._low = HIGH, HIGH // 4
        self._ended = self._pausedWriting = False
        self._lateWrites = 0

    def _start(self) -> None:
        self._pipe.start(hears=self._hears)
        self._begin()

    def pipeReceived(self, name: Any, data: bytes) -> None:
        """Never: it is only written to."""

    def write(self, data: Any) -> None:
        """Send `data`. TypeError for anything but bytes."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if not data:
            return
        if self.is_closing():
            self._lateWrites += 1
            if self._lateWrites == 1 and self._ended:
                logger.warning("%r is over: what is written to it from now on is dropped", self)
            return
        pipe = self._pipe
        first = not pipe.buffered
        pipe.write(bytes(data))
        if first:
            # At once: a child, or a terminal, may be read by somebody who does not run this loop.
            pipe.sendNow()
        self._press()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send every piece, in order."""
        self.write(b"".join(list_of_data))

    def _press(self) -> None:
        if self._pausedWriting or self._pipe.buffered <= self._high or self._pipe.state is not State.OPEN:
            return
        self._pipe.source = Flow(self, self._pipe)
        self._pauseWriting()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return int(self._pipe.buffered)

    def can_write_eof(self) -> bool:
        """Whether `write_eof` is possible."""
        return True

    def write_eof(self) -> None:
        """Send what waits, then close."""
        self.close()

    def close(self) -> None:
        """Send what waits, then close; `connection_lost(None)` follows."""
        self._pipe.lose()

    def abort(self) -> None:
        """Close at once."""
        self._pipe.abort()


class Pipes(Signals):
    """The part of `EventLoop` that takes over pipes."""

    async def connect_read_pipe(self, protocol_factory: Callable[[], Any], pipe: Any) -> tuple[ReadPipeTransport, Any]:
        """Read the file object `pipe` (a pipe, socket or terminal), which is closed at the end."""
        protocol = protocol_factory()
        reading = ReadPipeTransport(self, pipe, protocol)
        reading._start()
        await asyncio.sleep(0)
        return reading, protocol

    async def connect_write_pipe(
        self, protocol_factory: Callable[[], Any], pipe: Any
    ) -> tuple[WritePipeTransport, Any]:
        """Write to the file object `pipe` (a pipe, socket or terminal), which is closed at the end."""
        protocol = protocol_factory()
        writing = WritePipeTransport(self, pipe, protocol)
        writing._start()
        await asyncio.sleep(0)
        return writing, protocol
