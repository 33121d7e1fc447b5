"""Protocols that receive frames: feeds a splitter, and passes on what it cuts off, one frame at a time, until somebody
says stop.

Each callback may pause, switch the mode, lose the connection, begin TLS, feed more, or raise: what it did holds for the
very next frame. The frames of the batch that is being passed on are in `_frames`, and whoever says stop takes them out
of there and gives them back to the splitter, so that the loop ends by itself and there is nothing to ask after each
frame but whether the transport still stands where it stood.

One rule about TLS: bytes that came in the clear are never passed on behind `startTLS`, as if they had been encrypted.
When there are any, whoever sent them did not wait, or is not whom TLS is spoken with, and the connection is aborted
(RFC 3207, section 4.2, names the attack).
"""

from __future__ import annotations

from protocols._framing.pauseable import Pauseable
from reactor._transport.stream.lifecycle import State
from reactor._transport.stream.transport import StreamTransport
from reactor.error import SSLError
from reactor.failure import Failure
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from zope.interface import implementer

    from protocols._framing.splitter import Splitter
    from reactor.interfaces import IPushProducer
else:
    from reactor._ground.declare import IPushProducer, implementer

OPEN = State.OPEN
_OVER = frozenset({State.CLOSING, State.ENDING, State.CLOSED})


_NOTHING: Iterator[bytes] = iter(())


class _Top:
    """The top of a transport that is none of the reactor's."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    @property
    def state(self) -> State:
        """Whether it still delivers."""
        transport = self.transport
        going = getattr(transport, "disconnecting", False) or not getattr(transport, "connected", True)
        return State.CLOSING if going else OPEN


class _Foreign:
    """A transport that is none of the reactor's, seen as one."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self._plain, self._secure = _Top(transport), _Top(transport)

    @property
    def _top(self) -> _Top:
        """Another one when TLS has begun."""
        return self._secure if getattr(self.transport, "TLS", False) else self._plain


@implementer(IPushProducer)
class FramedProtocol(Protocol, Pauseable):
    """A protocol that receives frames."""

    _splitter: Any = None
    # Frames that are being passed on; None when none are.
    _frames: Iterator[bytes] | None = None
    # What the bytes came from that were left waiting; None when none were.
    _heardOn: Any = None
    _foreign: _Foreign | None = None

    def dataReceived(self, data: bytes) -> None:
        """Bytes came from the peer. Not for subclasses: those receive frames."""
        splitter = self._splitter
        if splitter is None:
            splitter = self._splitter = self._makeSplitter()
        splitter.feed(data)
        if self._frames is None and not self.paused:
            self._deliver()

    def pauseProducing(self) -> None:
        """Deliver nothing from now on, not even what is here already, until `resumeProducing`. Reading stops too.

        Not the same as `self.transport.pauseProducing()`, which leaves delivered what came in one piece.
        """
        self.paused = True
        self._putBack()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again, first what is here already; called inside a callback, when that has returned."""
        self.paused = False
        self.transport.resumeProducing()
        if self._frames is None and self._splitter:
            self._deliver()

    def stopProducing(self) -> None:
        """Deliver nothing any more, and lose the connection."""
        self.paused = True
        self._putBack()
        self.transport.stopProducing()

    def _makeSplitter(self) -> Splitter:
        """What cuts the bytes of this connection."""
        raise NotImplementedError

    def _step(self, holder: Any, top: Any) -> bool:
        """Pass on a batch, calling `_look` when the state of `top` is not OPEN any more, or it is not `holder`'s any
        more; whether there may be more.
        """
        raise NotImplementedError

    def _deliver(self) -> None:
        """Pass on what can be passed on."""
        transport = self.transport
        holder: Any = transport if isinstance(transport, StreamTransport) else self._standIn()
        top = holder._top
        if self._heardOn is not None:
            if self._heardOn is not top:
                self._refuse()
                return
            self._heardOn = None
        self._frames = _NOTHING
        try:
            if top.state is not OPEN:
                self._look(holder, top)
            while not self.paused and self._step(holder, top):
                top = holder._top
        except BaseException:
            self._putBack()
            raise
        finally:
            self._frames = None
            splitter = self._splitter
            if splitter.head or splitter.tail:
                self._heardOn = top

    def _putBack(self) -> None:
        """Whatever is being passed on, the rest of it is not."""
        if self._frames is not None:
            self._splitter.advance(list(self._frames))

    def _takeAll(self) -> bytes:
        """All that waits, which waits no more."""
        self._putBack()
        self._heardOn = None
        return self._splitter.take() if self._splitter is not None else b""

    def _look(self, holder: Any, top: Any) -> None:
        """A callback did something to the transport."""
        if holder._top is not top:
            self._putBack()
            if self._splitter:
                self._refuse()
        elif top.state in _OVER:
            self._takeAll()

    def _refuse(self) -> None:
        """TLS began, and there is something that came before it."""
        size = len(self._takeAll())
        text = f"{size} bytes came in the clear behind what began TLS: the peer did not wait, or somebody added them"
        self._abort(SSLError(string=text))

    def _abort(self, problem: Exception) -> None:
        """Close at once. `connectionLost` is told `problem`, if the transport is the reactor's own."""
        transport = self.transport
        if isinstance(transport, StreamTransport):
            transport._top.abort(Failure(problem))
        else:
            (transport.abortConnection if hasattr(transport, "abortConnection") else transport.loseConnection)()

    def _standIn(self) -> _Foreign:
        if self._foreign is None or self._foreign.transport is not self.transport:
            self._foreign = _Foreign(self.transport)
        return self._foreign
