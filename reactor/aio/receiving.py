"""How bytes reach an asyncio protocol: what stands where a wire or a TLS layer expects its receiver.

A `Protocol` is reached by its own bound method, so that a byte's way has no more calls than with a protocol of ours. A
`BufferedProtocol` under a plain wire is received into straight (`BufferedWire`); under TLS, what was decrypted is
copied into its buffers.
"""

from __future__ import annotations

import asyncio

from reactor._transport.stream.lifecycle import State
from reactor._transport.stream.wire import TRY_AGAIN, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor.failure import Failure


class Receiver:
    """Who gets the bytes."""

    __slots__ = ("dataReceived", "protocol")

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.dataReceived: Callable[[bytes], object] = (
            self._fill if isinstance(protocol, asyncio.BufferedProtocol) else protocol.data_received
        )

    def _fill(self, data: bytes) -> None:
        """Copy `data` into the buffers of a buffered protocol, as many as it takes."""
        view = memoryview(data)
        while view:
            buffer = roomOf(self.protocol, len(view))
            count = min(len(buffer), len(view))
            buffer[:count] = view[:count]
            self.protocol.buffer_updated(count)
            view = view[count:]


class Nobody:
    """Stands where a receiver was, at the end."""

    __slots__ = ()

    def dataReceived(self, data: bytes) -> None:
        """Nobody is there any more."""


NOBODY = Nobody()


def roomOf(protocol: Any, hint: int) -> memoryview:
    """The buffer that a buffered protocol wants filled next. RuntimeError when it has no room."""
    buffer = protocol.get_buffer(hint)
    view = memoryview(buffer)
    if not view.nbytes:
        raise RuntimeError("get_buffer() returned an empty buffer")
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


class AsyncioWire(Wire):
    """A wire that is aborted as asyncio does: what the kernel has of ours is still sent."""

    __slots__ = ()

    def _aborted(self, reason: Failure) -> None:
        if self.state is State.ENDING:
            self._end(reason)


class BufferedWire(AsyncioWire):
    """A wire that receives straight into the buffers of a `BufferedProtocol`, its receiver's."""

    __slots__ = ()

    def readable(self) -> None:
        """Receive once and tell the protocol."""
        protocol = self.receiver.protocol  # type: ignore[attr-defined]
        try:
            buffer = roomOf(protocol, -1)
        except BaseException as e:
            self.endWith(e)
            return
        try:
            count = self.socket.recv_into(buffer)
        except OSError as e:
            if e.errno not in TRY_AGAIN:
                self._end(self._lost(self._broken or e))
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
        self._flush()
