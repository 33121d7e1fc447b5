"""Bandwidth: how many bytes a second all connections of a factory together may receive and send.

What was received is counted. Past the limit, nobody is read from until as many seconds have passed as the bytes are
worth; a producer is made to wait in the same way. Whoever else wants a transport or a producer to wait (the program,
the transport) is not overruled: it goes on when nobody holds it any more.
"""

from __future__ import annotations

import sys
from enum import Flag
from typing import Any

from zope.interface import implementer

from protocols.policies._limits import Census, connectionsAllowed
from protocols.policies._wrapping import ProtocolWrapper, WrappingFactory
from reactor._ground.current import currentReactor
from reactor._ground.log import message
from reactor.failure import Failure
from reactor.interfaces import IPullProducer, IPushProducer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Held(Flag):
    """Who wants something to wait."""

    NOBODY = 0
    #: The program, of a transport; the transport, of a producer.
    OTHER = 1
    #: The limit on bandwidth.
    LIMIT = 2


@implementer(IPushProducer, IPullProducer)
class Valve:
    """Between a transport and its producer: lets the producer go on only when neither transport nor limit objects."""

    def __init__(self, producer: Any, streaming: bool) -> None:
        self.producer = producer
        self.streaming = streaming
        # A pull producer waits until the transport asks.
        self.held = Held.NOBODY if streaming else Held.OTHER

    def hold(self, who: Held) -> None:
        """`who` wants it to wait."""
        if self.streaming and not self.held:
            self.producer.pauseProducing()
        self.held |= who

    def release(self, who: Held) -> None:
        """`who` does not want it to wait any more."""
        if not self.held & who:
            return
        self.held &= ~who
        if self.held:
            return
        if not self.streaming:
            self.held = Held.OTHER
        self.producer.resumeProducing()

    def pauseProducing(self) -> None:
        """The transport has enough."""
        self.hold(Held.OTHER)

    def resumeProducing(self) -> None:
        """The transport has room."""
        self.release(Held.OTHER)

    def stopProducing(self) -> None:
        """The transport is gone."""
        self.producer.stopProducing()

    # A transport that closes does not wait for a producer that is a connection which closes, too.

    @property
    def disconnecting(self) -> bool:
        """The producer's, if it is a connection."""
        return bool(getattr(self.producer, "disconnecting", False))

    @property
    def disconnected(self) -> bool:
        """The producer's, if it is a connection."""
        return bool(getattr(self.producer, "disconnected", False))


class ThrottlingProtocol(ProtocolWrapper):
    """A connection of a `ThrottlingFactory`: counts what passes, and waits when it is told to.

    What `sendFile` sends is not counted.
    """

    #: The registered producer, or None.
    producer: Any = None

    _valve: Valve | None = None
    _reading = Held.NOBODY
    _writing = Held.NOBODY

    def write(self, data: Any) -> None:
        """Send `data`, and count it."""
        self.factory.registerWritten(len(data))
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        """Send every piece of `data`, and count them."""
        pieces = list(data)
        self.factory.registerWritten(sum(map(len, pieces)))
        super().writeSequence(pieces)

    def dataReceived(self, data: bytes) -> None:
        """Count `data`, and hand it on."""
        self.factory.registerRead(len(data))
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone."""
        self.producer = self._valve = None
        super().connectionLost(reason)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell `producer` when to write: as the transport and the limit have it. RuntimeError when there is one."""
        if self._valve is not None:
            raise RuntimeError(
                f"cannot register {producer!r}: {self.producer!r} is registered and was not unregistered"
            )
        valve = Valve(producer, bool(streaming))
        if self._writing:
            valve.hold(self._writing)
        self.producer, self._valve = producer, valve
        try:
            super().registerProducer(valve, streaming)
        except BaseException:
            self.producer = self._valve = None
            raise

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = self._valve = None
        super().unregisterProducer()

    def pauseProducing(self) -> None:
        """Deliver nothing until `resumeProducing`."""
        self._holdReading(Held.OTHER)

    def resumeProducing(self) -> None:
        """Deliver again, when the limit does not object."""
        self._releaseReading(Held.OTHER)

    def throttleReads(self) -> None:
        """Receive nothing until `unthrottleReads`."""
        self._holdReading(Held.LIMIT)

    def unthrottleReads(self) -> None:
        """Receive again, unless the program wants to wait."""
        self._releaseReading(Held.LIMIT)

    def _holdReading(self, who: Held) -> None:
        if not self._reading:
            self.transport.pauseProducing()
        self._reading |= who

    def _releaseReading(self, who: Held) -> None:
        self._reading &= ~who
        if not self._reading:
            self.transport.resumeProducing()

    def throttleWrites(self) -> None:
        """Let the producer, if there is one, wait until `unthrottleWrites`."""
        self._writing = Held.LIMIT
        if self._valve is not None:
            self._valve.hold(Held.LIMIT)

    def unthrottleWrites(self) -> None:
        """Let the producer go on when the transport has room."""
        self._writing = Held.NOBODY
        if self._valve is not None:
            self._valve.release(Held.LIMIT)


class ThrottlingFactory(WrappingFactory):
    """Limits the number of another factory's connections and how much they receive and send together.

    Writing is limited where a producer writes; what a protocol writes of its own accord is only counted.
    """

    protocol = ThrottlingProtocol

    def __init__(
        self,
        wrappedFactory: Any,
        maxConnectionCount: int = sys.maxsize,
        readLimit: float | None = None,
        writeLimit: float | None = None,
    ) -> None:
        """
        :param wrappedFactory: whose protocols are wrapped.
        :param maxConnectionCount: connections at a time; never more than the process may have descriptors, less 64.
        :param readLimit: bytes received a second; None: no limit. More are received at once, and waited for.
        :param writeLimit: bytes written a second; None: no limit.
        :raises ValueError: for a limit that is not above 0.
        """
        for name, limit in (("readLimit", readLimit), ("writeLimit", writeLimit)):
            if limit is not None and not limit > 0:
                raise ValueError(f"ThrottlingFactory(): {name} must be above 0 bytes a second, or None, not {limit!r}")
        super().__init__(wrappedFactory)
        self.maxConnectionCount = maxConnectionCount
        self.readLimit = readLimit
        self.writeLimit = writeLimit
        self.readThisSecond = 0
        self.writtenThisSecond = 0
        self.unthrottleReadsID: Any = None
        self.checkReadBandwidthID: Any = None
        self.unthrottleWritesID: Any = None
        self.checkWriteBandwidthID: Any = None
        self._census = Census()
        self._readsThrottled = False
        self._writesThrottled = False
        self._refusing = False

    @property
    def connectionCount(self) -> int:
        """How many connections there are."""
        return self._census.count()

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call `func` in `period` seconds, on the reactor's clock. For subclasses, that may use another."""
        return currentReactor().callLater(period, func)

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds; None when there are enough connections."""
        if self.connectionCount >= connectionsAllowed(self.maxConnectionCount):
            if not self._refusing:
                # Once, not for each of those who try.
                self._refusing = True
                message("warning", "%r refuses connections: it has %d", self, self.connectionCount)
            return None
        protocol = super().buildProtocol(addr)
        if protocol is not None:
            self._refusing = False
            self._census.enter(protocol)
            if self.readLimit is not None and self.checkReadBandwidthID is None:
                self.checkReadBandwidth()
            if self.writeLimit is not None and self.checkWriteBandwidthID is None:
                self.checkWriteBandwidth()
        return protocol

    def registerProtocol(self, p: Any) -> None:
        """The connection of `p` is made; it waits if the others do. Called by `p`."""
        super().registerProtocol(p)
        if self._readsThrottled:
            p.throttleReads()
        if self._writesThrottled:
            p.throttleWrites()

    def unregisterProtocol(self, p: Any) -> None:
        """The connection of `p` is lost. Called by `p`."""
        super().unregisterProtocol(p)
        self._census.leave(p)
        if not self.connectionCount:
            self._stopCounting()

    def _stopCounting(self) -> None:
        for name in ("unthrottleReadsID", "checkReadBandwidthID", "unthrottleWritesID", "checkWriteBandwidthID"):
            call = getattr(self, name)
            setattr(self, name, None)
            if call is not None and call.active():
                call.cancel()
        self._readsThrottled = self._writesThrottled = False

    def registerRead(self, length: int) -> None:
        """`length` bytes were received. Called by the protocols."""
        self.readThisSecond += length
        # At once, not at the end of the second, by when a fast peer would have sent what is worth hours.
        if self.readLimit is not None and self.readThisSecond > self.readLimit and not self._readsThrottled:
            self.throttleReads()

    def registerWritten(self, length: int) -> None:
        """`length` bytes were written. Called by the protocols."""
        self.writtenThisSecond += length
        if self.writeLimit is not None and self.writtenThisSecond > self.writeLimit and not self._writesThrottled:
            self.throttleWrites()

    def checkReadBandwidth(self) -> None:
        """A second is over: let those wait who received too much, for as long as that is worth. Again in a second."""
        assert self.readLimit is not None
        if not self.connectionCount:
            # Those that were built were never connected.
            self._stopCounting()
            return
        if self.readThisSecond > self.readLimit:
            if not self._readsThrottled:
                self.throttleReads()
            wait = self.readThisSecond / self.readLimit - 1.0
            if self.unthrottleReadsID is None:
                self.unthrottleReadsID = self.callLater(wait, self.unthrottleReads)
            else:
                self.unthrottleReadsID.delay(wait)
        self.readThisSecond = 0
        self.checkReadBandwidthID = self.callLater(1, self.checkReadBandwidth)

    def checkWriteBandwidth(self) -> None:
        """A second is over: let those wait who wrote too much, for as long as that is worth. Again in a second."""
        assert self.writeLimit is not None
        if not self.connectionCount:
            # Those that were built were never connected.
            self._stopCounting()
            return
        if self.writtenThisSecond > self.writeLimit:
            if not self._writesThrottled:
                self.throttleWrites()
            wait = self.writtenThisSecond / self.writeLimit - 1.0
            if self.unthrottleWritesID is None:
                self.unthrottleWritesID = self.callLater(wait, self.unthrottleWrites)
            else:
                self.unthrottleWritesID.delay(wait)
        self.writtenThisSecond = 0
        self.checkWriteBandwidthID = self.callLater(1, self.checkWriteBandwidth)

    def throttleReads(self) -> None:
        """Receive nothing on all connections, until `unthrottleReads`."""
        self._readsThrottled = True
        message("info", "Throttling reads on %r", self)
        for each in list(self.protocols):
            each.throttleReads()

    def unthrottleReads(self) -> None:
        """Receive again on all connections."""
        self.unthrottleReadsID = None
        self._readsThrottled = False
        message("info", "Stopped throttling reads on %r", self)
        for each in list(self.protocols):
            each.unthrottleReads()

    def throttleWrites(self) -> None:
        """Let the producers of all connections wait, until `unthrottleWrites`."""
        self._writesThrottled = True
        message("info", "Throttling writes on %r", self)
        for each in list(self.protocols):
            each.throttleWrites()

    def unthrottleWrites(self) -> None:
        """Let the producers go on."""
        self.unthrottleWritesID = None
        self._writesThrottled = False
        message("info", "Stopped throttling writes on %r", self)
        for each in list(self.protocols):
            if self._writesThrottled:
                # One that went on wrote enough for all.
                break
            each.unthrottleWrites()
