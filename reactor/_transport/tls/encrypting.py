"""The way out of a TLS layer: what was written, until it is encrypted and handed to whoever is below.

It waits twice. Nothing is encrypted before the handshake is done, nor while a peer of TLS 1.2 shakes hands anew in the
middle of the connection (RFC 5246, section 7.4.1.1): OpenSSL takes no bytes then. And what is written while something
is delivered is handed on together when that is over, small pieces in one record: a record for each of many lines costs
more than the lines.
"""

from __future__ import annotations

import ssl

from reactor._transport.stream.lifecycle import DRAINING, State
from reactor._transport.stream.outbox import Outbox
from reactor._transport.tls.explain import explained
from reactor.error import WriteBufferFull
from reactor.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._transport.stream.stack import Below

OPEN = State.OPEN
# What is encrypted or decrypted at a time. A MemoryBIO keeps for good the room that it once needed.
MOST = 65536
# What may wait to be handed on: four of the longest records.
ROOM = MOST + 1024
# What is smaller may wait to be encrypted with others, so many of them at most.
TOGETHER = 4096
PIECES = 1024


class Sealing:
    """The half of a `Layer` that writes. The other half says in `state`, `_reason` and `_saidEnd` what may be."""

    __slots__ = (
        "_delivering",
        "_early",
        "_encryptor",
        "_object",
        "_out",
        "_queue",
        "_reason",
        "_saidEnd",
        "_shaken",
        "_take",
        "below",
        "state",
    )

    owner: Any
    below: Below
    state: State
    _object: ssl.SSLObject
    _encryptor: Callable[[bytes | memoryview], object]
    _take: Callable[[], bytes]
    # What was written before the handshake was done, be it the first one or another; None while none is waited for.
    _early: Outbox | None
    # Whether the first one is done.
    _shaken: bool
    # Whether something is being delivered, and what was written meanwhile: what is not encrypted yet, one piece or
    # several small ones; none (b"") when all is and waits in `_out`.
    _delivering: bool
    _queue: bytes | list[bytes] | None
    _out: ssl.MemoryBIO
    _reason: Failure | None
    _saidEnd: bool

    def abort(self, reason: Failure | None = None) -> None:
        """Drop everything."""
        raise NotImplementedError

    def _broken(self, reason: Failure) -> None:
        raise NotImplementedError

    def _known(self, phase: str) -> dict[str, Any]:
        raise NotImplementedError

    def _awaitHandshake(self) -> None:
        raise NotImplementedError

    @property
    def buffered(self) -> int:
        """Bytes that wait to be encrypted, or are queued below."""
        waiting = 0 if self._early is None else self._early.size
        return waiting + self.below.buffered + self._queued() + self._out.pending

    def write(self, data: bytes) -> None:
        """Encrypt and send `data`; after the handshake, if that is not done yet."""
        if self.state is not OPEN and not self._accepts():
            return
        if self._early is not None:
            self._writeEarly(data)
            return
        below = self.below
        if not self._delivering or below.source is not None or below.writeBufferLimit is not None:
            # Who wants to know how much is queued wants to know it now.
            if self._queue:
                self._seal()
            self._encrypt(data)
            return
        queue = self._queue
        if queue is None and len(data) <= MOST:
            # Nearly always it stays the only one.
            self._queue = data
        elif isinstance(queue, list) and len(data) < TOGETHER:
            queue.append(data)
            if len(queue) >= PIECES:
                self._seal()
        else:
            self._writeMore(data)

    def _writeMore(self, data: bytes) -> None:
        """What is being delivered is answered by more than one piece, or by a long one."""
        queue = self._queue
        if len(data) >= TOGETHER:
            if queue:
                self._seal(True)
            self._encrypt(data, True)
        elif not queue:
            self._queue = data
        elif isinstance(queue, bytes) and len(queue) < TOGETHER:
            self._queue = [queue, data]
        else:
            self._seal(True)
            self._queue = data

    def _queued(self) -> int:
        queue = self._queue
        if queue is None:
            return 0
        return len(queue) if isinstance(queue, bytes) else sum(map(len, queue))

    def _delivered(self) -> None:
        """Nothing is delivered any more: encrypt what was written meanwhile."""
        self._delivering = False
        if self._queue is not None:
            self._seal()

    def _seal(self, moreComes: bool = False) -> None:
        """Encrypt what waits for it, and hand it on."""
        queue, self._queue = self._queue, None
        if queue:
            self._encrypt(queue if isinstance(queue, bytes) else b"".join(queue), moreComes)
        else:
            self._flush()

    def _accepts(self) -> bool:
        if self._reason is not None or self._saidEnd:
            return False
        # A producer that is registered finishes what it began.
        return self.state is State.HEARD or (self.state in DRAINING and self.below.source is not None)

    def _encrypt(self, data: bytes | memoryview, moreComes: bool = False) -> None:
        """Encrypt `data`, and hand it on; or let it wait in `_out` for more."""
        try:
            if len(data) <= MOST:
                if moreComes:
                    if self._out.pending + len(data) > ROOM:
                        self._flush()
                    self._encryptor(data)
                    self._queue = b""
                else:
                    self._encryptor(data)
                    self.below.write(self._take())
                return
            data = memoryview(data)
            while data:
                self._encryptor(data[:MOST])
                self.below.write(self._take())
                data = data[MOST:]
        except ssl.SSLError as e:
            self._refused(data, e)

    def _refused(self, data: bytes | memoryview, problem: ssl.SSLError) -> None:
        """OpenSSL raised `problem` and did not take `data`: it waits for a handshake, or TLS has failed."""
        if not isinstance(problem, ssl.SSLWantReadError):
            self._broken(explained(problem, self._object, self._known("established")))
            return
        if self._early is None:
            self._early = Outbox()
            self._awaitHandshake()
        self._early.append(data)
        self._flush()

    def _encryptEarly(self) -> None:
        """Encrypt what waited for a handshake, if that is done."""
        early = self._early
        assert early is not None
        while early.size:
            piece = early.head()
            if len(piece) > MOST:
                piece = memoryview(piece)[:MOST]
            try:
                self._encryptor(piece)
            except ssl.SSLWantReadError:
                self._flush()
                return
            except ssl.SSLError as e:
                self._broken(explained(e, self._object, self._known("established")))
                return
            early.sent(len(piece))
            self.below.write(self._take())
        self._early = None

    def _writeEarly(self, data: bytes) -> None:
        assert self._early is not None
        self._early.append(data)
        buffered, source, limit = self.buffered, self.below.source, self.below.writeBufferLimit
        if source is not None:
            try:
                source.fill(buffered)
            except BaseException as e:
                failure = self.owner.raised(e)
                if failure is not None:
                    self.abort(failure)
        if limit is not None and buffered > limit:
            self.abort(Failure(WriteBufferFull(limit=limit, buffered=buffered)))

    def _flush(self) -> None:
        data = self._take()
        if data:
            self.below.write(data)
