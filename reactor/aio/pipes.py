"""Pipes, terminals and the like: the reactor's readers and writers of plain descriptors under asyncio's words."""

from __future__ import annotations

import asyncio
import os
import stat
from asyncio.log import logger

from reactor._transport.process.pipe import PipeReader, PipeWriter
from reactor._transport.stream.lifecycle import State
from reactor.aio.errors import exceptionOf
from reactor.aio.flow import HIGH, limits
from reactor.aio.signals import Signals
from reactor.error import ConnectionDone
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


def _kindOf(pipe: Any, what: str) -> int:
    mode = os.fstat(pipe.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        raise ValueError(f"Pipe transport is {what} for pipes/sockets only")
    return mode


class _Writer(PipeWriter):
    """A writer that tells apart whether anything was cut off when the other end closes."""

    __slots__ = ()

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
        _kindOf(pipe, "for reading,")
        # The file object closes its descriptor; the reader one of its own.
        self._pipe = PipeReader(loop._loop, os.dup(pipe.fileno()), None, self)
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


class WritePipeTransport(_PipeTransport, asyncio.WriteTransport):
    """What `connect_write_pipe` returns."""

    def __init__(self, loop: Pipes, pipe: Any, protocol: Any) -> None:
        """Take over the file object `pipe`."""
        self._ended = True
        super().__init__({"pipe": pipe})
        self._loop = loop
        self._protocol = protocol
        mode = _kindOf(pipe, "only for writing,")
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
        self._pausedWriting = True
        self._pipe.source = _PipeFlow(self)
        self._tellWriting("pause_writing")

    def _resumeWriting(self) -> None:
        self._pipe.source = None
        if self._pausedWriting:
            self._pausedWriting = False
            self._tellWriting("resume_writing")

    def _tellWriting(self, method: str) -> None:
        try:
            getattr(self._protocol, method)()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as e:
            self._report(e, f"protocol.{method}() failed")

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return int(self._pipe.buffered)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high mark, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As a stream transport's."""
        self._high, self._low = limits(high, low)
        self._press()

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


class _PipeFlow:
    """The source of a pipe whose protocol was told to pause; see `flow.Flow`."""

    over = True
    producer = None

    def __init__(self, transport: WritePipeTransport) -> None:
        self._transport: WritePipeTransport | None = transport

    def fill(self, size: int) -> None:
        """More was written."""

    def left(self, size: int) -> None:
        """So much is left."""
        if self._transport is not None and size <= self._transport._low:
            self.drained()

    def drained(self) -> None:
        """All is sent."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport._resumeWriting()

    def stop(self) -> None:
        """The pipe is over."""
        self._transport = None


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
