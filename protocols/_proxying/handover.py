"""How a connection passes from who reads what comes first on it (a header, a proxy's reply) to the protocol behind.

The reader sees the first bytes under a deadline; then `handOver` gives the connection to its protocol, which is told of
other addresses than the socket's, and which gets the bytes that came behind the header, in order, even if it pauses or
begins TLS in its `connectionMade`. What is read, and what it means, is the reader's business.
"""

from __future__ import annotations

from reactor._ground.current import currentReactor
from reactor._ground.log import reportException
from reactor._transport.stream.transport import StreamTransport
from reactor.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reactor.failure import Failure


class FirstReader(Protocol):
    """Reads until it hands over; from then on it passes everything on, where the transport is not ours to give away.

    Subclasses override `firstReceived`, `firstLost` and `expired`, and call `watch` and `handOver`.
    """

    transport: Any
    _timer: Any = None
    _next: Any = None

    def watch(self, seconds: float, clock: Any) -> None:
        """Call `expired` unless the connection is handed over or over in `seconds`; `clock` None is the reactor."""
        self._timer = (clock if clock is not None else currentReactor()).callLater(seconds, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self.expired()

    def unwatch(self) -> None:
        """The deadline was kept."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        if self._next is None:
            self.firstReceived(data)
        else:
            self._next.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is over."""
        self.unwatch()
        following, self._next = self._next, None
        if following is None:
            self.firstLost(reason)
        else:
            following.connectionLost(reason)

    def firstReceived(self, data: bytes) -> None:
        """Bytes came before it handed over. For subclasses."""

    def firstLost(self, reason: Failure) -> None:
        """The connection was lost before it was handed over. For subclasses."""

    def expired(self) -> None:
        """The deadline has passed. For subclasses."""

    def handOver(self, protocol: Any, rest: bytes, **about: Any) -> HandedOver:
        """`protocol` is connected now. The caller is to call `deliver` of what this returns, so that `rest`, the bytes
        behind the header, arrive. `about` as `HandedOver` has it.
        """
        self.unwatch()
        handed = HandedOver(self, self.transport, rest, **about)
        handed.protocol = protocol
        protocol.makeConnection(handed)
        return handed


class HandedOver:
    """A transport as the protocol behind the header sees it: all is the real one's but the addresses.

    Provides whatever the real one provides.
    """

    __slots__ = (
        "_begun",
        "_clock",
        "_host",
        "_hostname",
        "_paused",
        "_peer",
        "_reader",
        "_rest",
        "_source",
        "_transport",
        "proxyInfo",
        "write",
    )

    def __init__(
        self,
        reader: FirstReader,
        transport: Any,
        rest: bytes,
        peer: Any = None,
        host: Any = None,
        hostname: str | None = None,
        info: Any = None,
    ) -> None:
        """`peer` and `host` are what `getPeer` and `getHost` say, None: what `transport` says. `hostname` is the name
        that TLS verifies where nobody says another: the connection was made to somebody else. `info` is what the header
        said.
        """
        self._reader = reader
        self._transport = transport
        self._rest = rest
        self._peer = peer
        self._host = host
        self._hostname = hostname
        self.proxyInfo = info
        # Who calls now; who resumes later may do so while nothing runs.
        self._clock: Any = currentReactor() if rest else None
        self._paused = False
        self._begun = False
        # Where bytes come from; has the protocol as its receiver, or the layer of TLS that was spliced in since.
        real = transport
        while isinstance(real, HandedOver):
            real = real._transport
        self._source: Any = real._top if isinstance(real, StreamTransport) else None
        # Each message goes through it: no detour.
        self.write = transport.write

    @property
    def __providedBy__(self) -> Any:
        from zope.interface import providedBy

        return providedBy(self._transport)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def __repr__(self) -> str:
        return f"<{self._transport!r} for {self.getPeer()}>"

    @property
    def protocol(self) -> Any:
        """Who gets the bytes; may be replaced."""
        return self._transport.protocol if self._source is not None else self._reader._next

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        if self._source is not None:
            self._transport.protocol = protocol
        else:
            self._reader._next = protocol

    @property
    def closeTimeout(self) -> Any:
        """The real transport's."""
        return self._transport.closeTimeout

    @closeTimeout.setter
    def closeTimeout(self, seconds: float | None) -> None:
        self._transport.closeTimeout = seconds

    @property
    def lingerTimeout(self) -> Any:
        """The real transport's."""
        return self._transport.lingerTimeout

    @lingerTimeout.setter
    def lingerTimeout(self, seconds: float | None) -> None:
        self._transport.lingerTimeout = seconds

    @property
    def writeBufferLimit(self) -> Any:
        """The real transport's."""
        return self._transport.writeBufferLimit

    @writeBufferLimit.setter
    def writeBufferLimit(self, limit: int | None) -> None:
        self._transport.writeBufferLimit = limit

    def getPeer(self) -> Any:
        """Who is at the other end, as the header or the proxy has it."""
        return self._peer if self._peer is not None else self._transport.getPeer()

    def getHost(self) -> Any:
        """Where the other end connected to, as the header has it."""
        return self._host if self._host is not None else self._transport.getHost()

    def startTLS(self, contextFactory: Any, normal: bool = True, hostname: str | None = None) -> None:
        """As the real transport's; the name to verify is that of the other end, not that of the proxy."""
        if hostname is None and self._hostname is not None:
            hostname = self._hostname
        self._transport.startTLS(contextFactory, normal, hostname)

    def pauseProducing(self) -> None:
        """Deliver nothing until `resumeProducing`."""
        self._paused = True
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again; first what came behind the header."""
        self._paused = False
        if self._rest and self._begun:
            # Not from inside this call, and nothing may overtake it: the real one stays paused until then.
            self._clock.callLater(0, self._deliverLater)
        else:
            self._transport.resumeProducing()

    def _deliverLater(self) -> None:
        if not self._rest or self._paused:
            return
        try:
            self.deliver()
        except Exception as e:
            reportException("%r raised", e, self)
            self._transport.abortConnection()
        else:
            if not self._paused:
                self._transport.resumeProducing()

    def deliver(self) -> None:
        """Deliver what came behind the header, unless the protocol paused or closed."""
        self._begun = True
        transport = self._transport
        if not self._rest or getattr(transport, "disconnecting", False) or not getattr(transport, "connected", True):
            self._rest = b""
            return
        receiver = self._reader._next if self._source is None else self._source.receiver
        # A layer of TLS keeps what it may not deliver yet.
        if self._paused and receiver is self.protocol:
            return
        rest, self._rest = self._rest, b""
        if receiver is not None:
            receiver.dataReceived(rest)
