"""How bytes reach an asyncio protocol: what stands where a wire or a TLS layer expects its receiver.

A `Protocol` is reached by its own bound method, so that a byte's way has no more calls than with a protocol of ours. A
`BufferedProtocol` under a plain wire is received into straight (`BufferedWire`); how it gets what was decrypted is told
in `ssltransport`.
"""

from __future__ import annotations

import errno

from reactor._core.poller import WRITE
from reactor._transport.stream import closing
from reactor._transport.stream.lifecycle import READING, WRITING, Event, State, step
from reactor._transport.stream.wire import OPEN, TRY_AGAIN, Wire
from reactor.error import ConnectionAborted, ConnectionDone
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.aio.scheduling import Scheduling


class Receiver:
    """Who gets the bytes."""

    __slots__ = ("dataReceived", "protocol")

    def __init__(self, protocol: Any, loop: Scheduling, fill: Callable[[bytes], object] | None = None) -> None:
        """`fill` takes what comes for a buffered protocol, where that is not received into its buffers."""
        self.protocol = protocol
        self.dataReceived: Callable[[bytes], object] = fill or getattr(protocol, "data_received", None) or self._deaf
        if loop.get_debug():
            self.dataReceived = loop.timed(self.dataReceived)

    def _deaf(self, data: bytes) -> None:
        """A protocol that is only told of the beginning and the end is none for bytes."""
        self.protocol.data_received(data)


class Nobody:
    """Stands where a receiver was, at the end."""

    __slots__ = ()

    def dataReceived(self, data: bytes) -> None:
        """Nobody is there any more."""


NOBODY = Nobody()


def roomOf(protocol: Any, hint: int) -> memoryview:
    """The buffer that a buffered protocol wants filled next. RuntimeError when it has no room."""
    return roomIn(protocol.get_buffer(hint))


def roomIn(buffer: Any) -> memoryview:
    """The bytes of what `get_buffer` returned. RuntimeError when there are none."""
    view = memoryview(buffer)
    if not view.nbytes:
        raise RuntimeError("get_buffer() returned an empty buffer")
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


class AsyncioWire(Wire):
    """A wire that ends as asyncio's transports do: at once, its owner telling the protocol in a turn of its own; and
    what was written before the end goes to the kernel, and is still sent by it.
    """

    __slots__ = ()

    def abort(self, reason: Failure | None = None) -> None:
        """Close, and drop what is queued. What this turn wrote is sent as far as the kernel takes it: with
        asyncio it is with the kernel already.
        """
        if reason is None and self.state in WRITING and self.buffered and not self.interest & WRITE:
            self._send()
        if self.state is not State.CLOSED:
            self.state = step(self.state, Event.ABORT)
            self._end(reason if reason is not None else Failure(ConnectionAborted()))

    def _endReceived(self) -> None:
        if self._broken is None and self.state not in READING and self.lingering is None and not self.buffered:
            # All that the peer sent has come, and nothing of ours is lost: an error would take from a StreamReader what
            # nobody has read yet.
            self._end(Failure(ConnectionDone()))
        else:
            super()._endReceived()

    def endWith(self, problem: BaseException) -> None:
        """The protocol raised: what it wrote before is sent as far as the kernel takes it, and the connection ends."""
        failure = self._raised(problem)
        if failure is None:
            if self.buffered or self.state is not State.OPEN:
                self._mark()
            return
        if self.buffered and not self.interest & WRITE:
            self._send()
        closing.discardUnread(self.socket)
        self._end(failure)

    def _raised(self, problem: BaseException) -> Failure | None:
        carried = self.loop.reactor._run.carried
        if self.state is not State.CLOSED or carried is None or isinstance(problem, (KeyboardInterrupt, SystemExit)):
            return super()._raised(problem)
        # It had closed the connection itself, and nobody stands on this wire any more.
        carried.call_exception_handler(
            {"message": "Fatal error: a protocol raised after its connection had ended", "exception": problem}
        )
        return None


class BufferedWire(AsyncioWire):
    """A wire that receives straight into the buffers of a `BufferedProtocol`, its receiver's."""

    __slots__ = ()

    def readable(self) -> None:
        """Receive once and tell the protocol."""
        protocol = self.receiver.protocol  # type: ignore[attr-defined]
        try:
            buffer = protocol.get_buffer(-1)
        except BaseException as e:
            self.endWith(e)
            return
        try:
            # The kernel is given it as it is: no look at it first, on the way of every message.
            count = self.socket.recv_into(buffer)
            if not count:
                roomIn(buffer)
        except OSError as e:
            # Without memory to receive into, the kernel would call again and again.
            if e.errno not in TRY_AGAIN or e.errno == errno.ENOMEM:
                self._end(self._lost(self._broken or e))
            return
        except BaseException as e:
            self.endWith(e)
            return
        if not count:
            self._endReceived()
            return
        self._marked = True
        try:
            protocol.buffer_updated(count)
        except BaseException as e:
            self._marked = False
            self.endWith(e)
            return
        # As in Wire.readable, and for the same reason: without the calls of flush() for one answer, or none.
        self._marked = False
        piece = self._piece
        if piece is not None:
            if self.state is not OPEN or self.source is not None or self.interest & WRITE:
                self._flush()
                return
            try:
                count = self.socket.send(piece)
            except OSError as e:
                self._notSent(e)
                return
            if count == len(piece):
                self._piece = None
            else:
                self._piece = memoryview(piece)[count:]
                self.loop.poller.want(self, WRITE)
        elif self._outbox is not None or self.state is not OPEN:
            self._flush()
