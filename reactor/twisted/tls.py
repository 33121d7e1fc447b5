"""TLS by pyOpenSSL on connections of ours: Twisted's protocol of TLS, with a shorter way for bytes.

How it begins and ends, who is told what, and every name that programs know are Twisted's own code: this is a subclass
of what its `TLSMemoryBIOFactory` makes. What it does otherwise is what costs there: it counts the records that came, so
that OpenSSL is not asked for one more than there is (the exception that says so costs as much as a small record); what
is written while something is delivered is encrypted right after that, and what is written otherwise when the callback
returns, as on our wires, not by a timer.

A factory whose program has put something in place of the class or of one of these methods keeps what it has. Imported
only when a program has imported Twisted's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from OpenSSL.SSL import Error, WantReadError, ZeroReturnError
from twisted.internet import _newtls
from twisted.internet.interfaces import ISSLTransport
from twisted.protocols import tls
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from reactor._core.contexts import inside
from reactor._transport.stream.wire import MIDDLE, Wire
from reactor.twisted.openssl import MOST, RECORD, Asked, waysOf

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reactor._core.loop import Loop

# A record's header (RFC 8446, section 5.1), the type of those of a handshake where types are seen (TLS 1.2), and what a
# record adds to the program's bytes at most (RFC 5246, section 6.2.3).
HEADER = 5
HANDSHAKE = 22
MORE = 2048 + HEADER
# What is gathered before it is encrypted.
ROOM = 64_000

# What is overridden here, of which class.
_OVERRIDDEN = {
    tls.TLSMemoryBIOProtocol: (
        "makeConnection",
        "dataReceived",
        "write",
        "_write",
        "_flushReceiveBIO",
        "_flushSendBIO",
    ),
    ProtocolWrapper: ("makeConnection", "dataReceived", "write"),
}
_ORIGINALS = {(cls, name): vars(cls)[name] for cls, names in _OVERRIDDEN.items() for name in names}
# None in a release that writes each piece by itself, and has none to be shortened.
_BUFFERING: Any = getattr(tls, "BufferingTLSTransport", None)
_known = _BUFFERING is not None and all(
    method.__module__ == cls.__module__ for (cls, _name), method in _ORIGINALS.items()
)


def quicken(factory: Any) -> None:
    """Have `factory`, a TLSMemoryBIOFactory, make protocols of this module's, where it would make Twisted's."""
    if factory.protocol is _BUFFERING and _untouched():
        factory.protocol = Quick


def _untouched() -> bool:
    return _known and all(vars(cls)[name] is method for (cls, name), method in _ORIGINALS.items())


def startTLS(transport: Any, contextFactory: Any, normal: bool, plain: type, over: type) -> None:
    """Put TLS on `transport`, of class `over` from now on, which was a `plain` one."""
    factory: Any = tls.TLSMemoryBIOFactory(contextFactory, bool(normal) is transport._tlsClientDefault, None)  # type: ignore[arg-type]
    quicken(factory)
    producer, streaming = transport.producer, transport.streamingProducer
    if producer is not None:
        transport.unregisterProducer()
    layer = factory.protocol(factory, transport.protocol, False)
    transport.__class__ = over
    transport.protocol = layer
    transport.getHandle = layer.getHandle
    transport.getPeerCertificate = layer.getPeerCertificate
    directlyProvides(transport, ISSLTransport)
    transport.TLS = True
    layer.makeConnection(_newtls._BypassTLS(plain, transport))
    if producer is not None:
        transport.registerProducer(producer, streaming)


class Gathered:
    """What was written and is not encrypted yet, until the callback returns that wrote it."""

    def __init__(self, protocol: Quick, loop: Loop) -> None:
        """For `protocol`, which encrypts it."""
        self._protocol = protocol
        self._loop = loop
        self._pieces: list[bytes] = []
        self._room = ROOM
        # Invariant: True while `flush` is going to be called.
        self.marked = False

    def write(self, data: bytes) -> None:
        """Send `data`, behind what was written before."""
        # A copy of what may change, and a TypeError for what is no bytes.
        data = data + b""
        self._pieces.append(data)
        self._room -= len(data)
        if self._room < 0:
            self.encrypt()
        elif not self.marked:
            self.marked = True
            self._loop.dirty.append(self)

    def encrypt(self) -> None:
        """Encrypt it now."""
        pieces = self._pieces
        if pieces:
            self._pieces = []
            self._room = ROOM
            protocol = self._protocol
            # What is written behind loseConnection is a producer's, or nobody's.
            if not protocol.disconnecting or protocol._producer is not None:
                protocol._write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def flush(self) -> None:
        """The callback has returned; the loop calls this, in whatever context."""
        self.marked = False
        if self._pieces:
            protocol = self._protocol
            try:
                if protocol._producer is None:
                    self.encrypt()
                else:
                    inside(protocol.context, self.encrypt)
            except BaseException as e:
                self._loop.raised("%r raised when it was to encrypt", e, protocol)


class _Closing:
    """Stands before a `Gathered` where Twisted's code encrypts what is left: when it closes, or is over."""

    def __init__(self, gathered: Gathered) -> None:
        self.write = gathered.write
        self.flush = self.close = gathered.encrypt


class Quick(_BUFFERING or tls.TLSMemoryBIOProtocol):  # type: ignore[misc]
    """TLS on one connection."""

    # What is left of the last record that came, in bytes, and the part of a header that came.
    _missing = 0
    _header = b""
    # Whether there was a record of a handshake since something was encrypted, and how many were not read then.
    _shaking = False
    _unread = 0
    # None when what it stands on is none of ours, and until it stands there.
    _gathered: Gathered | None = None
    # Set when there is a connection of pyOpenSSL's, which Twisted's code makes.
    _ways: Any = None
    #: What the callbacks of the connection are made in.
    context: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Stand on `transport`."""
        # Behind startTLS, and under other TLS, what stands for our transport has its names.
        wire = getattr(transport, "_wire", None)
        if isinstance(wire, Wire) and self.factory._clock is transport.reactor:
            self.context = wire.context
            # One receive of nothing but new keys (RFC 8446, section 4.6.3) takes OpenSSL 0.35 us a byte.
            wire.mostRead = MIDDLE
            self._gathered = gathered = Gathered(self, wire.loop)
            self._aggregator = _Closing(gathered)
            self.write = gathered.write
        super().makeConnection(transport)

    # In.

    def dataReceived(self, data: bytes) -> None:
        """Ciphertext came."""
        size = int.from_bytes(data[3:HEADER], "big")
        if self._missing or self._header or len(data) != HEADER + size or data[0] == HANDSHAKE:
            records = self._count(data)
        else:
            # Nearly always.
            records = 1
        if not self._handshakeDone or self._lostTLSConnection:
            super().dataReceived(data)
            return
        ways = self._ways
        if ways is None:
            self._ways = ways = waysOf(self._tlsConnection, self.factory._clock)
        ways.put(data)
        self._deliver(records, ways.read)
        if self._appSendBuffer and not self._lostTLSConnection:
            self._unbufferPendingWrites()

    def _count(self, data: bytes) -> int:
        """How many records end in `data`."""
        if self._header:
            data, self._header = self._header + data, b""
        at, size, count = self._missing, len(data), 0
        if at:
            if at > size:
                self._missing = at - size
                return 0
            count = 1
        while at + HEADER <= size:
            self._shaking = self._shaking or data[at] == HANDSHAKE
            at += HEADER + (data[at + 3] << 8 | data[at + 4])
            count += 1
        self._missing = 0
        if at > size:
            self._missing = at - size
            return count - 1
        if at < size:
            self._header = data[at:]
        return count

    def _deliver(self, records: int, read: Callable[[int], bytes]) -> None:
        """Deliver what is decrypted of so many records."""
        gathered = self._gathered
        marked = True
        if gathered is not None:
            # What is written meanwhile is encrypted at the end of this.
            marked, gathered.marked = gathered.marked, True
        try:
            while records and not self._lostTLSConnection:
                records -= 1
                if self._shaking:
                    self._unread = records
                try:
                    data = read(RECORD)
                except WantReadError:
                    # One of them was none of the program's: there may be an answer to it.
                    self._unread = 0
                    self._flushSendBIO()
                    break
                except ZeroReturnError:
                    self._shutdownTLS()
                    self._tlsShutdownFinished(None)
                except Error:
                    self._tlsShutdownFinished(Failure())
                else:
                    if not self._aborted:
                        self.wrappedProtocol.dataReceived(data)
        finally:
            if not marked:
                assert gathered is not None
                gathered.marked = False
                gathered.encrypt()

    def connectionLost(self, reason: Failure) -> None:
        """What it stands on is over."""
        super().connectionLost(reason)
        self._gathered = self._ways = None

    # Out.

    def _write(self, data: bytes) -> None:
        if self._lostTLSConnection:
            return
        if self._appSendBuffer or (self._shaking and (self._missing or self._header or self._unread)):
            # Behind what waits; or OpenSSL would read that, for the handshake, and takes there only what belongs to it.
            self._bufferedWrite(data)
            return
        self._shaking = False
        ways, size = self._ways or Asked(self._tlsConnection), len(data)
        at = taken = 0
        while at < size:
            try:
                # Nearly always it is one record, in one piece.
                at += ways.write(data[at : at + RECORD] if at or size > RECORD else data)
            except WantReadError:
                self._bufferedWrite(data[at:])
                break
            except Error:
                self._tlsShutdownFinished(Failure())
                return
            if at - taken > MOST - 2 * RECORD:
                self._take(ways, MOST)
                taken = at
        if size:
            self._take(ways, min(size - taken + MORE, MOST))

    def _flushSendBIO(self) -> None:
        self._take(self._ways or Asked(self._tlsConnection), 2 * RECORD)

    def _take(self, ways: Any, most: int) -> None:
        """Hand on what OpenSSL has to send, `most` bytes at a time."""
        while True:
            data = ways.take(most)
            if data:
                self.transport.write(data)
            if len(data) < most:
                return
