"""Connections under TLS in asyncio's words, and TLS put onto a connection that stands."""

from __future__ import annotations

import asyncio
from asyncio.log import logger

from reactor._core.contexts import inside
from reactor._transport.stream.lifecycle import READING, WRITING
from reactor._transport.tls.encrypting import MOST
from reactor._transport.tls.layer import Layer
from reactor.aio.flow import Flow
from reactor.aio.receiving import NOBODY, AsyncioWire, BufferedWire, Receiver, roomOf
from reactor.aio.transport import OPEN, StreamTransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._transport.tls.side import Side
    from reactor.aio.transport import Bytes
    from reactor.failure import Failure

# Bytes that a peer may send after we have closed before it is not waited for any more: as many as a plain close takes.
MOST_DROPPED = 1 << 18


class SSLTransport(StreamTransport):
    """A connection under TLS."""

    __slots__ = ("_introduced", "_rest", "resuming")

    _top: Layer

    def __init__(self, *args: Any, introduced: bool = False, **keywords: Any) -> None:
        """As a stream transport; `introduced` when the protocol has its connection already and is told no more."""
        self._introduced = introduced
        # What a buffered protocol has no buffer for while it is paused, and whether it is about to get it.
        self._rest: memoryview | None = None
        self.resuming = False
        super().__init__(*args, **keywords)

    def _setReceiver(self, protocol: Any) -> None:
        self._protocol = protocol
        fill = self._fill if isinstance(protocol, asyncio.BufferedProtocol) else None
        self._top.receiver = self._receiver = Receiver(protocol, self._loop, fill)

    def begin(self) -> None:
        """The connection is made: shake hands, and tell the protocol then."""
        self._wire.start()
        self._top.begin()

    def handshakeCompleted(self) -> None:
        """The handshake is verified."""
        sslObject = self._top.sslObject
        self._extra.update(
            sslcontext=sslObject.context,
            ssl_object=sslObject,
            peercert=sslObject.getpeercert() if sslObject.context.verify_mode else {},
            cipher=sslObject.cipher(),
            compression=sslObject.compression(),
        )
        if self._introduced:
            self._began = True
            self._settleMade(None)
        else:
            inside(self._wire.context, self._introduce)

    def _known(self) -> bool:
        return self._began or self._introduced

    # Writing.

    def write(self, data: Bytes) -> None:
        """Send `data`, as without TLS."""
        top, wire = self._top, self._wire
        if (
            top._queue is None
            and top._delivering
            and top.state is OPEN
            and top._early is None
            and wire._piece is None
            and wire._outbox is None
            and wire.source is None
            and top.below is wire
            and data.__class__ is bytes
            and 0 < (size := len(data)) <= MOST
            and size <= self._high
        ):
            # Nearly always: the first answer to what came, with nothing before it that waits. It is kept as the layer's
            # own `write` keeps it (measured: 3 % of a message's instructions); nobody is asked how much waits (9 %).
            top._queue = data
            return
        super().write(data)

    # A buffered protocol.

    def _fill(self, data: bytes | memoryview) -> None:
        """Copy `data` into its buffers, as long as it wants any: what is left waits until it resumes."""
        rest = memoryview(data)
        while rest and self._top.state in READING:
            if self._pausedReading:
                self._rest = rest
                return
            buffer = roomOf(self._protocol, len(rest))
            count = min(len(buffer), len(rest))
            buffer[:count] = rest[:count]
            self._protocol.buffer_updated(count)
            rest = rest[count:]

    def resume_reading(self) -> None:
        """Deliver again; harmless when it is not paused."""
        if self._rest is None or not self._pausedReading or self.is_closing():
            super().resume_reading()
            return
        self._pausedReading = False
        if not self.resuming:
            self.resuming = True
            self._wire.loop.soonIn(self._wire.context, self._goOn)

    def _goOn(self) -> None:
        self.resuming = False
        rest = self._rest
        if self._pausedReading or rest is None or self._top.state not in READING:
            return
        self._rest = None
        try:
            # Another protocol may have come in between, of either kind.
            self._receiver.dataReceived(bytes(rest))
        except BaseException as e:
            self._top.endWith(e)
            return
        if not self._pausedReading:
            self._top.resume()

    def can_write_eof(self) -> bool:
        """TLS has no half that ends by itself here, as with asyncio."""
        return False

    def write_eof(self) -> None:
        """NotImplementedError."""
        raise NotImplementedError("a TLS connection has no half that ends by itself")

    def _heardEnd(self, goesOn: bool) -> bool:
        if goesOn:
            logger.warning("returning true from eof_received() has no effect when using ssl")
        return False

    def _checkKernelSends(self, file: Any) -> None:
        raise RuntimeError("fallback is disabled, and the kernel cannot send a file under TLS")


class SSLLayer(Layer):
    """TLS for asyncio's programs, to whom an end without close_notify is an end."""

    __slots__ = ("_dropped", "_readRecord")

    _dropped: int
    _readRecord: Callable[[int], bytes]

    def lose(self) -> None:
        """Say close_notify behind what was written, and close when the peer has answered. What it says until then is
        dropped; one that says more than `MOST_DROPPED` bytes is not waited for.
        """
        if not self._deaf:
            self._deaf = True
            self._dropped = 0
            self._read, self._readRecord = self._drop, self._read
        super().lose()

    def _drop(self, size: int) -> bytes:
        data = self._readRecord(size)
        self._dropped += len(data)
        if self._dropped > MOST_DROPPED and self._saidEnd and not self.below.buffered:
            # Its answer would say nothing that anybody wants to know (RFC 8446, section 6.1).
            self._notAnswered()
        return data

    def endReceived(self) -> bool:
        """The peer ended its half of what is below."""
        if not self._heardEnd and self._early is None and self.state in READING and self._reason is None:
            self._endHeard()
            return True
        return super().endReceived()

    def lost(self, reason: Failure) -> None:
        """What is below is over."""
        super().lost(reason)
        # `_drop` has this layer, and would keep it.
        self._read = self._object.read

    def raised(self, problem: BaseException) -> Failure | None:
        """The protocol raised: what it wrote before goes on its way."""
        if self._queue is not None and self._early is None and self._reason is None:
            self._seal()
        return super().raised(problem)


def secured(
    transport: StreamTransport, side: Side, protocol: Any, made: asyncio.Future[None], early: bytes
) -> SSLTransport:
    """A transport over TLS that is put on top of `transport`, whose protocol is told no more. RuntimeError when that is
    closing.

    :param early: what had come already.
    """
    below, wire = transport._top, transport._wire
    if below.state not in WRITING:
        raise RuntimeError(f"start_tls(): {transport!r} is closing or closed")
    layer = SSLLayer(wire.loop, side, below, {})
    if isinstance(wire, BufferedWire):
        wire.__class__ = AsyncioWire  # type: ignore[assignment]
    if isinstance(wire.source, Flow):
        # Whoever was told to pause is another now.
        wire.source = None
    server, transport._server = transport._server, None
    transport._ended = True
    # Which has that transport, if its protocol is a buffered one.
    transport._receiver = NOBODY
    made_ = SSLTransport(transport._loop, wire, layer, protocol, made, server, dict(transport._extra), introduced=True)
    if server is not None:
        server._detach(transport)
    made_._high, made_._low = transport._high, transport._low
    below.receiver, below.owner = layer, layer
    if transport._pausedReading:
        transport._pausedReading = False
        below.resume()
    layer.begin()
    if early:
        layer.dataReceived(early)
    return made_
